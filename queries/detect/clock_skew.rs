//! `clock-skew`: clocks that differ from the most, by the calls between them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::skew::{Limits, Skew};
use crate::trace::window::{NONE, Role, Symbol, Window};

/// The calls between a service whose clock is off and services with another clock.
#[derive(Debug, Default)]
struct Affected {
    /// Callee spans.
    spans: Vec<u32>,
    by_edge: BTreeMap<(Symbol, Symbol), u64>,
    /// Of those, callees that begin before they were called.
    early: u64,
    worst: Option<(i64, Example)>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let skew = Skew::of(case.window, &case.healed_parent, limits(rule));
    if skew.is_even() {
        return Vec::new();
    }
    let mut services: BTreeMap<Symbol, Affected> = BTreeMap::new();
    for (callee, &call) in (0..).zip(&case.healed_parent) {
        for service in off(case.window, &skew, call, callee).into_iter().flatten() {
            services.entry(service).or_default().add(case.window, rule, call, callee);
        }
    }
    services.into_iter().map(|(service, affected)| affected.draft(case, rule, &skew, service)).collect()
}

fn limits(rule: &Rule) -> Limits {
    Limits {
        min_calls: rule.count("min_calls") as usize,
        min_offset_ns: rule.threshold("min_offset_ms") * 1e6,
        deviations: rule.threshold("deviations"),
        early_share: rule.threshold("early_share"),
        early_ns: rule.threshold("early_ms") * 1e6,
    }
}

/// Returns which ends of a call have a clock that is off, where the two clocks differ. Messages wait in queues: they say nothing.
fn off(window: &Window, skew: &Skew, call: u32, callee: u32) -> [Option<Symbol>; 2] {
    if call == NONE || window.role[callee as usize] != Role::Server || window.role[call as usize] != Role::Client {
        return [None; 2];
    }
    let offset = |span: u32| skew.offset_ns(window.resource[span as usize]);
    if offset(call) == offset(callee) {
        return [None; 2];
    }
    [call, callee].map(|span| (offset(span) != 0).then(|| window.service(span)))
}

impl Affected {
    fn add(&mut self, window: &Window, rule: &Rule, call: u32, callee: u32) {
        self.spans.push(callee);
        *self.by_edge.entry((window.service(call), window.service(callee))).or_default() += 1;
        let early = window.start_ns[call as usize].saturating_sub(window.start_ns[callee as usize]);
        let late = window.end_ns[callee as usize].saturating_sub(window.end_ns[call as usize]);
        self.early += u64::from(early as f64 > rule.threshold("early_ms") * 1e6);
        let outside = early.max(late);
        if self.worst.is_none_or(|(worst, _)| outside > worst) {
            self.worst = Some((outside, Example { before: call, after: callee }));
        }
    }

    fn draft(self, case: &Case<'_>, rule: &Rule, skew: &Skew, service: Symbol) -> Draft {
        let window = case.window;
        let clocks = clocks(window, skew, service);
        let subject = self.subject(service, &clocks, skew);
        let offset = clocks.iter().map(|&clock| skew.clocks[clock as usize].offset_ns).max_by_key(|ns| ns.saturating_abs());
        let offset = offset.unwrap_or_default();
        let (name, count) = (window.text(service), self.spans.len() as u64);
        let side = if offset < 0 { "behind" } else { "ahead of" };
        let why = format!("The clock of {name} is {} ms {side} the others, by {count} calls", ms(offset.saturating_abs()));
        Draft {
            occurrences: count,
            out_of: count,
            why,
            examples: self.worst.iter().map(|&(_, example)| example).collect(),
            spans: self.spans,
            ..Draft::new(subject, service, rule.confidence)
        }
        .proof("offset_ms", ms(offset))
        .proof("begin_before_call", self.early)
        .proof("edges", edges(window, &self.by_edge))
        .proof("clocks", clocks.iter().map(|&clock| clock_json(window, skew, clock)).collect::<Value>())
    }
}

impl Affected {
    /// The service, or the most frequent edge where only two clocks are known: then nobody can say which of them is right.
    fn subject(&self, service: Symbol, clocks: &[u32], skew: &Skew) -> Subject {
        let is_told = clocks.iter().any(|&clock| skew.clocks[clock as usize].agreeing > 1);
        let edge = self.by_edge.iter().max_by_key(|&(_, count)| *count).filter(|_| !is_told);
        edge.map_or(Subject::Service(service), |(&(caller, callee), _)| Subject::Edge(caller, callee))
    }
}

/// The clocks of a service that are off.
fn clocks(window: &Window, skew: &Skew, service: Symbol) -> Vec<u32> {
    let of_service = (0..).zip(&window.resources).filter(|(_, resource)| resource.service == service);
    let mut clocks: Vec<u32> = of_service.filter_map(|(at, _)| skew.clock(at)).collect();
    clocks.sort_unstable();
    clocks.dedup();
    clocks.retain(|&clock| skew.clocks[clock as usize].is_off);
    clocks
}

fn edges(window: &Window, by_edge: &BTreeMap<(Symbol, Symbol), u64>) -> Value {
    let name = |(caller, callee): (Symbol, Symbol)| format!("{} -> {}", window.text(caller), window.text(callee));
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    by_edge.iter().for_each(|(&edge, &count)| *counts.entry(name(edge)).or_default() += count);
    json!(counts)
}

fn clock_json(window: &Window, skew: &Skew, clock: u32) -> Value {
    let one = &skew.clocks[clock as usize];
    json!({"name": window.text(one.name), "offset_ms": ms(one.offset_ns), "deviation_ms": ms(one.noise_ns), "calls": one.calls})
}

/// Milliseconds with one digit behind the point.
fn ms(ns: i64) -> f64 {
    (ns as f64 / 1e5).round() / 10.0
}
