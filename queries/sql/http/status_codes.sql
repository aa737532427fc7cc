-- title: HTTP status codes
-- description: How often each status code was answered (server) and seen (client), by service.
-- parameter: service text = '' -- only this service
SELECT service, kind, http_response_status_code AS status_code, count(*) AS spans
FROM spans
WHERE http_response_status_code IS NOT NULL AND ($service = '' OR service = $service)
GROUP BY service, kind, status_code
ORDER BY service, kind, status_code
