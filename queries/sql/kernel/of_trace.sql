-- title: Events of a trace
-- description: Kernel, tracer and socket events that name the trace themselves (a traceparent on the wire, ids in a tracepoint).
-- parameter: trace text = '' -- 32 hexadecimal digits
-- parameter: limit int = 200
SELECT e.time, e.provider, e.name, e.comm, e.tid, e.duration_ns, s.service, s.name AS span, e.fields
FROM kernel_events e
LEFT JOIN spans s ON s.trace_id = e.trace_id AND s.span_id = e.span_id
WHERE e.trace_id = $trace
ORDER BY e.time, e."row"
LIMIT $limit
