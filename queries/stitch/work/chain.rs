//! What happened in a request, one after the other.

use super::process::{Call, Process};
use crate::trace::window::NONE;

/// One delay of a request: from the end of what ended last to the start of what comes next, or to the request's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// The kind of call that begins; the number of kinds stands for the request's end.
    pub(super) next: usize,
    /// The kind of call that ended; the number of kinds stands for the request's start.
    pub(super) after: usize,
    pub(super) delay_ns: i64,
    /// Which quarter of the data this is part of.
    pub(super) fold: usize,
    /// The torn call that begins, or [`NONE`].
    pub(super) member: u32,
    /// When that ended which the delay counts from.
    pub(super) from_ns: i64,
    /// The call that began last and is still on its way: its kind, and the delay from its start.
    pub(super) beside: Option<(usize, i64)>,
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
    members: Vec<u32>,
    /// What has begun and not ended.
    open: Vec<Ended>,
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
    merge(process, parent, members, scratch);
    let request = &process.parents[parent as usize];
    let begin = Ended { at_ns: request.start_ns, kind: process.num_kinds };
    let Scratch { calls, members, open } = scratch;
    open.clear();
    let mut last = begin;
    for (at, (call, &member)) in calls.iter().zip(&*members).enumerate() {
        last = last_ended(open, call.start_ns, last);
        let delay_ns = call.start_ns.saturating_sub(last.at_ns);
        let beside = at.checked_sub(1).and_then(|at| calls.get(at)).filter(|beside| beside.start_ns >= last.at_ns);
        let beside = beside.map(|beside| (beside.kind, call.start_ns.saturating_sub(beside.start_ns)));
        let fold = call.span as usize;
        step(Step { next: call.kind, after: last.kind, delay_ns, fold, member, from_ns: last.at_ns, beside });
        open.push(Ended { at_ns: call.end_ns, kind: call.kind });
    }
    last = last_ended(open, request.end_ns, last);
    let delay_ns = request.end_ns.saturating_sub(last.at_ns);
    let (next, fold) = (process.num_kinds, request.span as usize);
    step(Step { next, after: last.kind, delay_ns, fold, member: NONE, from_ns: last.at_ns, beside: None });
    open.len()
}

/// Takes what has ended by a time out of `open`, and returns what ended last.
fn last_ended(open: &mut Vec<Ended>, until_ns: i64, mut last: Ended) -> Ended {
    open.retain(|call| {
        let is_over = call.at_ns <= until_ns;
        if is_over && call.at_ns >= last.at_ns {
            last = *call;
        }
        !is_over
    });
    last
}

fn merge(process: &Process, parent: u32, members: &[u32], scratch: &mut Scratch) {
    scratch.calls.clear();
    scratch.members.clear();
    let mut push = |call: Call, member: u32| {
        scratch.calls.push(call);
        scratch.members.push(member);
    };
    let mut linked = process.linked(parent).iter().peekable();
    for &member in members {
        let call = process.calls[member as usize];
        while let Some(before) = linked.next_if(|before| before.start_ns <= call.start_ns) {
            push(*before, NONE);
        }
        push(call, member);
    }
    linked.for_each(|call| push(*call, NONE));
}
