//! `process-boundary-loss`: a process that another one started begins traces, although a span was active there.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{Resource, Symbol, Window, key};

/// Processes that one service started for another.
#[derive(Default)]
struct Children {
    processes: u64,
    /// The span that was active in the parent, and the root of the child.
    lost: Vec<Example>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let parents = parents(window);
    let spans = spans(window, &parents);
    let mut edges: BTreeMap<(Symbol, Symbol), Children> = BTreeMap::new();
    for (child, parent) in parents {
        let (Some(own), Some(around)) = (spans.get(&child), spans.get(&parent)) else { continue };
        let (Some(&first), Some(&some)) = (own.first(), around.first()) else { continue };
        let edge = edges.entry((window.service(some), window.service(first))).or_default();
        edge.processes += 1;
        let active = active(window, around, first);
        if let Some(before) = active.filter(|_| window.is_root(first) && window.links_of(first).is_empty()) {
            edge.lost.push(Example { before, after: first });
        }
    }
    edges.into_iter().filter_map(|(pair, children)| draft(window, rule, pair, &children)).collect()
}

/// Which instance was started by which: by host and process id.
fn parents(window: &Window) -> BTreeMap<Symbol, Symbol> {
    let mut by_pid: BTreeMap<(Symbol, Symbol), BTreeSet<Symbol>> = BTreeMap::new();
    for resource in window.resources.iter().filter(|resource| !resource.host.is_empty()) {
        if let Some(pid) = attribute(resource, key::PROCESS_PID) {
            by_pid.entry((resource.host, pid)).or_default().insert(resource.instance);
        }
    }
    let parent = |resource: &Resource| {
        let pid = attribute(resource, key::PROCESS_PARENT_PID)?;
        // Containers on one host count their processes each for itself: a number that is not unique says nothing.
        let parent = *by_pid.get(&(resource.host, pid)).filter(|known| known.len() == 1)?.first()?;
        (parent != resource.instance).then_some((resource.instance, parent))
    };
    window.resources.iter().filter_map(parent).collect()
}

/// Spans of the instances that started others or were started, by start.
fn spans(window: &Window, parents: &BTreeMap<Symbol, Symbol>) -> BTreeMap<Symbol, Vec<u32>> {
    let mut spans: BTreeMap<Symbol, Vec<u32>> =
        parents.iter().flat_map(|(&child, &parent)| [child, parent]).map(|instance| (instance, Vec::new())).collect();
    for span in window.spans().filter(|_| !parents.is_empty()) {
        if let Some(list) = spans.get_mut(&window.instance(span)) {
            list.push(span);
        }
    }
    spans
}

fn attribute(resource: &Resource, key: Symbol) -> Option<Symbol> {
    resource.attributes.iter().find(|(name, _)| *name == key).map(|&(_, value)| value)
}

/// The latest of a process's spans that is open when another begins.
fn active(window: &Window, spans: &[u32], other: u32) -> Option<u32> {
    /// Looked at before giving up: what is open began not long ago.
    const MAX_BACK: usize = 1000;
    let at = window.start_ns[other as usize];
    let begun = spans.partition_point(|&span| window.start_ns[span as usize] <= at);
    spans[..begun].iter().rev().take(MAX_BACK).find(|&&span| at <= window.end_ns[span as usize]).copied()
}

/// A daemon that was forked once is one process: it takes many that begin inside a span to say that each lost something.
fn draft(window: &Window, rule: &Rule, (parent, child): (Symbol, Symbol), children: &Children) -> Option<Draft> {
    let lost = children.lost.len() as u64;
    if lost < rule.count("min_processes") || (lost as f64) < rule.threshold("min_share") * children.processes as f64 {
        return None;
    }
    let [from, to] = [parent, child].map(|service| window.text(service));
    let draft = Draft {
        occurrences: lost,
        out_of: children.processes,
        why: format!("{lost} of {} processes of {to} that {from} started begin a trace of their own inside one of its spans", children.processes),
        spans: children.lost.iter().flat_map(|pair| [pair.before, pair.after]).collect(),
        examples: children.lost.iter().copied().take(3).collect(),
        ..Draft::new(Subject::Edge(parent, child), parent, rule.confidence)
    };
    let executable = |span: u32| window.attribute_text(span, key::PROCESS_EXECUTABLE_NAME).unwrap_or_default().to_owned();
    let first = children.lost.first()?;
    Some(draft.proof("parent_executable", executable(first.before)).proof("child_executable", executable(first.after)))
}
