//! Which tool wrote a table, a histogram or a stack.

use std::path::Path;

/// Columns that tell a tool, the first match counts. A name with `!` before it must not be there.
const TABLES: [(&str, &[&str]); 24] = [
    ("tcpstates", &["OLDSTATE", "NEWSTATE"]),
    ("tcplife", &["LADDR", "RADDR", "TX_KB", "RX_KB", "MS"]),
    ("tcptop", &["RX_KB", "TX_KB"]),
    ("tcpretrans", &["LADDR:LPORT", "RADDR:RPORT"]),
    ("tcpdrop", &["SADDR:SPORT", "DADDR:DPORT"]),
    ("tcptracer", &["T", "SADDR", "DADDR", "SPORT", "DPORT"]),
    ("tcpconnlat", &["SADDR", "DADDR", "LAT(ms)"]),
    ("tcpaccept", &["RADDR", "RPORT", "LADDR", "LPORT"]),
    ("tcpconnect", &["SADDR", "DADDR", "DPORT"]),
    ("tcpconnect", &["LADDR", "RADDR", "RPORT", "CONNECTS"]),
    ("runqslower", &["COMM", "TID", "LAT(us)"]),
    ("execsnoop", &["PCOMM", "RET", "ARGS"]),
    ("exitsnoop", &["PCOMM", "EXIT_CODE"]),
    ("opensnoop", &["FD", "ERR", "PATH"]),
    ("statsnoop", &["RET", "ERR", "PATH"]),
    ("statsnoop", &["FD!", "PID", "COMM", "ERR", "PATH"]),
    ("gethostlatency", &["LATms", "HOST"]),
    ("biosnoop", &["DISK", "SECTOR"]),
    ("syscount", &["SYSCALL"]),
    ("hardirqs", &["HARDIRQ"]),
    ("softirqs", &["SOFTIRQ"]),
    ("killsnoop", &["SIG", "TPID"]),
    ("funccount", &["FUNC", "COUNT"]),
    ("vfsstat", &["READ/s", "WRITE/s"]),
];

/// What tools say when they begin.
const GREETINGS: [(&str, &str); 14] = [
    ("run queue latency higher", "runqslower"),
    ("run queue latency", "runqlat"),
    ("run queue length", "runqlen"),
    ("off-CPU and waker", "offwaketime"),
    ("off-CPU time", "offcputime"),
    ("on-CPU time", "cpudist"),
    ("blocked time", "wakeuptime"),
    ("block device I/O", "biolatency"),
    ("block I/O", "bitesize"),
    ("TCP RTT", "tcprtt"),
    ("hard irq", "hardirqs"),
    ("soft irq", "softirqs"),
    ("Sampling at", "profile"),
    ("syscalls", "syscount"),
];

/// Returns the tool whose table has these columns.
pub(super) fn of_columns(columns: &[&str]) -> Option<&'static str> {
    let has = |wanted: &&str| match wanted.strip_suffix('!') {
        Some(unwanted) => !columns.contains(&unwanted),
        None => columns.contains(wanted),
    };
    TABLES.iter().find(|(_, wanted)| wanted.iter().all(has)).map(|(tool, _)| *tool)
}

/// Returns the tool that greets so.
pub(super) fn of_greeting(line: &str) -> Option<&'static str> {
    let is_greeting = line.starts_with("Tracing ") || line.starts_with("Sampling ");
    GREETINGS.iter().find(|(part, _)| is_greeting && line.contains(part)).map(|(_, tool)| *tool)
}

/// Returns the tool of a command that was typed: `# ./biolatency -m 5`.
pub(super) fn of_prompt(line: &str) -> Option<&str> {
    let command = line.strip_prefix("# ").or_else(|| line.strip_prefix("$ "))?;
    let word = command.split_whitespace().find(|word| !matches!(*word, "sudo" | "python" | "python3" | "bpftrace"))?;
    let name = word.rsplit('/').next()?;
    named(name.strip_suffix(".py").or_else(|| name.strip_suffix(".bt")).unwrap_or(name))
}

/// Returns the tool after which a file is called: `tcplife` of `tcplife.txt.gz`.
pub(super) fn of_path(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?.split('.').next()?;
    named(name.strip_suffix("_example").unwrap_or(name))
}

fn named(name: &str) -> Option<&str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (!name.is_empty() && name.len() <= 32 && name.bytes().all(is_name)).then_some(name)
}
