-- Traces, the newest first. `riftline traces` fills the comments between /* and */.
SELECT *
FROM traces
WHERE true /* and of these traces */ /* and since then */
ORDER BY start DESC, trace_id
/* and so many */
