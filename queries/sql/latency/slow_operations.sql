-- title: Slowest operations
-- description: Calls, errors and the duration in the middle, at the 90th and at the 99th of a hundred calls, by service and operation; the slowest first.
-- parameter: service text = '' -- only this service
-- parameter: kind text = '' -- only spans of this kind, such as server
-- parameter: limit int = 20
SELECT
    service,
    name,
    kind,
    count(*) AS spans,
    count(*) FILTER (status = 'error') AS errors,
    quantile_disc(duration_ns, 0.5) AS p50_ns,
    quantile_disc(duration_ns, 0.9) AS p90_ns,
    quantile_disc(duration_ns, 0.99) AS p99_ns
FROM spans
WHERE ($service = '' OR service = $service) AND ($kind = '' OR kind = $kind)
GROUP BY service, name, kind
ORDER BY p99_ns DESC, service, name, kind
LIMIT $limit
