//! `ratio-sampler-torn`: services decide by the trace id, each in its own way, and tear traces apart.

mod consistent;
mod ways;

use std::collections::BTreeMap;

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

use self::ways::Way;

/// What is known of the requests that go from one service to another, by trace.
#[derive(Debug, Default)]
struct Requests {
    /// Calls and callees that are linked.
    both: Vec<u32>,
    /// Calls of traces in which the callee recorded nothing.
    caller_only: Vec<u32>,
    /// Callees of traces in which the caller recorded nothing.
    callee_only: Vec<u32>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let mut drafts = consistent::violations(case.window, rule);
    for (edge, requests) in requests(case) {
        drafts.extend(requests.draft(case.window, rule, edge));
    }
    drafts
}

fn requests(case: &Case<'_>) -> BTreeMap<(Symbol, Symbol), Requests> {
    let window = case.window;
    let mut edges: BTreeMap<(Symbol, Symbol), Requests> = BTreeMap::new();
    for (&edge, known) in &case.edges.edges {
        let requests = edges.entry(edge).or_default();
        requests.both.extend(known.linked.iter().map(|&child| window.parent[child as usize]).filter(|&parent| parent != NONE));
        requests.caller_only.extend(&known.unserved);
        let of_callee = case.edges.services.get(&edge.1);
        requests.callee_only.extend(of_callee.into_iter().flat_map(|service| service.orphans.iter().copied()));
    }
    edges.retain(|_, requests| !requests.caller_only.is_empty() && !requests.callee_only.is_empty());
    edges
}

impl Requests {
    fn draft(&self, window: &Window, rule: &Rule, (caller, callee): (Symbol, Symbol)) -> Option<Draft> {
        let [both, first, second] = [&self.both, &self.caller_only, &self.callee_only].map(|spans| traces(window, spans));
        let all = both.len() + first.len() + second.len();
        let share = |one: &[u128]| both.len() as f64 / (both.len() + one.len()).max(1) as f64;
        let max = rule.threshold("max_together");
        if (all as u64) < rule.count("min_traces") || share(&first) >= max || share(&second) >= max {
            return None;
        }
        let (of_caller, of_callee) = (Way::of(&[&both, &first], &[&second]), Way::of(&[&both, &second], &[&first]));
        let min = rule.threshold("min_order");
        if of_caller.order < min || of_callee.order < min || of_caller.way == of_callee.way {
            return None;
        }
        let (from, to, torn) = (window.text(caller), window.text(callee), first.len() + second.len());
        let mut spans: Vec<u32> = self.caller_only.iter().chain(&self.callee_only).copied().collect();
        spans.sort_unstable();
        let why = format!("{torn} of {all} requests of {from} to {to} are recorded on one side only: each samples by other bits of the trace id");
        let draft = Draft {
            occurrences: torn as u64,
            out_of: all as u64,
            why,
            examples: spans.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
            spans,
            ..Draft::new(Subject::Edge(caller, callee), callee, rule.confidence)
        };
        Some(draft.proof("caller_samples_by", of_caller.way.name()).proof("callee_samples_by", of_callee.way.name()))
    }
}

fn traces(window: &Window, spans: &[u32]) -> Vec<u128> {
    let mut traces: Vec<u128> = spans.iter().map(|&span| window.trace_id(span)).collect();
    traces.sort_unstable();
    traces.dedup();
    traces
}
