-- title: TCP retransmits
-- description: Where segments were sent again, by address and port: the network's own word on a slow call.
-- parameter: limit int = 50
SELECT
    dst,
    dst_port,
    count(*) FILTER (WHERE kind = 'retransmit') AS retransmits,
    count(*) FILTER (WHERE kind IN ('reset', 'drop')) AS resets_and_drops,
    count(*) AS socket_events,
    min(time) AS first_seen,
    max(time) AS last_seen
FROM flows
GROUP BY dst, dst_port
HAVING retransmits + resets_and_drops > 0
ORDER BY retransmits DESC, resets_and_drops DESC, dst, dst_port
LIMIT $limit
