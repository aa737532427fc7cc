//! One offset a clock from what pairs of clocks say: weighted least squares, and the largest group that agrees is right.

use super::super::window::Symbol;
use super::{Clock, Limits, Pair};

/// Rounds of refinement. On a tree of clocks the first guess is the solution; rings are few and short.
const ROUNDS: usize = 50;
/// No pair is surer than this: clocks of SDKs are not.
const MIN_NOISE_NS: f64 = 1e5;

/// A clock seen from another.
#[derive(Debug, Clone, Copy)]
struct Neighbour {
    clock: usize,
    /// How far this neighbour is ahead.
    ahead: f64,
    noise: f64,
    weight: f64,
    /// Belongs to the tree of the surest pairs.
    is_branch: bool,
}

/// Returns all clocks, in the order of `names`.
pub(super) fn solve(names: &[Symbol], pairs: &[Pair], limits: Limits) -> Vec<Clock> {
    let mut graph = graph(names.len(), pairs);
    let mut offsets = vec![0.0; names.len()];
    let groups = spread(&mut graph, &mut offsets);
    refine(&graph, &groups, &mut offsets);
    let mut noise = vec![0.0; names.len()];
    let mut agreeing = vec![0; names.len()];
    for group in &groups {
        let size = anchor(&graph, group, limits, &mut offsets, &mut noise);
        group.iter().for_each(|&at| agreeing[at] = size);
    }
    let calls = calls(names.len(), pairs);
    (0..names.len())
        .map(|at| Clock {
            name: names[at],
            offset_ns: offsets[at] as i64,
            noise_ns: noise[at] as i64,
            calls: calls[at],
            is_off: offsets[at].abs() > tolerance(noise[at], limits),
            agreeing: agreeing[at],
        })
        .collect()
}

fn calls(num_clocks: usize, pairs: &[Pair]) -> Vec<u64> {
    let mut calls = vec![0; num_clocks];
    for pair in pairs {
        calls[pair.first as usize] += pair.calls;
        calls[pair.second as usize] += pair.calls;
    }
    calls
}

fn tolerance(noise: f64, limits: Limits) -> f64 {
    limits.min_offset_ns.max(limits.deviations * noise)
}

fn graph(num_clocks: usize, pairs: &[Pair]) -> Vec<Vec<Neighbour>> {
    let mut surest: Vec<&Pair> = pairs.iter().collect();
    surest.sort_by(|left, right| weight(right).total_cmp(&weight(left)));
    let mut graph = vec![Vec::new(); num_clocks];
    let mut heads: Vec<usize> = (0..num_clocks).collect();
    for pair in surest {
        let (first, second) = (pair.first as usize, pair.second as usize);
        let (one, other) = (head(&mut heads, first), head(&mut heads, second));
        heads[one.max(other)] = one.min(other);
        let (noise, ahead) = (pair.deviation_ns as f64, pair.median_ns as f64);
        let seen = Neighbour { clock: second, ahead, noise, weight: weight(pair), is_branch: one != other };
        graph[first].push(seen);
        graph[second].push(Neighbour { clock: first, ahead: -ahead, ..seen });
    }
    graph
}

fn weight(pair: &Pair) -> f64 {
    (pair.calls as f64).sqrt() / (pair.deviation_ns as f64).max(MIN_NOISE_NS)
}

fn head(heads: &mut [usize], mut at: usize) -> usize {
    while heads[at] != at {
        heads[at] = heads[heads[at]];
        at = heads[at];
    }
    at
}

/// Sets offsets along the tree of the surest pairs; returns the groups of clocks that calls connect, each from its first clock on.
fn spread(graph: &mut [Vec<Neighbour>], offsets: &mut [f64]) -> Vec<Vec<usize>> {
    let mut is_seen = vec![false; graph.len()];
    let mut groups = Vec::new();
    for from in 0..graph.len() {
        if is_seen[from] || graph[from].is_empty() {
            continue;
        }
        is_seen[from] = true;
        let mut group = vec![from];
        let mut next = 0;
        while let Some(&at) = group.get(next) {
            next += 1;
            for neighbour in graph[at].iter().filter(|neighbour| neighbour.is_branch) {
                if !std::mem::replace(&mut is_seen[neighbour.clock], true) {
                    offsets[neighbour.clock] = offsets[at] + neighbour.ahead;
                    group.push(neighbour.clock);
                }
            }
        }
        groups.push(group);
    }
    groups
}

/// Moves each clock to where its neighbours say that it is. Who is out of line by more than the noise is believed less (Huber).
fn refine(graph: &[Vec<Neighbour>], groups: &[Vec<usize>], offsets: &mut [f64]) {
    for _ in 0..ROUNDS {
        for group in groups.iter().filter(|group| group.len() > 2) {
            for &at in group.iter().skip(1) {
                let (mut sum, mut total) = (0.0, 0.0);
                for neighbour in &graph[at] {
                    let says = offsets[neighbour.clock] - neighbour.ahead;
                    let step = (says - offsets[at]).abs() / neighbour.noise.max(MIN_NOISE_NS);
                    let weight = neighbour.weight / step.max(1.0);
                    sum += weight * says;
                    total += weight;
                }
                if total > 0.0 {
                    offsets[at] = sum / total;
                }
            }
        }
    }
}

/// Takes the middle of the largest group of clocks that agree for right, and says how sure each other one is. Returns how many agree.
fn anchor(graph: &[Vec<Neighbour>], group: &[usize], limits: Limits, offsets: &mut [f64], noise: &mut [f64]) -> u32 {
    let mut order = group.to_vec();
    order.sort_by(|&left, &right| offsets[left].total_cmp(&offsets[right]).then(left.cmp(&right)));
    let sorted: Vec<f64> = order.iter().map(|&at| offsets[at]).collect();
    let agree = |at: usize| {
        let quietest = graph[at].iter().map(|one| one.noise).min_by(f64::total_cmp).unwrap_or(0.0);
        let reach = tolerance(quietest, limits);
        let from = sorted.partition_point(|&one| one < offsets[at] - reach);
        (from, sorted.partition_point(|&one| one <= offsets[at] + reach))
    };
    let calls = |at: usize| graph[at].iter().map(|one| one.weight).sum::<f64>();
    let best = group.iter().copied().max_by(|&left, &right| {
        let size = |(from, to): (usize, usize)| to - from;
        size(agree(left))
            .cmp(&size(agree(right)))
            .then_with(|| calls(left).total_cmp(&calls(right)))
            .then(right.cmp(&left))
    });
    let Some(best) = best else { return 0 };
    let (from, to) = agree(best);
    let zero = sorted[from + (to - from) / 2];
    group.iter().for_each(|&at| offsets[at] -= zero);
    spread_noise(graph, best, noise);
    (to - from) as u32
}

/// The noise of a clock is that of the worst pair on the way from the one that is taken for right.
fn spread_noise(graph: &[Vec<Neighbour>], best: usize, noise: &mut [f64]) {
    let mut stack = vec![(best, best)];
    while let Some((from, at)) = stack.pop() {
        for neighbour in graph[at].iter().filter(|one| one.is_branch && one.clock != from) {
            noise[neighbour.clock] = noise[at].max(neighbour.noise);
            stack.push((at, neighbour.clock));
        }
    }
}
