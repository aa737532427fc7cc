-- Tables of schema 1; the views over them are in views.sql. raw_spans, raw_resources and raw_alias_sets get a column for a
-- convention when the first row uses it (store/writer.rs): columns that nobody uses would cost as much as those that are.
CREATE TABLE store_info (
    schema_version BIGINT NOT NULL,
    conventions_version UBIGINT NOT NULL,
    -- XXH3-64 of the text of all views and macros: another text makes them anew.
    views_hash UBIGINT NOT NULL
);

CREATE TABLE store_conventions (
    "key" VARCHAR NOT NULL,
    column_name VARCHAR NOT NULL,
    value_type VARCHAR NOT NULL,
    on_spans BOOLEAN NOT NULL
);

CREATE TABLE raw_sources (
    id UINTEGER NOT NULL,
    name VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    container VARCHAR NOT NULL,
    head_hash UBIGINT NOT NULL,
    committed_offset UBIGINT NOT NULL,
    prefix_hash UBIGINT NOT NULL,
    num_spans UBIGINT NOT NULL,
    num_logs UBIGINT NOT NULL,
    num_metrics UBIGINT NOT NULL,
    num_rejects UBIGINT NOT NULL,
    num_rejects_kept UBIGINT NOT NULL,
    is_complete BOOLEAN NOT NULL,
    stopped VARCHAR,
    first_read TIMESTAMP_NS NOT NULL,
    last_read TIMESTAMP_NS NOT NULL,
    run_id VARCHAR
);

CREATE TABLE raw_rejects (
    source_id UINTEGER NOT NULL,
    "offset" UBIGINT NOT NULL,
    line UBIGINT NOT NULL,
    "column" UBIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    excerpt VARCHAR NOT NULL
);

CREATE TABLE raw_resources (
    id UINTEGER NOT NULL,
    service VARCHAR NOT NULL,
    attributes VARCHAR NOT NULL,
    schema_url VARCHAR NOT NULL,
    dropped_attributes UINTEGER NOT NULL
);

CREATE TABLE raw_scopes (
    id UINTEGER NOT NULL,
    name VARCHAR NOT NULL,
    version VARCHAR NOT NULL,
    attributes VARCHAR NOT NULL,
    schema_url VARCHAR NOT NULL,
    dropped_attributes UINTEGER NOT NULL
);

-- One row a set of conventions that were recorded under older keys; a column a convention holds the recorded key.
CREATE TABLE raw_alias_sets (id UINTEGER NOT NULL);

CREATE TABLE raw_spans (
    "row" BIGINT NOT NULL,
    trace_hi UBIGINT NOT NULL,
    trace_lo UBIGINT NOT NULL,
    span_id UBIGINT NOT NULL,
    parent_span_id UBIGINT NOT NULL,
    start TIMESTAMP_NS NOT NULL,
    duration_ns BIGINT NOT NULL,
    kind UTINYINT NOT NULL,
    status UTINYINT NOT NULL,
    flags UINTEGER NOT NULL,
    resource_id UINTEGER NOT NULL,
    scope_id UINTEGER NOT NULL,
    alias_set UINTEGER NOT NULL,
    marks UINTEGER NOT NULL,
    source_id UINTEGER NOT NULL,
    name VARCHAR,
    trace_state VARCHAR,
    status_message VARCHAR,
    -- A JSON object of the attributes that have no column.
    attributes VARCHAR,
    events VARCHAR,
    links VARCHAR,
    original VARCHAR,
    dropped_attributes BIGINT,
    dropped_events BIGINT,
    dropped_links BIGINT
);

CREATE TABLE raw_logs (
    "row" BIGINT NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    observed TIMESTAMP_NS NOT NULL,
    severity UTINYINT NOT NULL,
    trace_hi UBIGINT NOT NULL,
    trace_lo UBIGINT NOT NULL,
    span_id UBIGINT NOT NULL,
    flags UINTEGER NOT NULL,
    resource_id UINTEGER NOT NULL,
    scope_id UINTEGER NOT NULL,
    marks UINTEGER NOT NULL,
    source_id UINTEGER NOT NULL,
    body_is_json BOOLEAN NOT NULL,
    severity_text VARCHAR,
    event_name VARCHAR,
    body VARCHAR,
    attributes VARCHAR,
    original VARCHAR,
    dropped_attributes BIGINT
);

CREATE TABLE raw_metrics (
    "row" BIGINT NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    start TIMESTAMP_NS NOT NULL,
    kind UTINYINT NOT NULL,
    temporality UTINYINT NOT NULL,
    is_monotonic BOOLEAN NOT NULL,
    flags UINTEGER NOT NULL,
    resource_id UINTEGER NOT NULL,
    scope_id UINTEGER NOT NULL,
    marks UINTEGER NOT NULL,
    source_id UINTEGER NOT NULL,
    value_double DOUBLE,
    value_int BIGINT,
    count BIGINT,
    sum DOUBLE,
    min DOUBLE,
    max DOUBLE,
    name VARCHAR,
    description VARCHAR,
    unit VARCHAR,
    buckets VARCHAR,
    exemplars VARCHAR,
    attributes VARCHAR,
    metadata VARCHAR,
    original VARCHAR
);

INSERT INTO store_info VALUES (1, 0, 0);
