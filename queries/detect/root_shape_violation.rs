//! `root-shape-violation`: traces that begin with a client or producer span.

use std::collections::BTreeMap;

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

/// SDKs of browsers and phones: their traces begin with a call by right.
const BEGIN_WITH_CALLS: [&str; 3] = ["webjs", "swift", "android"];

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut exits: BTreeMap<Symbol, (u64, Vec<u32>)> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.is_exit(span)) {
        let (all, roots) = exits.entry(window.service(span)).or_default();
        *all += 1;
        if window.is_root(span) {
            roots.push(span);
        }
    }
    exits.into_iter().filter_map(|(service, (all, roots))| draft(window, rule, service, all, roots)).collect()
}

fn draft(window: &Window, rule: &Rule, service: Symbol, all: u64, roots: Vec<u32>) -> Option<Draft> {
    let count = roots.len() as u64;
    let begins = |span: &u32| BEGIN_WITH_CALLS.contains(&window.text(window.resource_of(*span).language));
    if count < rule.count("min_roots") || (count as f64) < rule.threshold("min_share") * all as f64 || roots.iter().any(begins) {
        return None;
    }
    let name = window.text(service);
    Some(Draft {
        occurrences: count,
        out_of: all,
        why: format!("{count} of {all} calls of {name} begin a trace of their own"),
        examples: roots.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
        spans: roots,
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    })
}
