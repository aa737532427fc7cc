//! The files of `sql/` that come with riftline, by name. A test compares this list with the folder.

macro_rules! bundled {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../sql/", $name, ".sql")))),*] };
}

pub(super) const BUNDLED: &[(&str, &str)] = bundled![
    "database/repeated_statements",
    "database/slow_statements",
    "errors/by_operation",
    "errors/by_type",
    "errors/exceptions",
    "http/routes",
    "http/status_codes",
    "kernel/gaps",
    "kernel/of_trace",
    "kernel/off_cpu",
    "kernel/retransmits",
    "kernel/slow_calls",
    "latency/slow_operations",
    "latency/slow_traces",
    "messaging/destinations",
    "quality/missing_parents",
    "quality/rejects",
    "quality/sdks",
    "traffic/per_minute",
];
