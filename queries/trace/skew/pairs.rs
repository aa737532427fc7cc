//! What the calls between each two clocks say.

use super::super::window::{NONE, Role, Window};
use super::{Limits, Pair};

/// The two clocks of a call, how far the second is ahead, and whether the callee began clearly before the call.
type Call = ((u32, u32), i64, bool);

/// Returns the pairs of clocks with enough calls.
pub(super) fn learn(window: &Window, parents: &[u32], clock_of: &[u32], limits: Limits) -> Vec<Pair> {
    let mut all: Vec<Call> = Vec::new();
    for (child, &parent) in (0..).zip(parents) {
        all.extend(difference(window, parent, child, clock_of, limits));
    }
    all.sort_unstable();
    let of_pairs = all.chunk_by(|left, right| left.0 == right.0);
    of_pairs.filter(|calls| calls.len() >= limits.min_calls).filter_map(pair).collect()
}

/// Returns what a call says. Nothing where no call leads from one clock to another, or
/// where the callee took longer than the caller waited: then the ends say nothing of the way back.
fn difference(window: &Window, call: u32, callee: u32, clock_of: &[u32], limits: Limits) -> Option<Call> {
    if call == NONE || window.role[callee as usize] != Role::Server || window.role[call as usize] != Role::Client {
        return None;
    }
    let clock = |span: u32| clock_of.get(window.resource[span as usize] as usize).copied();
    let (from, to) = (clock(call)?, clock(callee)?);
    if from == to || window.duration_ns(callee) > window.duration_ns(call) {
        return None;
    }
    let (call, callee) = (call as usize, callee as usize);
    let there = window.start_ns[callee].saturating_sub(window.start_ns[call]);
    let back = window.end_ns[call].saturating_sub(window.end_ns[callee]);
    let ahead = there.saturating_sub(back) / 2;
    let is_early = (there as f64) < -limits.early_ns;
    Some(if from < to { ((from, to), ahead, is_early) } else { ((to, from), ahead.saturating_neg(), is_early) })
}

/// `calls` are ordered by difference.
fn pair(calls: &[Call]) -> Option<Pair> {
    let &((first, second), median, _) = calls.get(calls.len() / 2)?;
    let mut deviations: Vec<i64> =
        calls.iter().map(|&(_, one, _)| one.saturating_sub(median).saturating_abs()).collect();
    let middle = deviations.len() / 2;
    let (_, &mut deviation, _) = deviations.select_nth_unstable(middle);
    let early = calls.iter().filter(|&&(_, _, is_early)| is_early).count() as u64;
    Some(Pair { first, second, median_ns: median, deviation_ns: deviation, calls: calls.len() as u64, early })
}
