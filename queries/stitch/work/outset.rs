//! Where to set out from: delays that occur more often than chance would have it, whoever belongs to whom.
//!
//! A call that follows something does so after much the same delay each time; whatever else is near is there by chance. So the
//! delays from all that ended shortly before, less those that are found beside the call's time, are those that mean something.

use super::chain::Step;
use super::delays::{NUM_BINS, bin};
use super::learn::Observed;
use super::process::Process;

/// So many spans of each kind are looked at.
const MAX_TARGETS: usize = 2_000;
/// Fewer where there are many kinds: so many pairs of a span and what it may follow in all.
const MAX_PAIRS: usize = 300_000;
const MIN_TARGETS: usize = 100;
/// So many ends before each are looked at.
const MAX_NEAR: usize = 24;
/// Delays are compared over so many bins to each side.
const REACH: usize = 2;
/// Chance is measured at so many other times.
const NUM_SHIFTS: usize = 4;

/// Adds the delays that mean something.
pub(super) fn observe(process: &Process, observed: &mut Observed) {
    let (kinds, parents) = (process.num_kinds, process.num_parent_kinds);
    let sources = sources(process);
    let length = longest(process);
    let num = (MAX_PAIRS / ((kinds + 1) * (kinds + parents))).clamp(MIN_TARGETS, MAX_TARGETS);
    let step = |next: usize, after: usize| Step { next, after, ..Step::default() };
    for next in 0..kinds {
        let targets = starts(process, next, num);
        for (after, sources) in sources.iter().enumerate().take(kinds) {
            let found = meaningful(&targets, sources, length);
            (0..parents).for_each(|parent| observed.add_delays(process, parent, step(next, after), &found));
        }
        for parent in 0..parents {
            let found = meaningful(&targets, &sources[kinds + parent], length);
            observed.add_delays(process, parent, step(next, kinds), &found);
        }
    }
    for parent in 0..parents {
        let targets = ends(process, parent, num);
        for after in 0..=kinds {
            let from = if after == kinds { &sources[kinds + parent] } else { &sources[after] };
            observed.add_delays(process, parent, step(kinds, after), &meaningful(&targets, from, length));
        }
    }
}

/// Times of ends by kind, then those of requests' starts by their kind; each sorted.
fn sources(process: &Process) -> Vec<Vec<i64>> {
    let mut times = vec![Vec::new(); process.num_kinds + process.num_parent_kinds];
    process.all_calls().for_each(|call| times[call.kind].push(call.end_ns));
    for parent in &process.parents {
        times[process.num_kinds + parent.kind].push(parent.start_ns);
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    times
}

/// Times of starts of a kind of call: `num` of them.
fn starts(process: &Process, kind: usize, num: usize) -> Vec<i64> {
    process.all_calls().filter(|call| call.kind == kind).map(|call| call.start_ns).take(num).collect()
}

/// Times of ends of a kind of request: `num` of them.
fn ends(process: &Process, kind: usize, num: usize) -> Vec<i64> {
    process.parents.iter().filter(|parent| parent.kind == kind).map(|parent| parent.end_ns).take(num).collect()
}

/// Returns how long all but the longest requests take.
fn longest(process: &Process) -> i64 {
    let mut lengths: Vec<i64> =
        process.parents.iter().map(|parent| parent.end_ns.saturating_sub(parent.start_ns)).collect();
    lengths.sort_unstable();
    lengths.get(lengths.len() * 95 / 100).copied().unwrap_or(0)
}

/// Returns bins of delays with how many more there are than by chance.
fn meaningful(targets: &[i64], sources: &[i64], length: i64) -> Vec<(usize, f64)> {
    let mut found = vec![0.0; NUM_BINS];
    let mut chance = vec![0.0; NUM_BINS];
    for &target in targets {
        near(target, sources, length, |bin| found[bin] += 1.0);
        for shift in 1..=NUM_SHIFTS as i64 {
            // Before and after in turn, farther than a request is long.
            let by = length.saturating_mul(2 + shift).saturating_mul(if shift % 2 == 0 { 1 } else { -1 });
            near(target.saturating_add(by), sources, length, |bin| chance[bin] += 1.0 / NUM_SHIFTS as f64);
        }
    }
    let around =
        |bins: &[f64], at: usize| bins[at.saturating_sub(REACH)..(at + REACH + 1).min(NUM_BINS)].iter().sum::<f64>();
    let excess = |at: usize| {
        let (found, chance) = (around(&found, at), around(&chance, at));
        let excess = found - chance;
        if excess > 2.0 * (chance + 1.0).sqrt() { excess / (2 * REACH + 1) as f64 } else { 0.0 }
    };
    (0..NUM_BINS).map(|at| (at, excess(at))).filter(|&(_, excess)| excess > 0.0).collect()
}

fn near(target: i64, sources: &[i64], length: i64, mut found: impl FnMut(usize)) {
    let until = sources.partition_point(|&time| time <= target);
    for &time in sources[..until].iter().rev().take(MAX_NEAR) {
        let delay = target.saturating_sub(time);
        if delay > length {
            break;
        }
        found(bin(delay));
    }
}
