-- Log records by time. `riftline logs` fills the comments between /* and */.
SELECT *
FROM logs
WHERE true /* and of these traces */ /* and since then */
ORDER BY time, "row"
/* and so many */
