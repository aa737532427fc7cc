//! What must be so before a score means anything: something was injected, enough was recorded, and staging was well otherwise.

use std::collections::BTreeSet;

use super::asked::{Arm, Judged, Options, Staging};
use super::features::{Features, Group};
use super::prepare::Prepared;
use super::statistics::{difference, quantile, ranks, sorted};
use super::verdict::{Gate, Outcome, Score};
use crate::replay::edge::Class;

/// Arms of which one fails so much more often than the other differ.
const MORE_FAILURES: f64 = 0.05;

fn gate(name: &str, is_so: bool, failed: Outcome, words: String) -> Gate {
    Gate { name: name.to_owned(), failed: (!is_so).then_some(failed), words }
}

/// Looks at all that can be looked at before the score.
pub(super) fn before_score(prepared: &Prepared, staging: &Staging<'_>, plan: &Judged, options: &Options) -> Vec<Gate> {
    let mut gates =
        vec![injected(staging), requests(prepared, staging, options), completeness(prepared, staging, options)];
    gates.extend(control(prepared, staging));
    gates.push(edge(prepared, plan));
    gates
}

/// Looks at the requests that were spared, where the fault spares any.
fn control(prepared: &Prepared, staging: &Staging<'_>) -> Vec<Gate> {
    if staging.control.sent > 0 {
        return vec![control_is_well(prepared), control_is_as_before(prepared)];
    }
    let words = "no request on the edge is spared: what changed by itself meanwhile counts as the fault's work";
    vec![gate("no control", true, Outcome::Inconclusive, words.to_owned())]
}

fn injected(staging: &Staging<'_>) -> Gate {
    let words = match (staging.injected, staging.planned) {
        (Some(injected), Some(planned)) => format!("{injected} faults were injected, {planned} were planned"),
        (Some(injected), None) => format!("{injected} faults were injected"),
        (None, _) => "the driver cannot tell how many faults were injected".to_owned(),
    };
    gate("injected", staging.injected != Some(0), Outcome::Invalid, words)
}

/// Where a driver hits everything there are no control requests: what came before the fault stands alone.
fn requests(prepared: &Prepared, staging: &Staging<'_>, options: &Options) -> Gate {
    let arms = &prepared.arms;
    let [baseline, fault, control] = [arms.baseline.len(), arms.fault.len(), arms.control.len()];
    let has_control = staging.control.sent > 0;
    let needed = [Some(baseline), Some(fault), has_control.then_some(control)];
    let is_enough = needed.into_iter().flatten().all(|count| count >= options.min_requests) && !arms.faulty.is_empty();
    let control = if has_control { control.to_string() } else { "no".to_owned() };
    let words = format!(
        "{baseline} baseline, {fault} fault and {control} control requests were recorded, {} each are needed; \
         {} faulty and {} healthy ones of the incident",
        options.min_requests,
        arms.faulty.len(),
        arms.healthy.len()
    );
    gate("requests", is_enough, Outcome::Inconclusive, words)
}

/// Services are counted where nothing is injected: a fault may keep a request from reaching them.
fn completeness(prepared: &Prepared, staging: &Staging<'_>, options: &Options) -> Gate {
    let arms = &prepared.arms;
    let sent = [
        ("baseline", &staging.baseline, &arms.baseline),
        ("fault", &staging.fault, &arms.fault),
        ("control", &staging.control, &arms.control),
    ];
    let recorded = sent.map(|(name, arm, group)| (name, share_recorded(arm, group)));
    let expected: BTreeSet<&String> = staging.services.iter().filter(|one| !prepared.through.contains(*one)).collect();
    let calm = arms.baseline.clone().chain(arms.control.clone());
    let seen = share_of_services(&prepared.features, calm, &expected);
    let (worst_name, worst) =
        recorded.into_iter().min_by(|left, right| left.1.total_cmp(&right.1)).unwrap_or(("", 1.0));
    let words = format!(
        "{:.0} % of the expected services were seen in a request without fault (median), {:.0} % of the {worst_name} requests were \
         recorded; {:.0} % are needed",
        seen * 100.0,
        worst * 100.0,
        options.min_completeness * 100.0
    );
    gate("completeness", seen.min(worst) >= options.min_completeness, Outcome::Inconclusive, words)
}

fn share_recorded(arm: &Arm<'_>, group: &Group) -> f64 {
    if arm.sent == 0 { 1.0 } else { (group.len() as f64 / arm.sent as f64).min(1.0) }
}

fn share_of_services(features: &Features, requests: impl Iterator<Item = usize>, expected: &BTreeSet<&String>) -> f64 {
    let share = |request: usize| {
        let seen = features.services.get(request)?;
        Some(expected.iter().filter(|service| seen.contains(**service)).count() as f64 / expected.len() as f64)
    };
    let shares = if expected.is_empty() { Vec::new() } else { sorted(requests.filter_map(share)) };
    quantile(&shares, 0.5).unwrap_or(1.0)
}

fn control_is_well(prepared: &Prepared) -> Gate {
    let (features, arms) = (&prepared.features, &prepared.arms);
    let failed = [&arms.baseline, &arms.control].map(|group| failures(features, group));
    let torn = [&arms.baseline, &arms.control].map(|group| tears(features, group));
    let is_worse = |[before, now]: [(f64, f64); 2]| difference(before, now).0 > MORE_FAILURES;
    let words = format!(
        "{} of {} control requests failed and {} were torn, {} and {} of {} before the fault",
        failed[1].0, failed[1].1, torn[1].0, failed[0].0, torn[0].0, failed[0].1
    );
    gate("control is well", !is_worse(failed) && !is_worse(torn), Outcome::Inconclusive, words)
}

/// Returns how many requests of an arm failed, and of how many.
pub(super) fn failures(features: &Features, group: &Group) -> (f64, f64) {
    let failed = group.clone().filter(|&request| features.is_failed.get(request) == Some(&true)).count();
    (failed as f64, group.len() as f64)
}

fn tears(features: &Features, group: &Group) -> (f64, f64) {
    let torn = group.clone().filter(|&request| !features.tears.get(request).is_empty()).count();
    (torn as f64, group.len() as f64)
}

/// A test alone finds differences too small to matter, an effect alone finds chance: both must say so.
fn control_is_as_before(prepared: &Prepared) -> Gate {
    const MAX_P: f64 = 0.01;
    const MIN_EFFECT: f64 = 0.14;
    const MIN_FACTOR: f64 = 1.25;
    let arms = &prepared.arms;
    let (before, now) = (times(&prepared.features, &arms.baseline), times(&prepared.features, &arms.control));
    let median = |sorted: &[f64]| quantile(sorted, 0.5).unwrap_or(0.0);
    let factor = median(&now).max(f64::MIN_POSITIVE) / median(&before).max(f64::MIN_POSITIVE);
    let test = ranks(&before, &now);
    let differs = test.is_some_and(|test| {
        test.p < MAX_P && (test.effect - 0.5).abs() >= MIN_EFFECT && !(1.0 / MIN_FACTOR..=MIN_FACTOR).contains(&factor)
    });
    let (p, effect) = test.map_or((1.0, 0.5), |test| (test.p, test.effect));
    let words = format!(
        "control requests take {:.1} ms (median), {:.1} ms before the fault; p {p:.3}, effect {effect:.2}",
        median(&now),
        median(&before)
    );
    gate("control is as before", !differs, Outcome::Inconclusive, words)
}

/// Returns the times of an arm's requests in milliseconds, ascending.
pub(super) fn times(features: &Features, group: &Group) -> Vec<f64> {
    sorted(group.clone().filter_map(|request| features.root_ms.get(request).copied()))
}

/// An edge that is always torn has no path: where the fault is lost context, that is no reason to stop.
fn edge(prepared: &Prepared, plan: &Judged) -> Gate {
    let weights = |group: &Group| prepared.features.weights(group.clone());
    let has_edge = |group: &Group| {
        let calls = prepared.features.calls.means(&weights(group));
        prepared.edge.client.iter().any(|&key| calls.get(key as usize).is_some_and(|&mean| mean > 0.0))
    };
    let arms = &prepared.arms;
    let sides =
        [("the incident", has_edge(&arms.faulty) || has_edge(&arms.healthy)), ("staging", has_edge(&arms.baseline))];
    let missing: Vec<&str> = sides.iter().filter(|(_, has)| !has).map(|&(name, _)| name).collect();
    let (client, server) = (&plan.edge.client, &plan.edge.server);
    let words = if missing.is_empty() {
        format!("{client} calls {server} on both sides")
    } else {
        format!("no call of {client} to {server} was recorded in {}", missing.join(" and "))
    };
    gate("edge", missing.is_empty() || plan.class == Class::Context, Outcome::Inconclusive, words)
}

/// Looks whether the incident can be told from no fault at all.
pub(super) fn contrast(score: Option<&Score>, options: &Options) -> Gate {
    let (floor, ceiling) = score.map_or((0.0, 0.0), |score| (score.floor, score.ceiling));
    let words = format!(
        "no fault at all scores {floor:.2}, the incident against itself {ceiling:.2}; {:.2} between them are needed",
        options.min_contrast
    );
    gate("contrast", ceiling - floor >= options.min_contrast, Outcome::Inconclusive, words)
}
