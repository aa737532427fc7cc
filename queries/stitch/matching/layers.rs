//! Sums over all matchings of a component.

use super::{Choice, Component, MAX_BEHIND, Problem, components::Step};

/// What matters before a callee: the calls that are taken, and the last call that was (1 more than its number, 0 where order does
/// not count or there is none).
type State = (u128, u32);

/// States before a callee, ascending, with the sum of what leads to each.
type Layer = Vec<(State, f64)>;

/// Calls `found` with callee, choice and probability.
pub(super) fn solve(problem: &Problem, component: &Component, found: &mut dyn FnMut(u32, usize, f64)) {
    if let [step] = component.steps.as_slice() {
        return alone(problem.choices(step.callee as usize), step.callee, found);
    }
    let mut layers: Vec<Layer> = vec![vec![((0, 0), 1.0)]];
    let weights: Vec<Weights> = component
        .steps
        .iter()
        .map(|step| Weights::of(problem.choices(step.callee as usize), problem.inverted))
        .collect();
    let futures = futures(problem, component);
    let max_sets = Problem::max_sets(component);
    for ((step, weights), future) in component.steps.iter().zip(&weights).zip(&futures) {
        let mut next = Vec::new();
        for &(state, sum) in layers.last().into_iter().flatten() {
            weights.each(step, state, |_, after, weight| next.push((after, sum * weight)));
        }
        merge(&mut next, future, max_sets);
        layers.push(next);
    }
    backward(component, &weights, &layers, found);
}

fn alone(choices: &[Choice], callee: u32, found: &mut dyn FnMut(u32, usize, f64)) {
    let weights = Weights::of(choices, 1.0);
    let sum: f64 = weights.none + weights.choices.iter().map(|choice| choice.1).sum::<f64>();
    weights.choices.iter().enumerate().for_each(|(at, choice)| found(callee, at, choice.1 / sum));
}

/// The weights of a callee, scaled so that the largest is 1.
struct Weights {
    none: f64,
    /// Of each choice: the number of its call and its weight.
    choices: Vec<(u32, f64)>,
    /// What a call costs that came before another that was taken.
    inverted: f64,
}

impl Weights {
    fn of(choices: &[Choice], inverted: f64) -> Self {
        let ln_scale = choices.iter().map(|choice| choice.ln_weight).fold(0.0, f64::max);
        let choices = choices.iter().map(|choice| (choice.call, (choice.ln_weight - ln_scale).exp())).collect();
        Self { none: (-ln_scale).exp(), choices, inverted }
    }

    /// Calls `then` with each choice (or nothing), the state after it and its weight.
    fn each(&self, step: &Step, (set, last): State, mut then: impl FnMut(Option<usize>, State, f64)) {
        then(None, (set & !step.freed, last), self.none);
        let is_ordered = self.inverted < 1.0;
        for (at, (&(call, weight), &bit)) in self.choices.iter().zip(&step.bits).enumerate() {
            if bit != 0 && set & bit == 0 {
                let cost = if call < last { self.inverted } else { 1.0 };
                let last = if is_ordered { last.max(call + 1) } else { last };
                then(Some(at), ((set | bit) & !step.freed, last), weight * cost);
            }
        }
    }
}

/// What each call may still bring to later callees, by bit.
type Future = Vec<(u128, f64)>;

/// Returns the future after each callee.
fn futures(problem: &Problem, component: &Component) -> Vec<Future> {
    let mut known: Future = Vec::new();
    let mut all: Vec<Future> = Vec::with_capacity(component.steps.len());
    for step in component.steps.iter().rev() {
        all.push(known.clone());
        known.retain(|one| step.freed & one.0 == 0);
        for (choice, &bit) in problem.choices(step.callee as usize).iter().zip(&step.bits) {
            match known.iter_mut().find(|one| one.0 == bit) {
                Some(one) => one.1 = one.1.max(choice.ln_weight),
                None => known.push((bit, choice.ln_weight.max(0.0))),
            }
        }
        known.retain(|one| step.begun & one.0 == 0);
    }
    all.reverse();
    all
}

/// Adds up equal sets, forgets the improbable, and scales the sums to 1. A set is as good as its sum and
/// what the calls that it leaves may still bring.
fn merge(layer: &mut Layer, future: &Future, max_sets: usize) {
    layer.sort_unstable_by_key(|entry| entry.0);
    layer.dedup_by(|next, first| {
        let is_same = next.0 == first.0;
        first.1 += if is_same { next.1 } else { 0.0 };
        is_same
    });
    let lost = |set: u128| future.iter().filter(|one| set & one.0 != 0).map(|one| one.1).sum::<f64>();
    let worths: Vec<f64> = layer.iter().map(|entry| entry.1.ln() - lost(entry.0.0)).collect();
    let most = worths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = if layer.len() > max_sets { most_of(&worths, max_sets) } else { f64::NEG_INFINITY };
    let least = least.max(most - MAX_BEHIND);
    let mut worth = worths.iter();
    let mut num_kept = 0;
    layer.retain(|entry| {
        let is_kept = worth.next().is_some_and(|&worth| worth >= least) && entry.1 > 0.0 && num_kept < max_sets;
        num_kept += usize::from(is_kept);
        is_kept
    });
    let sum: f64 = layer.iter().map(|entry| entry.1).sum();
    layer.iter_mut().for_each(|entry| entry.1 /= sum.max(f64::MIN_POSITIVE));
}

/// Returns the worth that `num` have at least.
fn most_of(worths: &[f64], num: usize) -> f64 {
    let mut worths = worths.to_vec();
    *worths.select_nth_unstable_by(num - 1, |a, b| b.total_cmp(a)).1
}

fn backward(component: &Component, weights: &[Weights], layers: &[Layer], found: &mut dyn FnMut(u32, usize, f64)) {
    let mut after: Layer = layers.last().into_iter().flatten().map(|&(state, _)| (state, 1.0)).collect();
    for ((step, weights), layer) in component.steps.iter().zip(weights).zip(layers).rev() {
        let mut posteriors = vec![0.0; weights.choices.len()];
        let (mut total, mut before) = (0.0, Vec::with_capacity(layer.len()));
        for &(state, sum) in layer {
            let mut rest = 0.0;
            weights.each(step, state, |choice, next, weight| {
                let value = weight * lookup(&after, next);
                rest += value;
                choice.into_iter().for_each(|at| posteriors[at] += sum * value);
            });
            total += sum * rest;
            before.push((state, rest));
        }
        let total = f64::max(total, f64::MIN_POSITIVE);
        posteriors.iter().enumerate().for_each(|(at, value)| found(step.callee, at, value / total));
        before.iter_mut().for_each(|entry| entry.1 /= total);
        after = before;
    }
}

fn lookup(layer: &Layer, state: State) -> f64 {
    layer.binary_search_by_key(&state, |entry| entry.0).map_or(0.0, |at| layer[at].1)
}
