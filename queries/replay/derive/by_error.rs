//! Candidates for requests that failed.

use std::collections::{BTreeMap, BTreeSet};

use super::Class;
use super::candidate::{Found, Parts};
use super::cohort::Facts;
use super::errors::{Half, Source, Symptom};
use super::faults::{Made, of_symptom};
use super::ground::Edge;
use super::latency::Usual;
use crate::trace::window::NONE;

/// Symptoms that are looked into: those that most of the picked requests show.
const MAX_SYMPTOMS: usize = 5;
/// A storm has so many attempts.
const STORM: usize = 3;

/// Returns the faults that explain why `picked` requests, all of one kind, failed.
pub(super) fn candidates(facts: &Facts<'_>, picked: &[u32], kind: &[u32], usual: Option<Usual>) -> Vec<Found> {
    let mut symptoms: BTreeMap<Symptom, BTreeSet<u32>> = BTreeMap::new();
    for &unit in picked {
        for source in facts.sources_of(unit) {
            symptoms.entry(source.symptom).or_default().insert(unit);
        }
    }
    let failed: BTreeSet<u32> = symptoms.values().flatten().copied().collect();
    let mut symptoms: Vec<(Symptom, BTreeSet<u32>)> = symptoms.into_iter().collect();
    symptoms.sort_by_key(|(_, units)| std::cmp::Reverse(units.len()));
    let share = |units: &BTreeSet<u32>| units.len() as f64 / failed.len().max(1) as f64;
    let of = |(symptom, units): &(Symptom, BTreeSet<u32>)| of_one(facts, *symptom, units, share(units), (kind, usual));
    symptoms.iter().take(MAX_SYMPTOMS).flat_map(of).collect()
}

fn of_one(
    facts: &Facts<'_>,
    symptom: Symptom,
    picked: &BTreeSet<u32>,
    explained: f64,
    (kind, usual): (&[u32], Option<Usual>),
) -> Vec<Found> {
    let Some(edge) = facts.ground.edge(symptom.edge) else { return Vec::new() };
    let (calls, hits) = (facts.calls_of(symptom.edge), facts.calls_with(symptom));
    let list: Vec<u32> = hits.iter().copied().collect();
    let cohort = facts.by_symptom(kind, symptom, usual);
    let evidence = evidence(facts, symptom, picked);
    let why = why(edge, symptom, (hits.len(), calls.len()), (cohort.incident.len(), kind.len()));
    let notes: Vec<String> = [storm(facts, &hits), elsewhere(facts, symptom)].into_iter().flatten().collect();
    let candidate = |mut made: Made| {
        made.notes.extend(notes.iter().cloned());
        let (evidence, why) = (evidence.clone(), why.clone());
        Parts { class: Class::Error, edge, made, calls: &calls, hits: &hits, explained, why, evidence }.candidate(facts)
    };
    let found = |made| Found { candidate: candidate(made), cohort: cohort.clone() };
    of_symptom(facts.ground, symptom, &list).into_iter().map(found).collect()
}

fn why(edge: &Edge, symptom: Symptom, (hits, calls): (usize, usize), (requests, all): (usize, usize)) -> String {
    let Edge { client, server, operation, .. } = edge;
    let words = symptom.failure.words();
    let half = if symptom.half == Half::Client { ", as the caller saw it" } else { "" };
    format!(
        "{hits} of {calls} calls of {client} to {server} ({operation}) {words}{half}; {requests} of {all} requests met it"
    )
}

fn evidence(facts: &Facts<'_>, symptom: Symptom, picked: &BTreeSet<u32>) -> Vec<(u32, String)> {
    let sources = picked.iter().flat_map(|&unit| facts.sources_of(unit)).filter(|source| source.symptom == symptom);
    let mut list: Vec<(u32, String)> = Vec::new();
    for source in sources.take(2) {
        list.push((source.span, says(facts, source)));
        let server = facts.ground.call(source.call).map_or(NONE, |call| call.server);
        if server != NONE && server != source.span {
            list.push((server, took(facts, server, "served it in")));
        }
    }
    list
}

fn says(facts: &Facts<'_>, source: &Source) -> String {
    let text = super::failure::text(facts.ground.window, source.span).unwrap_or_default();
    let first_line = text.lines().next().unwrap_or_default();
    let said: String = first_line.chars().filter(|letter| !letter.is_control()).take(120).collect();
    let words = took(facts, source.span, "failed after");
    if said.is_empty() { words } else { format!("{words}: {said}") }
}

fn took(facts: &Facts<'_>, span: u32, did: &str) -> String {
    let window = facts.ground.window;
    let name = window.name.get(span as usize).map_or("", |&name| window.text(name));
    let ms = window.duration_ns(span) as f64 / 1e6;
    format!("{} {name} {did} {ms:.1} ms", facts.ground.service(span))
}

/// Says so where calls were repeated: what is injected must be the trigger only.
fn storm(facts: &Facts<'_>, hits: &BTreeSet<u32>) -> Option<String> {
    let ground = facts.ground;
    let mut attempts: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    for call in hits.iter().filter_map(|&hit| ground.call(hit)).filter(|call| call.client != NONE) {
        *attempts.entry((ground.keys.parent_of(call.client), call.edge)).or_default() += 1;
    }
    let (storms, most) = attempts
        .values()
        .fold((0_usize, 0), |(storms, most), &count| (storms + usize::from(count >= STORM), most.max(count)));
    (storms > 0).then(|| {
        format!("{storms} times {STORM} or more attempts failed, up to {most}: only what triggers them is injected, the retries must be staging's own")
    })
}

/// Names other callers that met the same.
fn elsewhere(facts: &Facts<'_>, symptom: Symptom) -> Option<String> {
    let edge = facts.ground.edge(symptom.edge)?;
    let is_like = |other: Symptom| {
        let same_way = (other.failure, other.half) == (symptom.failure, symptom.half) && other.edge != symptom.edge;
        let same_callee =
            |it: &Edge| it.server == edge.server && it.operation == edge.operation && it.client != edge.client;
        same_way && facts.ground.edge(other.edge).is_some_and(same_callee)
    };
    let all = facts.sources.iter().flat_map(|sources| &sources.at_calls).map(|source| source.symptom);
    let callers = all.filter(|&other| is_like(other)).filter_map(|other| facts.ground.edge(other.edge));
    let callers: BTreeSet<&str> = callers.map(|edge| edge.client.as_str()).collect();
    let names: Vec<&str> = callers.into_iter().collect();
    (!names.is_empty()).then(|| format!("{} met the same at {}", names.join(", "), edge.server))
}
