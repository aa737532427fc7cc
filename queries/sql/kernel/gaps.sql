-- title: Lost events
-- description: Stretches in which a tracer says that it lost events: what is missing there did not fail to happen.
-- parameter: limit int = 100
SELECT source, stream, what, count(*) AS gaps, CAST(sum(lost) AS BIGINT) AS lost, min("from") AS first_seen, max("to") AS last_seen
FROM gaps
GROUP BY source, stream, what
ORDER BY lost DESC NULLS LAST, source, stream, what
LIMIT $limit
