//! `child-outlives-parent`: work inside a service that goes on after the span around it ended.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::{Draft, Example, Subject};
use super::share::at_least;
use super::{Case, Rule};
use crate::trace::window::{NONE, Role, Symbol, Window};

/// Children of one name below parents of one name, in one service.
#[derive(Debug, Default)]
struct Group {
    all: usize,
    /// Children that end later than their parent, by more than clocks and callbacks explain.
    late: Vec<u32>,
    /// Of those, by more than a share of the parent's duration: what reads the parent's duration is misled.
    matter: usize,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let mut groups: BTreeMap<(Symbol, Symbol, Symbol), Group> = BTreeMap::new();
    let window = case.window;
    for span in window.spans() {
        if let Some(parent) = local_parent(window, span) {
            let name = |span: u32| window.name[span as usize];
            groups.entry((window.service(span), name(parent), name(span))).or_default().add(window, rule, parent, span);
        }
    }
    let mut services: BTreeMap<Symbol, Vec<(Symbol, Symbol, Group)>> = BTreeMap::new();
    for ((service, parent, child), group) in groups {
        if group.is_found(rule) {
            services.entry(service).or_default().push((parent, child, group));
        }
    }
    services.into_iter().map(|(service, groups)| draft(window, rule, service, &groups)).collect()
}

/// Returns the recorded parent if it is a server or internal span of the same process, and the child no consumer: messages may
/// wait.
fn local_parent(window: &Window, span: u32) -> Option<u32> {
    let parent = window.parent[span as usize];
    let is_around = parent != NONE && matches!(window.role[parent as usize], Role::Server | Role::Internal);
    let is_local = is_around && !window.is_entry(span) && window.instance(parent) == window.instance(span);
    is_local.then_some(parent)
}

/// Returns how long a child runs on after its parent.
fn overhang(window: &Window, parent: u32, child: u32) -> i64 {
    window.end_ns[child as usize].saturating_sub(window.end_ns[parent as usize])
}

impl Group {
    fn add(&mut self, window: &Window, rule: &Rule, parent: u32, child: u32) {
        self.all += 1;
        let over = overhang(window, parent, child) as f64;
        if over > rule.threshold("min_overhang_ms") * 1e6 {
            self.late.push(child);
            let duration = window.duration_ns(parent) as f64;
            self.matter += usize::from(over > rule.threshold("min_overhang_share") * duration);
        }
    }

    fn is_found(&self, rule: &Rule) -> bool {
        let share = at_least(self.matter, self.all, rule.threshold("deviations"));
        self.all as u64 >= rule.count("min_children") && share >= rule.threshold("min_share")
    }
}

fn draft(window: &Window, rule: &Rule, service: Symbol, groups: &[(Symbol, Symbol, Group)]) -> Draft {
    let all: usize = groups.iter().map(|(_, _, group)| group.all).sum();
    let mut spans: Vec<u32> = groups.iter().flat_map(|(_, _, group)| group.late.iter().copied()).collect();
    spans.sort_unstable();
    let over = |&span: &u32| overhang(window, window.parent[span as usize], span);
    let mut longest = spans.clone();
    longest.sort_by_key(|span| std::cmp::Reverse(over(span)));
    let median = longest.get(longest.len() / 2).map_or(0, over);
    let (name, count) = (window.text(service), spans.len());
    let why = format!(
        "{count} of {all} spans of {name} end after the span around them, half of them by {} ms or more",
        ms(median)
    );
    let after_end = spans.iter().filter(|&&span| begins_after_end(window, span)).count();
    let killed = spans.iter().filter(|&&span| is_killed(window, rule, span)).count();
    Draft {
        occurrences: count as u64,
        out_of: all as u64,
        why,
        examples: longest.iter().map(|&span| Example { before: window.parent[span as usize], after: span }).take(3).collect(),
        spans,
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    }
    .proof("starts_after_end", after_end)
    .proof("killed_with_parent", killed)
    .proof("runs_on", count.saturating_sub(killed))
    .proof("overhang_ms", json!({"median": ms(median), "max": longest.first().map_or(0.0, |span| ms(over(span)))}))
    .proof("children", groups.iter().map(|group| group_json(window, group)).collect::<Value>())
}

fn begins_after_end(window: &Window, span: u32) -> bool {
    window.start_ns[span as usize] > window.end_ns[window.parent[span as usize] as usize]
}

/// A child that fails soon after its parent ended was cancelled with it.
fn is_killed(window: &Window, rule: &Rule, span: u32) -> bool {
    let over = overhang(window, window.parent[span as usize], span) as f64;
    window.status[span as usize] == 2 && over <= rule.threshold("killed_within_ms") * 1e6
}

fn group_json(window: &Window, (parent, child, group): &(Symbol, Symbol, Group)) -> Value {
    json!({"parent": window.text(*parent), "child": window.text(*child), "late": group.late.len(), "of": group.all})
}

fn ms(ns: i64) -> f64 {
    (ns as f64 / 1e5).round() / 10.0
}
