-- Macros that users may call. The bundled DuckDB has no ICU: everything is arithmetic on UTC nanoseconds.

-- The attribute `key` as text; NULL where absent.
CREATE OR REPLACE MACRO attr(attributes, "key") AS
    json_extract_string(attributes, '$."' || replace("key", '"', '\"') || '"');

CREATE OR REPLACE MACRO span_of_time_ns(text) AS
    CAST(regexp_extract(text, '^\s*([0-9.]+)', 1) AS DOUBLE) * CASE regexp_extract(text, '([a-zµ]+)\s*$', 1)
        WHEN 'ns' THEN 1
        WHEN 'us' THEN 1e3
        WHEN 'µs' THEN 1e3
        WHEN 'ms' THEN 1e6
        WHEN 's' THEN 1e9
        WHEN 'm' THEN 60e9
        WHEN 'h' THEN 3600e9
        WHEN 'd' THEN 86400e9
        WHEN 'w' THEN 604800e9
        ELSE error('time span ' || text || ' has no unit: write 90s, 15m, 2h or 1d')
    END;

-- The time that lies `text` (15m, 2h, 1d) before now.
CREATE OR REPLACE MACRO ago(text) AS
    make_timestamp_ns(epoch_us(now()) * 1000 - CAST(span_of_time_ns(text) AS BIGINT));

-- The time of day `text` (10:41) of today, UTC; a text with a date is taken as it is.
CREATE OR REPLACE MACRO "at"(text) AS
    CASE WHEN contains(text, '-') THEN CAST(text AS TIMESTAMP_NS)
    ELSE make_timestamp_ns(
        epoch_us(now()) // 86400000000 * 86400000000000 + epoch_us(CAST(text || CASE WHEN length(text) <= 5 THEN ':00' ELSE '' END AS TIME)) * 1000
    ) END;

-- The minute in which `start` lies.
CREATE OR REPLACE MACRO minute(start) AS
    make_timestamp_ns(epoch_ns(start) // 60000000000 * 60000000000);

-- Upper bound, in nanoseconds, of latency bucket `bucket` of edge_counts: eight buckets an octave from 1 µs to 73 min.
CREATE OR REPLACE MACRO bucket_bound_ns(bucket) AS
    CASE WHEN bucket <= 0 THEN 1024::BIGINT
    WHEN bucket >= 257 THEN 9223372036854775807::BIGINT
    ELSE (((8 + (bucket - 1) % 8 + 1)::BIGINT) << (((bucket - 1) // 8 + 7)::BIGINT)) END;

-- The duration below which the share `q` of the calls lies: the upper bound of a bucket, at most 12.5 % too high.
-- Lists of several rows are added by putting them one after the other: bucket_quantile(flatten(list(latency_buckets)), 0.99).
CREATE OR REPLACE MACRO bucket_quantile(buckets, q) AS
    list_min(list_transform(
        list_filter(buckets, lambda b:
            list_sum(list_transform(list_filter(buckets, lambda c: c.le_ns <= b.le_ns), lambda c: c.calls))
            >= q * list_sum(list_transform(buckets, lambda c: c.calls))),
        lambda b: b.le_ns));
