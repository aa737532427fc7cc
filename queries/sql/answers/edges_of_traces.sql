-- Calls between services in some traces only, counted as in the view `edges` but from their spans, so that p50 and p99 are
-- exact. `riftline edges --traceql` fills the comments between /* and */.
WITH
selected AS (
    SELECT
        trace_id,
        span_id,
        parent_span_id,
        service,
        name,
        kind,
        status,
        start,
        duration_ns,
        coalesce(peer_service, db_system_name, messaging_system, server_address, net_peer_name) AS peer
    FROM spans
    WHERE true /* and of these traces */
),
-- Of spans that share an id, children hang below the first.
parents AS (
    SELECT trace_id, span_id, first(service ORDER BY start, duration_ns DESC) AS service,
        first(status ORDER BY start, duration_ns DESC) AS status
    FROM selected
    GROUP BY trace_id, span_id
),
calls AS (
    SELECT
        parent.service AS client,
        child.service AS server,
        child.name AS operation,
        child.start,
        child.duration_ns,
        child.status = 'error' OR parent.status = 'error' AS is_error
    FROM selected child
    JOIN parents parent ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
    WHERE child.kind NOT IN ('client', 'producer', 'internal') AND parent.service <> child.service
    UNION ALL
    SELECT caller.service, caller.peer, caller.name, caller.start, caller.duration_ns, caller.status = 'error'
    FROM selected caller
    ANTI JOIN selected child ON child.trace_id = caller.trace_id AND child.parent_span_id = caller.span_id
    WHERE caller.kind IN ('client', 'producer') AND caller.peer <> caller.service
)
SELECT
    client,
    server,
    operation,
    count(*) AS calls,
    count(*) FILTER (is_error) AS errors,
    quantile_disc(duration_ns, 0.5) AS p50_ns,
    quantile_disc(duration_ns, 0.99) AS p99_ns
FROM calls
WHERE true /* and since then */
GROUP BY client, server, operation
ORDER BY client, server, operation
/* and so many */
