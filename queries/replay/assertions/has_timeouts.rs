//! `has-timeouts`: the client does not wait for ever.

use super::{Assertion, Calls, Given, Parameter, Seen};

pub(super) const ASSERTION: Assertion = Assertion {
    name: "has-timeouts",
    sentence: "calls to the server end within {within_ms} ms",
    parameters: &[Parameter {
        name: "within_ms",
        sentence: "milliseconds from the start of a call to its end",
        default: None,
        is_text: false,
    }],
    check,
};

fn check(calls: &Calls<'_>, given: &Given<'_>) -> Seen {
    let within = given.nanos("within_ms");
    let length = |start: i64, end: i64| end.saturating_sub(start);
    let Some(longest) = calls.all.iter().map(|call| length(call.start_ns, call.end_ns)).max() else {
        return Seen::untested("no call of the edge was recorded");
    };
    let late = calls.all.iter().filter(|call| length(call.start_ns, call.end_ns) > within);
    let examples: Vec<u32> = late.map(|call| call.span).collect();
    let (late, all) = (examples.len(), calls.all.len());
    let words = format!("{late} of {all} calls took longer, the longest {:.1} ms", longest as f64 / 1e6);
    Seen { holds: Some(late == 0), words, examples }
}
