//! `telemetry-loss`: spans were dropped between the service and here, which imitates broken propagation.

mod counters;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use serde_json::{Map, Value, json};

use super::finding::{Draft, Example, Subject};
use super::loss::{self, Lost};
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let inferred = loss::infer(case, rule);
    let counted = counters::counted(window, rule);
    let services: BTreeSet<Symbol> = inferred.keys().chain(counted.keys()).copied().collect();
    let dangling = if services.is_empty() { BTreeMap::new() } else { dangling_logs(window) };
    let draft = |service| draft(window, rule, service, (inferred.get(&service), counted.get(&service)), &dangling);
    services.into_iter().map(draft).collect()
}

fn draft(
    window: &Window,
    rule: &Rule,
    service: Symbol,
    (lost, counted): (Option<&Lost>, Option<&BTreeMap<String, u64>>),
    dangling: &BTreeMap<Symbol, u64>,
) -> Draft {
    let logs = dangling.get(&service).copied().unwrap_or(0);
    let confidence = match counted {
        Some(_) => rule.confidence,
        None if logs >= rule.count("min_logs").max(1) => rule.threshold("confidence_with_logs"),
        None => rule.threshold("confidence_inferred"),
    };
    let mut draft = Draft::new(Subject::Service(service), service, confidence);
    let name = window.text(service);
    let mut said = Vec::new();
    if let Some(lost) = lost {
        said.push(say(&mut draft, window, name, lost));
    }
    if let Some(counted) = counted {
        let total: u64 = counted.values().sum();
        draft.occurrences = draft.occurrences.max(total);
        draft.out_of = draft.out_of.max(total);
        said.push(format!("{total} spans of {name} were dropped by its own or its Collector's count"));
        draft = draft.proof("counters", json!(counted));
    }
    draft.why = said.join("; ");
    draft.proof("logs_of_missing_spans", logs)
}

/// Fills in what orphans tell; returns it as a sentence.
fn say(draft: &mut Draft, window: &Window, name: &str, lost: &Lost) -> String {
    let mut spans: Vec<u32> = lost.local.iter().chain(&lost.remote).copied().collect();
    spans.sort_unstable();
    draft.occurrences = spans.len() as u64;
    draft.out_of = spans.len() as u64 + lost.known_parents as u64;
    draft.examples = lost.local.iter().map(|&span| Example { before: span, after: span }).take(3).collect();
    draft.evidence.extend(proof(window, lost));
    let (all, inside) = (spans.len(), lost.local.len());
    draft.spans = spans;
    format!(
        "{} spans of {name} are missing that {all} others name as their parent, {inside} of these in {name} itself: about {} spans, {:.0} %, were lost",
        lost.parents,
        lost.estimate(),
        100.0 * lost.share()
    )
}

fn proof(window: &Window, lost: &Lost) -> Map<String, Value> {
    let mut elsewhere: BTreeMap<&str, u64> = BTreeMap::new();
    for &span in &lost.remote {
        *elsewhere.entry(window.text(window.service(span))).or_default() += 1;
    }
    let trace = |&span: &u32| window.trace[span as usize];
    let traces = lost.local.iter().chain(&lost.remote).map(trace).collect::<BTreeSet<u32>>().len();
    let share = (lost.share() * 1000.0).round() / 1000.0;
    let proof = json!({"missing_parents": lost.parents, "orphans_inside": lost.local.len(), "orphans_elsewhere": elsewhere,
        "traces": traces, "share": share, "estimated_lost": lost.estimate()});
    proof.as_object().cloned().unwrap_or_default()
}

/// Log records that name a span which never came, by service.
fn dangling_logs(window: &Window) -> BTreeMap<Symbol, u64> {
    let traces: HashMap<u128, u32> = window.traces.iter().copied().zip(0..).collect();
    let known: HashSet<(u32, u64)> =
        window.spans().map(|span| (window.trace[span as usize], window.span_id[span as usize])).collect();
    let mut services: BTreeMap<Symbol, u64> = BTreeMap::new();
    let logs = &window.logs;
    for (at, &span_id) in logs.span_id.iter().enumerate().filter(|&(_, &span_id)| span_id != 0) {
        let Some(&trace) = traces.get(&logs.trace_id[at]) else { continue };
        if !known.contains(&(trace, span_id)) {
            let service = window.resources.get(logs.resource[at] as usize).map(|resource| resource.service);
            *services.entry(service.unwrap_or_default()).or_default() += 1;
        }
    }
    services
}
