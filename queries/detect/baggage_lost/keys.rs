//! Which visits show which keys that may be baggage.

use std::collections::BTreeMap;

use super::super::headers::Headers;
use super::super::visits::Visits;
use crate::trace::window::{Symbol, Window};

/// Namespaces of the semantic conventions that describe the span, its process or its call: never baggage.
const NOT_BAGGAGE: [&str; 36] = [
    "aws.", "browser.", "client.", "cloud.", "code.", "container.", "db.", "deployment.", "error.", "exception.", "express.",
    "faas.", "graphql.", "host.", "http.", "k8s.", "messaging.", "net.", "network.", "nodejs.", "os.", "otel.", "peer.",
    "process.", "rpc.", "server.", "service.", "sampling.", "span.", "status.", "telemetry.", "thread.", "tls.", "url.",
    "user_agent.", "peer_",
];

/// Ordered by visit, one value each.
pub(super) type Seen = Vec<(u32, Symbol)>;

/// Returns, by key, the visits that show it, for keys that two services show. Ordered by the keys' texts.
pub(super) fn sightings(window: &Window, visits: &Visits, headers: &Headers) -> Vec<(Symbol, Seen)> {
    let candidates = candidates(window);
    let mut seen: BTreeMap<Symbol, Seen> = BTreeMap::new();
    for span in window.spans() {
        let visit = visits.of[span as usize];
        for &(key, value) in window.attributes(span).iter().filter(|(key, _)| candidates[key.0 as usize]) {
            seen.entry(key).or_default().push((visit, value));
        }
        for (key, value) in members(window, headers, span).filter(|(key, _)| candidates[key.0 as usize]) {
            seen.entry(key).or_default().push((visit, value));
        }
    }
    for seen in seen.values_mut() {
        seen.sort_unstable();
        seen.dedup_by_key(|&mut (visit, _)| visit);
    }
    let mut seen: Vec<(Symbol, Seen)> = seen.into_iter().collect();
    seen.sort_by_key(|&(key, _)| window.text(key));
    seen
}

/// What is known of a key: not met yet, met in one service, in several, or not baggage.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Nobody,
    One(Symbol),
    Several,
    Never,
}

/// Keys of spans of at least two services, by their symbols.
fn candidates(window: &Window) -> Vec<bool> {
    let mut keys = vec![By::Nobody; window.texts.len()];
    for span in window.spans() {
        let service = window.service(span);
        for &(key, _) in window.attributes(span) {
            let by = &mut keys[key.0 as usize];
            *by = match *by {
                By::Nobody if may_be(window.text(key)) => By::One(service),
                By::Nobody => By::Never,
                By::One(other) if other != service => By::Several,
                known => known,
            };
        }
    }
    keys.into_iter().map(|by| by == By::Several).collect()
}

fn may_be(key: &str) -> bool {
    !key.is_empty() && !NOT_BAGGAGE.iter().any(|namespace| key.starts_with(namespace))
}

/// The members of a captured `baggage` header, as far as their keys and values are also written elsewhere.
fn members<'a>(window: &'a Window, headers: &'a Headers, span: u32) -> impl Iterator<Item = (Symbol, Symbol)> + 'a {
    let header = headers.get(window, span, "baggage").unwrap_or_default();
    header.split(',').filter_map(|member| {
        let (key, value) = member.split(';').next()?.split_once('=')?;
        Some((window.texts.find(key.trim())?, window.texts.find(value.trim())?))
    })
}
