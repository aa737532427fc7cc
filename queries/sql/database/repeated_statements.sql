-- title: Repeated statements
-- description: The same statement many times below one parent span: usually a loop that should be one statement.
-- parameter: at_least int = 10 -- how often below one parent
-- parameter: limit int = 20
SELECT
    service,
    statement,
    count(*) AS parents,
    max(calls) AS most_calls,
    sum(total_ns) AS total_ns,
    min(trace_id) AS example
FROM (
    SELECT
        trace_id,
        parent_span_id,
        service,
        coalesce(db_query_text, db_operation_name, name) AS statement,
        count(*) AS calls,
        sum(duration_ns) AS total_ns
    FROM spans
    WHERE db_system_name IS NOT NULL AND parent_span_id IS NOT NULL
    GROUP BY trace_id, parent_span_id, service, statement
    HAVING calls >= $at_least
)
GROUP BY service, statement
ORDER BY most_calls DESC, service, statement
LIMIT $limit
