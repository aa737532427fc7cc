//! `parent-decision-ignored`: a service records requests that its caller decided not to.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;
use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::headers::Headers;
use super::loss::{self, is_parent_local};
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

const SAMPLED: u32 = 1;

/// What arrives in a service from others.
#[derive(Debug, Default)]
struct Arrived {
    /// Entries whose caller's span is there.
    linked: u64,
    callers: BTreeMap<Symbol, u64>,
    /// Entries whose caller's span is not.
    orphans: Vec<u32>,
    /// Recorded although the captured header says not to.
    against: Vec<u32>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut services = arrived(case);
    services.retain(|_, arrived| !arrived.orphans.is_empty() || !arrived.against.is_empty());
    if services.is_empty() {
        return Vec::new();
    }
    let lossy: BTreeSet<Symbol> = loss::infer(case, rule).into_keys().collect();
    let presence: HashSet<(u32, Symbol)> =
        window.spans().map(|span| (window.trace[span as usize], window.service(span))).collect();
    services.into_iter().filter_map(|(service, arrived)| arrived.draft(case, rule, service, &lossy, &presence)).collect()
}

fn arrived(case: &Case<'_>) -> BTreeMap<Symbol, Arrived> {
    let window = case.window;
    let headers = Headers::of(window);
    let mut services: BTreeMap<Symbol, Arrived> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.is_entry(span) && !window.is_root(span)) {
        let arrived = services.entry(window.service(span)).or_default();
        let parent = window.parent[span as usize];
        if parent == NONE && !is_parent_local(window, span) {
            arrived.orphans.push(span);
        } else if parent != NONE && window.service(parent) != window.service(span) {
            arrived.linked += 1;
            *arrived.callers.entry(window.service(parent)).or_default() += 1;
        }
        if is_against(window, &headers, span) {
            arrived.against.push(span);
        }
    }
    services
}

/// Tells whether the span says that it is sampled, and the header that its caller is not. Exporters may leave the bit of the span
/// empty: that is no decision.
fn is_against(window: &Window, headers: &Headers, span: u32) -> bool {
    let contexts = headers.contexts(window, span);
    let of_caller = contexts.iter().find(|context| context.is_of(window.trace_id(span)));
    window.flags[span as usize] & SAMPLED != 0 && of_caller.is_some_and(|context| context.sampled == Some(false))
}

impl Arrived {
    fn draft(
        self,
        case: &Case<'_>,
        rule: &Rule,
        service: Symbol,
        lossy: &BTreeSet<Symbol>,
        presence: &HashSet<(u32, Symbol)>,
    ) -> Option<Draft> {
        let window = case.window;
        let is_proven = self.against.len() as u64 >= rule.count("min_against").max(1);
        let min_orphans = rule.count("min_orphans").max(1);
        let all = self.orphans.len() as u64 + self.linked;
        let share = self.orphans.len() as f64 / all.max(1) as f64;
        let is_torn = self.orphans.len() as u64 >= min_orphans
            && (rule.threshold("min_share")..=rule.threshold("max_share")).contains(&share)
            && !self.callers.keys().any(|caller| lossy.contains(caller))
            && self.is_whole_traces(window, rule, presence);
        if !is_proven && !is_torn {
            return None;
        }
        let caller = self.callers.iter().max_by_key(|&(_, count)| *count).map(|(&caller, _)| caller);
        let (name, spans) = (window.text(service), if is_torn { self.orphans } else { self.against.clone() });
        let count = spans.len() as u64;
        let confidence = if is_proven { rule.confidence } else { rule.threshold("confidence_by_absence") };
        let subject = caller.map_or(Subject::Service(service), |caller| Subject::Edge(caller, service));
        let from = caller.map_or("its callers", |caller| window.text(caller));
        let draft = Draft {
            occurrences: count,
            out_of: all.max(count),
            why: format!("{name} recorded {count} of {all} requests of which {from} recorded nothing at all"),
            examples: spans.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
            spans,
            ..Draft::new(subject, service, confidence)
        };
        let share = (share * 1000.0).round() / 1000.0;
        Some(draft.proof("not_sampled_by_caller", json!({"by_header": self.against.len(), "share_without_caller": share})))
    }

    /// Samplers leave out whole requests: of callers that did not sample, the trace has no span. Lost spans and hidden hops leave
    /// others of theirs.
    fn is_whole_traces(&self, window: &Window, rule: &Rule, presence: &HashSet<(u32, Symbol)>) -> bool {
        let is_absent = |&&span: &&u32| {
            let trace = window.trace[span as usize];
            !self.callers.keys().any(|&caller| presence.contains(&(trace, caller)))
        };
        let absent = self.orphans.iter().filter(is_absent).count();
        !self.callers.is_empty() && absent as f64 >= rule.threshold("min_whole") * self.orphans.len() as f64
    }
}
