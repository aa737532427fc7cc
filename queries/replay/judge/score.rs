//! How alike two samples of requests are: structure, latency, errors, findings, propagation, each 0 to 1.
//!
//! The figures are those of the design, with four additions:
//!
//! - *What is compared* are the calls near the fault's edge (all above it, all below it) and those elsewhere that either side
//!   changed: a stall of the wrong callee looks the same to all callers above, and differs only where the incident was calm.
//! - *Latency* weighs keys by how much either side changed them, so that a hundred calm calls do not hide the one that stalls.
//! - *Latency and errors* are, to one half, told by where they begin: what is passed on upwards is much the same for every cause.
//!   What begins behind the fault's edge counts as the call of the edge, since a fault on the wire cannot slow the server itself.
//! - *A score says nothing alone*: two samples without any fault are alike too. It is read between that of the incident and staging
//!   without fault (the floor) and that of two halves of the incident (the ceiling). What the incident did not change adds the same
//!   to all three and drops out; what only staging changed takes away.

use std::rc::Rc;

use super::features::Features;
use super::latency::{Measured, changes};
use super::rows::Overlap;
use super::verdict::Aspect;
use crate::replay::edge::Class;

/// A sample that lacks or repeats a call in fewer requests than this is not said to have changed it.
const CHANGED: f64 = 0.15;
/// How much of the likeness of errors is that of their messages too: the same failure is worded differently in another environment.
const WORDS: f64 = 0.25;

/// What does not depend on the sample.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    pub(super) features: &'a Features,
    /// By key: whether it counts wherever the fault is.
    pub(super) near: Vec<bool>,
    /// By key: whether both baselines have it about as often.
    pub(super) shared: Vec<bool>,
    /// By key: whether it is compared at all. Keys that are not shared are not; nor are, where calls fail, those behind the edge:
    /// who injects a failure often answers in place of the server, and what matters is what that does to its callers.
    pub(super) counted: Vec<bool>,
    /// By key: the key above, and whether it lies behind the fault's edge.
    pub(super) above: Vec<Option<u32>>,
    pub(super) behind: Vec<bool>,
}

/// The requests of one arm, and of the baseline that it is to be held against.
#[derive(Debug)]
pub(super) struct Sample {
    /// By request: how often it counts.
    pub(super) weights: Vec<f64>,
    changed: Rc<Changed>,
}

/// What a whole arm changed against its baseline.
#[derive(Debug)]
struct Changed {
    /// By key: calls in a request that the baseline does not have, or the other way round.
    calls: Vec<bool>,
    /// By key: how much times changed.
    times: Vec<f64>,
    /// By key: whether that change begins there.
    begins: Vec<bool>,
    /// By finding: whether the baseline has it as often.
    usual: Vec<bool>,
}

impl Sample {
    pub(super) fn of(ground: &Ground<'_>, measured: &Measured, weights: Vec<f64>, baseline: &[f64]) -> Self {
        let features = ground.features;
        let (calls, before) = (features.calls.means(&weights), features.calls.means(baseline));
        let (found, found_before) = (features.findings.shares(&weights), features.findings.shares(baseline));
        let times = changes(measured, &weights, baseline);
        let changed = Changed {
            calls: calls.iter().zip(&before).map(|(now, before)| (now - before).abs() > CHANGED).collect(),
            begins: begins(ground, &times),
            times,
            usual: found.iter().zip(&found_before).map(|(now, before)| *before > 0.0 && *now <= 2.0 * before).collect(),
        };
        Self { weights, changed: Rc::new(changed) }
    }

    /// Returns the same arm with other weights of its requests.
    pub(super) fn drawn(&self, weights: Vec<f64>) -> Self {
        Self { weights, changed: Rc::clone(&self.changed) }
    }

    pub(super) fn has_changed(&self, key: usize) -> bool {
        self.changed.calls.get(key).copied().unwrap_or(false)
    }

    pub(super) fn time_changed(&self, key: usize) -> f64 {
        self.changed.times.get(key).copied().unwrap_or(0.0)
    }

    fn time_begins(&self, key: usize) -> bool {
        self.changed.begins.get(key).copied().unwrap_or(false)
    }

    /// Returns the numbers of the findings that the fault brought.
    pub(super) fn found(&self, ground: &Ground<'_>) -> Vec<f64> {
        let shares = ground.features.findings.shares(&self.weights);
        let is_usual = |number: usize| self.changed.usual.get(number).copied().unwrap_or(false);
        shares.iter().enumerate().map(|(at, share)| f64::from(*share > 0.0 && !is_usual(at))).collect()
    }
}

/// Likeness by aspect; nothing where neither sample has anything to compare.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Likeness([Option<f64>; Aspect::ALL.len()]);

impl Likeness {
    pub(super) fn get(&self, aspect: Aspect) -> Option<f64> {
        self.0.get(aspect as usize).copied().flatten()
    }

    /// Returns the weighted mean. An aspect with nothing on either side is alike.
    pub(super) fn total(&self, weights: &Weights) -> f64 {
        Aspect::ALL.iter().map(|&aspect| weights.get(aspect) * self.get(aspect).unwrap_or(1.0)).sum()
    }
}

/// Weights by aspect, which add up to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weights([f64; Aspect::ALL.len()]);

impl Weights {
    /// Returns the weights of a class of faults (design, section 3.3), of those aspects that have something to compare.
    pub(super) fn of(class: Class, has: impl Fn(Aspect) -> bool) -> Self {
        let all = match class {
            Class::Latency => [0.25, 0.40, 0.15, 0.20, 0.0],
            Class::Error => [0.25, 0.10, 0.40, 0.25, 0.0],
            Class::Context => [0.30, 0.0, 0.10, 0.25, 0.35],
        };
        let mut weights = Self(all);
        for (weight, aspect) in weights.0.iter_mut().zip(Aspect::ALL) {
            *weight *= f64::from(has(aspect));
        }
        let total: f64 = weights.0.iter().sum();
        weights.0.iter_mut().filter(|_| total > 0.0).for_each(|weight| *weight /= total);
        weights
    }

    pub(super) fn get(&self, aspect: Aspect) -> f64 {
        self.0.get(aspect as usize).copied().unwrap_or(0.0)
    }
}

/// Compares two samples.
pub(super) fn compare(ground: &Ground<'_>, measured: &Measured, left: &Sample, right: &Sample) -> Likeness {
    Likeness([
        structure(ground, left, right),
        latency(ground, measured, left, right),
        errors(ground, left, right),
        findings(ground, left, right),
        propagation(ground, left, right),
    ])
}

/// Tells whether the calls of a key are compared.
pub(super) fn is_compared(ground: &Ground<'_>, left: &Sample, right: &Sample, key: usize) -> bool {
    let is = |list: &[bool]| list.get(key).copied().unwrap_or(false);
    is(&ground.counted) && (is(&ground.near) || left.has_changed(key) || right.has_changed(key))
}

fn structure(ground: &Ground<'_>, left: &Sample, right: &Sample) -> Option<f64> {
    let means = [left, right].map(|sample| ground.features.calls.means(&sample.weights));
    let overlap = Overlap::of(&means[0], &means[1], |key| is_compared(ground, left, right, key));
    (!overlap.is_empty()).then(|| overlap.jaccard())
}

/// Tells by key whether times change there first: no call below it changed half as much.
fn begins(ground: &Ground<'_>, times: &[f64]) -> Vec<bool> {
    let is_behind = |key: usize| ground.behind.get(key) == Some(&true);
    let mut begins: Vec<bool> = times.iter().enumerate().map(|(key, time)| *time > 0.0 && !is_behind(key)).collect();
    for (key, above) in ground.above.iter().enumerate().filter(|&(key, _)| !is_behind(key)) {
        let Some(above) = above.map(|above| above as usize) else { continue };
        let change = |key: usize| times.get(key).copied().unwrap_or(0.0);
        if change(key) > 0.0 && change(key) >= change(above) / 2.0 {
            begins.get_mut(above).into_iter().for_each(|begins| *begins = false);
        }
    }
    begins
}

fn latency(ground: &Ground<'_>, measured: &Measured, left: &Sample, right: &Sample) -> Option<f64> {
    let (mut all, mut first) = (Mean::default(), Mean::default());
    for key in (0..measured.len()).filter(|&key| ground.counted.get(key) == Some(&true)) {
        let weight = left.time_changed(key).max(right.time_changed(key));
        let likeness = if weight > 0.0 { measured.likeness(key, &left.weights, &right.weights) } else { None };
        let Some(likeness) = likeness else { continue };
        all.add(weight, likeness);
        if left.time_begins(key) || right.time_begins(key) {
            first.add(weight, likeness);
        }
    }
    let all = all.value()?;
    Some(f64::midpoint(all, first.value().unwrap_or(all)))
}

/// A weighted mean.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, weight: f64, value: f64) {
        self.sum += weight * value;
        self.weight += weight;
    }

    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

fn errors(ground: &Ground<'_>, left: &Sample, right: &Sample) -> Option<f64> {
    let features = ground.features;
    let is_counted = |number: usize| {
        let key = features.failed.things().get(number).map(|&(key, _)| key as usize);
        key.and_then(|key| ground.counted.get(key)).copied().unwrap_or(false)
    };
    let overlap = |rows: &super::rows::Rows| {
        let means = [left, right].map(|sample| rows.means(&sample.weights));
        Overlap::of(&means[0], &means[1], is_counted)
    };
    let (all, first) = (overlap(&features.failures), overlap(&features.first_failures));
    let (all_short, first_short) = (overlap(&features.failures_in_short), overlap(&features.first_in_short));
    let f1 = f64::midpoint(all.f1(), first.f1());
    let f1_short = f64::midpoint(all_short.f1(), first_short.f1());
    (!all.is_empty()).then_some(f1_short + (f1 - f1_short) * WORDS)
}

fn findings(ground: &Ground<'_>, left: &Sample, right: &Sample) -> Option<f64> {
    let overlap = Overlap::of(&left.found(ground), &right.found(ground), |_| true);
    (!overlap.is_empty()).then(|| overlap.jaccard())
}

/// Compares where requests are torn, and into how many fragments.
fn propagation(ground: &Ground<'_>, left: &Sample, right: &Sample) -> Option<f64> {
    let means = [left, right].map(|sample| ground.features.tears.means(&sample.weights));
    let overlap = Overlap::of(&means[0], &means[1], |_| true);
    (!overlap.is_empty()).then(|| overlap.jaccard())
}
