//! What is known about a process: its delays, how many calls its requests make, and how many roots have no request.

use hashbrown::HashMap;

use super::chain::{Scratch, Step, walk};
use super::delays::{Density, Seen, bin};
use super::process::Process;
use super::sample::State;
use crate::trace::window::NONE;

/// More calls of one kind than this are counted as so many.
const MAX_COUNT: usize = 9;
/// Delays of fewer steps than this are not told apart from all delays before the same kind of call.
const MIN_STEPS: f64 = 4.0;
/// More pairs of kinds are not told apart.
const MAX_PAIRS: usize = 512;

/// Learned from the joins that are believed, in turn with them.
#[derive(Debug)]
pub(super) struct Model {
    num_kinds: usize,
    /// By kind that begins.
    common: Vec<Density>,
    /// By kind of request, kind that begins, kind that ended: a place in `pairs`, or [`NONE`].
    pair_at: Vec<u32>,
    pairs: Vec<Density>,
    /// ln of the share of requests, by kind of request, kind of call, number of calls.
    counts: Vec<[f64; MAX_COUNT + 1]>,
    /// By kind of request: the sum of `counts` for no calls at all.
    no_calls: Vec<f64>,
    /// By kind: ln of roots without a request per nanosecond.
    nulls: Vec<f64>,
    /// ln of the share of calls that outlive their request, and of those that do not.
    outlives: f64,
    is_loose: Vec<bool>,
}

/// What was seen in one or several states.
#[derive(Debug, Default)]
pub(super) struct Observed {
    steps: HashMap<(u32, u16), [f32; 4]>,
    counts: Vec<[f64; MAX_COUNT + 1]>,
    nulls: Vec<f64>,
    outliving: f64,
    num_calls: f64,
    num_states: f64,
}

impl Observed {
    /// Adds what a state shows.
    pub(super) fn add(&mut self, process: &Process, state: &State) {
        let kinds = process.num_kinds;
        self.counts.resize(process.num_parent_kinds * kinds, [0.0; MAX_COUNT + 1]);
        self.nulls.resize(kinds, 0.0);
        let mut scratch = Scratch::default();
        let mut counted = vec![0_usize; kinds];
        for parent in 0..process.parents.len() as u32 {
            let kind = process.parents[parent as usize].kind;
            counted.fill(0);
            let steps = &mut self.steps;
            let mut num_calls = 0;
            let outliving = walk(process, parent, state.members(parent), &mut scratch, |step| {
                if step.next < kinds {
                    counted[step.next] += 1;
                    num_calls += 1;
                }
                let seen = steps.entry((pair(kinds, kind, step), bin(step.delay_ns).0 as u16)).or_default();
                seen[step.fold % 4] += 1.0;
            });
            self.outliving += outliving as f64;
            self.num_calls += f64::from(num_calls);
            for (call, &count) in counted.iter().enumerate() {
                self.counts[kind * kinds + call][count.min(MAX_COUNT)] += 1.0;
            }
        }
        for (call, _) in process.calls.iter().zip(state.places()).filter(|&(_, &place)| place == NONE) {
            self.nulls[call.kind] += 1.0;
        }
        self.num_states += 1.0;
    }
}

fn pair(num_kinds: usize, parent_kind: usize, step: Step) -> u32 {
    ((parent_kind * (num_kinds + 1) + step.next) * (num_kinds + 1) + step.after) as u32
}

impl Model {
    pub(super) fn learn(process: &Process, observed: &Observed) -> Self {
        let kinds = process.num_kinds;
        let scale = 1.0 / observed.num_states.max(1.0);
        let mut common = vec![Seen::default(); kinds + 1];
        let mut all = Seen::default();
        let mut weights: HashMap<u32, f64> = HashMap::new();
        let mut steps: Vec<_> = observed.steps.iter().collect();
        steps.sort_unstable_by_key(|&(&key, _)| key);
        for &(&(pair, bin), folds) in &steps {
            let next = pair as usize / (kinds + 1) % (kinds + 1);
            for (fold, &weight) in folds.iter().enumerate() {
                let weight = f64::from(weight) * scale;
                common[next].add(bin as usize, fold, weight);
                all.add(bin as usize, fold, weight);
                *weights.entry(pair).or_default() += weight;
            }
        }
        let base = Density::learn(&all, &Density::flat(), 4.0, 0.1);
        let common: Vec<Density> = common.iter().map(|seen| Density::learn(seen, &base, 4.0, 0.02)).collect();
        let mut frequent: Vec<(u32, f64)> = weights.into_iter().filter(|&(_, weight)| weight >= MIN_STEPS).collect();
        frequent.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        frequent.truncate(MAX_PAIRS);
        let mut pair_at = vec![NONE; process.num_parent_kinds * (kinds + 1) * (kinds + 1)];
        let mut seen = vec![Seen::default(); frequent.len()];
        for (at, &(pair, _)) in frequent.iter().enumerate() {
            pair_at[pair as usize] = at as u32;
        }
        for &(&(pair, bin), folds) in &steps {
            if let Some(seen) = seen.get_mut(pair_at[pair as usize] as usize) {
                folds
                    .iter()
                    .enumerate()
                    .for_each(|(fold, &weight)| seen.add(bin as usize, fold, f64::from(weight) * scale));
            }
        }
        let pairs = frequent.iter().zip(&seen).map(|(&(pair, _), seen)| {
            Density::learn(seen, &common[pair as usize / (kinds + 1) % (kinds + 1)], 2.0, 0.01)
        });
        let pairs = pairs.collect();
        let counts: Vec<_> = observed.counts.iter().map(|seen| shares(seen, scale)).collect();
        let no_calls = (0..process.num_parent_kinds).map(|kind| {
            (0..kinds).filter(|&call| process.is_loose[call]).map(|call| counts[kind * kinds + call][0]).sum()
        });
        let no_calls = no_calls.collect();
        let length = process.length_ns();
        let nulls = observed.nulls.iter().map(|seen| ((seen * scale + 0.5) / length).ln()).collect();
        let share = (observed.outliving * scale + 0.5) / (observed.num_calls * scale + 1.0);
        let outlives = (share / (1.0 - share).max(1e-9)).ln();
        Self {
            num_kinds: kinds,
            common,
            pair_at,
            pairs,
            counts,
            no_calls,
            nulls,
            outlives,
            is_loose: process.is_loose.clone(),
        }
    }

    /// Returns the logarithm of how likely a request with these torn calls is.
    pub(super) fn chain(&self, process: &Process, parent: u32, members: &[u32], scratch: &mut Scratch) -> f64 {
        let kind = process.parents[parent as usize].kind;
        let mut sum = self.no_calls[kind];
        let mut counted: [u8; 64] = [0; 64];
        let outliving = walk(process, parent, members, scratch, |step| {
            sum += self.delay(kind, step);
            if step.next < self.num_kinds && self.is_loose[step.next] {
                let shares = &self.counts[kind * self.num_kinds + step.next];
                let count = &mut counted[step.next];
                sum += shares[(*count as usize + 1).min(MAX_COUNT)] - shares[(*count as usize).min(MAX_COUNT)];
                *count = count.saturating_add(1);
            }
        });
        sum + outliving as f64 * self.outlives
    }

    /// Returns the logarithm of how likely a root of this kind without a request is.
    pub(super) fn null(&self, kind: usize) -> f64 {
        self.nulls[kind]
    }

    fn delay(&self, parent_kind: usize, step: Step) -> f64 {
        let (bin, scale) = bin(step.delay_ns);
        let at = self.pair_at[pair(self.num_kinds, parent_kind, step) as usize];
        let density = self.pairs.get(at as usize).unwrap_or(&self.common[step.next]);
        density.at(bin, step.fold).ln() - scale
    }
}

fn shares(seen: &[f64; MAX_COUNT + 1], scale: f64) -> [f64; MAX_COUNT + 1] {
    let total: f64 = seen.iter().sum::<f64>() * scale + 1.0;
    // What was never seen becomes less likely with each call more.
    let mut prior = 0.5;
    seen.map(|count| {
        let share = (count * scale + prior) / total;
        prior *= 0.5;
        share.ln()
    })
}
