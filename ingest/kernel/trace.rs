//! Events as the kernel's tracers print them: what `perf script` and ftrace have in common.
//!
//! ```text
//! line = who [ "[" cpu "]" ] [ flags ] seconds "." fraction ":" rest
//! body = { key "=" value } | { key ": " value ", " } | "NR " number ( "(" arguments ")" | "= " result ) | text
//! ```

use crate::clock::seconds;
use crate::kernel::flow::{self, Flow};
use crate::kernel::http;
use crate::kernel::out::{Out, Stamp};
use crate::kernel::pairs::Pairs;
use crate::kernel::row::Row;
use crate::kernel::value::{Value, int};

/// Shorter bodies hold no ids of a trace.
const MIN_IDS: usize = 36;

/// Who an event happened to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Who<'a> {
    pub comm: &'a str,
    pub pid: Option<i64>,
    pub tid: Option<i64>,
    pub cpu: Option<i64>,
}

/// Finds the time in a line: returns what stands before it, the time, and what follows its colon.
#[inline]
pub(crate) fn split_time(line: &str) -> Option<(&str, i64, &str)> {
    const MAX_TRIES: usize = 8;
    memchr::memchr_iter(b':', line.as_bytes()).take(MAX_TRIES).find_map(|colon| {
        let before = line.get(..colon)?;
        let from = before.bytes().rposition(|byte| matches!(byte, b' ' | b'\t' | b']')).map_or(0, |at| at + 1);
        let word = before.get(from..)?;
        let (_, fraction) = word.split_once('.')?;
        let ns = (fraction.len() >= 3).then(|| seconds(word)).flatten()?;
        Some((before.get(..from)?, ns, line.get(colon + 1..)?))
    })
}

/// Takes `[cpu]` off the end of `text`.
#[inline]
pub(crate) fn split_cpu(text: &str) -> Option<(&str, i64)> {
    let (before, cpu) = text.trim_end().strip_suffix(']')?.rsplit_once('[')?;
    let is_number = !cpu.is_empty() && cpu.len() <= 5 && cpu.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| cpu.parse().ok()).flatten().map(|cpu| (before, cpu))
}

/// Appends an event with what its body tells; returns its place.
pub(crate) fn event(out: &mut Out, name: &str, subsystem: &str, stamp: Stamp, who: Who<'_>, body: &str) {
    let body = body.trim();
    let mut flow = flow::may_be(name).then(Flow::default);
    let Some(mut row) = out.event(name, stamp) else { return };
    set_who(&mut row, who);
    if !subsystem.is_empty() {
        row.field("subsystem", Value::Text(subsystem));
    }
    fill(&mut row, &mut flow, body);
    if let Some(mut flow) = flow {
        (flow.pid, flow.comm) = (who.pid.or(who.tid), who.comm);
        let time_ns = out.time(stamp);
        flow.commit(out, name, time_ns);
    }
}

fn set_who(row: &mut Row<'_>, who: Who<'_>) {
    who.cpu.into_iter().for_each(|cpu| row.cpu(cpu));
    who.pid.into_iter().for_each(|pid| row.pid(pid));
    who.tid.into_iter().for_each(|tid| row.tid(tid));
    if !who.comm.is_empty() {
        row.comm(who.comm);
    }
}

fn fill<'a>(row: &mut Row<'_>, flow: &mut Option<Flow<'a>>, body: &'a str) {
    let pairs = Pairs::new(body);
    if pairs.is_empty() {
        return fill_other(row, body);
    }
    if !pairs.before().trim().is_empty() {
        row.field("text", Value::Text(body));
    }
    let (mut trace, mut span) = ((0, 0), 0);
    for (key, value) in pairs {
        row.field(key, Value::of(value));
        flow.iter_mut().for_each(|flow| flow.take(key, value));
        match key {
            "trace_id" | "traceId" | "traceid" if http::is_hex(value, 32) => trace = http::trace_id(value),
            "span_id" | "spanId" | "spanid" if http::is_hex(value, 16) => span = http::span_id(value),
            _ => {}
        }
    }
    row.ids((trace.0, trace.1, span));
    // Switches of tasks name no trace, and there are very many of them.
    if trace == (0, 0) && body.len() >= MIN_IDS && !body.starts_with("prev_comm=") {
        http::ids(body).into_iter().for_each(|ids| row.ids(ids));
    }
}

/// Bodies without `key=value`: system calls, pairs with colons, any text.
fn fill_other(row: &mut Row<'_>, body: &str) {
    if body.is_empty() {
        return;
    }
    let call = body.strip_prefix("NR ").and_then(|rest| rest.split_once(' '));
    if let Some((number, rest)) = call.and_then(|(number, rest)| Some((int(number)?, rest))) {
        row.field("nr", Value::Int(number));
        return match rest.strip_prefix("= ") {
            Some(result) => row.field("ret", Value::of(result)),
            None => row.field("args", Value::Text(rest.trim_matches(['(', ')']))),
        };
    }
    if colon_pairs(body).all(|pair| pair.is_some()) {
        return colon_pairs(body).flatten().for_each(|(key, value)| row.field(key, Value::of(value)));
    }
    row.field("text", Value::Text(body));
    http::ids(body).into_iter().for_each(|ids| row.ids(ids));
}

/// Returns the pairs of `fd: 0x3, buf: 0x7f…`, nothing for a part that is none.
fn colon_pairs(body: &str) -> impl Iterator<Item = Option<(&str, &str)>> {
    body.split(", ").map(|part| {
        let (key, value) = part.split_once(": ")?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_key.then_some((key, value.trim()))
    })
}
