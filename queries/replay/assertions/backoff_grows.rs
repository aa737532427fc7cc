//! `backoff-grows`: the client waits longer before each retry.

use super::{Assertion, Call, Calls, Given, Parameter, Seen};

pub(super) const ASSERTION: Assertion = Assertion {
    name: "backoff-grows",
    sentence: "before retry k (from 0) the client waits at least 2^k times {base_ms} ms",
    parameters: &[
        Parameter { name: "base_ms", sentence: "milliseconds before the first retry", default: None, is_text: false },
        Parameter {
            name: "tolerance",
            sentence: "the share by which a wait may be shorter: timers and jitter",
            default: Some(0.1),
            is_text: false,
        },
    ],
    check,
};

fn check(calls: &Calls<'_>, given: &Given<'_>) -> Seen {
    let base = given.number("base_ms") * 1e6 * (1.0 - given.number("tolerance")).max(0.0);
    let waits: Vec<(u32, u32, f64)> = calls.attempts().iter().flat_map(|group| waits(group)).collect();
    if waits.is_empty() {
        return Seen::untested("no failed call was made again");
    }
    let short = waits.iter().filter(|&&(_, retry, wait)| wait < f64::from(retry).exp2() * base);
    let examples: Vec<u32> = short.map(|&(span, ..)| span).collect();
    let words = format!("{} of {} retries came sooner", examples.len(), waits.len());
    Seen { holds: Some(examples.is_empty()), words, examples }
}

/// Returns each retry: its span, which one it is, and the nanoseconds from the end of the failed call to its start.
fn waits(group: &[Call]) -> Vec<(u32, u32, f64)> {
    let pairs = group.windows(2).filter(|pair| pair[0].is_failed && pair[1].start_ns >= pair[0].end_ns);
    let wait = |pair: &[Call]| pair[1].start_ns.saturating_sub(pair[0].end_ns) as f64;
    (0..).zip(pairs).map(|(retry, pair)| (pair[1].span, retry, wait(pair))).collect()
}
