//! Between services and over messages: which call or message began a trace of its own.

mod clock;
mod ends;
mod learn;
mod market;
mod model;
mod operation;
mod pairs;
mod peers;

use std::collections::VecDeque;

use super::{Evidence, Rule, State, Stitch};
use crate::trace::window::{NONE, Symbol, Window};
use clock::Clocks;
use ends::Ends;
use learn::Join;
use market::{Market, markets};

/// Calls that wait in the baseline.
const MAX_WAITING: usize = 1_024;
/// A best guess below this is none.
const MIN_CONFIDENCE: f64 = 0.05;

/// Joins roots of servers and consumers to the calls and messages that caused them.
#[must_use]
pub fn join(window: &Window) -> Vec<Stitch> {
    let ends = Ends::find(window);
    if ends.roots.is_empty() || ends.calls.is_empty() {
        return Vec::new();
    }
    let mut clocks = Clocks::learn(window, ends.linked.iter().copied());
    let markets = markets(window, &ends, &mut clocks, &ends.calls, &ends.roots);
    let mut stitches = Vec::new();
    for market in markets.iter().filter(|market| !market.calls.is_empty() && !market.callees.is_empty()) {
        let joins = learn::join(market, &[], &|_| None);
        stitches.extend(
            joins.iter().filter(|join| join.confidence >= MIN_CONFIDENCE).map(|join| stitch(window, market, join)),
        );
    }
    stitches.sort_by_key(|stitch| stitch.child);
    stitches
}

fn stitch(window: &Window, market: &Market, join: &Join) -> Stitch {
    let (callee, call) = (&market.callees[join.callee as usize], &market.calls[join.pair.call as usize]);
    let recorded = window.start_ns[callee.span as usize].saturating_sub(window.start_ns[call.span as usize]);
    Stitch {
        child: callee.span,
        parent: call.span,
        confidence: join.confidence,
        state: state(join.confidence, join.runner_up_confidence),
        rule: if market.is_message { Rule::MessageTiming } else { Rule::CallTiming },
        evidence: Evidence {
            value: Symbol::EMPTY,
            candidates: join.num_candidates,
            runner_up: join.runner_up.and_then(|call| market.calls.get(call as usize)).map_or(NONE, |call| call.span),
            runner_up_confidence: join.runner_up_confidence,
            before_ns: join.pair.before_ns as i64,
            after_ns: join.pair.after_ns as i64,
            offset_ns: callee.start_ns.saturating_sub(call.start_ns).saturating_sub(recorded),
            learned_from: join.learned_from,
        },
    }
}

fn state(confidence: f64, runner_up: f64) -> State {
    const SURE: f64 = 0.80;
    const LIKELY: f64 = 0.55;
    const MARGIN: f64 = 0.20;
    if confidence >= SURE && confidence - runner_up >= MARGIN {
        State::Accepted
    } else if confidence >= LIKELY {
        State::Maybe
    } else {
        State::Candidate
    }
}

/// The baseline: of each edge the first unserved call gets the first root, and so on. Pairs of (child, parent).
#[must_use]
pub fn first_come(window: &Window) -> Vec<(u32, u32)> {
    let ends = Ends::find(window);
    if ends.roots.is_empty() || ends.calls.is_empty() {
        return Vec::new();
    }
    let mut clocks = Clocks::learn(window, ends.linked.iter().copied());
    let markets = markets(window, &ends, &mut clocks, &ends.calls, &ends.roots);
    markets.iter().flat_map(served_in_order).collect()
}

/// Each callee takes the oldest call that still waits.
fn served_in_order(market: &Market) -> Vec<(u32, u32)> {
    let mut waiting: VecDeque<u32> = VecDeque::new();
    let (mut next, mut found) = (0, Vec::new());
    for callee in &market.callees {
        while market.calls.get(next).is_some_and(|call| call.start_ns <= callee.start_ns) {
            waiting.push_back(next as u32);
            next += 1;
        }
        let waits = |call: &u32| market.is_message || market.calls[*call as usize].end_ns >= callee.start_ns;
        while waiting.front().is_some_and(|call| !waits(call)) || waiting.len() > MAX_WAITING {
            waiting.pop_front();
        }
        let fits = |call: &u32| waits(call) && market.fits(&market.calls[*call as usize], callee).is_some();
        if let Some(call) = waiting.iter().position(fits).and_then(|at| waiting.remove(at)) {
            found.push((callee.span, market.calls[call as usize].span));
        }
    }
    found
}
