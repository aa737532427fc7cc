//! `bounded-retries`: a call that fails is not made again and again.

use super::{Assertion, Call, Calls, Given, Parameter, Seen};

pub(super) const ASSERTION: Assertion = Assertion {
    name: "bounded-retries",
    sentence: "a failed call is made again at most {max} times",
    parameters: &[Parameter {
        name: "max",
        sentence: "how many calls may follow a failed one",
        default: None,
        is_text: false,
    }],
    check,
};

fn check(calls: &Calls<'_>, given: &Given<'_>) -> Seen {
    let attempts: Vec<Vec<Call>> = calls.attempts().into_iter().filter(|group| has_failed(group)).collect();
    let Some(most) = attempts.iter().map(|group| retries(group)).max() else {
        return Seen::untested("no call failed");
    };
    let over = attempts.iter().filter(|group| retries(group) as f64 > given.number("max"));
    let examples: Vec<u32> = over.filter_map(|group| group.last()).map(|call| call.span).collect();
    let words = format!(
        "{} of {} failed calls were made again more often, at most {most} times",
        examples.len(),
        attempts.len()
    );
    Seen { holds: Some(examples.is_empty()), words, examples }
}

fn has_failed(group: &[Call]) -> bool {
    group.iter().any(|call| call.is_failed)
}

/// Returns how many calls began after one that had failed.
fn retries(group: &[Call]) -> usize {
    let first_failed = group.iter().filter(|call| call.is_failed).map(|call| call.end_ns).min();
    group.iter().filter(|call| first_failed.is_some_and(|end| call.start_ns >= end)).count()
}
