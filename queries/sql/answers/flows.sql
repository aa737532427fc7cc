-- Socket events by time. `riftline flows` fills the comments between /* and */.
SELECT *
FROM flows
WHERE true /* and since then */
ORDER BY time, "row"
/* and so many */
