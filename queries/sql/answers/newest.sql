-- When the newest record of any kind was made: `--since` counts back from there.
SELECT greatest(
    (SELECT epoch_ns(max(start)) FROM raw_spans),
    (SELECT epoch_ns(max(time)) FROM raw_logs),
    (SELECT epoch_ns(max(time)) FROM raw_metrics)
) AS newest_ns
