//! The table from what was seen to what is injected.

use serde_json::{Map, Value, json};

use super::errors::{Half, Symptom};
use super::failure::{self, Failure};
use super::ground::{Call, Edge, Ground};
use super::idle;
use super::magnitude::{empirical, median, quantile, timeout};
use crate::replay::fault::{Fault, Magnitude, Place, Unit, When};
use crate::stitch::calls::operation::Protocol;
use crate::trace::window::{NONE, Symbol};

/// A fault for what was seen at some calls of one edge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Made {
    pub fault: Fault,
    /// How surely this is the fault, 0 to 1.
    pub certainty: f64,
    /// Callers gave up at this time in milliseconds: how long it would have taken is not known.
    pub at_least_ms: Option<f64>,
    pub notes: Vec<String>,
}

impl Made {
    pub(super) fn new(edge: &Edge, kind: &str, place: Place, with: Value) -> Self {
        let with = if let Value::Object(with) = with { with } else { Map::new() };
        let place = if is_http(edge) { place } else { Place::Connection };
        let fault = Fault { kind: kind.to_owned(), place, when: when(edge, place), magnitude: None, with };
        let notes = if is_http(edge) { Vec::new() } else { vec![SOCKET_LEVEL.to_owned()] };
        Self { fault, certainty: 1.0, at_least_ms: None, notes }
    }

    pub(super) fn lasting(mut self, magnitude: Option<Magnitude>) -> Self {
        self.fault.magnitude = magnitude;
        self
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

const SOCKET_LEVEL: &str = "the protocol is not read: an approximation at the level of the socket";

pub(super) fn is_http(edge: &Edge) -> bool {
    matches!(edge.protocol, Protocol::Http | Protocol::Rpc)
}

/// Returns which requests are meant: those of the edge's operation, where the protocol shows it.
fn when(edge: &Edge, place: Place) -> When {
    let mut when = When::default();
    if place == Place::Connection {
        when.unit = Unit::Connection;
        return when;
    }
    match edge.protocol {
        Protocol::Rpc => when.path = Some(format!("/{}", edge.operation)),
        Protocol::Http => {
            let (method, path) = edge.operation.split_once(' ').unwrap_or((&edge.operation, ""));
            when.method = Some(method.to_owned()).filter(|method| !method.is_empty());
            // Some frameworks write routes without the first slash.
            when.path =
                Some(path).filter(|path| !path.is_empty()).map(|path| format!("/{}", path.trim_start_matches('/')));
        }
        Protocol::Named | Protocol::Message => {}
    }
    when
}

/// Returns the faults that explain a symptom, the likeliest first. `hits` are the calls that have it.
pub(super) fn of_symptom(ground: &Ground<'_>, symptom: Symptom, hits: &[u32]) -> Vec<Made> {
    let Some(edge) = ground.edge(symptom.edge) else { return Vec::new() };
    let mut made = of_failure(ground, edge, symptom, hits);
    for one in &mut made {
        one.certainty *= symptom.failure.certainty();
        if symptom.half == Half::Inside {
            one.certainty *= 0.9;
            let inside = format!("it began inside of {}: what is injected is what its callers got", edge.server);
            one.notes.push(inside);
        }
    }
    made
}

fn of_failure(ground: &Ground<'_>, edge: &Edge, symptom: Symptom, hits: &[u32]) -> Vec<Made> {
    let calls: Vec<&Call> = hits.iter().filter_map(|&hit| ground.call(hit)).collect();
    match (symptom.failure, symptom.half) {
        (Failure::TimedOut, Half::Client) => timed_out(ground, edge, &calls),
        (failure, Half::Server | Half::Inside) => vec![answered(ground, edge, failure, &calls)],
        (Failure::Reset, Half::Client) => reset(ground, edge, hits, &calls),
        (Failure::Closed, Half::Client) => vec![aborted(ground, edge, "close", &calls)],
        (Failure::Refused, Half::Client) => vec![refused(edge)],
        (Failure::NoConnection, Half::Client) => vec![limited(ground, edge, hits)],
        (Failure::Grpc(_) | Failure::Http(_), Half::Client) => vec![answered(ground, edge, symptom.failure, &calls)],
        (Failure::Unnamed, Half::Client) => unnamed(ground, edge, &calls),
    }
}

pub(super) fn durations(ground: &Ground<'_>, spans: impl Iterator<Item = u32>) -> Vec<f64> {
    spans.filter(|&span| span != NONE).map(|span| ground.window.duration_ns(span) as f64 / 1e6).collect()
}

/// The callee answered with an error: the same answer in its place.
fn answered(ground: &Ground<'_>, edge: &Edge, failure: Failure, calls: &[&Call]) -> Made {
    if !is_http(edge) {
        let closed = Made::new(edge, "abort", Place::Connection, json!({"where": "headers", "how": "close"}));
        let closed = closed.note("an answer of this protocol cannot be made up: the connection is closed instead");
        return Made { certainty: 0.5, ..closed };
    }
    let has_server = calls.iter().filter(|call| call.server != NONE).count() * 2 > calls.len();
    let place = if has_server { Place::Response } else { Place::Request };
    let mut made = Made::new(edge, "error", place, answer(edge, failure));
    // What a library says of its own exception is no message of the server's.
    let is_plain = |text: &String| edge.protocol == Protocol::Rpc && text.len() <= 80 && !text.starts_with('<');
    if let Some(message) = first_text(ground, calls).filter(is_plain) {
        made.fault.with.insert("message".to_owned(), json!(message));
    }
    if let Some(seconds) = retry_after(ground, calls) {
        made.fault.with.insert("retry_after_s".to_owned(), json!(seconds));
    }
    let is_stated = failure != Failure::Unnamed;
    if is_stated { made } else { made.note("no status was recorded: the usual one for errors stands in its place") }
}

fn answer(edge: &Edge, failure: Failure) -> Value {
    let is_rpc = edge.protocol == Protocol::Rpc;
    match failure {
        Failure::Grpc(status) => json!({"grpc_status": status}),
        Failure::Http(status) if !is_rpc => json!({"status": status}),
        Failure::TimedOut if is_rpc => json!({"grpc_status": 4}),
        Failure::TimedOut => json!({"status": 504}),
        _ if is_rpc => json!({"grpc_status": 2}),
        _ => json!({"status": 500}),
    }
}

/// Longest text of an error that is repeated in an answer.
const MAX_MESSAGE: usize = 200;

fn first_text(ground: &Ground<'_>, calls: &[&Call]) -> Option<String> {
    let mut ends = calls.iter().flat_map(|call| [call.server, call.client]).filter(|&end| end != NONE);
    let text = ends.find_map(|end| failure::text(ground.window, end))?;
    Some(text.chars().filter(|letter| !letter.is_control()).take(MAX_MESSAGE).collect())
}

fn retry_after(ground: &Ground<'_>, calls: &[&Call]) -> Option<u64> {
    let key: Symbol = ground.window.texts.find("http.response.header.retry-after")?;
    let mut ends = calls.iter().flat_map(|call| [call.client, call.server]).filter(|&end| end != NONE);
    ends.find_map(|end| ground.window.attribute_text(end, key)?.parse().ok())
}

/// The caller stopped waiting: the callee was slow where its span is there, else nothing ever came.
fn timed_out(ground: &Ground<'_>, edge: &Edge, calls: &[&Call]) -> Vec<Made> {
    let waited = durations(ground, calls.iter().map(|call| call.client));
    let limit = timeout(&waited);
    let served: Vec<&Call> = calls.iter().copied().filter(|call| call.server != NONE && call.client != NONE).collect();
    if served.len() * 2 > calls.len() {
        return stalled(ground, edge, &served, limit);
    }
    let least = limit.unwrap_or_else(|| median(&mut waited.clone()));
    let hang = Made::new(edge, "hang", Place::Request, json!({})).note(said_timeout(limit));
    let mut slow = Made::new(edge, "latency", Place::Request, json!({})).lasting(empirical(&[least]));
    slow.at_least_ms = Some(least);
    slow.certainty = 0.6;
    vec![hang, slow.note("nothing tells how long it would have taken: at least as long as callers waited")]
}

pub(super) fn said_timeout(limit: Option<f64>) -> String {
    match limit {
        Some(ms) => format!("callers gave up after {ms} ms"),
        None => "callers gave up, not all at the same time".to_owned(),
    }
}

/// The callee went on after its caller had left: it must be slower than the caller's patience, whatever staging's own speed.
fn stalled(ground: &Ground<'_>, edge: &Edge, served: &[&Call], limit: Option<f64>) -> Vec<Made> {
    let took = durations(ground, served.iter().map(|call| call.server));
    let waited = durations(ground, served.iter().map(|call| call.client));
    let is_inside = median(&mut took.clone()) * 2.0 >= median(&mut waited.clone());
    let floor = limit.unwrap_or_else(|| quantile(&sorted(&waited), 0.1));
    let (place, longest) = if is_inside { (Place::Response, took) } else { (Place::Request, waited) };
    let mut made = vec![stall(edge, place, &longest, floor).note(said_timeout(limit))];
    let went_on = served.iter().filter(|call| ends_after(ground, call)).count() * 2 > served.len();
    if let Some(first) = made.first_mut().filter(|_| !went_on || !is_inside) {
        first.at_least_ms = Some(floor);
    }
    if went_on && edge.protocol == Protocol::Rpc {
        let lost = Made::new(edge, "deadline-drop", Place::Request, json!({}));
        let note =
            format!("{} worked on after its callers had left: as if their deadline had not reached it", edge.server);
        made.push(Made { certainty: 0.3, ..lost }.note(note));
    }
    made
}

/// A delay as long as some calls took, and no shorter than callers wait.
pub(super) fn stall(edge: &Edge, place: Place, took_ms: &[f64], floor_ms: f64) -> Made {
    let stalls: Vec<f64> = took_ms.iter().map(|&ms| ms.max(floor_ms)).collect();
    Made::new(edge, "latency", place, json!({}))
        .lasting(empirical(&stalls))
        .note("all of the time is added, so that staging's callers run out of patience too")
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

/// Tells whether the callee took longer than its caller.
fn ends_after(ground: &Ground<'_>, call: &Call) -> bool {
    ground.window.duration_ns(call.server) > ground.window.duration_ns(call.client)
}

fn reset(ground: &Ground<'_>, edge: &Edge, hits: &[u32], calls: &[&Call]) -> Vec<Made> {
    let abort = aborted(ground, edge, "reset", calls);
    let Some(after_ms) = idle::cut_after_ms(ground, edge, hits) else { return vec![abort] };
    let mut cut = Made::new(edge, "idle-reset", Place::Connection, json!({"after_ms": after_ms}));
    cut.fault.when = when(edge, Place::Connection);
    cut = cut.note(format!("only calls after at least {after_ms} ms without another met it"));
    vec![cut, Made { certainty: 0.5, ..abort }]
}

/// The connection ended: before the callee saw the request, after it had answered, or in the middle of the answer.
fn aborted(ground: &Ground<'_>, edge: &Edge, how: &str, calls: &[&Call]) -> Made {
    let most = |is: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count() * 2 > calls.len();
    let has_status = |call: &Call| call.client != NONE && failure::http_status(ground.window, call.client).is_some();
    let (place, moment) = match () {
        () if most(&has_status) => (Place::Response, "body"),
        () if most(&|call| call.server != NONE) => (Place::Response, "before"),
        () => (Place::Request, "before"),
    };
    let made = Made::new(edge, "abort", place, json!({"where": moment, "how": how}));
    if edge.is_seen || is_http(edge) { made } else { made.note(NEVER_SEEN) }
}

const NEVER_SEEN: &str = "the callee has no spans at all: that it was never reached is not known";

fn refused(edge: &Edge) -> Made {
    Made::new(edge, "abort", Place::Request, json!({"where": "before", "how": "reset"}))
        .note("nobody listened: what a proxy can do instead is to reset at once")
}

fn limited(ground: &Ground<'_>, edge: &Edge, hits: &[u32]) -> Made {
    let max = idle::open_at_hits(ground, hits);
    let mut made = Made::new(edge, "connection-limit", Place::Connection, json!({"max": max}));
    made.fault.when = when(edge, Place::Connection);
    made.note(format!("{max} calls were open when it happened, as a rule"))
}

/// Nothing says how it failed: it hangs where calls took long, and is cut off where they did not.
fn unnamed(ground: &Ground<'_>, edge: &Edge, calls: &[&Call]) -> Vec<Made> {
    let waited = durations(ground, calls.iter().map(|call| call.client));
    if timeout(&waited).is_some_and(|limit| limit >= 1e3) {
        return timed_out(ground, edge, calls);
    }
    vec![aborted(ground, edge, "close", calls).note("no type of error was recorded")]
}
