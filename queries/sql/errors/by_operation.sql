-- title: Errors by operation
-- description: How many spans of each operation failed, out of how many; the most failures first.
-- parameter: service text = '' -- only this service
-- parameter: limit int = 50
SELECT
    service,
    name,
    count(*) FILTER (status = 'error') AS errors,
    count(*) AS spans,
    round(count(*) FILTER (status = 'error') / count(*), 4) AS error_share,
    min(start) FILTER (status = 'error') AS first_error,
    max(start) FILTER (status = 'error') AS last_error
FROM spans
WHERE $service = '' OR service = $service
GROUP BY service, name
HAVING errors > 0
ORDER BY errors DESC, service, name
LIMIT $limit
