//! `async-context-loss`: inside one process work is handed over without its context, and begins a trace of its own.

use std::collections::BTreeMap;

use super::activity::{self, Activity};
use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::stitch::State;
use crate::trace::window::{Symbol, Window, key};

/// The spans of one operation of a service that began traces.
#[derive(Default)]
struct Operation {
    /// All spans of this name and service.
    all: u64,
    roots: Vec<u32>,
    /// Roots that are stitched to a span of their own service, and the sum of what these stitches believe.
    stitched: u64,
    belief: f64,
    /// Roots that began while a request was in work in their process, and the sum of how many were.
    during: u64,
    active: u64,
    /// Sum of the share of time in which their processes were busy.
    busy: f64,
    /// How irregularly requests begin in the process of the last root.
    irregularity: f64,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let mut services: BTreeMap<Symbol, Vec<(Symbol, Operation)>> = BTreeMap::new();
    for ((service, name), operation) in operations(case) {
        if is_lost(case.window, rule, &operation) {
            services.entry(service).or_default().push((name, operation));
        }
    }
    services.into_iter().map(|(service, operations)| draft(case, rule, service, operations)).collect()
}

fn operations(case: &Case<'_>) -> BTreeMap<(Symbol, Symbol), Operation> {
    let window = case.window;
    if !window.spans().any(|span| is_begun(window, span)) {
        return BTreeMap::new();
    }
    let activities = activity::of(window);
    let mut operations: BTreeMap<(Symbol, Symbol), Operation> = BTreeMap::new();
    for root in window.spans().filter(|&span| is_begun(window, span)) {
        let Some(activity) = activities.get(&window.instance(root)) else { continue };
        let operation = operations.entry((window.service(root), window.name[root as usize])).or_default();
        operation.count(case, root, activity);
    }
    if operations.is_empty() {
        return operations;
    }
    for span in window.spans() {
        if let Some(operation) = operations.get_mut(&(window.service(span), window.name[span as usize])) {
            operation.all += 1;
        }
    }
    operations
}

/// Work inside a service that began a trace, and was not waiting for messages: whoever polls has no request.
fn is_begun(window: &Window, span: u32) -> bool {
    let polls = || matches!(window.attribute_text(span, key::MESSAGING_OPERATION_TYPE), Some("receive" | "settle"));
    window.is_root(span) && !window.is_entry(span) && window.links_of(span).is_empty() && !polls()
}

impl Operation {
    fn count(&mut self, case: &Case<'_>, root: u32, activity: &Activity) {
        self.roots.push(root);
        let is_own = |parent: u32| case.window.service(parent) == case.window.service(root);
        if let Some(stitch) = case.stitch_of(root).filter(|stitch| stitch.state != State::Candidate && is_own(stitch.parent)) {
            self.stitched += 1;
            self.belief += stitch.confidence;
        }
        let active = activity.at(case.window.start_ns[root as usize]);
        self.during += u64::from(active > 0);
        self.active += active as u64;
        self.busy += activity.coverage();
        self.irregularity = activity.irregularity;
    }

    fn share(&self, count: u64) -> f64 {
        count as f64 / self.roots.len().max(1) as f64
    }

    /// How much more often roots begin during requests than chance would have it: 0 as chance, 1 always.
    fn excess(&self) -> f64 {
        let busy = self.busy / self.roots.len().max(1) as f64;
        if busy >= 1.0 { 0.0 } else { (self.share(self.during) - busy) / (1.0 - busy) }
    }
}

/// Jobs begin traces too: whether a request is in work or not.
fn is_lost(window: &Window, rule: &Rule, operation: &Operation) -> bool {
    let roots = operation.roots.len() as u64;
    let is_enough = roots >= rule.count("min_roots") && roots as f64 >= rule.threshold("min_root_share") * operation.all as f64;
    let is_stitched = operation.share(operation.stitched) >= rule.threshold("min_stitched_share");
    let is_during = operation.excess() >= rule.threshold("min_excess");
    is_enough && (is_during || is_stitched && !is_by_the_clock(window, rule, operation))
}

/// In a process that is always busy a job begins during requests too. It begins by the clock, which requests do not.
fn is_by_the_clock(window: &Window, rule: &Rule, operation: &Operation) -> bool {
    let starts = operation.roots.iter().map(|&root| window.start_ns[root as usize]);
    let min = rule.threshold("min_irregularity");
    activity::irregularity(starts) < min && operation.irregularity >= min
}

fn draft(case: &Case<'_>, rule: &Rule, service: Symbol, mut operations: Vec<(Symbol, Operation)>) -> Draft {
    let window = case.window;
    operations.sort_by_key(|(name, operation)| (u64::MAX - operation.roots.len() as u64, window.text(*name)));
    let sum = |of: fn(&Operation) -> u64| operations.iter().map(|(_, operation)| of(operation)).sum::<u64>();
    let (lost, all, stitched) = (sum(|one| one.roots.len() as u64), sum(|one| one.all), sum(|one| one.stitched));
    let belief: f64 = operations.iter().map(|(_, operation)| operation.belief).sum::<f64>() / lost.max(1) as f64;
    let names: Vec<&str> = operations.iter().map(|(name, _)| window.text(*name)).collect();
    let spans: Vec<u32> = operations.iter().flat_map(|(_, operation)| operation.roots.iter().copied()).collect();
    let confidence = rule.confidence * belief.max(rule.threshold("weight_ambiguous")).min(1.0);
    let draft = Draft {
        occurrences: lost,
        out_of: all,
        why: format!(
            "{lost} of {all} spans {} of {} begin a trace of their own while a request is in work in the same process",
            names.join(", "),
            window.text(service)
        ),
        examples: examples(case, &spans),
        spans,
        ..Draft::new(Subject::Service(service), service, confidence)
    };
    draft
        .proof("operations", names)
        .proof("rejoined", stitched)
        .proof("requests_in_work", sum(|one| one.active) as f64 / lost.max(1) as f64)
        .proof("begun_during_requests", sum(|one| one.during))
}

/// The request and the work that it lost, where that is known.
fn examples(case: &Case<'_>, spans: &[u32]) -> Vec<Example> {
    let stitch = |&span: &u32| case.stitch_of(span).filter(|stitch| stitch.state == State::Accepted);
    let known = spans.iter().filter_map(|span| Some(Example { before: stitch(span)?.parent, after: *span }));
    let rest = spans.iter().filter(|span| stitch(span).is_none()).map(|&span| Example { before: span, after: span });
    known.chain(rest).take(3).collect()
}
