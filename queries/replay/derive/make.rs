//! Chooses what is looked at, asks for candidates, and puts together what is known of both sides.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::by_context::{self, most_common_kind, units_of};
use super::by_time::evenly;
use super::candidate::Found;
use super::cohort::{Cohort, Facts};
use super::context::{Meaning, meaning};
use super::latency::Usual;
use super::{About, Derived, Refusal, Stretch, by_error, by_time, hosts, requests};
use crate::detect::Finding;
use crate::replay::id::TraceId;
use crate::trace::window::NONE;

/// Fewer requests in the baseline leave the magnitude uncertain.
const SURE_BASELINE: usize = 30;

/// The requests that `about` names, and what else is asked of them.
struct Picked<'f> {
    about: &'f About,
    /// Of one kind, ascending.
    units: Vec<u32>,
    /// All requests of that kind.
    kind: Vec<u32>,
    usual: Option<Usual>,
}

/// Derives; see [`super::derive`].
pub(super) fn derived(facts: &Facts<'_>, findings: &[Finding], about: &About) -> Result<Derived, Refusal> {
    match about {
        About::Trace(id) => of_trace(facts, findings, about, *id),
        About::Finding(name) => {
            let finding = find(findings, name).ok_or_else(|| Refusal::Unknown { about: format!("finding {name}") })?;
            of_finding(facts, findings, about, finding)
        }
    }
}

/// Returns the finding of an id, of a rule, or of a rule and its subject.
fn find<'f>(findings: &'f [Finding], name: &str) -> Option<&'f Finding> {
    let by_id = || findings.iter().find(|finding| finding.id == name);
    let by_both = || findings.iter().find(|finding| format!("{} {}", finding.rule, finding.subject) == name);
    by_id().or_else(by_both).or_else(|| findings.iter().find(|finding| finding.rule == name))
}

fn of_finding(facts: &Facts<'_>, findings: &[Finding], about: &About, finding: &Finding) -> Result<Derived, Refusal> {
    let said = || finding.evidence.get("why").and_then(|why| why.as_str()).unwrap_or_default().to_owned();
    match meaning(&finding.rule) {
        Some(Meaning::Fault(..)) => {
            let found = Some(by_context::candidates(facts, finding)).filter(|found| !found.is_empty());
            let found = found.ok_or_else(|| Refusal::Unknown { about: format!("a call of {}", finding.subject) })?;
            Ok(whole(facts, findings, about, found))
        }
        Some(Meaning::Inside(_)) => Err(inside(facts, finding)),
        Some(Meaning::Recording) => Err(Refusal::NotACall { rule: finding.rule.clone(), reason: said() }),
        Some(Meaning::Sampling) => Err(Refusal::SampledOut { about: finding.subject.clone(), reason: said() }),
        None => {
            of_units(facts, findings, about, &units_of(facts.ground, &finding.traces)).map_err(
                |refusal| match refusal {
                    Refusal::Nothing { .. } => Refusal::NotACall { rule: finding.rule.clone(), reason: said() },
                    other => other,
                },
            )
        }
    }
}

fn inside(facts: &Facts<'_>, finding: &Finding) -> Refusal {
    let nearest = by_context::nearest(facts, finding).map(|found| Box::new(found.candidate));
    let service = finding.evidence.get("side").and_then(|side| side.as_str()).unwrap_or(&finding.subject);
    let nearest_words = match &nearest {
        Some(near) => format!("nearest: {} from {} to {}", near.fault.kind, near.edge.client, near.edge.server),
        None => "nothing on the network comes near".to_owned(),
    };
    Refusal::Inside { service: service.to_owned(), what: finding.rule.clone(), nearest_words, nearest }
}

fn of_trace(facts: &Facts<'_>, findings: &[Finding], about: &About, id: TraceId) -> Result<Derived, Refusal> {
    let units = units_of(facts.ground, &[id.0]);
    if units.is_empty() {
        return Err(Refusal::Unknown { about: format!("trace {id}") });
    }
    let is_whole = |unit: &u32| facts.ground.units.get(*unit as usize).is_some_and(|unit| unit.is_whole);
    let whole: Vec<u32> = units.iter().copied().filter(is_whole).collect();
    if whole.is_empty() {
        return Err(beginning_is_missing(findings, id));
    }
    // A fragment that hangs nowhere is a request of its own here: the one with most spans is meant.
    let size = |unit: &u32| facts.ground.units.get(*unit as usize).map_or(0, |unit| unit.spans.len());
    let largest = whole.iter().copied().rev().max_by_key(size).unwrap_or_default();
    of_units(facts, findings, about, &[largest])
}

/// A trace without its beginning: not sampled, where a finding says so.
fn beginning_is_missing(findings: &[Finding], id: TraceId) -> Refusal {
    const SAMPLERS: [&str; 3] = ["parent-decision-ignored", "ratio-sampler-torn", "tail-sampling-torn"];
    let is_cause = |finding: &&Finding| SAMPLERS.contains(&finding.rule.as_str()) && finding.traces.contains(&id.0);
    let about = format!("trace {id}");
    match findings.iter().find(is_cause) {
        Some(finding) => Refusal::SampledOut { about, reason: format!("{} at {}", finding.rule, finding.subject) },
        None => Refusal::Incomplete { about, reason: "its first span names a parent that was not recorded".to_owned() },
    }
}

fn of_units(facts: &Facts<'_>, findings: &[Finding], about: &About, units: &[u32]) -> Result<Derived, Refusal> {
    let picked = pick(facts, about, units).ok_or_else(|| Refusal::Unknown { about: words(about) })?;
    let mut found = by_error::candidates(facts, &picked.units, &picked.kind, picked.usual);
    found.extend(contexts(facts, findings, &picked));
    let slow = by_time::candidates(facts, &picked.units, &picked.kind, picked.usual);
    let edges: BTreeSet<super::Edge> = found.iter().map(|found| found.candidate.edge.clone()).collect();
    let is_new = |one: &Found| !edges.contains(&one.candidate.edge);
    found.extend(slow.found.iter().filter(|one| is_new(one)).cloned());
    if found.is_empty() {
        return Err(nothing(facts, findings, &picked, slow.num_slow > 0));
    }
    Ok(whole(facts, findings, about, found))
}

fn words(about: &About) -> String {
    match about {
        About::Trace(id) => format!("trace {id}"),
        About::Finding(name) => format!("finding {name}"),
    }
}

fn pick<'f>(facts: &Facts<'_>, about: &'f About, units: &[u32]) -> Option<Picked<'f>> {
    let may = |unit: &u32| facts.may_be_incident(*unit);
    let units: Vec<u32> = units.iter().copied().filter(may).collect();
    let kind = facts.of_kind(most_common_kind(facts.ground, &units)?);
    let units: Vec<u32> = units.into_iter().filter(|unit| kind.binary_search(unit).is_ok()).collect();
    // Of a finding whose traces are all there are, none is left to say what is usual.
    let apart = if units.len() * 2 > kind.len() { &[] } else { units.as_slice() };
    let usual = facts.usual(&kind, apart);
    Some(Picked { about, units, kind, usual })
}

/// Returns faults of headers that findings saw in the picked requests.
fn contexts(facts: &Facts<'_>, findings: &[Finding], picked: &Picked<'_>) -> Vec<Found> {
    let traces = traces(facts, &picked.units);
    let touches = |finding: &&Finding| finding.traces.iter().any(|&id| traces.contains(&TraceId(id)));
    findings.iter().filter(touches).flat_map(|finding| by_context::candidates(facts, finding)).collect()
}

/// Nothing on the network shows it: a failure or a delay inside of the first service, context lost there, or nothing at all.
fn nothing(facts: &Facts<'_>, findings: &[Finding], picked: &Picked<'_>, is_slow: bool) -> Refusal {
    let ground = facts.ground;
    let fragments = fragments(facts, &picked.units);
    if fragments > 0 && is_slow {
        let reason = format!("{fragments} fragments of it name parents that were not recorded");
        return Refusal::Incomplete { about: words(picked.about), reason };
    }
    let root = picked.units.first().and_then(|&unit| ground.units.get(unit as usize)).map_or(0, |unit| unit.root);
    let (service, operation) = (ground.service(root).to_owned(), ground.keys.path(ground.keys.id(root)).to_string());
    let failed = picked.units.iter().flat_map(|&unit| facts.inside_of(unit)).next();
    let what = failed.map(|_| "an error").or(is_slow.then_some("the time spent"));
    let traces = traces(facts, &picked.units);
    let is_inside = |finding: &&Finding| {
        let touches = finding.traces.iter().any(|&id| traces.contains(&TraceId(id)));
        touches && matches!(meaning(&finding.rule), Some(Meaning::Inside(_)))
    };
    if let (None, Some(finding)) = (what, findings.iter().find(is_inside)) {
        return inside(facts, finding);
    }
    let Some(what) = what else {
        let others = picked.kind.len().saturating_sub(picked.units.len()) as u64;
        return Refusal::Nothing { about: words(picked.about), operation, others };
    };
    let service = failed.map_or(service, |&span| ground.service(span).to_owned());
    let nearest_words = match what {
        "an error" => format!("nearest: let calls to {service} return the same error"),
        _ => format!("nearest: delay the answers of {service}"),
    };
    Refusal::Inside { service, what: what.to_owned(), nearest_words, nearest: None }
}

/// Returns how many parts of the traces of some requests hang nowhere, because spans between are missing.
fn fragments(facts: &Facts<'_>, units: &[u32]) -> usize {
    let traces: Vec<u128> = traces(facts, units).into_iter().map(|id| id.0).collect();
    let is_torn = |unit: &u32| facts.ground.units.get(*unit as usize).is_some_and(|unit| !unit.is_whole);
    units_of(facts.ground, &traces).iter().filter(|unit| is_torn(unit)).count()
}

/// Puts the likeliest candidates and both sides of the first together.
fn whole(facts: &Facts<'_>, findings: &[Finding], about: &About, found: Vec<Found>) -> Derived {
    let found = ranked(found);
    let cohort = found.first().map(|found| found.cohort.clone()).unwrap_or_default();
    let (ground, max) = (facts.ground, facts.options.max_candidates.max(1));
    let units = || cohort.incident.iter().filter_map(|&unit| ground.units.get(unit as usize));
    let operation = units().next().map(|unit| ground.keys.path(ground.keys.id(unit.root)).to_string());
    let (hosts, environments) = hosts::of(ground.window, units().flat_map(|unit| &unit.spans));
    let services: BTreeSet<&str> = units().flat_map(|unit| &unit.spans).map(|&span| ground.service(span)).collect();
    Derived {
        about: about.clone(),
        operation: operation.unwrap_or_default(),
        finding: finding_of(facts, findings, about, &cohort),
        window: stretch(facts, &cohort.incident).unwrap_or_default(),
        baseline_window: stretch(facts, &cohort.baseline),
        num_incident: cohort.incident.len() as u64,
        num_baseline: cohort.baseline.len() as u64,
        incident: named(facts, &cohort.incident),
        baseline: named(facts, &cohort.baseline),
        requests: requests::of(ground, &cohort.incident),
        hosts,
        environments,
        services: services.into_iter().map(str::to_owned).collect(),
        warnings: warnings(facts, &cohort, &found),
        candidates: found.into_iter().map(|found| found.candidate).take(max).collect(),
    }
}

/// The likeliest first, each once.
fn ranked(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|left, right| {
        let (left_is, right_is) = (left.candidate.confidence, right.candidate.confidence);
        right_is.total_cmp(&left_is).then_with(|| key(left).cmp(&key(right)))
    });
    found.dedup_by(|next, first| {
        next.candidate.fault == first.candidate.fault && next.candidate.edge == first.candidate.edge
    });
    found
}

/// What breaks ties between candidates.
fn key(found: &Found) -> (Reverse<u64>, super::Class, super::Edge, String) {
    let candidate = &found.candidate;
    (Reverse(candidate.share.hits), candidate.class, candidate.edge.clone(), candidate.fault.kind.clone())
}

fn warnings(facts: &Facts<'_>, cohort: &Cohort, found: &[Found]) -> Vec<String> {
    let mut warnings = Vec::new();
    let fragments = fragments(facts, &cohort.incident);
    if fragments > 0 {
        warnings
            .push(format!("{fragments} fragments of the incident's traces hang nowhere: spans between are missing"));
    }
    let count = cohort.baseline.len();
    let lasts = found.first().is_some_and(|found| found.candidate.fault.magnitude.is_some());
    if count == 0 {
        warnings.push("no request of this kind went well: there is no baseline in this recording".to_owned());
    } else if count < SURE_BASELINE && lasts {
        warnings.push(format!("magnitude uncertain: only {count} requests of this kind went well"));
    }
    if cohort.incident.len() < 5 {
        warnings.push(format!("only {} requests show it: its share is a guess", cohort.incident.len()));
    }
    warnings
}

/// The finding that `about` names, else the surest one that most of the incident's traces have.
fn finding_of(facts: &Facts<'_>, findings: &[Finding], about: &About, cohort: &Cohort) -> Option<(String, String)> {
    let both = |finding: &Finding| (finding.rule.clone(), finding.subject.clone());
    if let About::Finding(name) = about {
        return find(findings, name).map(both);
    }
    let most_have = |finding: &Finding, units: &[u32]| {
        let traces: BTreeSet<u128> = finding.traces.iter().copied().collect();
        let has = |unit: &&u32| traces_of(facts, **unit).iter().any(|id| traces.contains(&id.0));
        units.iter().filter(has).count() * 2 > units.len()
    };
    let sets_apart = |finding: &&Finding| most_have(finding, &cohort.incident) && !most_have(finding, &cohort.baseline);
    findings.iter().find(sets_apart).map(both)
}

fn traces_of(facts: &Facts<'_>, unit: u32) -> BTreeSet<TraceId> {
    let unit = facts.ground.units.get(unit as usize);
    let spans = unit.into_iter().flat_map(|unit| &unit.spans);
    spans.map(|&span| TraceId(facts.ground.window.trace_id(span))).collect()
}

fn traces(facts: &Facts<'_>, units: &[u32]) -> BTreeSet<TraceId> {
    units.iter().flat_map(|&unit| traces_of(facts, unit)).collect()
}

/// Returns the traces of some requests, as many requests as fit, evenly chosen over time.
fn named(facts: &Facts<'_>, units: &[u32]) -> Vec<TraceId> {
    let max = facts.options.max_traces;
    let mut units = units.to_vec();
    units.sort_by_key(|&unit| (facts.start_ns(unit), unit));
    let per_request = traces(facts, &units).len().div_ceil(units.len().max(1)).max(1);
    let chosen = evenly(&units, max / per_request);
    traces(facts, &chosen).into_iter().take(max).collect()
}

fn stretch(facts: &Facts<'_>, units: &[u32]) -> Option<Stretch> {
    let window = facts.ground.window;
    let roots = units.iter().map(|&unit| facts.ground.units.get(unit as usize).map_or(NONE, |unit| unit.root));
    let ends = roots.clone().filter_map(|root| window.end_ns.get(root as usize).copied());
    let starts = roots.filter_map(|root| window.start_ns.get(root as usize).copied());
    Some(Stretch { from_ns: starts.min()?, to_ns: ends.max()? })
}
