-- Schema 2 adds events of kernels, tracers and sockets. Each class of events has a table of its own, raw_event_<id>, which is made
-- with the first of them (store/events.rs); the view kernel_events lays them one over the other.
CREATE TABLE raw_event_classes (
    id UINTEGER NOT NULL,
    provider VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    clock VARCHAR NOT NULL
);

CREATE TABLE raw_flows (
    "row" BIGINT NOT NULL,
    source_id UINTEGER NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    kind UTINYINT NOT NULL,
    pid BIGINT,
    comm VARCHAR,
    src VARCHAR,
    src_port BIGINT,
    dst VARCHAR,
    dst_port BIGINT,
    protocol VARCHAR,
    bytes_sent BIGINT,
    bytes_received BIGINT,
    duration_ns BIGINT,
    details VARCHAR
);

CREATE TABLE raw_gaps (
    source_id UINTEGER NOT NULL,
    "from" TIMESTAMP_NS NOT NULL,
    "to" TIMESTAMP_NS NOT NULL,
    stream VARCHAR NOT NULL,
    lost UBIGINT,
    what VARCHAR NOT NULL
);

CREATE TABLE raw_clocks (
    source_id UINTEGER NOT NULL,
    name VARCHAR NOT NULL,
    offset_ns BIGINT,
    frequency UBIGINT NOT NULL,
    origin VARCHAR NOT NULL
);

-- Up to where the requests of live receivers, which lie in the spool beside the store, are rows. One row.
CREATE TABLE raw_spool (segment UBIGINT NOT NULL, "offset" UBIGINT NOT NULL);

ALTER TABLE raw_sources ADD COLUMN num_events UBIGINT DEFAULT 0;
