//! Lines that a script prints with `printf`: whatever in them has a form.
//!
//! ```text
//! line  = [ time ] { word | number } { key "=" value } [ change ] [ end [ "->" ] end ] { key "=" value }
//!       | [ time ] json object
//! ```
//!
//! The number behind the time is the process, a second one the thread, the words behind it the task. A word before the
//! process, or the last word before the pairs, names the event. A line without pairs, ends or object is a text.

use serde_json::Value as Json;

use crate::bpf::object;
use crate::clock::{BOOTTIME, TIME_OF_DAY, WRITTEN};
use crate::kernel::flow::{self, Flow};
use crate::kernel::http::{self, First};
use crate::kernel::out::{Out, Stamp};
use crate::kernel::pairs::Pairs;
use crate::kernel::row::Row;
use crate::kernel::stamp;
use crate::kernel::value::{Value, int, is_duration, span_ns};

/// How a line without a name of its own is called.
pub(super) const UNNAMED: &str = "printf";

/// What stands before the pairs of a line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place<'a> {
    name: &'a str,
    comm: &'a str,
    pid: Option<i64>,
    tid: Option<i64>,
    /// A change of state, `8->9`.
    change: Option<(&'a str, &'a str)>,
}

/// Appends the event of a line; returns its time, where it has one.
pub(super) fn line(out: &mut Out, text: &str, block: Option<Stamp>) -> Option<Stamp> {
    let (own, rest) = match stamp::leading(text) {
        Some((stamp, rest)) => (Some(stamp), rest),
        None => (None, text),
    };
    if let Some(members) = as_object(rest) {
        return object::line(out, &members, own, block);
    }
    let stamp = own.or_else(|| pair_stamp(rest)).or(block).unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
    structured(out, rest, stamp).unwrap_or_else(|| {
        if let Some(mut row) = out.event(UNNAMED, stamp) {
            row.field("text", Value::Text(text));
            http::ids(text).into_iter().for_each(|ids| row.ids(ids));
        }
    });
    (stamp.clock != WRITTEN).then_some(stamp)
}

fn as_object(text: &str) -> Option<serde_json::Map<String, Json>> {
    (text.starts_with('{') && text.ends_with('}')).then(|| serde_json::from_str(text).ok()).flatten()
}

/// Returns the time of a pair such as `nsecs=2541728048801`.
fn pair_stamp(text: &str) -> Option<Stamp> {
    Pairs::new(text).take(8).find_map(|(key, value)| key_stamp(key, value))
}

/// Returns the time that a pair tells.
pub(super) fn key_stamp(key: &str, value: &str) -> Option<Stamp> {
    const NAMES: [&str; 8] = ["ts", "nsecs", "time", "timestamp", "ktime", "boottime", "monotonic", "realtime"];
    let name = key.strip_suffix("_ns").unwrap_or(key);
    if !NAMES.contains(&name) {
        return None;
    }
    let stamp = stamp::nanos(value).or_else(|| stamp::leading(value).map(|(stamp, _)| stamp))?;
    let is_monotonic = name == "monotonic" && stamp.clock == BOOTTIME;
    Some(if is_monotonic { Stamp { clock: crate::clock::MONOTONIC, ..stamp } } else { stamp })
}

/// Appends a line that has pairs or ends.
fn structured(out: &mut Out, text: &str, stamp: Stamp) -> Option<()> {
    let head = Pairs::new(text).find(|(_, value)| http::is_head(value));
    let limit = head.and_then(|(_, value)| offset(text, value)).unwrap_or(text.len());
    let ends = ends(text, limit);
    let (left, right) = match ends {
        Some(ends) => (text.get(..ends.from)?, text.get(ends.to..)?),
        None => (text, ""),
    };
    let place = place(Pairs::new(left).before(), ends.is_some());
    if Pairs::new(left).is_empty() && Pairs::new(right).is_empty() && ends.is_none() {
        return None;
    }
    let name = if !place.name.is_empty() {
        place.name
    } else if place.change.is_some() && ends.is_some() {
        "tcpstates"
    } else {
        UNNAMED
    };
    let mut flow = Flow::of(place.pid, place.comm);
    let mut row = out.event(name, stamp)?;
    set_place(&mut row, &place);
    for (key, value) in Pairs::new(left).chain(Pairs::new(right)) {
        pair(&mut row, &mut flow, key, value);
    }
    if let Some((old, new)) = place.change {
        row.field("oldstate", Value::Text(flow::state_name(old)));
        row.field("newstate", Value::Text(flow::state_name(new)));
        flow.states(old, new);
    }
    if let Some(ends) = ends {
        set_end(&mut row, ["saddr", "sport"], ends.source);
        flow.source(ends.source);
        ends.destination.into_iter().for_each(|end| {
            set_end(&mut row, ["daddr", "dport"], end);
            flow.destination(end);
        });
    }
    socket(out, flow, name, head, stamp);
    Some(())
}

fn socket(out: &mut Out, mut flow: Flow<'_>, name: &str, head: Option<(&str, &str)>, stamp: Stamp) {
    if let Some(first) = head.and_then(|(_, text)| http::first_line(text)) {
        flow.kind = Some(crate::event::FlowKind::Data);
        match first {
            First::Request { method, target } => {
                flow.detail("http_method", Value::Text(method));
                flow.detail("http_target", Value::Text(target));
            }
            First::Response { status } => flow.detail("http_status", Value::Int(status)),
        }
        flow.detail("call", Value::Text(name));
    }
    let time_ns = out.time(stamp);
    flow.commit(out, name, time_ns);
}

fn set_place(row: &mut Row<'_>, place: &Place<'_>) {
    place.pid.into_iter().for_each(|pid| row.pid(pid));
    place.tid.into_iter().for_each(|tid| row.tid(tid));
    if !place.comm.is_empty() {
        row.comm(place.comm);
    }
}

fn set_end(row: &mut Row<'_>, [address, port]: [&str; 2], end: &str) {
    if let Some((host, Some(number))) = flow::endpoint(end) {
        row.field(address, Value::Text(host));
        row.field(port, Value::Int(number));
    }
}

/// Puts a pair into the row and, of a socket, into what is known of its connection.
pub(super) fn pair<'a>(row: &mut Row<'_>, flow: &mut Flow<'a>, key: &str, text: &'a str) {
    let value = Value::of(text);
    match (key, value) {
        ("pid", Value::Int(pid)) => row.pid(pid),
        ("tid", Value::Int(tid)) => row.tid(tid),
        ("cpu", Value::Int(cpu)) => row.cpu(cpu),
        ("comm", _) => row.comm(text),
        _ => row.field(key, value),
    }
    match key {
        "trace_id" | "traceid" | "traceId" if http::is_hex(text, 32) => {
            let (hi, lo) = http::trace_id(text);
            row.ids((hi, lo, 0));
        }
        "span_id" | "spanid" | "spanId" if http::is_hex(text, 16) => row.ids((0, 0, http::span_id(text))),
        _ => {}
    }
    if is_duration(key) {
        span_ns(key, value).into_iter().for_each(|ns| row.duration_ns(ns));
    }
    if http::is_head(text) {
        head(row, text);
    } else {
        http_ids(row, key, text);
        if matches!(key, "len" | "size" | "bytes") {
            int(text).into_iter().for_each(|bytes| flow.data(true, bytes));
        } else {
            flow.take(key, text);
        }
    }
}

fn http_ids(row: &mut Row<'_>, key: &str, text: &str) {
    if matches!(key, "traceparent" | "b3") {
        http::ids(&format!("{key}: {text}")).into_iter().for_each(|ids| row.ids(ids));
    } else {
        http::ids(text).into_iter().for_each(|ids| row.ids(ids));
    }
}

/// What the head of an HTTP message tells.
fn head(row: &mut Row<'_>, text: &str) {
    match http::first_line(text) {
        Some(First::Request { method, target }) => {
            row.field("http_method", Value::Text(method));
            row.field("http_target", Value::Text(target));
        }
        Some(First::Response { status }) => row.field("http_status", Value::Int(status)),
        None => {}
    }
    http::ids(text).into_iter().for_each(|ids| row.ids(ids));
}

/// Where the two ends of a connection stand in a line.
#[derive(Debug, Clone, Copy)]
struct Ends<'a> {
    from: usize,
    to: usize,
    source: &'a str,
    destination: Option<&'a str>,
}

/// Finds `127.0.0.1:80 -> 127.0.0.1:9090`, with or without the arrow.
fn ends(text: &str, limit: usize) -> Option<Ends<'_>> {
    let mut words =
        text.get(..limit)?.split([' ', '\t']).filter(|word| !word.is_empty()).skip_while(|word| !is_end(word));
    let source = words.next()?;
    let from = offset(text, source)?;
    let mut next = words.next();
    if next.is_some_and(|word| matches!(word, "->" | "=>" | "<->" | "<-")) {
        next = words.next();
    }
    let destination = next.filter(|word| is_end(word));
    let last = destination.unwrap_or(source);
    Some(Ends { from, to: offset(text, last)? + last.len(), source, destination })
}

fn is_end(word: &str) -> bool {
    word.len() >= 4 && word.contains(':') && flow::endpoint(word).is_some() && stamp::time_of_day(word).is_none()
}

fn offset(text: &str, part: &str) -> Option<usize> {
    (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize).filter(|at| *at <= text.len())
}

/// Reads the words before the pairs.
fn place(text: &str, has_ends: bool) -> Place<'_> {
    let mut place = Place::default();
    let mut words: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let change = word.split_once("->").filter(|(old, new)| !old.is_empty() && !new.is_empty());
        match (change, int(word).filter(|number| *number >= 0)) {
            (Some(change), _) => place.change = Some(change),
            (None, Some(number)) if place.pid.is_none() => {
                place.pid = Some(number);
                place.name = words.drain(..).next_back().filter(|word| is_name(word)).unwrap_or_default();
            }
            (None, Some(number)) if place.tid.is_none() && words.is_empty() => place.tid = Some(number),
            _ => words.push(word),
        }
    }
    let is_named = place.name.is_empty() && (place.pid.is_none() || (words.len() > 1 && !has_ends));
    if let Some(name) = words.last().filter(|word| is_named && is_name(word)) {
        place.name = name;
        words.pop();
    }
    if place.pid.is_some() {
        place.comm = joined(text, &words);
    }
    place
}

/// Returns the words with what stands between them.
fn joined<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return "" };
    let range = offset(text, first).zip(offset(text, last)).map(|(from, to)| from..to + last.len());
    range.and_then(|range| text.get(range)).unwrap_or_default()
}

/// Tells whether a word may name an event.
pub(super) fn is_name(word: &str) -> bool {
    let word = word.trim_end_matches(':');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-');
    word.len() <= 64 && word.as_bytes().first().is_some_and(u8::is_ascii_lowercase) && word.bytes().all(is_letter)
}

/// Milliseconds since 1970 in our days, as logs begin with: as nanoseconds since boot they are half an hour.
const MILLISECONDS: std::ops::Range<i64> = 1_500_000_000_000..2_100_000_000_000;

/// Tells whether a line is one that hardly anything but a script of bpftrace prints: nanoseconds since boot, a process, and
/// pairs or ends; or a time of day and pairs that name process and task.
pub(super) fn is_typical(text: &str) -> bool {
    let Some((stamp, rest)) = stamp::leading(text) else { return false };
    let has = |name: &str| Pairs::new(rest).any(|(key, _)| key == name);
    match stamp.clock {
        BOOTTIME if text.split(' ').next().is_some_and(|word| word.len() >= 11 && !word.contains('.')) => {
            let ends = ends(rest, rest.len());
            let left = ends.and_then(|ends| rest.get(..ends.from)).unwrap_or(rest);
            let is_told = ends.is_some() || (!Pairs::new(rest).is_empty() && !MILLISECONDS.contains(&stamp.ns));
            is_told && place(Pairs::new(left).before(), ends.is_some()).pid.is_some()
        }
        TIME_OF_DAY => has("pid") && has("comm"),
        _ => false,
    }
}
