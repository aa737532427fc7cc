-- title: Time off the CPU
-- description: From sched_switch: how long each thread was switched out before it ran again, longest sums first.
-- parameter: comm text = '' -- only this command
-- parameter: limit int = 50
SELECT
    source_id,
    comm,
    tid,
    count(*) AS times,
    CAST(sum(off_ns) AS BIGINT) AS off_cpu_ns,
    max(off_ns) AS longest_ns,
    count(*) FILTER (WHERE state NOT IN ('R', '0', 'TASK_RUNNING')) AS waited
FROM (
    SELECT
        source_id,
        tid,
        comm,
        state,
        epoch_ns(lead(time) OVER (PARTITION BY source_id, tid ORDER BY "row", is_in)) - epoch_ns(time) AS off_ns,
        is_in
    FROM (
        SELECT
            source_id, "row", time, false AS is_in,
            CAST(coalesce(fields->>'prev_tid', fields->>'prev_pid') AS BIGINT) AS tid,
            fields->>'prev_comm' AS comm,
            coalesce(fields->>'prev_state_label', fields->>'prev_state') AS state
        FROM kernel_events WHERE name IN ('sched_switch', 'sched:sched_switch')
        UNION ALL
        SELECT
            source_id, "row", time, true,
            CAST(coalesce(fields->>'next_tid', fields->>'next_pid') AS BIGINT),
            fields->>'next_comm',
            NULL
        FROM kernel_events WHERE name IN ('sched_switch', 'sched:sched_switch')
    )
    WHERE tid <> 0
)
WHERE NOT is_in AND off_ns IS NOT NULL AND ($comm = '' OR comm = $comm)
GROUP BY source_id, comm, tid
ORDER BY off_cpu_ns DESC, source_id, comm, tid
LIMIT $limit
