-- Schema 4 adds chaos runs and their journals.
CREATE TABLE raw_runs (
    run_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    started TIMESTAMP_NS NOT NULL,
    ended TIMESTAMP_NS NOT NULL,
    state VARCHAR NOT NULL,
    plan VARCHAR NOT NULL,
    verdict VARCHAR
);

CREATE TABLE raw_run_events (
    run_id VARCHAR NOT NULL,
    time TIMESTAMP_NS NOT NULL,
    kind VARCHAR NOT NULL,
    fault VARCHAR NOT NULL,
    details VARCHAR NOT NULL
);
