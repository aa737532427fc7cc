//! `id-generator-faulty`: ids that collide, or are not random.

mod random;

use std::collections::BTreeMap;

use serde_json::json;

use super::finding::{Draft, Example, Severity, Subject};
use super::{Case, Rule};
use crate::trace::window::{Role, Symbol, Window};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut drafts = collisions(window, rule);
    drafts.extend(reused(window, rule));
    drafts.extend(random::biased(window, rule));
    drafts
}

/// Spans with one id in one trace that are not the same span. Exact copies are gone already: they were delivered twice.
fn collisions(window: &Window, rule: &Rule) -> Vec<Draft> {
    let mut ids: Vec<(u32, u64, u32)> =
        window.spans().map(|span| (window.trace[span as usize], window.span_id[span as usize], span)).collect();
    ids.sort_unstable();
    let mut shared: BTreeMap<Symbol, Vec<(u32, u32)>> = BTreeMap::new();
    let mut collided: BTreeMap<Symbol, Vec<(u32, u32)>> = BTreeMap::new();
    for same in ids.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)).filter(|same| same.len() > 1) {
        let (first, last) = (same[0].2, same[same.len() - 1].2);
        if !is_another(window, first, last) {
            continue;
        }
        let found = if is_shared_span(window, same) { &mut shared } else { &mut collided };
        found.entry(window.service(last)).or_default().push((first, last));
    }
    let min = rule.count("min_collisions").max(1) as usize;
    let enough = |found: BTreeMap<Symbol, Vec<(u32, u32)>>| found.into_iter().filter(move |(_, pairs)| pairs.len() >= min);
    let mut drafts: Vec<Draft> = enough(collided).map(|(service, pairs)| {
        let why = format!("{} span ids of {} stand for two different spans of one trace", pairs.len(), window.text(service));
        pairs_draft(rule, service, &pairs, why).proof("kind", "collision")
    }).collect();
    drafts.extend(enough(shared).map(|(service, pairs)| {
        let why = format!("{} server spans of {} share the id of the call, as Zipkin's tracers do", pairs.len(), window.text(service));
        Draft { severity: Some(Severity::Info), ..pairs_draft(rule, service, &pairs, why) }.proof("kind", "zipkin-shared-span")
    }));
    drafts
}

/// A span that was sent again when it was longer, or with more attributes, is still the same.
fn is_another(window: &Window, one: u32, other: u32) -> bool {
    let what = |span: u32| (window.instance(span), window.name[span as usize], window.start_ns[span as usize]);
    what(one) != what(other)
}

fn is_shared_span(window: &Window, same: &[(u32, u64, u32)]) -> bool {
    let count = |role: Role| same.iter().filter(|&&(_, _, span)| window.role[span as usize] == role).count();
    same.len() == 2 && count(Role::Client) == 1 && count(Role::Server) == 1
}

fn pairs_draft(rule: &Rule, service: Symbol, pairs: &[(u32, u32)], why: String) -> Draft {
    Draft {
        occurrences: pairs.len() as u64,
        out_of: pairs.len() as u64,
        why,
        examples: pairs.iter().map(|&(before, after)| Example { before, after }).take(3).collect(),
        spans: pairs.iter().map(|&(_, after)| after).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    }
}

/// Traces that begin a second time long after they began.
fn reused(window: &Window, rule: &Rule) -> Vec<Draft> {
    let mut first_roots: Vec<Option<u32>> = vec![None; window.traces.len()];
    let mut again: BTreeMap<Symbol, Vec<(u32, u32)>> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.is_root(span)) {
        let Some(first) = first_roots.get_mut(window.trace[span as usize] as usize) else { continue };
        let first = *first.get_or_insert(span);
        let gap = window.start_ns[span as usize].saturating_sub(window.start_ns[first as usize]);
        if gap as f64 > rule.threshold("max_gap_hours") * 3.6e12 {
            again.entry(window.service(span)).or_default().push((first, span));
        }
    }
    again.retain(|_, pairs| pairs.len() as u64 >= rule.count("min_collisions").max(1));
    let draft = |(service, pairs): (Symbol, Vec<(u32, u32)>)| {
        let name = window.text(service);
        let why = format!("{} traces of {name} begin again long after they began, with the same id", pairs.len());
        pairs_draft(rule, service, &pairs, why).proof("kind", json!("reused"))
    };
    again.into_iter().map(draft).collect()
}
