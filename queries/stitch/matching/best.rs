//! The matching with the largest sum of values.

use super::{Component, Problem};

/// A set of taken calls, the best sum that leads to it, the entry of the layer before and the choice that led here.
struct Entry {
    set: u128,
    sum: f64,
    from: u32,
    choice: Option<usize>,
}

/// Calls `found` with each callee and its choice.
pub(super) fn solve(problem: &Problem, component: &Component, found: &mut dyn FnMut(u32, Option<usize>)) {
    let mut layers = vec![vec![Entry { set: 0, sum: 0.0, from: 0, choice: None }]];
    for step in &component.steps {
        let mut next = Vec::new();
        let choices = problem.choices(step.callee as usize);
        for (from, entry) in layers.last().into_iter().flatten().enumerate() {
            let mut push = |set: u128, sum: f64, choice: Option<usize>| {
                next.push(Entry { set: set & !step.freed, sum, from: from as u32, choice });
            };
            push(entry.set, entry.sum, None);
            for (at, (choice, &bit)) in choices.iter().zip(&step.bits).enumerate() {
                if bit != 0 && entry.set & bit == 0 {
                    push(entry.set | bit, entry.sum + choice.ln_weight, Some(at));
                }
            }
        }
        keep_best(&mut next, Problem::max_sets(component));
        layers.push(next);
    }
    let last = layers.last().into_iter().flatten().enumerate();
    let mut at = last.max_by(|a, b| a.1.sum.total_cmp(&b.1.sum)).map_or(0, |(at, _)| at as u32);
    for (step, layer) in component.steps.iter().zip(layers.iter().skip(1)).rev() {
        let Some(entry) = layer.get(at as usize) else { return };
        found(step.callee, entry.choice);
        at = entry.from;
    }
}

/// Keeps the best entry of each set, and not too many.
fn keep_best(layer: &mut Vec<Entry>, max_sets: usize) {
    layer.sort_by(|a, b| a.set.cmp(&b.set).then(b.sum.total_cmp(&a.sum)));
    layer.dedup_by_key(|entry| entry.set);
    if layer.len() > max_sets {
        layer.sort_by(|a, b| b.sum.total_cmp(&a.sum).then(a.set.cmp(&b.set)));
        layer.truncate(max_sets);
    }
}
