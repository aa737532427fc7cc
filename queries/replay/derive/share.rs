//! How many of the calls were hit, how sure that share is, and whether they were hit in stretches of time.

use serde::{Deserialize, Serialize};

use crate::replay::fault::Cycle;

/// Share of calls that were hit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    pub hits: u64,
    pub calls: u64,
    /// 95 % interval (Wilson), 0 to 1.
    pub low: f64,
    pub high: f64,
}

impl Share {
    /// Returns the share of `hits` of `calls` with its interval. (Wilson, 1927: it holds for few calls, and at 0 and 1.)
    #[must_use]
    pub fn of(hits: u64, calls: u64) -> Self {
        const Z: f64 = 1.959_964;
        let (hits, n) = (hits.min(calls), calls as f64);
        if calls == 0 {
            return Self { hits, calls, low: 0.0, high: 1.0 };
        }
        let share = hits as f64 / n;
        let middle = share + Z * Z / (2.0 * n);
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let bound = |sum: f64| (sum / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
        Self { hits, calls, low: bound(middle - half).min(share), high: bound(middle + half).max(share) }
    }

    /// Returns the share itself: 0 to 1.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.hits as f64 / self.calls.max(1) as f64
    }
}

/// Stretches of time in which calls were hit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stretches {
    pub cycle: Cycle,
    /// How many there are.
    pub count: usize,
    /// Share of calls that were hit within them.
    pub inside: Share,
}

/// Fewer calls say nothing of their order.
const MIN_CALLS: usize = 20;
/// Fewer hits, and a single request that met several, make no stretch.
const MIN_HITS: usize = 5;
/// Within stretches at least so many times as great a share is hit as in between.
const MIN_CONTRAST: f64 = 3.0;
/// So many standard deviations fewer runs than chance makes: one in a hundred.
const MAX_RUNS_Z: f64 = -2.326;

/// Tells in which stretches `requests` (start in nanoseconds, hit or not; by start) were hit; nothing where chance explains it.
pub(super) fn stretches(requests: &[(i64, bool)]) -> Option<Stretches> {
    let hits = requests.iter().filter(|(_, hit)| *hit).count();
    if requests.len() < MIN_CALLS || hits < MIN_HITS || runs_z(requests)? > MAX_RUNS_Z {
        return None;
    }
    let is_on = two_states(requests);
    let count = |on: bool| {
        let of = requests.iter().zip(&is_on).filter(|&(_, &state)| state == on);
        of.fold((0, 0), |(hits, all), ((_, hit), _)| (hits + u64::from(*hit), all + 1))
    };
    let (inside, outside) = (count(true), count(false));
    let (inside, outside) = (Share::of(inside.0, inside.1), Share::of(outside.0, outside.1));
    if inside.calls == 0 || outside.calls == 0 || inside.value() < MIN_CONTRAST * outside.value() {
        return None;
    }
    let (cycle, count) = cycle(requests, &is_on);
    Some(Stretches { cycle, count, inside })
}

/// How many standard deviations the number of runs lies from what chance makes (Wald and Wolfowitz, 1940).
fn runs_z(requests: &[(i64, bool)]) -> Option<f64> {
    let n = requests.len() as f64;
    let hits = requests.iter().filter(|(_, hit)| *hit).count() as f64;
    let others = n - hits;
    let runs = 1.0 + requests.windows(2).filter(|pair| matches!(pair, [a, b] if a.1 != b.1)).count() as f64;
    let mean = 2.0 * hits * others / n + 1.0;
    let variance = (mean - 1.0) * (mean - 2.0) / (n - 1.0);
    (variance > 0.0).then(|| (runs - mean) / variance.sqrt())
}

/// Says of each request whether the fault was on: the most likely sequence of two states, each with its own share of hits.
fn two_states(requests: &[(i64, bool)]) -> Vec<bool> {
    /// Enough for the shares to settle.
    const ROUNDS: usize = 6;
    let share = requests.iter().filter(|(_, hit)| *hit).count() as f64 / requests.len().max(1) as f64;
    let mut shares = [share / 10.0, (share * 3.0).clamp(0.5, 0.95)];
    let mut states = Vec::new();
    for _ in 0..ROUNDS {
        states = most_likely(requests, shares);
        for (state, share) in [false, true].into_iter().zip(&mut shares) {
            let of = requests.iter().zip(&states).filter(|&(_, &is_on)| is_on == state);
            let (hits, all) =
                of.fold((0.0, 0.0), |(hits, all), ((_, hit), _)| (hits + f64::from(u8::from(*hit)), all + 1.0));
            // Never quite 0 or 1: one exception must not be impossible.
            *share = (hits + 0.5) / (all + 1.0);
        }
    }
    states
}

/// Viterbi: a change of state costs the logarithm of how many requests there are.
fn most_likely(requests: &[(i64, bool)], shares: [f64; 2]) -> Vec<bool> {
    let price = (requests.len() as f64).ln();
    let mut score = [0.0_f64; 2];
    let mut came_from: Vec<[bool; 2]> = Vec::with_capacity(requests.len());
    for (_, hit) in requests {
        let from = [score[1] - price > score[0], score[1] >= score[0] - price];
        let best = [score[0].max(score[1] - price), score[1].max(score[0] - price)];
        let likely = shares.map(|share| if *hit { share.ln() } else { (1.0 - share).ln() });
        score = [best[0] + likely[0], best[1] + likely[1]];
        came_from.push(from);
    }
    let mut is_on = score[1] > score[0];
    let mut states = vec![false; requests.len()];
    for (state, from) in states.iter_mut().zip(&came_from).rev() {
        *state = is_on;
        is_on = from[usize::from(is_on)];
    }
    states
}

/// Returns the mean lengths of the stretches and of what lies between and around them.
fn cycle(requests: &[(i64, bool)], is_on: &[bool]) -> (Cycle, usize) {
    let (mut on_ms, mut off_ms, mut count) = (0.0, 0.0, 0_usize);
    let mut was_on = false;
    for (pair, states) in requests.windows(2).zip(is_on.windows(2)) {
        let ([first, second], [state, _]) = (pair, states) else { continue };
        let length = second.0.saturating_sub(first.0) as f64 / 1e6;
        *if *state { &mut on_ms } else { &mut off_ms } += length;
        count += usize::from(*state && !was_on);
        was_on = *state;
    }
    count += usize::from(is_on.last() == Some(&true) && !was_on);
    let each = |sum: f64| (sum / count.max(1) as f64).max(1.0);
    (Cycle { on_ms: each(on_ms).round(), off_ms: each(off_ms).round() }, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_wilson() {
        let share = Share::of(18, 100);
        assert!((share.low - 0.1170).abs() < 1e-3 && (share.high - 0.2666).abs() < 1e-3, "{share:?}");
        assert_eq!((Share::of(0, 0).low, Share::of(0, 0).high), (0.0, 1.0));
        assert!((Share::of(5, 5).low - 0.5655).abs() < 1e-3);
        assert!(Share::of(5, 5).high > 0.999);
    }

    #[test]
    fn hits_in_stretches_are_told_from_hits_by_chance() {
        let second = 1_000_000_000;
        let blocks: Vec<(i64, bool)> = (0..200).map(|at| (at * second, at % 50 >= 30 && at % 3 != 0)).collect();
        let found = stretches(&blocks).unwrap();
        assert_eq!(found.count, 4);
        assert!((found.cycle.on_ms - 20_000.0).abs() < 3_000.0, "{found:?}");
        assert!(found.inside.value() > 0.6, "{found:?}");
        let even: Vec<(i64, bool)> = (0..200).map(|at| (at * second, at % 5 == 0)).collect();
        assert_eq!(stretches(&even), None);
        let all: Vec<(i64, bool)> = (0..200).map(|at| (at * second, true)).collect();
        assert_eq!(stretches(&all), None);
    }
}
