//! From findings about propagation to faults of headers: one line a rule.

use std::collections::BTreeSet;

use serde_json::json;

use super::faults::{Made, is_http};
use super::ground::{Edge, Ground};
use crate::detect::Finding;
use crate::replay::fault::Place;
use crate::stitch::calls::operation::Protocol;
use crate::trace::window::NONE;

/// What a rule of the detectors is to a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A fault of headers on an edge: its kind, and the headers; all that carry a trace where none is named.
    Fault(&'static str, &'static [&'static str]),
    /// Lost inside of a service: the network has no part in it. The kind of fault whose effect is the most alike, if any.
    Inside(Option<&'static str>),
    /// About how spans were recorded.
    Recording,
    /// Spans are missing on purpose.
    Sampling,
}

/// Headers that carry a trace, without those that carry values of the application.
const TRACE: &[&str] = &[
    "traceparent",
    "tracestate",
    "b3",
    "X-B3-TraceId",
    "X-B3-SpanId",
    "X-B3-ParentSpanId",
    "X-B3-Sampled",
    "X-B3-Flags",
];
const BAGGAGE: &[&str] = &["baggage"];
const DROP: Meaning = Meaning::Fault("context-drop", TRACE);
const CORRUPT: Meaning = Meaning::Fault("context-corrupt", TRACE);
const FLIP: Meaning = Meaning::Fault("context-sampled", &[]);

/// Rules by id. A rule that is not here is looked into by errors and time alone.
const MEANINGS: &[(&str, Meaning)] = &[
    ("b3-not-extracted", DROP),
    ("propagator-format-mismatch", DROP),
    ("propagator-noop-default", Meaning::Fault("context-drop", &[])),
    ("context-not-injected", DROP),
    ("mesh-hop-split", DROP),
    ("gateway-strips-context", DROP),
    ("trace-id-width-mismatch", Meaning::Fault("context-short-id", &[])),
    ("id-encoding-mismatch", CORRUPT),
    ("invalid-context-value", CORRUPT),
    ("conflicting-context-headers", Meaning::Fault("context-duplicate", &[])),
    ("baggage-lost", Meaning::Fault("context-drop", BAGGAGE)),
    ("baggage-key-case", Meaning::Fault("context-case", BAGGAGE)),
    ("parent-decision-ignored", FLIP),
    ("ratio-sampler-torn", FLIP),
    ("tail-sampling-torn", Meaning::Sampling),
    ("async-context-loss", Meaning::Inside(Some("context-drop"))),
    ("context-leak-megatrace", Meaning::Inside(Some("context-swap"))),
    ("process-boundary-loss", Meaning::Inside(None)),
    ("message-context-missing", Meaning::Inside(None)),
    ("message-link-only", Meaning::Inside(None)),
    ("phantom-parent", Meaning::Recording),
    ("dark-hop", Meaning::Recording),
    ("orphan-span", Meaning::Recording),
    ("telemetry-loss", Meaning::Recording),
    ("clock-skew", Meaning::Recording),
    ("invalid-span-interval", Meaning::Recording),
    ("span-kind-missing", Meaning::Recording),
    ("id-generator-faulty", Meaning::Recording),
    ("root-shape-violation", Meaning::Recording),
];

pub(super) fn meaning(rule: &str) -> Option<Meaning> {
    MEANINGS.iter().find(|(id, _)| *id == rule).map(|&(_, meaning)| meaning)
}

/// The calls that a finding is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broken {
    pub edge: Edge,
    /// All calls between the two services, and those that were hit.
    pub calls: Vec<u32>,
    pub hits: Vec<u32>,
}

/// Finds the calls of a finding: between the two services of its subject, or at all edges of the service where any was hit, those
/// with the most hits first.
pub(super) fn broken(ground: &Ground<'_>, finding: &Finding) -> Vec<Broken> {
    let traces: BTreeSet<u128> = finding.traces.iter().copied().collect();
    let is_hit = |number: u32| is_hit(ground, &finding.rule, &traces, number);
    let pairs = pairs(ground, finding);
    let of_pair = |pair: &(String, String)| {
        let calls = calls_between(ground, pair);
        let hits: Vec<u32> = calls.iter().copied().filter(|&number| is_hit(number)).collect();
        Some(Broken { edge: common_edge(ground, pair, &hits)?, calls, hits })
    };
    let mut all: Vec<Broken> = pairs.iter().filter_map(of_pair).collect();
    all.retain(|broken| !broken.hits.is_empty() || pairs.len() == 1);
    all.sort_by_key(|broken| std::cmp::Reverse(broken.hits.len()));
    all
}

/// Returns callers and callees that the subject may mean.
fn pairs(ground: &Ground<'_>, finding: &Finding) -> Vec<(String, String)> {
    if let [client, server] = finding.services.as_slice() {
        return vec![(client.clone(), server.clone())];
    }
    let is_of = |edge: &&Edge| finding.services.contains(&edge.client) || finding.services.contains(&edge.server);
    let readable = ground.edges.iter().filter(|edge| edge.is_seen && is_http(edge));
    let mut pairs: Vec<_> = readable.filter(is_of).map(|edge| (edge.client.clone(), edge.server.clone())).collect();
    pairs.sort();
    pairs.dedup();
    pairs
}

fn calls_between(ground: &Ground<'_>, (client, server): &(String, String)) -> Vec<u32> {
    let is_between = |edge: &Edge| edge.client == *client && edge.server == *server && !edge.is_message();
    let all = (0..).zip(&ground.calls);
    all.filter(|(_, call)| ground.edge(call.edge).is_some_and(is_between)).map(|(number, _)| number).collect()
}

/// A torn call is a hit; where the fault tears nothing, calls in the finding's traces are.
fn is_hit(ground: &Ground<'_>, rule: &str, traces: &BTreeSet<u128>, number: u32) -> bool {
    let Some(call) = ground.call(number) else { return false };
    let tears = matches!(meaning(rule), Some(DROP | CORRUPT | Meaning::Fault("context-short-id", _)));
    let ends = [call.client, call.server].into_iter().filter(|&end| end != NONE);
    let is_named = || ends.clone().any(|end| traces.contains(&ground.window.trace_id(end)));
    if tears { call.is_torn } else { is_named() }
}

/// The edge of all hits: with its operation where they have only one.
fn common_edge(ground: &Ground<'_>, (client, server): &(String, String), hits: &[u32]) -> Option<Edge> {
    let edges: Vec<&Edge> = hits.iter().filter_map(|&hit| ground.edge(ground.call(hit)?.edge)).collect();
    let any = ground.edges.iter().find(|edge| edge.client == *client && edge.server == *server && !edge.is_message());
    let first = edges.first().copied().or(any)?;
    let is_one = edges.iter().all(|edge| edge.operation == first.operation);
    let operation = if is_one { first.operation.clone() } else { String::new() };
    Some(Edge { operation, ..first.clone() })
}

/// Returns the fault of headers that does on the edge what the finding says.
pub(super) fn fault(broken: &Broken, kind: &str, headers: &[&str]) -> Made {
    let with = match (kind, headers.is_empty()) {
        ("context-corrupt", _) => json!({"headers": headers, "how": "garbage"}),
        (_, false) => json!({"headers": headers}),
        _ => json!({}),
    };
    let mut made = Made::new(&broken.edge, kind, Place::Request, with);
    if broken.edge.operation.is_empty() {
        // All operations between the two: HTTP as far as is known.
        (made.fault.when.path, made.fault.when.method) = (None, None);
    }
    if broken.edge.protocol == Protocol::Rpc && kind == "context-case" {
        made.notes.push("HTTP/2 has no upper case: gRPC cannot show this".to_owned());
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::DETECTORS;

    #[test]
    fn every_rule_of_propagation_has_a_meaning() {
        for (rule, _) in MEANINGS {
            assert!(DETECTORS.iter().any(|detector| detector.id == *rule), "no rule is called {rule}");
        }
        let without = DETECTORS.iter().filter(|detector| meaning(detector.id).is_none());
        // It may be an effect of time that went by in a callee: errors and time are looked into.
        assert_eq!(without.map(|detector| detector.id).collect::<Vec<_>>(), ["child-outlives-parent"]);
    }
}
