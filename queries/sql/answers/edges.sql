-- Calls between services, summed over minutes; p50 and p99 are upper bounds of latency buckets, at most 12.5 % too high.
-- `riftline edges` fills the comments between /* and */.
WITH
selected AS (
    SELECT * FROM edges WHERE true /* and since then */
),
buckets AS (
    SELECT client, server, operation, bucket.le_ns AS le_ns, sum(bucket.calls) AS calls
    FROM (SELECT client, server, operation, unnest(latency_buckets) AS bucket FROM selected)
    GROUP BY ALL
),
running AS (
    SELECT
        client,
        server,
        operation,
        le_ns,
        sum(calls) OVER (PARTITION BY client, server, operation ORDER BY le_ns) AS up_to,
        sum(calls) OVER (PARTITION BY client, server, operation) AS total
    FROM buckets
),
quantiles AS (
    SELECT
        client,
        server,
        operation,
        min(le_ns) FILTER (up_to >= 0.5 * total) AS p50_ns,
        min(le_ns) FILTER (up_to >= 0.99 * total) AS p99_ns
    FROM running
    GROUP BY client, server, operation
),
counts AS (
    SELECT client, server, operation, sum(calls)::BIGINT AS calls, sum(errors)::BIGINT AS errors
    FROM selected
    GROUP BY client, server, operation
)
SELECT client, server, operation, calls, errors, p50_ns, p99_ns
FROM counts
LEFT JOIN quantiles USING (client, server, operation)
ORDER BY client, server, operation
/* and so many */
