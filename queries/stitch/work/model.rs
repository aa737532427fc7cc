//! What is known about a process: its delays, how many calls its requests make, and how many roots have no request.

use hashbrown::HashMap;

use super::chain::{Scratch, Step, walk};
use super::delays::{Density, Seen, bin};
use super::order::{Order, Overtaking};
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
    pub(super) order: Order,
    /// By pair: ln of the share of the calls that begin which follow that.
    follows: Vec<f64>,
    /// By kind of request and kind that begins: ln of the share that begin with no other on its way.
    alone: Vec<f64>,
    /// By pair of a call and one on its way when it begins: how often it is that one's start which it follows.
    beside: Vec<f64>,
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

    /// Adds a delay that was seen `weight` times.
    pub(super) fn add_delay(&mut self, process: &Process, parent_kind: usize, step: Step, bin: usize, weight: f64) {
        let seen = self.steps.entry((pair(process.num_kinds, parent_kind, step), bin as u16)).or_default();
        seen.iter_mut().for_each(|fold| *fold += (weight / 4.0) as f32);
    }

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
            let (steps, besides) = (&mut self.steps, &mut self.beside);
            let mut num_calls = 0;
            let outliving = walk(process, parent, state.members(parent), &mut scratch, |step| {
                if step.next < kinds {
                    counted[step.next] += 1;
                    num_calls += 1;
                }
                let seen = steps.entry((pair(kinds, kind, step), bin(step.delay_ns).0 as u16)).or_default();
                seen[step.fold % 4] += 1.0;
                if let Some(other) = beside(kinds, step) {
                    let seen = steps.entry((pair(kinds, kind, other), bin(other.delay_ns).0 as u16)).or_default();
                    seen[step.fold % 4] += 1.0;
                    besides.push(Beside { parent_kind: kind, step });
                }
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
        self.overtaking.add(process, state);
        self.num_states += 1.0;
    }
}

/// Numbers what is followed: ends of calls by kind, the request's start, starts of calls by kind.
fn num_afters(num_kinds: usize) -> usize {
    2 * num_kinds + 1
}

fn pair(num_kinds: usize, parent_kind: usize, step: Step) -> u32 {
    ((parent_kind * (num_kinds + 1) + step.next) * num_afters(num_kinds) + step.after) as u32
}

/// Returns the kind of call that begins in a pair.
fn next_of(num_kinds: usize, pair: u32) -> usize {
    pair as usize / num_afters(num_kinds) % (num_kinds + 1)
}

/// Returns the step from the start of the call that is on its way.
fn beside(num_kinds: usize, step: Step) -> Option<Step> {
    step.beside.map(|(kind, delay_ns)| Step { after: num_kinds + 1 + kind, delay_ns, ..step })
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
            let next = next_of(kinds, pair);
            for (fold, &weight) in folds.iter().enumerate() {
                let weight = f64::from(weight) * scale;
                common[next].add(bin as usize, fold, weight);
                all.add(bin as usize, fold, weight);
                *weights.entry(pair).or_default() += weight;
            }
        }
        let base = Density::learn(&all, &Density::flat(), 4.0, 0.1);
        let common: Vec<Density> = common.iter().map(|seen| Density::learn(seen, &base, 4.0, 0.02)).collect();
        let (follows, alone) = contexts(process, &weights);
        let mut frequent: Vec<(u32, f64)> = weights.into_iter().filter(|&(_, weight)| weight >= MIN_STEPS).collect();
        frequent.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        frequent.truncate(MAX_PAIRS);
        let mut pair_at = vec![NONE; process.num_parent_kinds * (kinds + 1) * num_afters(kinds)];
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
        let pairs = frequent
            .iter()
            .zip(&seen)
            .map(|(&(pair, _), seen)| Density::learn(seen, &common[next_of(kinds, pair)], 2.0, 0.01));
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
        let mut model = Self {
            num_kinds: kinds,
            common,
            pair_at,
            pairs,
            counts,
            no_calls,
            nulls,
            outlives,
            is_loose: process.is_loose.clone(),
            order: observed.overtaking.learn(),
            follows,
            alone,
            beside: Vec::new(),
        };
        model.learn_beside(&observed.beside);
        model
    }

    /// Returns the logarithm of how likely a request with these torn calls is.
    pub(super) fn chain(
        &self,
        process: &Process,
        parent: u32,
        members: &[u32],
        scratch: &mut Scratch,
        froms: &mut Vec<(u32, i64)>,
    ) -> f64 {
        froms.clear();
        let kind = process.parents[parent as usize].kind;
        let mut sum = self.no_calls[kind];
        let mut counted: [u8; 64] = [0; 64];
        let outliving = walk(process, parent, members, scratch, |step| {
            sum += self.delay(kind, step);
            if step.member != NONE {
                froms.push((step.member, step.from_ns));
            }
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

    /// Learns which of two a call follows: the latest end, or the start of the call that is on its way.
    fn learn_beside(&mut self, seen: &[Beside]) {
        const ROUNDS: usize = 6;
        let densities: Vec<(u32, f64, f64)> = seen
            .iter()
            .filter_map(|seen| {
                let other = beside(self.num_kinds, seen.step)?;
                let pair = pair(self.num_kinds, seen.parent_kind, other);
                let of = |step: Step| self.single(seen.parent_kind, step).exp();
                Some((self.pair_at[pair as usize], of(seen.step), of(other)))
            })
            .filter(|&(at, ..)| at != NONE)
            .collect();
        self.beside = vec![0.5; self.pairs.len()];
        for _ in 0..ROUNDS {
            let mut sums = vec![(0.5, 1.0); self.pairs.len()];
            for &(at, end, start) in &densities {
                let share = self.beside[at as usize];
                let sum = &mut sums[at as usize];
                sum.0 += share * start / (share * start + (1.0 - share) * end).max(f64::MIN_POSITIVE);
                sum.1 += 1.0;
            }
            self.beside = sums.into_iter().map(|(part, all)| part / all).collect();
        }
    }

    fn delay(&self, parent_kind: usize, step: Step) -> f64 {
        let follows = |step: Step| self.follows[pair(self.num_kinds, parent_kind, step) as usize];
        let end = self.single(parent_kind, step);
        let Some(other) = beside(self.num_kinds, step) else {
            return end + follows(step) + self.alone[parent_kind * (self.num_kinds + 1) + step.next];
        };
        let context = follows(step) + follows(other);
        let at = self.pair_at[pair(self.num_kinds, parent_kind, other) as usize];
        let Some(share) = self.beside.get(at as usize) else { return context + end };
        context
            + (share * self.single(parent_kind, other).exp() + (1.0 - share) * end.exp()).max(f64::MIN_POSITIVE).ln()
    }

    /// Returns the logarithm of how likely a delay is, per nanosecond.
    pub(super) fn single(&self, parent_kind: usize, step: Step) -> f64 {
        let (bin, scale) = bin(step.delay_ns);
        let at = self.pair_at[pair(self.num_kinds, parent_kind, step) as usize];
        let density = self.pairs.get(at as usize).unwrap_or(&self.common[step.next]);
        density.at(bin, step.fold).ln() - scale
    }
}

/// Returns how often each kind that begins follows each other, and how often it begins alone.
fn contexts(process: &Process, weights: &HashMap<u32, f64>) -> (Vec<f64>, Vec<f64>) {
    let kinds = process.num_kinds;
    let afters = num_afters(kinds);
    let num = process.num_parent_kinds * (kinds + 1);
    let mut follows = vec![0.0; num * afters];
    weights.iter().for_each(|(&pair, &weight)| follows[pair as usize] = weight);
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
