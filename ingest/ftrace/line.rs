//! The beginning of a line of ftrace.

use crate::kernel::trace::{Who, split_cpu, split_time};
use crate::kernel::value::int;

/// The beginning of a line, and what follows it.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub who: Who<'a>,
    pub time_ns: i64,
    /// Interrupts off, rescheduling needed, in an interrupt, preemption depth, migration off; empty where not recorded.
    pub flags: &'a str,
    pub rest: &'a str,
}

/// Reads the beginning of a line.
#[inline]
pub(super) fn head(line: &str) -> Option<Head<'_>> {
    let (before, time_ns, rest) = split_time(line)?;
    let before = before.trim_end();
    let (left, flags) = if before.ends_with(']') { (before, "") } else { before.rsplit_once([' ', '\t'])? };
    if !is_flags(flags) {
        return None;
    }
    let (task, cpu) = split_cpu(left)?;
    let (task, pid) = split_process(task.trim_end());
    let (comm, tid) = task.rsplit_once('-')?;
    let who = Who { comm: comm.trim_start(), pid, tid: Some(int(tid)?), cpu: Some(cpu) };
    Some(Head { who: shown(who), time_ns, flags, rest: rest.trim_start() })
}

/// `<...>` and `<idle>` are no names of tasks; the idle task has one.
fn shown(who: Who<'_>) -> Who<'_> {
    Who { comm: if who.comm == "<...>" { "" } else { who.comm }, ..who }
}

fn is_flags(flags: &str) -> bool {
    flags.len() <= 8 && flags.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'#' | b'*'))
}

/// Takes `(  123)` or `(-----)`, the process, off the end.
fn split_process(task: &str) -> (&str, Option<i64>) {
    let Some((before, process)) = task.strip_suffix(')').and_then(|task| task.rsplit_once('(')) else {
        return (task, None);
    };
    let process = process.trim();
    match int(process) {
        Some(pid) => (before.trim_end(), Some(pid)),
        None if process.starts_with('-') => (before.trim_end(), None),
        None => (task, None),
    }
}
