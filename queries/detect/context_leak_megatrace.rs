//! `context-leak-megatrace`: a context that is over is used again, so that requests that have nothing to do with each other
//! stand in one trace.
//!
//! Large leaks show in the trace alone: requests under one span over minutes. Small ones show between neighbours: one request
//! has a call too many, which at the same moment is missing in another of the same process; or its URL names the other.

mod counts;
mod mega;
mod requests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};
use requests::Request;

/// A call that stands under another request than the one that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Leak {
    call: u32,
    /// The request that it stands under, and the one that made it; [`NONE`] where that is not known.
    under: u32,
    of: u32,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut leaks = mega::leaks(window, rule);
    let mut compared: BTreeMap<Symbol, u64> = BTreeMap::new();
    for (service, instances) in requests::by_service(window) {
        let calls = instances.iter().flatten().map(|request| request.exits.len() as u64).sum();
        compared.insert(service, calls);
        leaks.entry(service).or_default().extend(small(window, rule, &instances));
    }
    let found = leaks.into_iter().filter(|(_, leaks)| !leaks.is_empty());
    found.filter_map(|(service, leaks)| draft(window, rule, service, &unique(leaks), compared.get(&service))).collect()
}

/// Where URLs tell requests apart they decide; elsewhere the numbers of calls do.
fn small(window: &Window, rule: &Rule, instances: &[Vec<Request>]) -> Vec<Leak> {
    values::leaks(window, rule, instances).unwrap_or_else(|| counts::leaks(window, rule, instances))
}

/// One leak a call.
fn unique(mut leaks: Vec<Leak>) -> Vec<Leak> {
    leaks.sort_unstable();
    leaks.dedup_by_key(|leak| leak.call);
    leaks
}

fn draft(window: &Window, rule: &Rule, service: Symbol, leaks: &[Leak], compared: Option<&u64>) -> Option<Draft> {
    let count = leaks.len() as u64;
    let all = compared.copied().unwrap_or(0).max(count);
    if count < rule.count("min_leaks") || (count as f64) < rule.threshold("min_share") * all as f64 {
        return None;
    }
    let traces: BTreeSet<u32> = leaks.iter().map(|leak| window.trace[leak.call as usize]).collect();
    let end = |span: u32| if span == NONE { i64::MAX } else { window.end_ns[span as usize] };
    let outlive = leaks.iter().filter(|leak| end(leak.call) > end(leak.under)).count();
    let after = leaks.iter().filter(|leak| window.start_ns[leak.call as usize] > end(leak.under)).count();
    let draft = Draft {
        occurrences: count,
        out_of: all,
        why: format!(
            "{count} of {all} calls in {} traces of {} belong to other requests than those they stand under; {after} begin after that request ended",
            traces.len(),
            window.text(service)
        ),
        spans: leaks.iter().flat_map(|leak| [leak.call, leak.under]).filter(|&span| span != NONE).collect(),
        examples: leaks.iter().map(|leak| example(*leak)).take(3).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    };
    Some(draft.proof("traces", traces.len()).proof("outlive_the_request", outlive).proof("begin_after_its_end", after))
}

/// The request that made the call, where it is known, else the one that it stands under.
fn example(leak: Leak) -> Example {
    let before = [leak.of, leak.under].into_iter().find(|&span| span != NONE).unwrap_or(leak.call);
    Example { before, after: leak.call }
}
