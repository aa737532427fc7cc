-- title: Queues and topics
-- description: Messages sent and received by destination, with the durations of either side.
-- parameter: limit int = 50
SELECT
    messaging_system AS system,
    messaging_destination_name AS destination,
    service,
    kind,
    count(*) AS spans,
    count(*) FILTER (status = 'error') AS errors,
    quantile_disc(duration_ns, 0.5) AS p50_ns,
    quantile_disc(duration_ns, 0.99) AS p99_ns
FROM spans
WHERE messaging_system IS NOT NULL
GROUP BY system, destination, service, kind
ORDER BY system, destination, service, kind
LIMIT $limit
