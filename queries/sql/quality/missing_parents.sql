-- title: Spans without their parent
-- description: Spans whose parent was never received, by service and operation: where context was lost, or data is missing.
-- parameter: limit int = 50
SELECT
    child.service,
    child.name,
    child.kind,
    count(*) AS spans,
    min(child.trace_id) AS example
FROM spans child
LEFT JOIN spans parent ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
WHERE child.parent_span_id IS NOT NULL AND parent.span_id IS NULL
GROUP BY child.service, child.name, child.kind
ORDER BY spans DESC, child.service, child.name, child.kind
LIMIT $limit
