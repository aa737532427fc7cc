//! Candidates for requests that failed.

use std::collections::{BTreeMap, BTreeSet};

use super::candidate::{Found, Parts};
use super::cohort::Facts;
use super::deep::slowest;
use super::errors::{Half, Source, Symptom};
use super::failure::Failure;
use super::faults::{Made, durations, of_symptom, said_timeout, stall};
use super::ground::Edge;
use super::latency::{Place, Side, Usual, of_call};
use super::magnitude::{median, timeout};
use crate::replay::edge::Class;
use crate::replay::fault;
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
    let hits = facts.calls_with(symptom);
    let cohort = facts.by_symptom(kind, symptom, usual);
    let (harm, harmless) = harm(facts, symptom, kind, usual);
    let notes: Vec<String> = [storm(facts, &hits), elsewhere(facts, symptom), harmless].into_iter().flatten().collect();
    let evidence = evidence(facts, symptom, picked);
    let found = |(number, hits, mut made): At| {
        made.notes.extend(notes.iter().cloned());
        let (edge, calls) = (facts.ground.edge(number)?, facts.calls_of(number));
        let why = why(facts, symptom, (cohort.incident.len(), kind.len()));
        let (explained, evidence) = (explained * harm, evidence.clone());
        let parts = Parts { class: Class::Error, edge, made, calls: &calls, hits: &hits, explained, why, evidence };
        Some(Found { candidate: parts.candidate(facts), cohort: cohort.clone() })
    };
    faults(facts, symptom, &hits).into_iter().filter_map(found).collect()
}

/// A fault, the edge that it is put at, and the calls there that were hit.
type At = (u32, BTreeSet<u32>, Made);

/// Returns the faults that explain a symptom: of whom the callee waited for, then where it showed.
fn faults(facts: &Facts<'_>, symptom: Symptom, hits: &BTreeSet<u32>) -> Vec<At> {
    let list: Vec<u32> = hits.iter().copied().collect();
    let mut all: Vec<At> = below(facts, symptom, hits).into_iter().collect();
    let weight = if all.is_empty() { 1.0 } else { 0.5 };
    let here = of_symptom(facts.ground, symptom, &list).into_iter();
    all.extend(here.map(|made| (symptom.edge, hits.clone(), Made { certainty: made.certainty * weight, ..made })));
    all
}

/// Where callers gave up on a callee that itself waited for another: the delay of that one, on the edge that most lead to.
fn below(facts: &Facts<'_>, symptom: Symptom, hits: &BTreeSet<u32>) -> Option<At> {
    if (symptom.failure, symptom.half) != (Failure::TimedOut, Half::Client) {
        return None;
    }
    let ground = facts.ground;
    let mut places: BTreeMap<Place, BTreeSet<u32>> = BTreeMap::new();
    for (number, side) in hits.iter().filter_map(|&hit| slowest(ground, hit)) {
        let edge = ground.call(number).map_or(NONE, |call| call.edge);
        places.entry((edge, side)).or_default().insert(number);
    }
    let ((number, side), calls) = places.into_iter().rev().max_by_key(|(_, calls)| calls.len())?;
    let edge = ground.edge(number).filter(|edge| number != symptom.edge && !edge.is_message())?;
    let waited = durations(ground, hits.iter().filter_map(|&hit| Some(ground.call(hit)?.client)));
    let took: Vec<f64> = calls.iter().filter_map(|&call| of_call(ground, ground.call(call)?, side)).collect();
    let floor = timeout(&waited).unwrap_or_else(|| median(&mut waited.clone()));
    let place = if side == Side::Inside { fault::Place::Response } else { fault::Place::Request };
    let made = stall(edge, place, &took, floor).note(said_timeout(timeout(&waited)));
    let enough = calls.len() * 2 > hits.len();
    enough.then(|| (number, calls, Made { certainty: 0.85, ..made }.note("their callee waited for this one")))
}

/// Returns how far requests with a symptom ended worse than others, 0.3 to 1, and says so where they did not.
fn harm(facts: &Facts<'_>, symptom: Symptom, kind: &[u32], usual: Option<Usual>) -> (f64, Option<String>) {
    let shows = |unit: u32| facts.sources_of(unit).iter().any(|source| source.symptom == symptom);
    let is_bad =
        |unit: u32| facts.root_failed(unit) || usual.is_some_and(|usual| facts.duration_ms(unit) > usual.limit_ms);
    let share = |with: bool| {
        let of = kind.iter().filter(|&&unit| shows(unit) == with);
        let (bad, all) = of.fold((0.0, 0.0), |(bad, all), &unit| (bad + f64::from(u8::from(is_bad(unit))), all + 1.0));
        (all > 0.0).then(|| bad / all)
    };
    match (share(true), share(false)) {
        (Some(with), Some(without)) if with <= without => {
            (0.3, Some("requests that met it did not end worse than others".to_owned()))
        }
        _ => (1.0, None),
    }
}

fn why(facts: &Facts<'_>, symptom: Symptom, (requests, all): (usize, usize)) -> String {
    let Some(Edge { client, server, operation, .. }) = facts.ground.edge(symptom.edge) else { return String::new() };
    let (hits, calls) = (facts.calls_with(symptom).len(), facts.calls_of(symptom.edge).len());
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
