//! `has-circuit-breaker`: after some failures the client leaves the server alone for a while.

use super::{Assertion, Call, Calls, Given, Parameter, Seen};

pub(super) const ASSERTION: Assertion = Assertion {
    name: "has-circuit-breaker",
    sentence: "after {failures} failures in a row a process makes no call for {pause_ms} ms",
    parameters: &[
        Parameter {
            name: "failures",
            sentence: "how many calls fail one after the other",
            default: Some(5.0),
            is_text: false,
        },
        Parameter { name: "pause_ms", sentence: "milliseconds without calls", default: None, is_text: false },
    ],
    check,
};

fn check(calls: &Calls<'_>, given: &Given<'_>) -> Seen {
    let (failures, pause) = (given.number("failures").max(1.0), given.nanos("pause_ms"));
    let all: Vec<(i64, Option<Call>)> = calls.by_instance().iter().flat_map(|group| trips(group, failures)).collect();
    let is_in_pause = |at: i64, trip: i64| at > trip && at < trip.saturating_add(pause);
    let start = |span: &u32| calls.window.start_ns.get(*span as usize).copied().unwrap_or_default();
    // Where no request came, that no call was made proves nothing.
    let is_proof = |trip: i64| calls.client_entries.iter().any(|span| is_in_pause(start(span), trip));
    let broken = |&(trip, next): &(i64, Option<Call>)| next.filter(|next| is_in_pause(next.start_ns, trip));
    let examples: Vec<u32> = all.iter().filter_map(broken).map(|call| call.span).collect();
    if examples.is_empty() && !all.iter().any(|&(trip, _)| is_proof(trip)) {
        return Seen::untested("there were no such failures with requests coming in after them");
    }
    let words = format!("{} of {} times the calls went on", examples.len(), all.len());
    Seen { holds: Some(examples.is_empty()), words, examples }
}

/// Returns the ends of calls with which so many had failed in a row, each with the next call that began after it.
fn trips(group: &[Call], failures: f64) -> Vec<(i64, Option<Call>)> {
    let mut ended = group.to_vec();
    ended.sort_by_key(|call| (call.end_ns, call.span));
    let (mut in_a_row, mut trips) = (0.0, Vec::new());
    for call in &ended {
        in_a_row = if call.is_failed { in_a_row + 1.0 } else { 0.0 };
        if in_a_row >= failures {
            let next = group.iter().find(|next| next.start_ns > call.end_ns);
            trips.push((call.end_ns, next.copied()));
        }
    }
    trips
}
