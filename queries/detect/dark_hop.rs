//! `dark-hop`: calls that were answered by a service inside, of which no span is known.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::peers::{Address, addresses};
use super::{Case, Rule};
use crate::trace::window::{Role, Symbol, Window, key};

#[derive(Debug, Default)]
struct Calls {
    /// Of which no callee span is known, by recorded parent or by any join.
    dark: Vec<u32>,
    /// All that were answered.
    all: usize,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut free = free_entries(case);
    let mut edges: BTreeMap<(Symbol, Symbol), BTreeMap<Symbol, Calls>> = BTreeMap::new();
    let guessed: BTreeSet<u32> = case.stitches.iter().map(|stitch| stitch.parent).collect();
    for span in window.spans().filter(|&span| is_answered_call(window, span)) {
        let Some(callee) = callee(case, span) else { continue };
        let names = edges.entry((window.service(span), callee)).or_default();
        let calls = names.entry(window.name[span as usize]).or_default();
        calls.all += 1;
        if !window.is_served(span) && !guessed.contains(&span) {
            calls.dark.push(span);
        }
    }
    let mut drafts = Vec::new();
    for (edge, names) in edges {
        drafts.extend(draft(case, rule, edge, names, free.entry(edge.1).or_default()));
    }
    drafts
}

/// Entry spans that nothing leads to, by service: they may be what a call without a callee led to.
fn free_entries(case: &Case<'_>) -> BTreeMap<Symbol, usize> {
    let window = case.window;
    let is_free = |&span: &u32| {
        window.is_entry(span) && case.stitch_of(span).is_none() && (window.is_root(span) || window.is_orphan(span))
    };
    let mut free = BTreeMap::new();
    for span in window.spans().filter(is_free) {
        *free.entry(window.service(span)).or_default() += 1;
    }
    free
}

/// Tells whether a span is a call that somebody answered: one that failed without a status of the callee may never have arrived.
/// Messages wait, and databases have no spans.
fn is_answered_call(window: &Window, span: u32) -> bool {
    if window.role[span as usize] != Role::Client {
        return false;
    }
    let get = |key: Symbol| window.attributes(span).iter().find(|(name, _)| *name == key).map(|&(_, value)| window.text(value));
    if get(key::DB_SYSTEM_NAME).is_some() || get(key::MESSAGING_SYSTEM).is_some() {
        return false;
    }
    let is_known = |code: Option<&str>| code.is_some_and(|code| !code.is_empty());
    let grpc = get(key::RPC_RESPONSE_STATUS_CODE).or_else(|| get(key::RPC_GRPC_STATUS_CODE));
    let is_refused = grpc.is_some_and(|code| ["4", "14", "DEADLINE_EXCEEDED", "UNAVAILABLE"].contains(&code));
    !is_refused && (window.status[span as usize] != 2 || is_known(get(key::HTTP_RESPONSE_STATUS_CODE)) || grpc.is_some())
}

/// Returns the service that is called: as it is known from other calls, else by an address that only something inside has.
fn callee(case: &Case<'_>, span: u32) -> Option<Symbol> {
    let window = case.window;
    case.peers.of(window, span).filter(|&callee| callee != window.service(span)).or_else(|| {
        addresses(window, span).into_iter().find_map(|address| match address {
            Address::Host(host, _) => is_inside(window.text(host)).then_some(host),
            Address::Name(name) => Some(name),
            Address::Rpc(_) | Address::Destination(_) => None,
        })
    })
}

/// Private addresses, and names that only a cluster's own DNS knows.
fn is_inside(host: &str) -> bool {
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return address.is_private();
    }
    let ends = [".svc", ".local", ".internal", ".svc.cluster.local"];
    let is_bare = !host.is_empty() && host != "localhost" && !host.contains(['.', ':']);
    is_bare || ends.iter().any(|end| host.ends_with(end))
}

fn draft(
    case: &Case<'_>,
    rule: &Rule,
    (caller, callee): (Symbol, Symbol),
    mut names: BTreeMap<Symbol, Calls>,
    free: &mut usize,
) -> Option<Draft> {
    names.retain(|_, calls| calls.dark.len() as f64 >= rule.threshold("min_share") * calls.all as f64);
    let (dark, all): (usize, usize) = names.values().fold((0, 0), |sum, calls| (sum.0 + calls.dark.len(), sum.1 + calls.all));
    let unexplained = dark.saturating_sub(*free);
    *free = free.saturating_sub(dark);
    if (unexplained as u64) < rule.count("min_calls") || (unexplained as f64) < rule.threshold("min_share") * all as f64 {
        return None;
    }
    let window = case.window;
    let spans: Vec<u32> = names.values().flat_map(|calls| calls.dark.iter().copied()).collect();
    let entries = case.edges.services.get(&callee).map_or(0, |service| service.entries.len());
    let kind = if entries == 0 { "uninstrumented" } else { "route-uninstrumented" };
    let (from, to) = (window.text(caller), window.text(callee));
    let operations: Vec<&str> = names.keys().map(|&name| window.text(name)).collect();
    Some(Draft {
        occurrences: dark as u64,
        out_of: all as u64,
        why: format!("{dark} of {all} calls of {from} to {to} were answered, and no span of {to} is known for them"),
        examples: spans.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
        spans,
        ..Draft::new(Subject::Edge(caller, callee), callee, rule.confidence)
    }
    .proof("kind", kind)
    .proof("entry_spans_of_callee", entries)
    .proof("operations", json!(operations)))
}
