//! What happened in a request, one after the other.

use super::process::{Call, Process};

/// One delay of a request: from the end of what ended last to the start of what comes next, or to the request's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// The kind of call that begins; the number of kinds stands for the request's end.
    pub(super) next: usize,
    /// The kind of call that ended; the number of kinds stands for the request's start.
    pub(super) after: usize,
    pub(super) delay_ns: i64,
    /// Which quarter of the data this is part of.
    pub(super) fold: usize,
}

/// What ended, and when.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at_ns: i64,
    kind: usize,
}

/// Reused from one request to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    calls: Vec<Call>,
}

/// Calls `step` with each delay of a request that has `members` (torn calls, by start) besides its linked calls, and returns
/// how many calls outlive the request.
pub(super) fn walk(
    process: &Process,
    parent: u32,
    members: &[u32],
    scratch: &mut Scratch,
    mut step: impl FnMut(Step),
) -> usize {
    merge(process, parent, members, &mut scratch.calls);
    let request = &process.parents[parent as usize];
    let begin = Ended { at_ns: request.start_ns, kind: process.num_kinds };
    let calls = &scratch.calls;
    for (at, call) in calls.iter().enumerate() {
        let last = last_ended(&calls[..at], call.start_ns, begin);
        let delay_ns = call.start_ns.saturating_sub(last.at_ns);
        step(Step { next: call.kind, after: last.kind, delay_ns, fold: call.span as usize });
    }
    let last = last_ended(calls, request.end_ns, begin);
    let delay_ns = request.end_ns.saturating_sub(last.at_ns);
    step(Step { next: process.num_kinds, after: last.kind, delay_ns, fold: request.span as usize });
    calls.iter().filter(|call| call.end_ns > request.end_ns).count()
}

fn last_ended(calls: &[Call], until_ns: i64, begin: Ended) -> Ended {
    let mut last = begin;
    for call in calls {
        if call.end_ns <= until_ns && call.end_ns >= last.at_ns {
            last = Ended { at_ns: call.end_ns, kind: call.kind };
        }
    }
    last
}

fn merge(process: &Process, parent: u32, members: &[u32], calls: &mut Vec<Call>) {
    calls.clear();
    let mut linked = process.linked(parent).iter().peekable();
    for &member in members {
        let member = process.calls[member as usize];
        while let Some(call) = linked.next_if(|call| call.start_ns <= member.start_ns) {
            calls.push(*call);
        }
        calls.push(member);
    }
    calls.extend(linked);
}
