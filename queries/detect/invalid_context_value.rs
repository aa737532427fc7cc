//! `invalid-context-value`: captured contexts that break the grammar, and ids that no span may have.

mod grammar;

use std::collections::BTreeMap;

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::headers::Headers;
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

#[derive(Debug, Default)]
struct Broken {
    spans: Vec<u32>,
    /// What is wrong to how often, and a value that shows it.
    kinds: BTreeMap<&'static str, (u64, String)>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let headers = Headers::of(window);
    let mut found: BTreeMap<(Option<Symbol>, Symbol), Broken> = BTreeMap::new();
    for span in window.spans() {
        let in_header = headers.all(window, span).find_map(|(name, value)| Some((grammar::fault(name, value)?, format!("{name}: {value}"))));
        if let Some((what, value)) = in_header {
            found.entry((caller(case, span), window.service(span))).or_default().add(span, what, &value);
        }
        if let Some((what, value)) = ids(window, span) {
            found.entry((None, window.service(span))).or_default().add(span, what, &value);
        }
    }
    found.retain(|_, broken| broken.spans.len() as u64 >= rule.count("min_spans").max(1));
    found.into_iter().map(|((caller, service), broken)| broken.draft(window, rule, caller, service)).collect()
}

/// The service that sent the request, where it is known.
fn caller(case: &Case<'_>, span: u32) -> Option<Symbol> {
    let parent = case.healed_parent[span as usize];
    (parent != NONE).then(|| case.window.service(parent)).filter(|&caller| caller != case.window.service(span))
}

/// What is wrong with the ids of a span itself.
fn ids(window: &Window, span: u32) -> Option<(&'static str, String)> {
    let (at, trace_id) = (span as usize, window.trace_id(span));
    let what = if trace_id == 0 {
        "the trace id is zero"
    } else if window.span_id[at] == 0 {
        "the span id is zero"
    } else if window.span_id[at] == window.parent_span_id[at] {
        "the span is its own parent"
    } else {
        return None;
    };
    Some((what, format!("{trace_id:032x}-{:016x}", window.span_id[at])))
}

impl Broken {
    fn add(&mut self, span: u32, what: &'static str, value: &str) {
        if self.spans.last() != Some(&span) {
            self.spans.push(span);
        }
        self.kinds.entry(what).or_insert_with(|| (0, visible(value))).0 += 1;
    }

    fn draft(self, window: &Window, rule: &Rule, caller: Option<Symbol>, service: Symbol) -> Draft {
        let (name, count) = (window.text(service), self.spans.len() as u64);
        let from = caller.map_or_else(|| "its callers".to_owned(), |caller| window.text(caller).to_owned());
        let most = self.kinds.iter().max_by_key(|(_, kind)| kind.0).map_or("", |(what, _)| what);
        let kinds: BTreeMap<&str, serde_json::Value> =
            self.kinds.iter().map(|(&what, (count, value))| (what, json!({"count": count, "value": value}))).collect();
        let subject = caller.map_or(Subject::Service(service), |caller| Subject::Edge(caller, service));
        Draft {
            occurrences: count,
            out_of: count,
            why: format!("{count} requests that {name} got from {from} carry a context that must be ignored: {most}"),
            examples: self.spans.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
            spans: self.spans,
            ..Draft::new(subject, caller.unwrap_or(service), rule.confidence)
        }
        .proof("kinds", json!(kinds))
    }
}

/// Makes bytes visible that a terminal would not show, and keeps it short.
fn visible(value: &str) -> String {
    value.chars().take(200).flat_map(|letter| if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }).collect()
}
