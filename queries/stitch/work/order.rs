//! Whether calls overtake each other.
//!
//! Where calls wait in line, they begin in the order in which they were asked for. How often that order is broken, compared to
//! how often it would be if each call's delay were its own, is learned and weighed.

use super::process::Process;
use super::state::{NOWHERE, State};
use crate::trace::window::NONE;

/// No order is weighed on fewer pairs (the sum of p(1-p)) than this.
const MIN_PAIRS: f64 = 4.0;
/// So many pairs of delays are compared.
const NUM_DIFFERENCES: usize = 256;

/// By kind of call: what an overtaking adds to the logarithm of likelihood: 0 where the order says nothing, else below.
#[derive(Debug, Default)]
pub(super) struct Order {
    costs: Vec<f64>,
}

impl Order {
    pub(super) fn matters(&self) -> bool {
        self.costs.iter().any(|&cost| cost < -0.1)
    }

    /// Returns how much more likely the order becomes by `changes`: calls and the times that they then follow.
    pub(super) fn change(
        &self,
        process: &Process,
        state: &State,
        neighbours: &Neighbours,
        changes: [&[(u32, i64)]; 2],
    ) -> f64 {
        let all = || changes.into_iter().flatten();
        let changed = |call: u32| all().find(|change| change.0 == call).map(|change| change.1);
        let now = |call: u32| changed(call).unwrap_or_else(|| state.followed_ns(call));
        let mut sum = 0.0;
        let mut pair = |first: u32, second: u32| {
            if first == NONE || second == NONE {
                return;
            }
            let before = is_overtaken(state.followed_ns(first), state.followed_ns(second));
            let after = is_overtaken(now(first), now(second));
            let cost = self.costs.get(process.calls[first as usize].kind).copied().unwrap_or(0.0);
            sum += f64::from(i8::from(after) - i8::from(before)) * cost;
        };
        for &(call, _) in all() {
            let (last, next) = neighbours.get(call);
            pair(call, next);
            if last != NONE && changed(last).is_none() {
                pair(last, call);
            }
        }
        sum
    }
}

fn is_overtaken(first: i64, second: i64) -> bool {
    first != NOWHERE && second != NOWHERE && first > second
}

/// By torn call: the one of its kind that began before, and the one that began after, or [`NONE`].
#[derive(Debug)]
pub(super) struct Neighbours {
    last: Vec<u32>,
    next: Vec<u32>,
}

impl Neighbours {
    pub(super) fn new(process: &Process) -> Self {
        let mut latest = vec![NONE; process.num_kinds];
        let mut neighbours = Self { last: vec![NONE; process.calls.len()], next: vec![NONE; process.calls.len()] };
        for (call, of) in process.calls.iter().enumerate() {
            let last = std::mem::replace(&mut latest[of.kind], call as u32);
            neighbours.last[call] = last;
            if let Some(next) = neighbours.next.get_mut(last as usize) {
                *next = call as u32;
            }
        }
        neighbours
    }

    fn get(&self, call: u32) -> (u32, u32) {
        (self.last[call as usize], self.next[call as usize])
    }
}

/// What was seen of overtaking, by kind of call.
#[derive(Debug, Default)]
pub(super) struct Overtaking {
    kinds: Vec<Seen>,
}

#[derive(Debug, Default, Clone)]
struct Seen {
    /// How much earlier the first of two was asked for, and whether the second began before it.
    pairs: Vec<(i64, bool)>,
    delays: Vec<i64>,
}

impl Overtaking {
    pub(super) fn add(&mut self, process: &Process, state: &State) {
        let mut kinds: Vec<Vec<(i64, i64)>> = vec![Vec::new(); process.num_kinds];
        for (call, of) in process.calls.iter().enumerate() {
            let from = state.followed_ns(call as u32);
            if from != NOWHERE {
                kinds[of.kind].push((from, of.start_ns));
            }
        }
        self.kinds.resize(process.num_kinds, Seen::default());
        for (seen, mut calls) in self.kinds.iter_mut().zip(kinds) {
            calls.sort_unstable();
            let pairs = calls.windows(2).map(|pair| (pair[1].0.saturating_sub(pair[0].0), pair[1].1 < pair[0].1));
            seen.pairs.extend(pairs);
            seen.delays.extend(calls.iter().map(|&(from, start)| start.saturating_sub(from)));
        }
    }

    /// Learns one cost for all kinds: what makes calls wait in line is the process, not the call.
    pub(super) fn learn(&self) -> Order {
        let (mut chances, mut overtaken) = (Vec::new(), 0.5);
        for seen in &self.kinds {
            overtaken += seen.add_chances(&mut chances);
        }
        let information: f64 = chances.iter().map(|chance| chance * (1.0 - chance)).sum();
        let cost = if information < MIN_PAIRS { 0.0 } else { solve(&chances, overtaken) };
        Order { costs: vec![cost; self.kinds.len()] }
    }
}

impl Seen {
    /// Adds how likely it is for each pair that one overtakes the other, and returns how many did.
    fn add_chances(&self, chances: &mut Vec<f64>) -> f64 {
        let differences = self.differences();
        let chance = |ahead: i64| {
            let more = differences.len() - differences.partition_point(|&difference| difference <= ahead);
            more as f64 / differences.len().max(1) as f64
        };
        chances.extend(self.pairs.iter().map(|&(ahead, _)| chance(ahead)).filter(|&chance| chance > 0.0));
        self.pairs.iter().filter(|pair| pair.1).count() as f64
    }

    /// Returns by how much one call's delay is longer than another's, sorted.
    fn differences(&self) -> Vec<i64> {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let at = |part: usize| delays.get(part * delays.len() / NUM_DIFFERENCES).copied().unwrap_or(0);
        // 101 has no divisor in common with the number of parts: each is compared to one that has nothing to do with it.
        let mut differences: Vec<i64> =
            (0..NUM_DIFFERENCES).map(|part| at(part).saturating_sub(at(part * 101 % NUM_DIFFERENCES))).collect();
        differences.sort_unstable();
        differences
    }
}

/// Finds the cost at which as many pairs are overtaken as were seen.
fn solve(chances: &[f64], overtaken: f64) -> f64 {
    let expected = |cost: f64| {
        let odds = cost.exp();
        chances.iter().map(|chance| odds * chance / (1.0 - chance + odds * chance)).sum::<f64>()
    };
    let (mut low, mut high) = (-6.0, 0.0);
    if expected(high) <= overtaken {
        return high;
    }
    for _ in 0..30 {
        let middle = f64::midpoint(low, high);
        if expected(middle) < overtaken { low = middle } else { high = middle }
    }
    low
}
