//! Between services and over messages: which call or message began a trace of its own.

mod clock;
mod ends;
mod exact;
mod examples;
mod learn;
mod market;
mod model;
pub(crate) mod operation;
mod order;
mod pairs;
mod peers;

use std::cell::OnceCell;
use std::collections::VecDeque;

use hashbrown::{HashMap, HashSet};

use super::keys::Keys;
use super::{Evidence, Rule, State, Stitch};
use crate::trace::window::{NONE, Role, Symbol, Window};
use clock::Clocks;
use ends::Ends;
use exact::Found;
use examples::Examples;
use learn::Join;
use market::{End, Market, markets};

/// Calls that wait in the baseline.
const MAX_WAITING: usize = 1_024;
/// Queues deliver in order, more or less. How strictly cannot be learned from messages of which nobody knows which they are: to
/// take them in order explains the lags best even where it is wrong.
const OVERTAKEN: f64 = 0.4;
/// A best guess below this is none.
const MIN_CONFIDENCE: f64 = 0.05;

/// Joins roots of servers and consumers to the calls and messages that caused them.
#[must_use]
pub fn join(window: &Window, keys: &OnceCell<Keys>) -> Vec<Stitch> {
    let ends = Ends::find(window);
    if ends.is_whole() {
        return Vec::new();
    }
    let mut clocks = Clocks::learn(window, ends.linked.iter().copied());
    let found = exact::find(window, &ends, &mut clocks, keys.get_or_init(|| Keys::find(window)));
    let mut stitches: Vec<Stitch> = found.joins.iter().map(|&join| proven(window, join, &mut clocks)).collect();
    let (calls, roots) = rest(window, &ends, &found);
    let markets = markets(window, &ends, &mut clocks, &calls, &roots);
    let examples = Examples::gather(window, &ends, &found, &mut clocks);
    let (calls_overtaken, messages_overtaken) = order::overtaken(window, &ends, &found, &mut clocks);
    for market in markets.iter().filter(|market| !market.calls.is_empty() && !market.callees.is_empty()) {
        let only = restrictions(market, &found);
        let overtaken = if market.is_message { messages_overtaken.unwrap_or(OVERTAKEN) } else { calls_overtaken };
        let joins =
            learn::join(market, &examples.of(market), overtaken, &|callee| only.get(&callee).map(Vec::as_slice));
        let sure = joins.iter().filter(|join| join.confidence >= MIN_CONFIDENCE);
        stitches.extend(sure.map(|join| timed(window, market, join, &found)));
    }
    stitches.sort_by_key(|stitch| stitch.child);
    stitches
}

/// Returns the calls and roots that are still to be joined.
fn rest(window: &Window, ends: &Ends, found: &Found) -> (Vec<u32>, Vec<u32>) {
    let children: HashSet<u32> = found.joins.iter().map(|join| join.0).collect();
    let calls: HashSet<u32> = found.joins.iter().map(|join| join.1).collect();
    let is_free = |call: &u32| !calls.contains(call) || window.role[*call as usize] == Role::Producer;
    let roots = ends.roots.iter().copied().filter(|root| !children.contains(root)).collect();
    (ends.calls.iter().copied().filter(is_free).collect(), roots)
}

/// Returns the calls of each callee that is restricted, as numbers of the market.
fn restrictions(market: &Market, found: &Found) -> HashMap<u32, Vec<u32>> {
    if found.only.is_empty() {
        return HashMap::new();
    }
    let places: HashMap<u32, u32> = market.calls.iter().zip(0..).map(|(call, at)| (call.span, at)).collect();
    let callees = market.callees.iter().zip(0..);
    let restricted = callees.filter_map(|(callee, at)| Some((at, &found.only.get(&callee.span)?.0)));
    let mut only: HashMap<u32, Vec<u32>> = restricted
        .map(|(at, calls)| (at, calls.iter().filter_map(|call| places.get(call).copied()).collect::<Vec<u32>>()))
        .filter(|(_, calls)| !calls.is_empty())
        .collect();
    only.values_mut().for_each(|calls| calls.sort_unstable());
    only
}

fn proven(window: &Window, (child, parent, rule, value): (u32, u32, Rule, Symbol), clocks: &mut Clocks) -> Stitch {
    let (call, callee) = market::known(window, clocks, (parent, child));
    let confidence = exact::confidence(rule);
    Stitch {
        child,
        parent,
        confidence,
        state: State::Accepted,
        rule,
        evidence: Evidence {
            value,
            candidates: 1,
            runner_up: NONE,
            runner_up_confidence: 0.0,
            learned_from: 0,
            ..gaps(window, &call, &callee)
        },
    }
}

/// Evidence of time: gaps and offset.
fn gaps(window: &Window, call: &End, callee: &End) -> Evidence {
    let recorded = window.start_ns[callee.span as usize].saturating_sub(window.start_ns[call.span as usize]);
    let before_ns = callee.start_ns.saturating_sub(call.start_ns);
    Evidence {
        value: Symbol::EMPTY,
        candidates: 0,
        runner_up: NONE,
        runner_up_confidence: 0.0,
        before_ns,
        after_ns: call.end_ns.saturating_sub(callee.end_ns),
        offset_ns: before_ns.saturating_sub(recorded),
        learned_from: 0,
    }
}

fn timed(window: &Window, market: &Market, join: &Join, found: &Found) -> Stitch {
    let (callee, call) = (&market.callees[join.callee as usize], &market.calls[join.pair.call as usize]);
    Stitch {
        child: callee.span,
        parent: call.span,
        confidence: join.confidence,
        state: state(join.confidence, join.runner_up_confidence),
        rule: if market.is_message { Rule::MessageTiming } else { Rule::CallTiming },
        evidence: Evidence {
            value: found.only.get(&callee.span).map_or(Symbol::EMPTY, |(_, value)| *value),
            candidates: join.num_candidates,
            runner_up: join.runner_up.and_then(|call| market.calls.get(call as usize)).map_or(NONE, |call| call.span),
            runner_up_confidence: join.runner_up_confidence,
            learned_from: join.learned_from,
            ..gaps(window, call, callee)
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
    if ends.is_whole() {
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

#[cfg(test)]
mod tests;
