//! Values that reach a callee although its trace is a new one: they show that headers were sent and read.

use std::collections::{BTreeMap, BTreeSet};

use super::hops::Break;
use crate::trace::window::{NONE, Symbol, Window, key};

/// Namespaces of the semantic conventions and of well-known libraries: what stands there is told of the call, not sent with it.
const TOLD: [&str; 30] = [
    "http",
    "url",
    "net",
    "network",
    "server",
    "client",
    "rpc",
    "messaging",
    "db",
    "thread",
    "code",
    "user_agent",
    "peer",
    "error",
    "exception",
    "otel",
    "faas",
    "cloud",
    "host",
    "process",
    "service",
    "telemetry",
    "k8s",
    "container",
    "express",
    "span",
    "component",
    "aws",
    "grpc",
    "enduser",
];
/// So many pairs tell enough.
const MAX_PAIRS: usize = 500;
/// So many spans of a request are looked at on each side.
const MAX_SPANS: usize = 32;

/// A key whose values are the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    pub key: Symbol,
    /// Pairs with the same value, of those that have the key on both sides.
    pub equal: u64,
    pub pairs: u64,
}

#[derive(Debug, Default)]
struct Count {
    equal: u64,
    both: u64,
    values: BTreeSet<Symbol>,
}

/// Returns the key that most breaks carry over, if at least `min_share` of the pairs that have it agree, and half have it.
#[must_use]
pub fn crossing(window: &Window, breaks: &[Break], min_share: f64) -> Option<Crossing> {
    let mut counts: BTreeMap<Symbol, Count> = BTreeMap::new();
    let pairs: Vec<&Break> = breaks.iter().filter(|one| one.is_sure).take(MAX_PAIRS).collect();
    for pair in &pairs {
        compare(window, pair, &mut counts);
    }
    let crosses = |count: &Count| {
        count.values.len() > 1
            && count.both as usize * 2 >= pairs.len()
            && count.equal as f64 >= min_share * count.both as f64
    };
    let best = counts.into_iter().filter(|(_, count)| crosses(count));
    let best = best.min_by_key(|(key, count)| (u64::MAX - count.equal, window.text(*key)));
    best.map(|(key, count)| Crossing { key, equal: count.equal, pairs: count.both })
}

fn compare(window: &Window, pair: &Break, counts: &mut BTreeMap<Symbol, Count>) {
    let sent = values(window, &around(window, pair.call));
    for (key, read) in values(window, &below(window, pair.root)) {
        if let Some(&sent) = sent.get(&key) {
            let count = counts.entry(key).or_default();
            count.both += 1;
            count.equal += u64::from(sent == read && !is_in_url(window, pair.root, window.text(read)));
            count.values.insert(read);
        }
    }
}

/// The spans of the request that made the call: its parents in the same process, and what stands directly below them.
fn around(window: &Window, call: u32) -> Vec<u32> {
    let mut found = vec![call];
    let mut at = window.parent[call as usize];
    while at != NONE && window.instance(at) == window.instance(call) && found.len() < MAX_SPANS {
        found.push(at);
        found.extend(local_children(window, at).take(MAX_SPANS));
        at = window.parent[at as usize];
    }
    found
}

fn below(window: &Window, root: u32) -> Vec<u32> {
    std::iter::once(root).chain(local_children(window, root).take(MAX_SPANS)).collect()
}

fn local_children(window: &Window, span: u32) -> impl Iterator<Item = u32> {
    let instance = window.instance(span);
    window.children(span).iter().copied().filter(move |&child| window.instance(child) == instance)
}

/// The first value of each key that could have been sent.
fn values(window: &Window, spans: &[u32]) -> BTreeMap<Symbol, Symbol> {
    let mut values = BTreeMap::new();
    for &(key, value) in spans.iter().flat_map(|&span| window.attributes(span)) {
        if !value.is_empty() && is_sent(window.text(key)) {
            values.entry(key).or_insert(value);
        }
    }
    values
}

fn is_sent(key: &str) -> bool {
    let namespace = key.split('.').next().unwrap_or(key);
    !TOLD.contains(&namespace)
}

/// A value that stands in the URL came with the request, not with its context.
fn is_in_url(window: &Window, root: u32, value: &str) -> bool {
    let urls = [key::URL_PATH, key::HTTP_TARGET, key::URL_FULL, key::URL_QUERY];
    urls.iter().filter_map(|&key| window.attribute_text(root, key)).any(|url| url.contains(value))
}
