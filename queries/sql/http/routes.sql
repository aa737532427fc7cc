-- title: HTTP routes
-- description: Requests served, failures and durations by method and route.
-- parameter: service text = '' -- only this service
-- parameter: limit int = 50
SELECT
    service,
    http_request_method AS method,
    http_route AS route,
    count(*) AS requests,
    count(*) FILTER (http_response_status_code >= 500) AS server_errors,
    quantile_disc(duration_ns, 0.5) AS p50_ns,
    quantile_disc(duration_ns, 0.99) AS p99_ns
FROM spans
WHERE kind = 'server' AND http_request_method IS NOT NULL AND ($service = '' OR service = $service)
GROUP BY service, method, route
ORDER BY requests DESC, service, method, route
LIMIT $limit
