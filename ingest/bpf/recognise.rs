//! By what streams of eBPF tools are told from others, and where they may be cut.

use crate::bpf::hist;
use crate::bpf::map;
use crate::bpf::notice::notice;
use crate::bpf::printf;
use crate::bpf::stack;
use crate::bpf::table::Table;
use crate::bpf::tool;
use crate::kernel::lines::{cut_before, first};
use crate::kernel::stamp;

/// Types of objects that bpftrace writes.
const TYPES: [&str; 12] = [
    "attached_probes",
    "printf",
    "time",
    "value",
    "map",
    "hist",
    "stats",
    "lost_events",
    "helper_error",
    "cat",
    "join",
    "syscall",
];

/// Tells whether the first object is one of bpftrace; warnings may stand before it.
pub(super) fn json(head: &[u8], is_whole: bool) -> bool {
    first(head, is_whole).find(|line| line.starts_with('{')).is_some_and(is_object)
}

/// `{"type": "printf", "data": …`: bpftrace writes the type first and a known one.
fn is_object(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("{\"type\":") else { return false };
    let Some((kind, rest)) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
        return false;
    };
    TYPES.contains(&kind)
        && (rest.starts_with(", \"data\":") || rest.starts_with(",\"data\":") || rest.starts_with(", \"msg\":"))
}

/// Tells whether this is what bpftrace prints: it tells how many probes it attached, prints a map, or lines as scripts do.
pub(super) fn text(head: &[u8], is_whole: bool) -> bool {
    let lines: Vec<&str> = first(head, is_whole).filter(|line| !line.trim().is_empty()).collect();
    let data: Vec<&str> = lines.iter().copied().filter(|line| notice(line).is_none()).collect();
    let is_printed = data.len() >= 2 && data.iter().all(|line| map::is_begin(line) || printf::is_typical(line));
    lines.iter().take(10).any(|line| is_greeting(line)) || data.first().is_some_and(|line| is_map(line)) || is_printed
}

fn is_greeting(line: &str) -> bool {
    let rest = line.strip_prefix("Attaching ").or_else(|| line.strip_prefix("Attached "));
    rest.and_then(|rest| rest.split_once(" probe")).is_some_and(|(count, _)| count.parse::<u32>().is_ok())
}

fn is_map(line: &str) -> bool {
    let rest = stamp::leading(line).map_or(line, |(_, rest)| rest);
    map::is_begin(rest) && (rest.ends_with(':') || rest.contains(": ") || rest.trim_end().ends_with(','))
}

/// Tells whether this is what a tool of bcc or libbpf-tools prints.
pub(super) fn tools(head: &[u8], is_whole: bool) -> bool {
    let lines: Vec<&str> = first(head, is_whole).filter(|line| !line.trim().is_empty()).collect();
    let is_greeting =
        |line: &&str| tool::of_greeting(line).is_some() || (line.starts_with("Tracing ") && line.contains("Ctrl"));
    let is_prose = lines.first().is_some_and(|line| line.starts_with("Demonstrations of "));
    let data: Vec<&str> = lines.iter().copied().filter(|line| notice(line).is_none()).collect();
    is_prose
        || lines.iter().take(4).any(is_greeting)
        || is_table(&data)
        || is_histogram(&data)
        || is_stacks(&lines)
        || is_folded(&data)
}

/// A header with a process, a connection or another column that tells the tool; a time may stand above it.
fn is_table(data: &[&str]) -> bool {
    const TELLING: [&str; 10] =
        ["PID", "TID", "COMM", "PCOMM", "LADDR", "SADDR", "DADDR", "RADDR", "SYSCALL", "TOTAL_usecs"];
    let is_header = |(at, line): (usize, &&str)| {
        let num_telling = line.split_whitespace().filter(|word| TELLING.contains(word)).count();
        let is_row = |table: &Table| data.get(at + 1).is_none_or(|row| table.is_row(row));
        Table::of(line).is_some_and(|table| table.tool.is_some() || (num_telling >= 2 && is_row(&table)))
    };
    data.iter().enumerate().take(2).any(is_header)
}

fn is_histogram(data: &[&str]) -> bool {
    let at = data.iter().take(4).position(|line| hist::header(line).is_some());
    at.and_then(|at| data.get(at + 1)).is_some_and(|line| hist::row(line).is_some())
}

/// Indented frames, a task behind a dash, a number.
fn is_stacks(lines: &[&str]) -> bool {
    let is_task = |line: &str| line.trim_start().starts_with("- ") && line.ends_with(')');
    let is_indented = lines.iter().all(|line| line.starts_with([' ', '\t']));
    is_indented && lines.windows(2).any(|pair| {
        matches!(pair, [task, value] if is_task(task) && value.trim().bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn is_folded(data: &[&str]) -> bool {
    data.len() >= 2 && data.iter().all(|line| stack::folded(line).is_some())
}

/// Cuts JSON between two lines of `printf`, the first of which ended its own line. Where times are printed by themselves,
/// they hold for what follows: such a stream is not cut.
pub(super) fn cut_json(bytes: &[u8], target: usize) -> Option<usize> {
    if memchr::memmem::find(bytes, b"{\"type\": \"time\"").is_some() {
        return None;
    }
    let at = cut_before(bytes, target, |line| line.starts_with("{\"type\": \"printf\""))?;
    bytes.get(..at)?.ends_with(b"\\n\"}\n").then_some(at)
}

/// Tells whether nothing but rows stands around `target`: no empty or indented line, no header, no map, no time alone.
pub(super) fn is_flat(bytes: &[u8], target: usize) -> bool {
    const AROUND: usize = 4 << 10;
    let target = target.min(bytes.len());
    let around = bytes.get(target.saturating_sub(AROUND)..target.saturating_add(AROUND).min(bytes.len()));
    let Ok(text) = std::str::from_utf8(around.unwrap_or_default()) else { return false };
    let lines: Vec<&str> = text.split('\n').collect();
    let inner = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let is_row = |line: &str| {
        let is_alone = stamp::leading(line).is_some_and(|(_, rest)| rest.is_empty());
        !line.is_empty() && !line.starts_with([' ', '\t', '@', '[']) && !is_alone && Table::of(line).is_none()
    };
    inner.len() >= 8 && inner.iter().all(|line| is_row(line))
}
