-- title: Slow system calls
-- description: System calls, interrupts and other pairs of entry and exit by how long they took; settle first.
-- parameter: name text = '' -- only events whose name contains this
-- parameter: limit int = 50
SELECT
    provider,
    name,
    count(*) AS calls,
    CAST(sum(duration_ns) AS BIGINT) AS total_ns,
    CAST(quantile_cont(duration_ns, 0.99) AS BIGINT) AS p99_ns,
    max(duration_ns) AS longest_ns,
    arg_max(comm, duration_ns) AS slowest_comm
FROM kernel_events
WHERE duration_ns IS NOT NULL AND ($name = '' OR contains(name, $name))
GROUP BY provider, name
ORDER BY total_ns DESC, provider, name
LIMIT $limit
