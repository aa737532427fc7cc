//! `baggage-lost`: what a service handed over beside the trace vanishes at a hop, though the trace goes on.
//!
//! Baggage itself is not recorded. It shows in attributes: a key with the same value in several services of one trace, another
//! value in other traces. A visit that does not show it says nothing by itself; that nothing below it shows it either, where the
//! same operations show it when they are called in another way, does.

mod hops;
mod keys;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::hops::{Hop, Hops};
use super::finding::{Draft, Example, Subject};
use super::headers::Headers;
use super::visits::Visits;
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let visits = Visits::new(case);
    let sightings = keys::sightings(case.window, &visits, &Headers::of(case.window));
    let mut found: BTreeMap<(Symbol, Symbol), Draft> = BTreeMap::new();
    for (key, seen) in sightings {
        let Some(hops) = hops::follow(case.window, &visits, &seen, rule) else { continue };
        for (edge, hop) in hops.lost(rule) {
            let keys = found.entry(edge).or_insert_with(|| draft(case, rule, &visits, (key, &hops), edge, hop));
            add_key(keys, case.window.text(key));
        }
    }
    found.into_values().collect()
}

/// Several keys that are lost at one hop are one finding.
fn add_key(draft: &mut Draft, key: &str) {
    let keys = draft.evidence.entry("keys").or_insert_with(|| json!([]));
    keys.as_array_mut().into_iter().for_each(|keys| keys.push(json!(key)));
}

fn draft(
    case: &Case<'_>,
    rule: &Rule,
    visits: &Visits,
    (key, hops): (Symbol, &Hops),
    (caller, callee): (Symbol, Symbol),
    hop: &Hop,
) -> Draft {
    let window = case.window;
    let side = if hops.is_callers_fault(caller, callee, rule) { caller } else { callee };
    let spans: Vec<u32> = hop.lost.iter().map(|&visit| visits.first[visit as usize]).collect();
    let (from, to, text) = (window.text(caller), window.text(callee), window.text(key));
    let (lost, all) = (hop.lost.len(), hop.lost.len() + hop.kept);
    let before = |span: u32| match case.healed_parent[span as usize] {
        NONE => span,
        parent => parent,
    };
    Draft {
        occurrences: lost as u64,
        out_of: all as u64,
        why: format!("{text} is known in {from} in {all} requests to {to}, and neither {to} nor what it calls has it in {lost} of them"),
        examples: spans.iter().map(|&span| Example { before: before(span), after: span }).take(3).collect(),
        spans,
        ..Draft::new(Subject::Edge(caller, callee), side, rule.confidence)
    }
    .proof("hops", hops.all().map(|(edge, hop)| hop_json(window, edge, hop)).collect::<Value>())
}

fn hop_json(window: &Window, (caller, callee): (Symbol, Symbol), hop: &Hop) -> Value {
    json!({"from": window.text(caller), "to": window.text(callee), "kept": hop.kept, "lost": hop.lost.len()})
}
