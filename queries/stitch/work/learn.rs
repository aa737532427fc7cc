//! Learns a [`Model`] from joins that are believed for now.

use hashbrown::HashMap;

use super::chain::{Scratch, Step, walk};
use super::delays::{Density, Logs, NUM_FOLDS, Seen, bin};
use super::model::{Counts, MAX_COUNT, Model, beside, next_of, num_afters, pair};
use super::order::Overtaking;
use super::process::Process;
use super::state::State;
use crate::trace::window::NONE;

/// Delays of fewer steps than this are not told apart from all delays before the same kind of call.
const MIN_STEPS: f64 = 4.0;
/// More pairs of kinds are not told apart.
const MAX_PAIRS: usize = 512;

/// What was seen in one or several states.
#[derive(Debug, Default)]
pub(super) struct Observed {
    steps: HashMap<(u32, u16), [f32; NUM_FOLDS]>,
    counts: Vec<Counts>,
    nulls: Vec<f64>,
    outliving: f64,
    num_calls: f64,
    num_states: f64,
    overtaking: Overtaking,
    beside: Vec<Beside>,
}

/// A call that began while another was on its way.
#[derive(Debug, Clone, Copy)]
struct Beside {
    parent_kind: usize,
    step: Step,
}

impl Observed {
    /// Forgets all delays.
    pub(super) fn clear_delays(&mut self) {
        self.steps.clear();
    }

    /// Adds delays that were seen: bins and how often.
    pub(super) fn add_delays(&mut self, process: &Process, parent_kind: usize, step: Step, found: &[(usize, f64)]) {
        for &(bin, weight) in found {
            let seen = self.steps.entry((pair(process.num_kinds, parent_kind, step), bin as u16)).or_default();
            seen.iter_mut().for_each(|fold| *fold += (weight / NUM_FOLDS as f64) as f32);
        }
    }

    /// Takes over from what was seen before how many calls requests make, and how many calls are none of theirs. What is seen
    /// in heat says too little of that: calls would go, be expected to go, and never come back.
    pub(super) fn keep_counts(&mut self, before: &Self) {
        let scale = self.num_states / before.num_states.max(1.0);
        self.nulls = before.nulls.iter().map(|seen| seen * scale).collect();
        self.counts = before.counts.iter().map(|seen| seen.map(|count| count * scale)).collect();
    }

    /// Adds what a state shows.
    pub(super) fn add(&mut self, process: &Process, state: &State) {
        self.counts.resize(process.num_parent_kinds * process.num_kinds, Counts::default());
        self.nulls.resize(process.num_kinds, 0.0);
        let mut scratch = Scratch::default();
        for parent in 0..process.parents.len() as u32 {
            self.add_request(process, parent, state.members(parent), &mut scratch);
        }
        for (call, _) in process.calls.iter().zip(state.places()).filter(|&(_, &place)| place == NONE) {
            self.nulls[call.kind] += 1.0;
        }
        self.overtaking.add(process, state);
        self.num_states += 1.0;
    }

    fn add_request(&mut self, process: &Process, parent: u32, members: &[u32], scratch: &mut Scratch) {
        let (kinds, kind) = (process.num_kinds, process.parents[parent as usize].kind);
        let mut counted = vec![0_usize; kinds + 1];
        let outliving = walk(process, parent, members, scratch, |step| {
            counted[step.next] += 1;
            self.add_step(kinds, kind, step);
            if let Some(other) = beside(kinds, step) {
                self.add_step(kinds, kind, other);
                self.beside.push(Beside { parent_kind: kind, step });
            }
        });
        self.outliving += outliving as f64;
        for (call, &count) in counted.iter().enumerate().take(kinds) {
            self.num_calls += count as f64;
            self.counts[kind * kinds + call][count.min(MAX_COUNT)] += 1.0;
        }
    }

    fn add_step(&mut self, num_kinds: usize, parent_kind: usize, step: Step) {
        let at = (pair(num_kinds, parent_kind, step), bin(step.delay_ns) as u16);
        let seen = self.steps.entry(at).or_default();
        seen[step.fold % NUM_FOLDS] += 1.0;
    }

    /// Returns what was seen in a state on average: pair, bin and weight by fold, sorted.
    fn delays(&self) -> Vec<(u32, usize, [f64; NUM_FOLDS])> {
        let scale = self.scale();
        let each = |(&(pair, bin), folds): (&(u32, u16), &[f32; NUM_FOLDS])| {
            (pair, usize::from(bin), folds.map(|weight| f64::from(weight) * scale))
        };
        let mut delays: Vec<_> = self.steps.iter().map(each).collect();
        delays.sort_unstable_by_key(|&(pair, bin, _)| (pair, bin));
        delays
    }

    fn scale(&self) -> f64 {
        1.0 / self.num_states.max(1.0)
    }
}

type Delays = [(u32, usize, [f64; NUM_FOLDS])];

/// Learns from what was seen.
pub(super) fn learn(process: &Process, observed: &Observed) -> Model {
    let delays = observed.delays();
    let common = common(process.num_kinds, &delays);
    let weights = weights(&delays);
    let (follows, alone) = contexts(process, &weights);
    let (pair_at, pairs) = pairs(process, &delays, weights, &common);
    let counts: Vec<Counts> = observed.counts.iter().map(|seen| shares(seen, observed.scale())).collect();
    let mut model = Model {
        num_kinds: process.num_kinds,
        no_calls: no_calls(process, &counts),
        nulls: nulls(process, observed),
        outlives: outlives(observed),
        is_loose: process.is_loose.clone(),
        order: observed.overtaking.learn(),
        beside: vec![0.5; pairs.len()],
        common: common.iter().map(Density::ln).collect(),
        pair_at,
        pairs,
        counts,
        follows,
        alone,
    };
    learn_beside(&mut model, &observed.beside);
    model
}

/// Returns the densities before each kind, whatever is followed.
fn common(num_kinds: usize, delays: &Delays) -> Vec<Density> {
    let mut kinds = vec![Seen::default(); num_kinds + 1];
    let mut all = Seen::default();
    for &(pair, bin, folds) in delays {
        let kind = &mut kinds[next_of(num_kinds, pair)];
        for (fold, weight) in folds.into_iter().enumerate() {
            kind.add(bin, fold, weight);
            all.add(bin, fold, weight);
        }
    }
    let base = Density::learn(&all, &Density::flat(), 4.0, 0.1);
    kinds.iter().map(|seen| Density::learn(seen, &base, 4.0, 0.02)).collect()
}

/// Returns pairs with how often each was seen, sorted by pair.
fn weights(delays: &Delays) -> Vec<(u32, f64)> {
    let mut weights: Vec<(u32, f64)> = Vec::new();
    for &(pair, _, folds) in delays {
        let weight: f64 = folds.iter().sum();
        match weights.last_mut().filter(|last| last.0 == pair) {
            Some(last) => last.1 += weight,
            None => weights.push((pair, weight)),
        }
    }
    weights
}

/// Returns the densities of the frequent pairs, and where each pair's stands.
fn pairs(
    process: &Process,
    delays: &Delays,
    mut weights: Vec<(u32, f64)>,
    common: &[Density],
) -> (Vec<u32>, Vec<Logs>) {
    let kinds = process.num_kinds;
    weights.retain(|&(_, weight)| weight >= MIN_STEPS);
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    weights.truncate(MAX_PAIRS);
    let mut pair_at = vec![NONE; process.num_parent_kinds * (kinds + 1) * num_afters(kinds)];
    let mut seen = vec![Seen::default(); weights.len()];
    for (at, &(pair, _)) in weights.iter().enumerate() {
        pair_at[pair as usize] = at as u32;
    }
    for &(pair, bin, folds) in delays {
        if let Some(seen) = seen.get_mut(pair_at[pair as usize] as usize) {
            folds.into_iter().enumerate().for_each(|(fold, weight)| seen.add(bin, fold, weight));
        }
    }
    let density =
        |(&(pair, _), seen): (&(u32, f64), &Seen)| Density::learn(seen, &common[next_of(kinds, pair)], 2.0, 0.01).ln();
    (pair_at, weights.iter().zip(&seen).map(density).collect())
}

fn no_calls(process: &Process, counts: &[Counts]) -> Vec<f64> {
    let kinds = process.num_kinds;
    let sum = |kind: usize| {
        (0..kinds).filter(|&call| process.is_loose[call]).map(|call| counts[kind * kinds + call][0]).sum()
    };
    (0..process.num_parent_kinds).map(sum).collect()
}

fn nulls(process: &Process, observed: &Observed) -> Vec<f64> {
    let length = process.length_ns();
    observed.nulls.iter().map(|seen| ((seen * observed.scale() + 0.5) / length).ln()).collect()
}

fn outlives(observed: &Observed) -> f64 {
    let share = (observed.outliving * observed.scale() + 0.5) / (observed.num_calls * observed.scale() + 1.0);
    (share / (1.0 - share).max(1e-9)).ln()
}

/// Learns which of two a call follows: the latest end, or the start of the call that is on its way.
fn learn_beside(model: &mut Model, seen: &[Beside]) {
    const ROUNDS: usize = 6;
    let likelihoods = |seen: &Beside| {
        let other = beside(model.num_kinds, seen.step)?;
        let at = model.pair_at[pair(model.num_kinds, seen.parent_kind, other) as usize];
        let of = |step: Step| model.single(seen.parent_kind, step).exp();
        (at != NONE).then(|| (at as usize, of(seen.step), of(other)))
    };
    let likelihoods: Vec<(usize, f64, f64)> = seen.iter().filter_map(likelihoods).collect();
    for _ in 0..ROUNDS {
        let mut sums = vec![(0.5, 1.0); model.pairs.len()];
        for &(at, end, start) in &likelihoods {
            let share = model.beside[at];
            sums[at].0 += share * start / (share * start + (1.0 - share) * end).max(f64::MIN_POSITIVE);
            sums[at].1 += 1.0;
        }
        model.beside = sums.into_iter().map(|(part, all)| part / all).collect();
    }
}

/// Returns how often each kind that begins follows each other, and how often it begins alone.
fn contexts(process: &Process, weights: &[(u32, f64)]) -> (Vec<f64>, Vec<f64>) {
    let kinds = process.num_kinds;
    let afters = num_afters(kinds);
    let num = process.num_parent_kinds * (kinds + 1);
    let mut follows = vec![0.0; num * afters];
    weights.iter().for_each(|&(pair, weight)| follows[pair as usize] = weight);
    let mut alone = vec![0.0; num];
    for (shares, alone) in follows.chunks_mut(afters).zip(&mut alone) {
        let total: f64 = shares.iter().take(kinds + 1).sum();
        let beside: f64 = shares.iter().skip(kinds + 1).sum();
        let share = |weight: f64| ((weight + 0.25) / (total + 1.0)).ln().min(0.0);
        *alone = share(total - beside);
        shares.iter_mut().for_each(|weight| *weight = share(*weight));
    }
    (follows, alone)
}

/// Returns the logarithms of the shares of requests that make 0, 1, 2… calls.
fn shares(seen: &Counts, scale: f64) -> Counts {
    let total: f64 = seen.iter().sum::<f64>() * scale + 1.0;
    // What was never seen becomes less likely with each call more.
    let mut prior = 0.5;
    seen.map(|count| {
        let share = (count * scale + prior) / total;
        prior *= 0.5;
        share.ln()
    })
}
