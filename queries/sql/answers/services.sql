-- One row a service. `riftline services` fills the comments between /* and */.
SELECT
    service,
    spans,
    errors,
    quantiles[1] AS p50_ns,
    quantiles[2] AS p90_ns,
    quantiles[3] AS p99_ns,
    first_seen,
    last_seen
FROM (
    SELECT
        service,
        count(*) AS spans,
        count(*) FILTER (status = 'error') AS errors,
        quantile_disc(duration_ns, [0.5, 0.9, 0.99]) AS quantiles,
        min(start) AS first_seen,
        max(start) AS last_seen
    FROM spans
    WHERE true /* and of these traces */ /* and since then */
    GROUP BY service
)
ORDER BY service
/* and so many */
