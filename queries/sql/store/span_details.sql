-- One span, by its row: the view's columns, and the numbers that the view shows as names.
SELECT
    v.trace_id, v.span_id, v.parent_span_id, v.trace_state, v.flags, v.service, v.name, s.kind AS kind_number, v.start_ns,
    v.duration_ns, s.status AS status_number, v.status_message, v.attributes, v.resource, v.resource_schema_url,
    v.scope_name, v.scope_version, v.scope, v.scope_schema_url, v.events, v.links, v.original, v.dropped_attributes,
    v.dropped_events, v.dropped_links, v.mark_bits, u.name AS source
FROM spans v
JOIN raw_spans s ON s."row" = v."row"
LEFT JOIN raw_sources u ON u.id = v.source_id
WHERE v."row" = ? AND s."row" = ?;
