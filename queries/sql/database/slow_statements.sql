-- title: Slow statements
-- description: Database calls by statement, the largest total time first.
-- parameter: service text = '' -- only this service
-- parameter: limit int = 20
SELECT
    service,
    db_system_name AS system,
    coalesce(db_query_summary, db_query_text, db_operation_name, name) AS statement,
    count(*) AS calls,
    count(*) FILTER (status = 'error') AS errors,
    sum(duration_ns) AS total_ns,
    quantile_disc(duration_ns, 0.5) AS p50_ns,
    quantile_disc(duration_ns, 0.99) AS p99_ns
FROM spans
WHERE db_system_name IS NOT NULL AND ($service = '' OR service = $service)
GROUP BY service, system, statement
ORDER BY total_ns DESC, service, system, statement
LIMIT $limit
