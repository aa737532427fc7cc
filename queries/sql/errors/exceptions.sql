-- title: Exceptions
-- description: Exceptions that spans recorded as events, by type and message.
-- parameter: service text = '' -- only this service
-- parameter: limit int = 50
SELECT
    service,
    json_extract_string(event, '/attributes/exception.type') AS exception,
    json_extract_string(event, '/attributes/exception.message') AS message,
    count(*) AS occurrences,
    min(start) AS first_seen,
    max(start) AS last_seen,
    min(trace_id) AS example
FROM (
    SELECT service, start, trace_id, unnest(CAST(events AS JSON[])) AS event
    FROM spans
    WHERE events IS NOT NULL AND ($service = '' OR service = $service)
)
WHERE json_extract_string(event, '/name') = 'exception'
GROUP BY service, exception, message
ORDER BY occurrences DESC, service, exception, message
LIMIT $limit
