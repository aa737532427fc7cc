//! `has-bulkhead`: a server that stalls takes only so many of the client's workers.

use std::collections::BTreeMap;

use super::{Assertion, Call, Calls, Given, Parameter, Seen};

pub(super) const ASSERTION: Assertion = Assertion {
    name: "has-bulkhead",
    sentence: "a process has at most {max} calls to the server at once",
    parameters: &[Parameter { name: "max", sentence: "how many calls may run at once", default: None, is_text: false }],
    check,
};

fn check(calls: &Calls<'_>, given: &Given<'_>) -> Seen {
    let most: Vec<(u32, u32)> = calls.by_instance().iter().filter_map(|group| most_at_once(group)).collect();
    let Some(&(at_once, _)) = most.iter().max() else {
        return Seen::untested("no call of the edge was recorded");
    };
    let over = most.iter().filter(|&&(at_once, _)| f64::from(at_once) > given.number("max"));
    let examples: Vec<u32> = over.map(|&(_, span)| span).collect();
    let words = format!("at most {at_once} calls of one process ran at once");
    Seen { holds: Some(examples.is_empty()), words, examples }
}

/// Returns how many calls ran at once at most, and the one that made them so many.
fn most_at_once(group: &[Call]) -> Option<(u32, u32)> {
    // Ends and starts by time; a call that begins as another ends does not run beside it.
    let mut steps: BTreeMap<i64, (u32, Vec<u32>)> = BTreeMap::new();
    for call in group {
        steps.entry(call.start_ns).or_default().1.push(call.span);
        steps.entry(call.end_ns.max(call.start_ns.saturating_add(1))).or_default().0 += 1;
    }
    let (mut running, mut most) = (0_u32, None);
    for (ended, begun) in steps.into_values() {
        running = running.saturating_sub(ended).saturating_add(begun.len() as u32);
        let last = begun.last().map(|&span| (running, span));
        most = last.filter(|&(now, _)| most.is_none_or(|(before, _)| now > before)).or(most);
    }
    most
}
