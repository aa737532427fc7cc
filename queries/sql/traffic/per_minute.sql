-- title: Traffic per minute
-- description: Requests that services received (spans of kind server and consumer), failures and the slowest hundredth, minute by minute.
-- parameter: service text = '' -- only this service
SELECT
    minute(start) AS minute,
    service,
    count(*) AS requests,
    count(*) FILTER (status = 'error') AS errors,
    quantile_disc(duration_ns, 0.99) AS p99_ns
FROM spans
WHERE kind IN ('server', 'consumer') AND ($service = '' OR service = $service)
GROUP BY ALL
ORDER BY minute, service
