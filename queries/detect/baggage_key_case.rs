//! `baggage-key-case`: one key of baggage in several spellings, so that lookups fail in some services.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

/// (trace, spelling, value, span): where a key of which there are several spellings stands.
type Sighting = (u32, Symbol, Symbol, u32);

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut drafts = Vec::new();
    for (folded, mut sightings) in spellings(window) {
        sightings.sort_by_key(|&(trace, spelling, value, span)| (trace, value, span, spelling));
        let mut edges: BTreeMap<(Symbol, Symbol), Vec<(u32, u32)>> = BTreeMap::new();
        for of_trace in sightings.chunk_by(|left, right| (left.0, left.2) == (right.0, right.2)) {
            if let Some((before, after)) = flip(window, of_trace) {
                edges.entry((window.service(before), window.service(after))).or_default().push((before, after));
            }
        }
        edges.retain(|_, flips| flips.len() as u64 >= rule.count("min_traces").max(1));
        let traces = sightings.iter().map(|one| one.0).collect::<BTreeSet<u32>>().len();
        let spelled = by_service(window, &sightings);
        let of_key = |((from, to), flips)| draft(window, rule, &folded, (from, to), flips, traces).proof("spellings", spelled.clone());
        drafts.extend(edges.into_iter().map(of_key));
    }
    drafts
}

/// Keys that are met in several spellings, by the spelling in lower case.
fn spellings(window: &Window) -> BTreeMap<String, Vec<Sighting>> {
    let mut keys: BTreeSet<Symbol> = BTreeSet::new();
    for span in window.spans() {
        keys.extend(window.attributes(span).iter().map(|&(key, _)| key));
    }
    let mut folded: BTreeMap<String, Vec<Symbol>> = BTreeMap::new();
    for key in keys {
        folded.entry(window.text(key).to_lowercase()).or_default().push(key);
    }
    folded.retain(|_, keys| keys.len() > 1);
    let of_key: BTreeMap<Symbol, &String> =
        folded.iter().flat_map(|(name, keys)| keys.iter().map(move |&key| (key, name))).collect();
    let mut found: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
    if of_key.is_empty() {
        return found;
    }
    for span in window.spans() {
        for &(key, value) in window.attributes(span) {
            if let Some(&name) = of_key.get(&key) {
                found.entry(name.clone()).or_default().push((window.trace[span as usize], key, value, span));
            }
        }
    }
    found
}

/// Returns where the spelling changes in a trace between two services: the last span before and the first after. `sightings`
/// have one trace and one value, by start.
fn flip(window: &Window, sightings: &[Sighting]) -> Option<(u32, u32)> {
    let pairs = sightings.windows(2).filter_map(|pair| match pair {
        [(_, one, _, before), (_, other, _, after)] => (one != other).then_some((*before, *after)),
        _ => None,
    });
    pairs.into_iter().find(|&(before, after)| window.service(before) != window.service(after))
}

fn by_service(window: &Window, sightings: &[Sighting]) -> Value {
    let mut services: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for &(_, spelling, _, span) in sightings {
        services.entry(window.text(window.service(span))).or_default().insert(window.text(spelling));
    }
    json!(services)
}

fn draft(
    window: &Window,
    rule: &Rule,
    key: &str,
    (from, to): (Symbol, Symbol),
    flips: Vec<(u32, u32)>,
    traces: usize,
) -> Draft {
    let count = flips.len() as u64;
    let why = format!(
        "{key} is spelled differently in {} than in {} in {count} traces, with the same value",
        window.text(from),
        window.text(to)
    );
    let parent = |span: u32| Some(window.parent[span as usize]).filter(|&parent| parent != NONE);
    Draft {
        occurrences: count,
        out_of: traces as u64,
        why,
        examples: flips.iter().map(|&(before, after)| Example { before: parent(after).unwrap_or(before), after }).take(3).collect(),
        spans: flips.into_iter().map(|(_, after)| after).collect(),
        ..Draft::new(Subject::Edge(from, to), to, rule.confidence)
    }
    .proof("key", key)
}
