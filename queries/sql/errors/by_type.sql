-- title: Errors by type
-- description: Failed spans by what they say went wrong: error.type, else the HTTP, gRPC or database status, else the status message.
-- parameter: service text = '' -- only this service
-- parameter: limit int = 50
SELECT
    service,
    coalesce(
        error_type,
        'http ' || http_response_status_code,
        'grpc ' || rpc_grpc_status_code,
        'db ' || db_response_status_code,
        status_message
    ) AS error,
    count(*) AS spans,
    min(start) AS first_seen,
    max(start) AS last_seen,
    min(trace_id) AS example
FROM spans
WHERE status = 'error' AND ($service = '' OR service = $service)
GROUP BY service, error
ORDER BY spans DESC, service, error
LIMIT $limit
