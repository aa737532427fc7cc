//! Did staging fail the same way? Compares a recorded incident with what staging did under the replayed fault.
//!
//! Gates come first: a run in which nothing was injected, too little was recorded or staging was unwell otherwise proves nothing.
//! Then the requests of both sides are compared by [five aspects](verdict::Aspect), and the score is read between that of no fault
//! at all and that of the incident against itself (see `score.rs` for why). No figure stands alone: the [`Verdict`] has all that it
//! was made of, and [`report`] prints both sides next to each other.

pub mod asked;
mod errors;
mod features;
mod gates;
mod keys;
mod latency;
mod lines;
mod prepare;
mod proof;
mod recovery;
mod remarks;
mod report;
mod resample;
mod rows;
mod score;
mod statistics;
mod units;
pub mod verdict;

pub use asked::{Arm, Expect, Judged, Options, Primary, Side, Staging};
pub use errors::Failure;
pub use proof::hit;
pub use report::report;
pub use verdict::{Aspect, Outcome, Part, Score, Verdict};

use self::latency::{Measured, Yardstick, times};
use self::lines::Compared;
use self::prepare::{Prepared, prepare};
use self::score::{Ground, Likeness, Sample, Weights, compare};
use super::assertions;
use crate::chance::Chance;
use crate::replay::edge::Class;

/// Without the incident's primary finding no share is larger.
const WITHOUT_PRIMARY: f64 = 0.4;
/// Of each of two baselines, one has a call in less than this share of what the other has: they differ without any fault.
const SAME_BASELINE: f64 = 0.5;

/// Judges whether staging failed as the incident did. The same input gives the same verdict, whatever the order of arrival.
#[must_use]
pub fn judge(incident: &Side<'_>, staging: &Staging<'_>, plan: &Judged, options: &Options) -> Verdict {
    let prepared = prepare(incident, staging, plan);
    let bench = Bench::new(&prepared, plan);
    let mut verdict = bench.compare(plan, options);
    verdict.gates = gates::before_score(&prepared, staging, plan, options);
    verdict.gates.push(gates::contrast(verdict.score.as_ref(), options));
    verdict.recovery = recovery::recovery(&prepared, staging, options);
    verdict.assertions = assertions::check(staging, plan);
    verdict.remarks.extend(remarks::remarks(&prepared, staging, plan));
    decide(&mut verdict, plan, options);
    verdict
}

fn decide(verdict: &mut Verdict, plan: &Judged, options: &Options) {
    let by_score = || match verdict.score.map_or(0.0, |score| score.share) {
        share if share >= options.reproduced => Outcome::Reproduced,
        share if share >= options.partial => Outcome::Partial,
        _ => Outcome::NotReproduced,
    };
    verdict.outcome = verdict.gates.iter().find_map(|gate| gate.failed).unwrap_or_else(by_score);
    let holds = verdict.assertions.iter().all(|assertion| assertion.holds != Some(false));
    verdict.passed = match (verdict.outcome, plan.expect) {
        (Outcome::Invalid | Outcome::Inconclusive, _) => None,
        (outcome, Expect::Reproduced) => Some(outcome == Outcome::Reproduced && holds),
        (outcome, Expect::Tolerated) => Some(outcome == Outcome::NotReproduced && holds),
    };
}

/// All samples of a run.
struct Bench<'a> {
    prepared: &'a Prepared,
    ground: Ground<'a>,
    measured: Measured,
    incident: Sample,
    staging: Sample,
    no_fault: Sample,
    healthy: Vec<f64>,
    baseline: Vec<f64>,
}

impl<'a> Bench<'a> {
    fn new(prepared: &'a Prepared, plan: &Judged) -> Self {
        let (features, arms) = (&prepared.features, &prepared.arms);
        let weights = |group: &features::Group| features.weights(group.clone());
        let (healthy, baseline) = (weights(&arms.healthy), weights(&arms.baseline));
        let ground = ground(prepared, plan, (&healthy, &baseline));
        let measured = measured(prepared, &healthy, &baseline);
        let faulty = features.weights(mixture(&arms.faulty, &arms.healthy, plan.share));
        let own = if arms.healthy.is_empty() { &baseline } else { &healthy };
        let incident = Sample::of(&ground, &measured, faulty, own);
        let staging = Sample::of(&ground, &measured, weights(&arms.fault), &baseline);
        let no_fault = Sample::of(&ground, &measured, baseline.clone(), &baseline);
        Self { prepared, ground, measured, incident, staging, no_fault, healthy, baseline }
    }

    fn compare(&self, plan: &Judged, options: &Options) -> Verdict {
        let mut chance = Chance::new(options.seed);
        let likeness = |right: &Sample| compare(&self.ground, &self.measured, &self.incident, right);
        let (value, floor) = (likeness(&self.staging), likeness(&self.no_fault));
        let splits = (options.num_splits, &mut chance);
        let halves = resample::halves(&self.ground, &self.measured, &self.incident, splits);
        let has = |aspect: Aspect| halves.iter().chain([&value, &floor]).any(|one| one.get(aspect).is_some());
        let weights = Weights::of(plan.class, has);
        let is_empty = self.prepared.arms.faulty.is_empty() || self.prepared.arms.fault.is_empty();
        let mut verdict = self.lines(plan);
        verdict.parts = parts(&weights, &value, &floor, &halves);
        verdict.score = (!is_empty).then(|| self.score(&weights, (&value, &floor, &halves), options, &mut chance));
        cap(&mut verdict, plan);
        verdict
    }

    fn score(
        &self,
        weights: &Weights,
        (value, floor, halves): (&Likeness, &Likeness, &[Likeness]),
        options: &Options,
        chance: &mut Chance,
    ) -> Score {
        let (value, floor) = (value.total(weights), floor.total(weights));
        let ceiling = mean(halves.iter().map(|half| half.total(weights))).unwrap_or(1.0);
        let share = |value: f64| ((value - floor) / (ceiling - floor).max(f64::EPSILON)).clamp(0.0, 1.0);
        let samples = (&self.incident, &self.staging);
        let draws = (options.num_resamples, chance);
        let drawn = resample::bootstrap(&self.ground, &self.measured, samples, weights, draws);
        let (low, high) = resample::interval(value, &drawn);
        Score { value, floor, ceiling, share: share(value), low: share(low), high: share(high) }
    }

    fn lines(&self, plan: &Judged) -> Verdict {
        let arms = &self.prepared.arms;
        let lines = Compared {
            prepared: self.prepared,
            ground: &self.ground,
            incident: &self.incident,
            staging: &self.staging,
            healthy: &self.healthy,
            baseline: &self.baseline,
        };
        Verdict {
            outcome: Outcome::Inconclusive,
            expect: plan.expect,
            passed: None,
            class: plan.class,
            gates: Vec::new(),
            score: None,
            parts: Vec::new(),
            structure: lines.structure(),
            latency: lines.latency(&self.measured),
            errors: lines.errors((&arms.faulty, &arms.fault)),
            findings: lines.findings(plan),
            tears: lines.tears(),
            recovery: None,
            assertions: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// Without the finding that the incident was found by, staging did something else.
fn cap(verdict: &mut Verdict, plan: &Judged) {
    let Some(primary) = &plan.primary else { return };
    let line = verdict.findings.iter().find(|line| line.is_primary && line.incident);
    let words = match (line, &mut verdict.score) {
        (None, _) => format!("{} is no finding of the incident's traces: not asked for", primary.rule),
        (Some(line), Some(score)) if !line.staging => {
            let cap = |share: f64| share.min(WITHOUT_PRIMARY);
            (score.share, score.low, score.high) = (cap(score.share), cap(score.low), cap(score.high));
            format!("the incident's finding {} is missing in staging: at most {WITHOUT_PRIMARY}", primary.rule)
        }
        _ => return,
    };
    verdict.remarks.push(words);
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

fn parts(weights: &Weights, value: &Likeness, floor: &Likeness, halves: &[Likeness]) -> Vec<Part> {
    let part = |&aspect: &Aspect| Part {
        aspect,
        weight: weights.get(aspect),
        value: value.get(aspect),
        floor: floor.get(aspect),
        ceiling: mean(halves.iter().filter_map(|half| half.get(aspect))),
    };
    Aspect::ALL.iter().map(part).collect()
}

/// Returns the faulty requests, and so many of the healthy ones, again and again if need be, that the faulty are `share` of all.
fn mixture(faulty: &features::Group, healthy: &features::Group, share: f64) -> Vec<usize> {
    /// A fault that hits fewer requests is not seen in any sample of usual size.
    const LEAST: f64 = 0.01;
    let share = if share.is_finite() { share.clamp(LEAST, 1.0) } else { 1.0 };
    let others = (faulty.len() as f64 * (1.0 - share) / share).round() as usize;
    faulty.clone().chain(healthy.clone().cycle().take(others)).collect()
}

/// An edge that is nowhere has nothing near it: then everything is looked at.
fn ground<'a>(prepared: &'a Prepared, plan: &Judged, (healthy, baseline): (&[f64], &[f64])) -> Ground<'a> {
    let edge = &prepared.edge;
    let keys = 0..prepared.keys.len() as u32;
    let behind: Vec<bool> = keys.clone().map(|key| edge.behind.contains(&key)).collect();
    let shared = shared(prepared, healthy, baseline);
    let is_counted = |(shared, behind): (&bool, &bool)| *shared && !(plan.class == Class::Error && *behind);
    Ground {
        features: &prepared.features,
        near: keys.clone().map(|key| edge.near.is_empty() || edge.near.contains(&key)).collect(),
        counted: shared.iter().zip(&behind).map(is_counted).collect(),
        shared,
        above: keys.map(|key| prepared.keys.above(key)).collect(),
        behind,
    }
}

/// Tells by key whether both baselines have about as many calls of it.
fn shared(prepared: &Prepared, healthy: &[f64], baseline: &[f64]) -> Vec<bool> {
    /// A call that is in fewer requests of a baseline comes and goes by chance.
    const RARE: f64 = 0.05;
    let num_keys = prepared.keys.len();
    if prepared.arms.healthy.is_empty() || prepared.arms.baseline.is_empty() {
        return vec![true; num_keys];
    }
    let [here, there] = [healthy, baseline].map(|weights| prepared.features.calls.means(weights));
    let at = |list: &[f64], key: usize| list.get(key).copied().unwrap_or(0.0);
    let is_shared = |key: usize| {
        let (less, more) = (at(&here, key).min(at(&there, key)), at(&here, key).max(at(&there, key)));
        more < RARE || less >= SAME_BASELINE * more
    };
    (0..num_keys).map(is_shared).collect()
}

/// Measures all times by their side's baseline. Without a baseline of its own, the incident is measured by staging's.
fn measured(prepared: &Prepared, healthy: &[f64], baseline: &[f64]) -> Measured {
    let (features, arms) = (&prepared.features, &prepared.arms);
    let yardsticks = |key: usize| {
        let staging = times(features, key, baseline);
        let own = if arms.healthy.is_empty() { staging.clone() } else { times(features, key, healthy) };
        (Yardstick::of(&own, &own), Yardstick::of(&own, &staging))
    };
    let all: Vec<(Option<Yardstick>, Option<Yardstick>)> = (0..prepared.keys.len()).map(yardsticks).collect();
    Measured::of(features, |key, request| {
        let (incident, staging) = all.get(key).copied()?;
        if request < arms.healthy.end { incident } else { staging }
    })
}

#[cfg(test)]
pub(crate) mod tests;
