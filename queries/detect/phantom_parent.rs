//! `phantom-parent`: entry spans keep their trace, but name a parent that nobody exports: a hop that writes its own.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Draft, Example, Severity, Subject};
use super::{Case, Rule, lossy, paths};
use crate::stitch::Rule as Join;
use crate::trace::window::{NONE, Symbol, Window};

/// What arrives in a service by one path.
#[derive(Default)]
struct Arrivals {
    /// Entries with a parent id, there or not.
    all: u64,
    orphans: Vec<u32>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut arrivals: BTreeMap<(Symbol, Symbol), Arrivals> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.is_entry(span) && !window.is_root(span)) {
        let one = arrivals.entry((window.service(span), paths::of(case, span))).or_default();
        one.all += 1;
        if window.is_orphan(span) && window.is_remote(span) != Some(false) {
            one.orphans.push(span);
        }
    }
    arrivals.retain(|_, one| is_constant(one, rule));
    if arrivals.is_empty() {
        return Vec::new();
    }
    let lossy = lossy::services(window, rule.threshold("max_loss"));
    let calls = open_calls(case, &arrivals);
    let certain = arrivals.iter().filter(|(_, one)| !is_loss(window, &lossy, &one.orphans));
    certain.map(|(&(service, path), one)| draft(case, rule, (service, path), one, &calls)).collect()
}

fn is_constant(arrivals: &Arrivals, rule: &Rule) -> bool {
    let count = arrivals.orphans.len() as u64;
    count >= rule.count("min_orphans") && count as f64 >= rule.threshold("min_share") * arrivals.all as f64
}

/// Tells whether a service that loses spans takes part in most of these traces: then their parents may be lost as well.
fn is_loss(window: &Window, lossy: &BTreeSet<Symbol>, orphans: &[u32]) -> bool {
    if lossy.is_empty() {
        return false;
    }
    let traces: BTreeSet<u32> = orphans.iter().map(|&span| window.trace[span as usize]).collect();
    let is_theirs = |&span: &u32| lossy.contains(&window.service(span)) && traces.contains(&window.trace[span as usize]);
    let touched: BTreeSet<u32> = window.spans().filter(is_theirs).map(|span| window.trace[span as usize]).collect();
    touched.len() * 2 > traces.len()
}

/// Calls without a callee, in the traces of orphans.
fn open_calls(case: &Case<'_>, arrivals: &BTreeMap<(Symbol, Symbol), Arrivals>) -> BTreeMap<u32, Vec<u32>> {
    let window = case.window;
    let orphans = arrivals.values().flat_map(|one| &one.orphans);
    let mut calls: BTreeMap<u32, Vec<u32>> = orphans.map(|&span| (window.trace[span as usize], Vec::new())).collect();
    for span in window.spans().filter(|&span| window.is_exit(span) && !window.is_served(span)) {
        if let Some(list) = calls.get_mut(&window.trace[span as usize]).filter(|_| !super::peers::is_database(window, span)) {
            list.push(span);
        }
    }
    calls
}

/// The call that a hidden hop passed on: stitched, or the only one of the trace that is open at this moment.
fn caller(case: &Case<'_>, calls: &BTreeMap<u32, Vec<u32>>, orphan: u32) -> Option<u32> {
    let window = case.window;
    if let Some(stitch) = case.stitch_of(orphan).filter(|stitch| stitch.rule == Join::HiddenHop) {
        return Some(stitch.parent);
    }
    let at = window.start_ns[orphan as usize];
    let is_open = |&&call: &&u32| {
        window.start_ns[call as usize] <= at && at <= window.end_ns[call as usize] && window.service(call) != window.service(orphan)
    };
    let mut open = calls.get(&window.trace[orphan as usize])?.iter().filter(is_open);
    open.next().copied().filter(|_| open.next().is_none())
}

fn draft(
    case: &Case<'_>,
    rule: &Rule,
    (service, path): (Symbol, Symbol),
    arrivals: &Arrivals,
    calls: &BTreeMap<u32, Vec<u32>>,
) -> Draft {
    let window = case.window;
    let callers: Vec<(u32, u32)> =
        arrivals.orphans.iter().map(|&orphan| (orphan, caller(case, calls, orphan).unwrap_or(NONE))).collect();
    let known: Vec<Example> =
        callers.iter().filter(|(_, call)| *call != NONE).map(|&(after, before)| Example { before, after }).collect();
    let is_inside = known.len() as f64 >= rule.threshold("min_known_share") * callers.len() as f64;
    let (count, all) = (arrivals.orphans.len() as u64, arrivals.all);
    let subject = match known.first() {
        Some(one) if is_inside => Subject::Edge(window.service(one.before), service),
        _ => Subject::Service(service),
    };
    let weight = if is_inside { 1.0 } else { rule.threshold("weight_unknown") };
    let rest = arrivals.orphans.iter().map(|&span| Example { before: span, after: span });
    let draft = Draft {
        // Whoever calls from outside keeps his spans to himself: that is how it is, no fault.
        severity: (!is_inside).then_some(Severity::Info),
        occurrences: count,
        out_of: all,
        why: format!(
            "{count} of {all} requests that reach {} {}name a parent that is never exported{}",
            window.text(service),
            by(window.text(path)),
            if is_inside { ": a hop between them and their caller writes its own" } else { "; their caller is not known" }
        ),
        spans: arrivals.orphans.clone(),
        examples: known.iter().copied().chain(rest).take(3).collect(),
        ..Draft::new(subject, service, rule.confidence * weight)
    };
    let missing: Vec<String> =
        arrivals.orphans.iter().take(3).map(|&span| format!("{:016x}", window.parent_span_id[span as usize])).collect();
    draft.proof("missing_parents", missing).proof("path", window.text(path)).proof("with_a_caller_in_the_trace", known.len())
}

fn by(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("by way of {path} ") }
}
