//! `conflicting-context-headers`: requests that carry two contexts which disagree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::headers::{Context, Headers};
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

#[derive(Debug, Default)]
struct Conflicts {
    spans: Vec<u32>,
    /// Format to how often the server took it over.
    adopted: BTreeMap<&'static str, u64>,
    formats: BTreeSet<&'static str>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let headers = Headers::of(window);
    if headers.is_empty() {
        return Vec::new();
    }
    let mut found: BTreeMap<(Option<Symbol>, Symbol), (u64, Conflicts)> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.is_entry(span)) {
        let contexts: Vec<Context> = headers.contexts(window, span).into_iter().filter(Context::has_ids).collect();
        let (all, conflicts) = found.entry((caller(case, span), window.service(span))).or_default();
        *all += u64::from(!contexts.is_empty());
        if disagree(&contexts) || has_two_parents(&headers, window, span) {
            conflicts.add(window, span, &contexts);
        }
    }
    found.retain(|_, (_, conflicts)| conflicts.spans.len() as u64 >= rule.count("min_requests").max(1));
    found.into_iter().map(|((caller, service), (all, conflicts))| conflicts.draft(case, rule, (caller, service), all)).collect()
}

fn caller(case: &Case<'_>, span: u32) -> Option<Symbol> {
    let parent = case.healed_parent[span as usize];
    (parent != NONE).then(|| case.window.service(parent)).filter(|&caller| caller != case.window.service(span))
}

/// Low halves are compared: some formats have no more.
fn disagree(contexts: &[Context]) -> bool {
    let id = |context: &Context| (context.trace_id as u64, context.span_id);
    contexts.windows(2).any(|pair| id(&pair[0]) != id(&pair[1]))
}

/// A header that came twice is joined by a comma.
fn has_two_parents(headers: &Headers, window: &Window, span: u32) -> bool {
    let value = headers.get(window, span, "traceparent").unwrap_or_default();
    let mut values = value.split(',').map(str::trim).filter(|value| !value.is_empty());
    let first = values.next();
    values.any(|value| Some(value) != first)
}

impl Conflicts {
    fn add(&mut self, window: &Window, span: u32, contexts: &[Context]) {
        self.spans.push(span);
        self.formats.extend(contexts.iter().map(|context| context.format.name()));
        let parent = window.parent_span_id[span as usize];
        let adopted = contexts.iter().find(|context| context.is_of(window.trace_id(span)) && context.span_id == parent);
        *self.adopted.entry(adopted.map_or("none", |context| context.format.name())).or_default() += 1;
    }

    fn draft(self, case: &Case<'_>, rule: &Rule, (caller, service): (Option<Symbol>, Symbol), all: u64) -> Draft {
        let window = case.window;
        let (name, count) = (window.text(service), self.spans.len() as u64);
        let formats: Vec<&str> = self.formats.iter().copied().collect();
        let parent = |span: u32| Some(case.healed_parent[span as usize]).filter(|&parent| parent != NONE);
        let subject = caller.map_or(Subject::Service(service), |caller| Subject::Edge(caller, service));
        Draft {
            occurrences: count,
            out_of: all.max(count),
            why: format!("{count} of {all} requests to {name} carry contexts that disagree ({})", formats.join(", ")),
            examples: self.spans.iter().map(|&span| Example { before: parent(span).unwrap_or(span), after: span }).take(3).collect(),
            spans: self.spans,
            ..Draft::new(subject, caller.unwrap_or(service), rule.confidence)
        }
        .proof("formats", json!(formats))
        .proof("adopted", json!(self.adopted))
    }
}
