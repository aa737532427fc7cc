//! Leaks that one trace shows by itself: requests under one span over minutes, or work long after its parent ended.

use std::collections::BTreeMap;

use super::{Leak, Rule};
use crate::trace::window::{NONE, Role, Symbol, Window};

/// Requests below one span, parent there or not.
type FanIn = BTreeMap<(u32, u64), Vec<u32>>;

/// Returns the leaks by service.
pub(super) fn leaks(window: &Window, rule: &Rule) -> BTreeMap<Symbol, Vec<Leak>> {
    let mut leaks: BTreeMap<Symbol, Vec<Leak>> = BTreeMap::new();
    for leak in late(window, rule).into_iter().chain(fan_in(window, rule)) {
        leaks.entry(window.service(leak.call)).or_default().push(leak);
    }
    leaks
}

/// Work of the same process that begins long after its parent ended. Messages wait by right.
fn late(window: &Window, rule: &Rule) -> Vec<Leak> {
    let gap_ns = seconds(rule, "min_gap_s");
    let is_late = |&span: &u32| {
        let parent = window.parent[span as usize];
        parent != NONE
            && window.role[span as usize] != Role::Consumer
            && window.instance(parent) == window.instance(span)
            && window.start_ns[span as usize] > window.end_ns[parent as usize].saturating_add(gap_ns)
    };
    let leak = |span: u32| Leak { call: span, under: window.parent[span as usize], of: NONE };
    window.spans().filter(is_late).map(leak).collect()
}

/// Many requests below one span, over a long time: the parent is of the same process, there or never ended. Below a remote
/// parent this is a client that sends one context with everything, such as a load test.
fn fan_in(window: &Window, rule: &Rule) -> Vec<Leak> {
    let mut by_parent = FanIn::new();
    for span in window.spans().filter(|&span| window.role[span as usize] == Role::Server && !window.is_root(span)) {
        if window.is_remote(span) == Some(false) {
            let id = (window.trace[span as usize], window.parent_span_id[span as usize]);
            by_parent.entry(id).or_default().push(span);
        }
    }
    let is_spread = |list: &Vec<u32>| {
        let (Some(&first), Some(&last)) = (list.first(), list.last()) else { return false };
        let spread = window.start_ns[last as usize].saturating_sub(window.start_ns[first as usize]);
        list.len() as u64 > rule.count("max_fan_in") && spread > seconds(rule, "min_spread_s")
    };
    let leak = |span: u32| Leak { call: span, under: window.parent[span as usize], of: NONE };
    by_parent.into_values().filter(is_spread).flatten().map(leak).collect()
}

fn seconds(rule: &Rule, name: &str) -> i64 {
    (rule.threshold(name) * 1e9) as i64
}
