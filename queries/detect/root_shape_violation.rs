//! `root-shape-violation`: traces that begin with a client or producer span, or more than once.

use std::collections::BTreeMap;

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

/// SDKs of browsers and phones: their traces begin with a call by right.
const BEGIN_WITH_CALLS: [&str; 3] = ["webjs", "swift", "android"];

/// The roots of a service that are no good beginning.
#[derive(Debug, Default)]
struct Roots {
    /// Calls and messages that the service sent.
    exits: u64,
    /// Of those, roots.
    root_exits: Vec<u32>,
    /// All spans of the service.
    spans: u64,
    /// Roots in a trace that has begun before, and the root that it began with.
    later: Vec<(u32, u32)>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut services: BTreeMap<Symbol, Roots> = BTreeMap::new();
    let mut first: Vec<Option<u32>> = vec![None; window.traces.len()];
    for span in window.spans() {
        let roots = services.entry(window.service(span)).or_default();
        roots.spans += 1;
        roots.exits += u64::from(window.is_exit(span));
        if window.is_root(span) {
            let first = *first[window.trace[span as usize] as usize].get_or_insert(span);
            roots.add(window, span, first);
        }
    }
    services.into_iter().filter_map(|(service, roots)| roots.drafts(window, rule, service)).collect()
}

impl Roots {
    fn add(&mut self, window: &Window, root: u32, first: u32) {
        if first != root {
            self.later.push((first, root));
        } else if window.is_exit(root) {
            self.root_exits.push(root);
        }
    }

    /// One finding a service: what it begins with calls, or else what it begins again.
    fn drafts(self, window: &Window, rule: &Rule, service: Symbol) -> Option<Draft> {
        let is_much = |count: usize, all: u64| {
            count as u64 >= rule.count("min_roots").max(1) && count as f64 >= rule.threshold("min_share") * all as f64
        };
        let begins = |span: &u32| BEGIN_WITH_CALLS.contains(&window.text(window.resource_of(*span).language));
        let by_right = self.root_exits.iter().any(begins);
        let name = window.text(service);
        if is_much(self.root_exits.len(), self.exits) && !by_right {
            let why = format!("{} of {} calls of {name} begin a trace of their own", self.root_exits.len(), self.exits);
            let pairs: Vec<(u32, u32)> = self.root_exits.iter().map(|&root| (root, root)).collect();
            let draft = draft(rule, service, &pairs, self.exits, why);
            return Some(draft.proof("roots", json!({"calls": self.root_exits.len(), "later_in_a_trace": self.later.len()})));
        }
        if !is_much(self.later.len(), self.spans) {
            return None;
        }
        let why = format!("{} spans of {name} have no parent, though their trace has begun before", self.later.len());
        let draft = draft(rule, service, &self.later, self.spans, why);
        Some(draft.proof("roots", json!({"calls": self.root_exits.len(), "later_in_a_trace": self.later.len()})))
    }
}

/// `pairs`: the root that a trace began with, and the one that is wrong.
fn draft(rule: &Rule, service: Symbol, pairs: &[(u32, u32)], all: u64, why: String) -> Draft {
    Draft {
        occurrences: pairs.len() as u64,
        out_of: all,
        why,
        examples: pairs.iter().map(|&(before, after)| Example { before, after }).take(3).collect(),
        spans: pairs.iter().map(|&(_, after)| after).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    }
}
