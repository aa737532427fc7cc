//! Candidates for requests that lost their context.

use std::collections::BTreeSet;

use super::candidate::{Found, Parts};
use super::cohort::{Cohort, Facts};
use super::context::{Broken, Meaning, broken, fault, meaning};
use super::ground::{Call, Ground};
use super::share::Share;
use crate::detect::Finding;
use crate::replay::edge::Class;
use crate::trace::window::NONE;

/// Returns the faults of headers that a finding means, one an edge; none where it means none, or where its calls are not there.
pub(super) fn candidates(facts: &Facts<'_>, finding: &Finding) -> Vec<Found> {
    let Some(Meaning::Fault(kind, headers)) = meaning(&finding.rule) else { return Vec::new() };
    broken(facts.ground, finding).iter().map(|broken| of_kind(facts, finding, broken, (kind, headers))).collect()
}

/// Returns the fault whose effect is the most like what was lost inside of a service.
pub(super) fn nearest(facts: &Facts<'_>, finding: &Finding) -> Option<Found> {
    let Some(Meaning::Inside(Some(kind))) = meaning(&finding.rule) else { return None };
    Some(of_kind(facts, finding, broken(facts.ground, finding).first()?, (kind, &[])))
}

fn of_kind(facts: &Facts<'_>, finding: &Finding, broken: &Broken, (kind, headers): (&str, &[&str])) -> Found {
    let cohort = cohort(facts, finding, broken);
    let hits: BTreeSet<u32> = broken.hits.iter().copied().collect();
    let made = fault(broken, kind, headers);
    let why =
        format!("{}: {}", finding.rule, finding.evidence.get("why").and_then(|why| why.as_str()).unwrap_or_default());
    let evidence = evidence(facts.ground, finding, broken);
    let (edge, calls, explained) = (&broken.edge, &broken.calls, finding.confidence);
    let parts = Parts { class: Class::Context, edge, made, calls, hits: &hits, explained, why, evidence };
    let mut candidate = parts.candidate(facts);
    // Where no call shows it by itself, the finding has counted.
    if hits.is_empty() && finding.out_of > 0 {
        candidate.share = Share::of(finding.occurrences, finding.out_of);
        candidate.fault.when.share = super::candidate::rounded(candidate.share.value());
    }
    Found { candidate, cohort }
}

fn cohort(facts: &Facts<'_>, finding: &Finding, broken: &Broken) -> Cohort {
    let ground = facts.ground;
    let of_hits: BTreeSet<u32> = broken.hits.iter().filter_map(|&hit| ground.call(hit)).map(|call| call.unit).collect();
    let kind = most_common_kind(ground, &of_hits.iter().copied().collect::<Vec<_>>());
    let kind = match kind {
        Some(kind) => facts.of_kind(kind),
        None => units_of(ground, &finding.traces),
    };
    let shows = |unit: u32| if of_hits.is_empty() { true } else { of_hits.contains(&unit) };
    facts.cohort(&kind, &shows, None)
}

/// Returns the kind that most of some requests are of; of equally many the first.
pub(super) fn most_common_kind(ground: &Ground<'_>, units: &[u32]) -> Option<u32> {
    let mut counts: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    units.iter().for_each(|&unit| *counts.entry(ground.kind(unit)).or_default() += 1);
    counts.into_iter().rev().max_by_key(|&(_, count)| count).map(|(kind, _)| kind)
}

/// Returns the requests that have spans of some traces, ascending.
pub(super) fn units_of(ground: &Ground<'_>, traces: &[u128]) -> Vec<u32> {
    let traces: BTreeSet<u128> = traces.iter().copied().collect();
    let of = ground.window.spans().filter(|&span| traces.contains(&ground.window.trace_id(span)));
    let units: BTreeSet<u32> = of.map(|span| ground.unit_of(span)).filter(|&unit| unit != NONE).collect();
    units.into_iter().collect()
}

fn evidence(ground: &Ground<'_>, finding: &Finding, broken: &Broken) -> Vec<(u32, String)> {
    let torn = broken.hits.iter().filter_map(|&hit| ground.call(hit)).filter(|call| call.is_torn);
    let says = |call: &Call| (call.server, format!("{} began a trace of its own", ground.service(call.server)));
    let mut list: Vec<(u32, String)> = torn.take(2).map(says).collect();
    let examples = finding.examples.iter().filter_map(|[_, after]| span_of(ground, *after));
    if list.is_empty() {
        list.extend(examples.map(|span| (span, format!("{} shows it", ground.service(span)))));
    }
    list
}

fn span_of(ground: &Ground<'_>, (trace_id, span_id): (u128, u64)) -> Option<u32> {
    let is_it = |&span: &u32| {
        ground.window.span_id.get(span as usize) == Some(&span_id) && ground.window.trace_id(span) == trace_id
    };
    ground.window.spans().find(is_it)
}
