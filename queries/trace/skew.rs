//! How far the clocks of processes differ, learned from calls of which both ends are known. Nothing recorded is changed.
//!
//! A call and its callee span say how far their clocks differ, up to half of the time that the way there and back took:
//! `((s.start - c.start) - (c.end - s.end)) / 2`. The median of many calls is taken for each pair of clocks, and all pairs are
//! solved together.

mod pairs;
mod solve;

use std::collections::BTreeMap;

use super::window::{Symbol, Window};

/// When a difference counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// A pair of clocks with fewer calls says nothing.
    pub min_calls: usize,
    /// Below this many nanoseconds clocks are in step.
    pub min_offset_ns: f64,
    /// A difference within this many median deviations is no difference: it is what queues and load do, too.
    pub deviations: f64,
    /// A callee cannot begin before it is called. Where more than this share does, by more than `early_ns`, a smaller difference
    /// counts, too.
    pub early_share: f64,
    pub early_ns: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { min_calls: 10, min_offset_ns: 5e6, deviations: 3.0, early_share: 0.05, early_ns: 1e6 }
    }
}

/// What stamps the spans of one host, or of one instance where hosts are not known or all the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// The host or instance.
    pub name: Symbol,
    /// How far it is ahead of the most; 0 where nothing is known of it.
    pub offset_ns: i64,
    /// The median deviation of the worst pair between it and the most.
    pub noise_ns: i64,
    /// Calls to and from other clocks; 0: nothing is known of it.
    pub calls: u64,
    /// Tells whether the offset is more than noise.
    pub is_off: bool,
    /// How many clocks agree on what is right, of those that calls connect with this one. 1: who is off cannot be told.
    pub agreeing: u32,
}

/// What the calls between two clocks say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Indexes of clocks, `first < second`.
    pub first: u32,
    pub second: u32,
    /// Median of how far the second is ahead of the first.
    pub median_ns: i64,
    /// Median deviation from the median.
    pub deviation_ns: i64,
    /// Calls with both ends, whose callee did not take longer than the caller.
    pub calls: u64,
    /// Of those, callees that began clearly before their call.
    pub early: u64,
}

/// The clocks of a window.
#[derive(Debug, Default)]
pub struct Skew {
    pub clocks: Vec<Clock>,
    /// Those with enough calls, ordered by clocks.
    pub pairs: Vec<Pair>,
    /// By resource: its clock.
    clock_of: Vec<u32>,
}

impl Skew {
    /// Learns the clocks from the calls of a window; `parents` are the recorded ones, or those with accepted stitches.
    #[must_use]
    pub fn of(window: &Window, parents: &[u32], limits: Limits) -> Self {
        let (clock_of, names) = clocks(window);
        let pairs = pairs::learn(window, parents, &clock_of, limits);
        let mut clocks = solve::solve(&names, &pairs, limits);
        contradict(&mut clocks, &pairs, limits);
        Self { clocks, pairs, clock_of }
    }

    /// Returns the clock of a resource.
    #[must_use]
    pub fn clock(&self, resource: u32) -> Option<u32> {
        self.clock_of.get(resource as usize).copied()
    }

    /// Returns how far the clock of a resource is ahead; 0 where that is within noise, or not known.
    #[must_use]
    pub fn offset_ns(&self, resource: u32) -> i64 {
        let clock = self.clock(resource).and_then(|clock| self.clocks.get(clock as usize));
        clock.filter(|clock| clock.is_off).map_or(0, |clock| clock.offset_ns)
    }

    /// Tells whether all clocks are in step, as far as is known.
    #[must_use]
    pub fn is_even(&self) -> bool {
        self.clocks.iter().all(|clock| !clock.is_off)
    }
}

/// Returns the clock of each resource, and the clocks' names ordered by their texts. Hosts count only where all are known and
/// there is more than one: containers share a host name, or have none.
fn clocks(window: &Window) -> (Vec<u32>, Vec<Symbol>) {
    let resources = &window.resources;
    let first = resources.first().map(|first| first.host);
    let by_host =
        resources.iter().all(|one| !one.host.is_empty()) && resources.iter().any(|one| Some(one.host) != first);
    let name = |one: &super::window::Resource| if by_host { one.host } else { one.instance };
    let mut numbers: BTreeMap<&str, (Symbol, u32)> =
        resources.iter().map(|one| (window.text(name(one)), (name(one), 0))).collect();
    for (number, value) in (0..).zip(numbers.values_mut()) {
        value.1 = number;
    }
    let number = |one| numbers.get(window.text(name(one))).map_or(0, |&(_, number)| number);
    (resources.iter().map(number).collect(), numbers.values().map(|&(name, _)| name).collect())
}

/// Marks clocks that are off by less than noise, yet by so much that effects come before their causes: of the two clocks of a
/// pair the one that is farther from the most.
fn contradict(clocks: &mut [Clock], pairs: &[Pair], limits: Limits) {
    let is_off: Vec<bool> = clocks.iter().map(|clock| clock.is_off).collect();
    for pair in pairs.iter().filter(|pair| pair.early as f64 > limits.early_share * pair.calls as f64) {
        let (first, second) = (pair.first as usize, pair.second as usize);
        let distance = |at: usize| clocks[at].offset_ns.saturating_abs();
        let farther = if distance(first) > distance(second) { first } else { second };
        if !is_off[first] && !is_off[second] && distance(farther) as f64 > limits.early_ns {
            clocks[farther].is_off = true;
        }
    }
}

#[cfg(test)]
mod tests;
