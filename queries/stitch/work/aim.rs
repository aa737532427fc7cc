//! What each torn call may have followed: the few ends and starts from which its delay is most usual.
//!
//! A walk that tries these first finds its way sooner than one that tries all requests alike.

use super::chain::Step;
use super::model::Model;
use super::process::{Call, Process};
use crate::trace::window::NONE;

/// So many are kept for each call.
pub(super) const NUM_AIMS: usize = 4;
/// So many torn calls that ended before are looked at.
const MAX_ENDS: usize = 32;
/// So many kinds of requests are tried for a call whose request is not known.
const MAX_PARENT_KINDS: usize = 6;

/// What a call may have followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Nothing,
    /// The start of a request, or the end of a call that is still linked to it.
    Request(u32),
    /// The end of a torn call.
    Call(u32),
}

/// Returns what each torn call may have followed, likeliest first.
pub(super) fn aims(process: &Process, model: &Model) -> Vec<[Aim; NUM_AIMS]> {
    let mut by_end: Vec<u32> = (0..process.calls.len() as u32).collect();
    by_end.sort_by_key(|&call| (process.calls[call as usize].end_ns, call));
    let mut found = Vec::new();
    let aim = |call: u32| {
        found.clear();
        requests(process, model, call, &mut found);
        calls(process, model, call, &by_end, &mut found);
        best(&mut found)
    };
    (0..process.calls.len() as u32).map(aim).collect()
}

fn best(found: &mut [(f64, Aim)]) -> [Aim; NUM_AIMS] {
    // Sorting is stable: among equals the first stays first.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best = [Aim::Nothing; NUM_AIMS];
    best.iter_mut().zip(found).for_each(|(to, from)| *to = from.1);
    best
}

fn requests(process: &Process, model: &Model, call: u32, found: &mut Vec<(f64, Aim)>) {
    let of = &process.calls[call as usize];
    for &parent in process.choices(call) {
        let request = &process.parents[parent as usize];
        let mut last = (request.start_ns, process.num_kinds);
        for linked in process.linked(parent).iter().filter(|linked| linked.end_ns <= of.start_ns) {
            last = last.max((linked.end_ns, linked.kind));
        }
        let step = step(of, last);
        found.push((model.single(request.kind, step), Aim::Request(parent)));
    }
}

fn calls(process: &Process, model: &Model, call: u32, by_end: &[u32], found: &mut Vec<(f64, Aim)>) {
    let of = &process.calls[call as usize];
    let until = by_end.partition_point(|&before| process.calls[before as usize].end_ns <= of.start_ns);
    for &before in by_end[..until].iter().rev().take(MAX_ENDS).filter(|&&before| before != call) {
        let last = &process.calls[before as usize];
        let step = step(of, (last.end_ns, last.kind));
        let kinds = 0..process.num_parent_kinds.min(MAX_PARENT_KINDS);
        let likely = kinds.map(|kind| model.single(kind, step)).fold(f64::NEG_INFINITY, f64::max);
        found.push((likely, Aim::Call(before)));
    }
}

fn step(of: &Call, (from_ns, after): (i64, usize)) -> Step {
    let delay_ns = of.start_ns.saturating_sub(from_ns);
    Step { next: of.kind, after, delay_ns, fold: of.span as usize, member: NONE, from_ns, beside: None }
}
