//! What stands below a score: both sides next to each other, the largest difference first.

use super::features::{Features, Group, subject};
use super::gates::failures;
use super::keys::Keys;
use super::latency::{Measured, times};
use super::prepare::Prepared;
use super::score::{Ground, Sample, is_compared};
use super::statistics::{difference, largest_gap, quantile, ranks};
use super::verdict::{Count, Errors, FailureLine, FindingLine, Quantiles, Structure, Times};
use super::{asked::Judged, rows::Rows};

/// More lines say no more.
const MAX_LINES: usize = 40;
/// A call or failure in fewer requests than this is rare.
const RARE: f64 = 0.02;

/// What lines are made of.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) ground: &'a Ground<'a>,
    pub(super) incident: &'a Sample,
    pub(super) staging: &'a Sample,
    /// Weights of both baselines.
    pub(super) healthy: &'a [f64],
    pub(super) baseline: &'a [f64],
}

impl Compared<'_> {
    fn features(&self) -> &Features {
        &self.prepared.features
    }

    fn keys(&self) -> &Keys {
        &self.prepared.keys
    }

    fn both(&self) -> [&[f64]; 2] {
        [&self.incident.weights, &self.staging.weights]
    }

    pub(super) fn structure(&self) -> Structure {
        let compared = |key: usize| is_compared(self.ground, self.incident, self.staging, key);
        let of = |key: usize| compared(key).then(|| self.keys().text(key as u32));
        let lines = counts(&self.features().calls, self.both(), of);
        let pick = |is: fn(&Count) -> bool| lines.iter().filter(|line| is(line)).take(MAX_LINES).cloned().collect();
        let excluded = |key: usize| (self.ground.shared.get(key) == Some(&false)).then(|| self.keys().text(key as u32));
        let mut excluded = counts(&self.features().calls, [self.healthy, self.baseline], excluded);
        excluded.truncate(MAX_LINES);
        Structure {
            compared: lines.len(),
            missing: pick(is_missing),
            extra: pick(is_extra),
            repeated: pick(is_repeated),
            retries: self.repetitions(&self.features().retries),
            fan_out: self.repetitions(&self.features().fan_out),
            excluded,
        }
    }

    fn repetitions(&self, rows: &Rows) -> Vec<Count> {
        let mut lines = counts(rows, self.both(), |key| Some(self.keys().text(key as u32)));
        lines.truncate(MAX_LINES);
        lines
    }

    pub(super) fn tears(&self) -> Vec<Count> {
        let torn = self.features().torn.things();
        let mut lines = counts(&self.features().tears, self.both(), |number| torn.get(number).cloned());
        lines.truncate(MAX_LINES);
        lines
    }

    pub(super) fn latency(&self, measured: &Measured) -> Vec<Times> {
        let keys = (0..measured.len()).filter(|&key| self.ground.counted.get(key) == Some(&true));
        let mut lines: Vec<Times> = keys.filter_map(|key| self.times(measured, key)).collect();
        lines.sort_by(|left, right| right.weight.total_cmp(&left.weight).then_with(|| left.path.cmp(&right.path)));
        lines.truncate(MAX_LINES);
        lines
    }

    fn times(&self, measured: &Measured, key: usize) -> Option<Times> {
        let [left, right] = self.both();
        let (distance, likeness) = (measured.distance(key, left, right)?, measured.likeness(key, left, right)?);
        let (one, other) = (measured.measures(key, left), measured.measures(key, right));
        let test = ranks(&one, &other)?;
        Some(Times {
            path: self.keys().text(key as u32),
            incident: self.quantiles(key, left, self.healthy),
            staging: self.quantiles(key, right, self.baseline),
            weight: self.incident.time_changed(key).max(self.staging.time_changed(key)),
            distance,
            likeness,
            ks: largest_gap(&one, &other)?,
            p: test.p,
            effect: test.effect,
        })
    }

    fn quantiles(&self, key: usize, weights: &[f64], baseline: &[f64]) -> Quantiles {
        let ms = times(self.features(), key, weights);
        let at = |share: f64| quantile(&ms, share).unwrap_or_default();
        let baseline = quantile(&times(self.features(), key, baseline), 0.5).unwrap_or_default();
        Quantiles { calls: ms.len(), p50: at(0.5), p90: at(0.9), p99: at(0.99), baseline }
    }

    pub(super) fn errors(&self, (faulty, fault): (&Group, &Group)) -> Errors {
        let features = self.features();
        let things = features.failed.things();
        let [first, first_there] = self.both().map(|weights| features.first_failures.means(weights));
        let is_first =
            |number: usize| [&first, &first_there].iter().any(|side| side.get(number).is_some_and(|&mean| mean > 0.0));
        let line = |(number, [incident, staging]): (usize, [f64; 2])| {
            let (key, failure) = things.get(number)?.clone();
            Some(FailureLine { path: self.keys().text(key), failure, is_first: is_first(number), incident, staging })
        };
        let lines = means(&features.failures, self.both()).into_iter().take(MAX_LINES).filter_map(line).collect();
        let (incident, staging) = (failures(features, faulty), failures(features, fault));
        let difference = difference(incident, staging);
        Errors { lines, incident, staging, difference }
    }

    pub(super) fn findings(&self, plan: &Judged) -> Vec<FindingLine> {
        let [incident, staging] = [self.incident, self.staging].map(|sample| sample.found(self.ground));
        let has = |side: &[f64], number: usize| side.get(number).is_some_and(|&one| one > 0.0);
        let line = |(number, (rule, subject)): (usize, &(String, String))| FindingLine {
            rule: rule.clone(),
            subject: subject.clone(),
            incident: has(&incident, number),
            staging: has(&staging, number),
            is_primary: is_primary(plan, rule, subject),
        };
        let lines = self.features().found.things().iter().enumerate().map(line);
        let mut lines: Vec<FindingLine> = lines.filter(|line| line.incident || line.staging).collect();
        lines.sort_by(|left, right| {
            (!left.is_primary, &left.rule, &left.subject).cmp(&(!right.is_primary, &right.rule, &right.subject))
        });
        lines
    }
}

/// Returns both sides' means by number, but rare ones; the largest difference first.
fn means(rows: &Rows, sides: [&[f64]; 2]) -> Vec<(usize, [f64; 2])> {
    let [incident, staging] = sides.map(|weights| rows.means(weights));
    let both = incident.iter().zip(&staging).map(|(&incident, &staging)| [incident, staging]);
    let mut means: Vec<(usize, [f64; 2])> =
        both.enumerate().filter(|(_, [one, other])| one.max(*other) >= RARE).collect();
    let gap = |[one, other]: [f64; 2]| (one - other).abs();
    means.sort_by(|left, right| gap(right.1).total_cmp(&gap(left.1)).then(left.0.cmp(&right.0)));
    means
}

/// Returns both sides' means of what `of` has a name for.
fn counts(rows: &Rows, sides: [&[f64]; 2], of: impl Fn(usize) -> Option<String>) -> Vec<Count> {
    let count = |(number, [incident, staging]): (usize, [f64; 2])| Some(Count { what: of(number)?, incident, staging });
    means(rows, sides).into_iter().filter_map(count).collect()
}

fn is_primary(plan: &Judged, rule: &str, about: &str) -> bool {
    plan.primary.as_ref().is_some_and(|primary| primary.rule == rule && subject(&primary.subject, &plan.names) == about)
}

fn is_missing(count: &Count) -> bool {
    count.incident >= 0.5 && count.staging < count.incident / 4.0
}

fn is_extra(count: &Count) -> bool {
    count.staging >= 0.5 && count.incident < count.staging / 4.0
}

fn is_repeated(count: &Count) -> bool {
    !is_missing(count) && !is_extra(count) && (count.incident - count.staging).abs() >= 0.25
}
