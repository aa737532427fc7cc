//! Which calls each callee may have come from.

use super::market::{End, Market};
use crate::trace::window::Rows;

/// A call and a callee that may belong together. Times are in the common time of all clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    /// A number of [`Market::calls`].
    pub(super) call: u32,
    pub(super) edge: u32,
    /// From the call's start to the callee's.
    pub(super) before_ns: f64,
    /// From the callee's end to the call's.
    pub(super) after_ns: f64,
}

/// Calls that are looked at a callee: those that began last before it, and some that began after it.
const MAX_EARLIER: usize = 64;
const MAX_LATER: usize = 12;
/// Calls that do not fit are passed over, but not without end.
const MAX_PASSED: usize = 1_024;
/// Pairs that are kept a callee.
const MAX_KEPT: usize = 12;

impl Pair {
    pub(super) fn new(number: u32, call: &End, callee: &End, edge: u32) -> Self {
        Self {
            call: number,
            edge,
            before_ns: callee.start_ns.saturating_sub(call.start_ns) as f64,
            after_ns: call.end_ns.saturating_sub(callee.end_ns) as f64,
        }
    }
}

/// Gathers the pairs of the callees that `chosen` names; `only` restricts a callee to some calls.
pub(super) fn gather<'a>(market: &Market, chosen: &[u32], only: &dyn Fn(u32) -> Option<&'a [u32]>) -> Rows<Pair> {
    let mut rows = Rows::default();
    let mut found = Vec::new();
    for &at in chosen {
        let callee = &market.callees[at as usize];
        found.clear();
        match only(at) {
            Some(calls) => calls.iter().for_each(|&call| found.extend(pair(market, call, callee))),
            None => near(market, callee, &mut found),
        }
        keep_best(market, &mut found);
        rows.push(found.iter().copied());
    }
    rows
}

fn pair(market: &Market, call: u32, callee: &End) -> Option<Pair> {
    let end = market.calls.get(call as usize)?;
    market.fits(end, callee).map(|edge| Pair::new(call, end, callee, edge))
}

fn near(market: &Market, callee: &End, found: &mut Vec<Pair>) {
    let middle = market.calls.partition_point(|call| call.start_ns <= callee.start_ns);
    let earlier = (0..middle as u32).rev().take(MAX_PASSED).filter_map(|call| pair(market, call, callee));
    found.extend(earlier.take(MAX_EARLIER));
    let later =
        (middle as u32..market.calls.len() as u32).take(MAX_PASSED).filter_map(|call| pair(market, call, callee));
    found.extend(later.take(MAX_LATER));
}

/// Keeps the pairs that look best before anything is learned, ordered by call.
fn keep_best(market: &Market, found: &mut Vec<Pair>) {
    if found.len() > MAX_KEPT {
        found.sort_by(|a, b| rough(market, b).total_cmp(&rough(market, a)).then(a.call.cmp(&b.call)));
        found.truncate(MAX_KEPT);
    }
    found.sort_by_key(|pair| pair.call);
}

/// How likely a pair is when nothing is known: gaps are short, and seldom negative.
pub(super) fn rough(market: &Market, pair: &Pair) -> f64 {
    let after = if market.is_message { 0.0 } else { gap(pair.after_ns) };
    gap(pair.before_ns) + after
}

fn gap(gap_ns: f64) -> f64 {
    const SHORT_NS: f64 = 50_000.0;
    /// Clocks and rounding make gaps negative by so much.
    const ROUND_NS: f64 = 1_000_000.0;
    let negative = if gap_ns < 0.0 { 1.0 + 3.0 * (-gap_ns / ROUND_NS).min(1.0) } else { 0.0 };
    -(1.0 + gap_ns.abs() / SHORT_NS).ln() - negative
}
