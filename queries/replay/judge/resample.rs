//! How sure a score is: the same score over requests that are drawn again (bootstrap), and between two halves of the incident.

use super::latency::Measured;
use super::score::{Ground, Likeness, Sample, Weights, compare};
use super::statistics::{quantile, sorted};
use crate::chance::Chance;

/// Returns the score of `left` against `right` for each of `times` drawings of both.
pub(super) fn bootstrap(
    ground: &Ground<'_>,
    measured: &Measured,
    (left, right): (&Sample, &Sample),
    weights: &Weights,
    (times, chance): (usize, &mut Chance),
) -> Vec<f64> {
    let measured = measured.within(&left.weights, &right.weights);
    let mut score = || {
        let (left, right) = (redrawn(left, chance), redrawn(right, chance));
        compare(ground, &measured, &left, &right).total(weights)
    };
    (0..times).map(|_| score()).collect()
}

fn redrawn(sample: &Sample, chance: &mut Chance) -> Sample {
    let members = members(&sample.weights);
    let mut weights = vec![0.0; sample.weights.len()];
    for _ in 0..members.len() {
        let drawn = members.get(chance.below(members.len().max(1)));
        drawn.and_then(|&drawn| weights.get_mut(drawn)).into_iter().for_each(|weight| *weight += 1.0);
    }
    sample.drawn(weights)
}

/// Returns the requests of a sample, each as often as it counts.
fn members(weights: &[f64]) -> Vec<usize> {
    let times = |(request, &weight): (usize, &f64)| std::iter::repeat_n(request, weight as usize);
    weights.iter().enumerate().flat_map(times).collect()
}

/// Compares one half of a sample with the other, `times` times; returns the mean of each aspect.
pub(super) fn halves(
    ground: &Ground<'_>,
    measured: &Measured,
    sample: &Sample,
    (times, chance): (usize, &mut Chance),
) -> Vec<Likeness> {
    let measured = measured.within(&sample.weights, &[]);
    let mut one = || {
        let (left, right) = split(sample, chance);
        compare(ground, &measured, &left, &right)
    };
    (0..times).map(|_| one()).collect()
}

fn split(sample: &Sample, chance: &mut Chance) -> (Sample, Sample) {
    let mut members = members(&sample.weights);
    for at in (1..members.len()).rev() {
        members.swap(at, chance.below(at + 1));
    }
    let (left, right) = members.split_at(members.len() / 2);
    let weights = |members: &[usize]| {
        let mut weights = vec![0.0; sample.weights.len()];
        members.iter().for_each(|&member| weights.get_mut(member).into_iter().for_each(|weight| *weight += 1.0));
        weights
    };
    (sample.drawn(weights(left)), sample.drawn(weights(right)))
}

/// Returns the 95 % interval around `score`. Drawing again adds noise of its own, which makes samples less alike: the interval is
/// moved by as much as the middle of what was drawn is off.
pub(super) fn interval(score: f64, drawn: &[f64]) -> (f64, f64) {
    let drawn = sorted(drawn.iter().copied());
    let at = |share: f64| quantile(&drawn, share).unwrap_or(score);
    let off = score - at(0.5);
    ((at(0.025) + off).min(score), (at(0.975) + off).max(score))
}
