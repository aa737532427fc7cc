-- title: What was refused
-- description: Records that could not be taken, by source and reason.
-- parameter: limit int = 50
SELECT source, reason, count(*) AS records, min("offset") AS first_offset, min(line) AS first_line
FROM rejects
GROUP BY source, reason
ORDER BY records DESC, source, reason
LIMIT $limit
