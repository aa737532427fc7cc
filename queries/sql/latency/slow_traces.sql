-- title: Slowest traces
-- description: Traces that took longer than a bound, the slowest first.
-- parameter: over duration = 0ms -- only traces that took at least this long
-- parameter: limit int = 20
SELECT trace_id, start, duration_ns, root_service, root_name, num_spans, num_services, num_errors
FROM traces
WHERE duration_ns >= $over
ORDER BY duration_ns DESC, trace_id
LIMIT $limit
