//! Sums over all matchings of a component.

use super::{Choice, Component, MAX_BEHIND, Problem, components::Step};

/// Sets of taken calls before a callee, ascending, with the sum of what leads to each.
type Layer = Vec<(u128, f64)>;

/// Calls `found` with callee, choice and probability. Returns the logarithm of the sum.
pub(super) fn solve(problem: &Problem, component: &Component, found: &mut dyn FnMut(u32, usize, f64)) -> f64 {
    if let [step] = component.steps.as_slice() {
        return alone(problem.choices(step.callee as usize), step.callee, found);
    }
    let mut ln_total = 0.0;
    let mut layers: Vec<Layer> = vec![vec![(0, 1.0)]];
    let weights: Vec<Weights> =
        component.steps.iter().map(|step| Weights::of(problem.choices(step.callee as usize))).collect();
    // A call that is left for a later callee may bring as much as any.
    let max_behind = MAX_BEHIND + weights.iter().map(|weights| weights.ln_scale).fold(0.0, f64::max);
    for (step, weights) in component.steps.iter().zip(&weights) {
        let mut next = Vec::new();
        for &(set, sum) in layers.last().into_iter().flatten() {
            weights.each(step, set, |_, after, weight| next.push((after, sum * weight)));
        }
        ln_total += merge(&mut next, max_behind, Problem::max_sets(component)).ln() + weights.ln_scale;
        layers.push(next);
    }
    backward(component, &weights, &layers, found);
    ln_total
}

fn alone(choices: &[Choice], callee: u32, found: &mut dyn FnMut(u32, usize, f64)) -> f64 {
    let weights = Weights::of(choices);
    let sum: f64 = weights.none + weights.choices.iter().sum::<f64>();
    weights.choices.iter().enumerate().for_each(|(at, weight)| found(callee, at, weight / sum));
    sum.ln() + weights.ln_scale
}

/// The weights of a callee, scaled so that the largest is 1.
struct Weights {
    none: f64,
    choices: Vec<f64>,
    ln_scale: f64,
}

impl Weights {
    fn of(choices: &[Choice]) -> Self {
        let ln_scale = choices.iter().map(|choice| choice.ln_weight).fold(0.0, f64::max);
        let choices = choices.iter().map(|choice| (choice.ln_weight - ln_scale).exp()).collect();
        Self { none: (-ln_scale).exp(), choices, ln_scale }
    }

    /// Calls `then` with each choice (or nothing), the set after it and its weight.
    fn each(&self, step: &Step, set: u128, mut then: impl FnMut(Option<usize>, u128, f64)) {
        then(None, set & !step.freed, self.none);
        for (at, (&weight, &bit)) in self.choices.iter().zip(&step.bits).enumerate() {
            if bit != 0 && set & bit == 0 {
                then(Some(at), (set | bit) & !step.freed, weight);
            }
        }
    }
}

/// Adds up equal sets, forgets the improbable, scales the sums to 1 and returns what they were.
fn merge(layer: &mut Layer, max_behind: f64, max_sets: usize) -> f64 {
    layer.sort_unstable_by_key(|entry| entry.0);
    layer.dedup_by(|next, first| {
        let is_same = next.0 == first.0;
        first.1 += if is_same { next.1 } else { 0.0 };
        is_same
    });
    let most = layer.iter().map(|entry| entry.1).fold(0.0, f64::max);
    layer.retain(|entry| entry.1 >= most * (-max_behind).exp());
    if layer.len() > max_sets {
        layer.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        layer.truncate(max_sets);
        layer.sort_unstable_by_key(|entry| entry.0);
    }
    let sum: f64 = layer.iter().map(|entry| entry.1).sum();
    layer.iter_mut().for_each(|entry| entry.1 /= sum.max(f64::MIN_POSITIVE));
    sum.max(f64::MIN_POSITIVE)
}

fn backward(component: &Component, weights: &[Weights], layers: &[Layer], found: &mut dyn FnMut(u32, usize, f64)) {
    let mut after: Layer = layers.last().into_iter().flatten().map(|&(set, _)| (set, 1.0)).collect();
    for ((step, weights), layer) in component.steps.iter().zip(weights).zip(layers).rev() {
        let mut posteriors = vec![0.0; weights.choices.len()];
        let (mut total, mut before) = (0.0, Vec::with_capacity(layer.len()));
        for &(set, sum) in layer {
            let mut rest = 0.0;
            weights.each(step, set, |choice, next, weight| {
                let value = weight * lookup(&after, next);
                rest += value;
                choice.into_iter().for_each(|at| posteriors[at] += sum * value);
            });
            total += sum * rest;
            before.push((set, rest));
        }
        let total = f64::max(total, f64::MIN_POSITIVE);
        posteriors.iter().enumerate().for_each(|(at, value)| found(step.callee, at, value / total));
        before.iter_mut().for_each(|entry| entry.1 /= total);
        after = before;
    }
}

fn lookup(layer: &Layer, set: u128) -> f64 {
    layer.binary_search_by_key(&set, |entry| entry.0).map_or(0.0, |at| layer[at].1)
}
