//! Makes findings of drafts: puts symptoms under their cause, and the first to fix first.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::case::Case;
use super::finding::{Draft, Example, Finding, Severity, Subject, evidence_of, id_of};
use super::language;
use super::rule::Rule;
use crate::trace::window::Window;

/// A symptom shares at least this much of its spans, or of its traces, with its cause.
const SHARED: f64 = 0.5;
const MAX_EXAMPLES: usize = 3;

/// Returns the findings, the first to fix first.
#[must_use]
pub fn triage(case: &Case<'_>, mut drafts: Vec<(&Rule, Draft)>) -> Vec<Finding> {
    let window = case.window;
    drafts.iter_mut().for_each(|(_, draft)| draft.spans.sort_unstable());
    drafts.sort_by(|left, right| order(window, left, right));
    let causes: Vec<Option<usize>> = (0..drafts.len()).map(|at| cause_of(window, &drafts, at)).collect();
    let mut findings: Vec<Option<Finding>> = Vec::with_capacity(drafts.len());
    for (at, (rule, draft)) in drafts.iter().enumerate() {
        findings.push(causes[at].is_none().then(|| finding(window, rule, draft)));
    }
    for (at, (rule, draft)) in drafts.iter().enumerate() {
        let cause = causes[at].map(|cause| last_cause(&causes, cause));
        if let Some(cause) = cause.and_then(|cause| findings[cause].as_mut()) {
            let symptom = json!({"rule": rule.id, "subject": subject(window, draft.subject), "why": draft.why,
                "occurrences": draft.occurrences, "out_of": draft.out_of});
            let list = cause.evidence.entry("symptoms").or_insert_with(|| json!([]));
            list.as_array_mut().into_iter().for_each(|list| list.push(symptom.clone()));
        }
    }
    findings.into_iter().flatten().collect()
}

fn severity(rule: &Rule, draft: &Draft) -> Severity {
    draft.severity.unwrap_or(rule.severity)
}

/// The worst first; then what is surest and most frequent; then by name.
fn order(window: &Window, left: &(&Rule, Draft), right: &(&Rule, Draft)) -> std::cmp::Ordering {
    let weight = |(_, draft): &(&Rule, Draft)| draft.confidence * draft.occurrences as f64;
    severity(left.0, &left.1)
        .cmp(&severity(right.0, &right.1))
        .then_with(|| weight(right).total_cmp(&weight(left)))
        .then_with(|| left.0.id.cmp(&right.0.id))
        .then_with(|| subject(window, left.1.subject).cmp(&subject(window, right.1.subject)))
}

/// Returns the finding that explains the one at `at`: of a rule that it names, on the same spans or traces.
fn cause_of(window: &Window, drafts: &[(&Rule, Draft)], at: usize) -> Option<usize> {
    let (rule, draft) = &drafts[at];
    let is_cause = |other: &usize| {
        let (cause, by) = &drafts[*other];
        *other != at && rule.symptom_of.contains(&cause.id) && is_shared(window, draft, by)
    };
    (0..drafts.len()).find(is_cause)
}

/// Follows causes to the one that has none itself. Rules that name each other end at the first.
fn last_cause(causes: &[Option<usize>], from: usize) -> usize {
    let (mut at, mut steps) = (from, 0);
    while let Some(next) = causes[at].filter(|_| steps < causes.len()) {
        (at, steps) = (next, steps + 1);
    }
    at
}

fn is_shared(window: &Window, symptom: &Draft, cause: &Draft) -> bool {
    let shared = symptom.spans.iter().filter(|span| cause.spans.binary_search(span).is_ok()).count();
    let traces = |draft: &Draft| draft.spans.iter().map(|&span| window.trace[span as usize]).collect::<BTreeSet<u32>>();
    let (of_symptom, of_cause) = (traces(symptom), traces(cause));
    let shared_traces = of_symptom.intersection(&of_cause).count();
    shared as f64 >= SHARED * symptom.spans.len() as f64 && shared > 0
        || shared_traces as f64 >= SHARED * of_symptom.len() as f64 && shared_traces > 0
}

fn subject(window: &Window, subject: Subject) -> String {
    match subject {
        Subject::Service(service) => window.text(service).to_owned(),
        Subject::Edge(caller, callee) => format!("{} -> {}", window.text(caller), window.text(callee)),
    }
}

fn finding(window: &Window, rule: &Rule, draft: &Draft) -> Finding {
    let subject = subject(window, draft.subject);
    let services = match draft.subject {
        Subject::Service(service) => vec![service],
        Subject::Edge(caller, callee) => vec![caller, callee],
    };
    let start = |span: &u32| window.start_ns[*span as usize];
    Finding {
        id: id_of(rule, &subject),
        rule: rule.id.clone(),
        group: rule.group.clone(),
        severity: severity(rule, draft),
        confidence: (draft.confidence.clamp(0.0, 1.0) * 1e4).round() / 1e4,
        subject,
        services: services.into_iter().map(|service| window.text(service).to_owned()).collect(),
        first_seen_ns: draft.spans.iter().map(start).min().unwrap_or_default(),
        last_seen_ns: draft.spans.iter().map(start).max().unwrap_or_default(),
        occurrences: draft.occurrences,
        out_of: draft.out_of,
        examples: draft.examples.iter().take(MAX_EXAMPLES).map(|example| ids(window, *example)).collect(),
        evidence: evidence(window, rule, draft),
        fix: rule.fix_for(languages(window, draft)),
        traces: traces(window, draft),
    }
}

fn ids(window: &Window, example: Example) -> [(u128, u64); 2] {
    [example.before, example.after].map(|span| (window.trace_id(span), window.span_id[span as usize]))
}

fn evidence(window: &Window, rule: &Rule, draft: &Draft) -> Map<String, Value> {
    let mut evidence = evidence_of(rule, window.text(draft.side));
    evidence.insert("why".to_owned(), json!(draft.why));
    evidence.extend(draft.evidence.clone());
    evidence
}

/// The languages of the side that has to change, so that the fix is theirs.
fn languages<'w>(window: &'w Window, draft: &Draft) -> BTreeSet<&'w str> {
    let of_side = window.resources.iter().filter(|resource| resource.service == draft.side);
    let said = of_side.map(|resource| window.text(resource.language));
    let spans = draft.spans.iter().filter(|&&span| window.service(span) == draft.side);
    let told = spans.map(|&span| language::of(window, span));
    said.chain(told).filter(|language| !language.is_empty()).collect()
}

fn traces(window: &Window, draft: &Draft) -> Vec<u128> {
    let traces: BTreeSet<u128> = draft.spans.iter().map(|&span| window.trace_id(span)).collect();
    traces.into_iter().collect()
}
