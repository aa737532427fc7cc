-- Derived tables: everything here can be computed again from the raw tables. `settle.rs` writes them.
CREATE TABLE IF NOT EXISTS {{derived}}settled_traces (
    trace_hi UBIGINT NOT NULL,
    trace_lo UBIGINT NOT NULL,
    start TIMESTAMP_NS NOT NULL,
    duration_ns BIGINT NOT NULL,
    root_service VARCHAR,
    root_name VARCHAR,
    num_spans BIGINT NOT NULL,
    num_services BIGINT NOT NULL,
    num_errors BIGINT NOT NULL,
    is_complete BOOLEAN NOT NULL,
    -- All rows of the trace lie between these two, in raw_spans.
    first_row BIGINT NOT NULL,
    last_row BIGINT NOT NULL,
    -- Rows of the trace, duplicates too.
    num_rows BIGINT NOT NULL
);

-- Calls between services, one row a latency bucket: rows with equal keys add up.
CREATE TABLE IF NOT EXISTS {{derived}}edge_counts (
    minute TIMESTAMP_NS NOT NULL,
    client VARCHAR NOT NULL,
    server VARCHAR NOT NULL,
    operation VARCHAR NOT NULL,
    bucket USMALLINT NOT NULL,
    calls BIGINT NOT NULL,
    errors BIGINT NOT NULL
);

-- Later rows that repeat an earlier one: hidden from the views.
CREATE TABLE IF NOT EXISTS {{derived}}span_duplicates ("row" BIGINT NOT NULL, source_id UINTEGER NOT NULL);

-- Marks that only the whole trace shows, added to those of the row.
CREATE TABLE IF NOT EXISTS {{derived}}span_marks ("row" BIGINT NOT NULL, marks UINTEGER NOT NULL);

-- Rows of raw_spans above this one are not in the derived tables yet.
CREATE TABLE IF NOT EXISTS {{derived}}settle_state ("row" BIGINT NOT NULL);
INSERT INTO {{derived}}settle_state SELECT 0 WHERE NOT EXISTS (FROM {{derived}}settle_state);

-- Durations of events that begin something, found at the event that ends it (settle/pairs.rs).
CREATE TABLE IF NOT EXISTS {{derived}}event_durations ("row" BIGINT NOT NULL, duration_ns BIGINT NOT NULL);

-- Events that begin something which has not ended yet. `thread` is a thread's id, or a CPU where that is what began it.
CREATE TABLE IF NOT EXISTS {{derived}}open_events (
    "row" BIGINT NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    source_id UINTEGER NOT NULL,
    stem VARCHAR NOT NULL,
    is_cpu BOOLEAN NOT NULL,
    thread BIGINT NOT NULL
);

-- Events above this row were not looked at for pairs yet.
CREATE TABLE IF NOT EXISTS {{derived}}settle_events ("row" BIGINT NOT NULL);
INSERT INTO {{derived}}settle_events SELECT 0 WHERE NOT EXISTS (FROM {{derived}}settle_events);

-- Stretches of time that were stitched and looked at by detectors (analyse.rs). `fingerprint` is made of all that they were
-- made of: the same rows, rules and code give the same number.
CREATE TABLE IF NOT EXISTS {{derived}}analysed_stretches (
    stretch UBIGINT NOT NULL,
    "from" TIMESTAMP_NS NOT NULL,
    "to" TIMESTAMP_NS NOT NULL
);

CREATE TABLE IF NOT EXISTS {{derived}}settled_stitches (
    stretch UBIGINT NOT NULL,
    parent_hi UBIGINT NOT NULL,
    parent_lo UBIGINT NOT NULL,
    parent_span_id UBIGINT NOT NULL,
    child_hi UBIGINT NOT NULL,
    child_lo UBIGINT NOT NULL,
    child_span_id UBIGINT NOT NULL,
    parent_row BIGINT NOT NULL,
    child_row BIGINT NOT NULL,
    confidence DOUBLE NOT NULL,
    state VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS {{derived}}settled_findings (
    stretch UBIGINT NOT NULL,
    "from" TIMESTAMP_NS NOT NULL,
    -- The first to fix first, within the stretch.
    place BIGINT NOT NULL,
    id VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    "group" VARCHAR NOT NULL,
    -- 0 crit to 4 info.
    severity UTINYINT NOT NULL,
    confidence DOUBLE NOT NULL,
    subject VARCHAR NOT NULL,
    services VARCHAR NOT NULL,
    first_seen TIMESTAMP_NS NOT NULL,
    last_seen TIMESTAMP_NS NOT NULL,
    occurrences BIGINT NOT NULL,
    out_of BIGINT NOT NULL,
    examples VARCHAR NOT NULL,
    evidence VARCHAR NOT NULL,
    fix VARCHAR NOT NULL
);

-- What the list of traces says about them: one row for each trace that has something to say.
CREATE TABLE IF NOT EXISTS {{derived}}trace_notes (
    stretch UBIGINT NOT NULL,
    trace_hi UBIGINT NOT NULL,
    trace_lo UBIGINT NOT NULL,
    is_stitched BOOLEAN NOT NULL,
    num_findings BIGINT NOT NULL
);

-- How far the clock of a process is off the others': add it to the recorded times.
CREATE TABLE IF NOT EXISTS {{derived}}settled_clocks (
    stretch UBIGINT NOT NULL,
    resource_id UINTEGER NOT NULL,
    offset_ns BIGINT NOT NULL
);
