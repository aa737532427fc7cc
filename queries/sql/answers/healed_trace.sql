-- The spans of one request, from all traces that it was torn into, by start. `riftline trace --healed` puts the ids and the comment
-- in. Joined spans have the parent that was found for them in healed_parent_span_id, and why in stitch.
SELECT
    s.*,
    coalesce(j.parent_span_id, s.parent_span_id) AS healed_parent_span_id,
    CASE WHEN j.child_span_id IS NOT NULL THEN json_object(
        'parent_trace_id', j.parent_trace_id, 'parent_span_id', j.parent_span_id, 'confidence', j.confidence, 'state', j.state,
        'rule', j.rule, 'why', j.evidence->>'$.why') END AS stitch
FROM spans s
LEFT JOIN stitches j
    ON j.child_trace_id = s.trace_id AND j.child_span_id = s.span_id AND j.state <> 'candidate'
    AND j.parent_trace_id IN ('0123456789abcdef0123456789abcdef')
WHERE s.trace_id IN ('0123456789abcdef0123456789abcdef') /* and in these rows */
ORDER BY s.trace_id <> '0123456789abcdef0123456789abcdef', start, "row"
