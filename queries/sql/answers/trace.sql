-- The spans of one trace, by start. `riftline trace` puts the id and the comment in.
SELECT *
FROM spans
WHERE trace_id = '0123456789abcdef0123456789abcdef' /* and in these rows */
ORDER BY start, "row"
