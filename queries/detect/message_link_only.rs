//! `message-link-only`: consumers join their producers by span links. Not a fault: two traces that belong together.

use std::collections::BTreeMap;

use super::finding::{Draft, Example, Severity, Subject};
use super::{Case, Rule};
use crate::trace::window::{Role, Symbol, Window, key};

#[derive(Default)]
struct Edge {
    /// Producer and consumer of each link.
    joined: Vec<Example>,
    /// Consumers that are children of their producer.
    parented: u64,
    /// Consumers with fewer links than messages in their batch.
    truncated: u64,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut edges: BTreeMap<(Symbol, Symbol), Edge> = BTreeMap::new();
    let by_id = linked_to(window);
    for span in window.spans().filter(|&span| window.role[span as usize] == Role::Consumer) {
        for link in window.links_of(span) {
            let Some(&producer) = by_id.get(&(link.trace_id, link.span_id)) else { continue };
            if link.trace_id == window.trace_id(span) {
                continue;
            }
            let edge = edges.entry((window.service(producer), window.service(span))).or_default();
            edge.joined.push(Example { before: producer, after: span });
            edge.truncated += u64::from(is_truncated(window, span));
        }
    }
    for (&pair, edge) in &case.edges.edges {
        let is_message = |span: &&u32| window.role[**span as usize] == Role::Consumer;
        edges.entry(pair).or_default().parented = edge.linked.iter().filter(is_message).count() as u64;
    }
    edges.into_iter().filter_map(|(pair, edge)| draft(window, rule, pair, &edge)).collect()
}

/// Spans that send messages and that any span links to.
fn linked_to(window: &Window) -> BTreeMap<(u128, u64), u32> {
    let mut wanted: BTreeMap<(u128, u64), u32> = BTreeMap::new();
    if window.links.is_empty() {
        return wanted;
    }
    let targets: hashbrown::HashSet<(u128, u64)> = window.links.iter().map(|link| (link.trace_id, link.span_id)).collect();
    for span in window.spans().filter(|&span| window.is_exit(span)) {
        let id = (window.trace_id(span), window.span_id[span as usize]);
        if targets.contains(&id) {
            wanted.entry(id).or_insert(span);
        }
    }
    wanted
}

fn is_truncated(window: &Window, span: u32) -> bool {
    let count = window.attribute_text(span, key::MESSAGING_BATCH_MESSAGE_COUNT).and_then(|text| text.parse::<usize>().ok());
    count.is_some_and(|count| window.links_of(span).len() < count)
}

fn draft(window: &Window, rule: &Rule, (producer, consumer): (Symbol, Symbol), edge: &Edge) -> Option<Draft> {
    let joined = edge.joined.len() as u64;
    if joined < rule.count("min_links") {
        return None;
    }
    let is_cut = edge.truncated as f64 >= rule.threshold("min_truncated_share") * joined as f64;
    let why = format!(
        "{joined} spans of {} are joined to {} by links, {} by parent: two traces each, and nothing is broken{}",
        window.text(consumer),
        window.text(producer),
        edge.parented,
        if is_cut { ", but links are missing: batches have more messages than links" } else { "" }
    );
    let draft = Draft {
        severity: is_cut.then_some(Severity::Med),
        occurrences: joined,
        out_of: joined + edge.parented,
        why,
        spans: edge.joined.iter().flat_map(|pair| [pair.before, pair.after]).collect(),
        examples: edge.joined.iter().copied().take(3).collect(),
        ..Draft::new(Subject::Edge(producer, consumer), consumer, rule.confidence)
    };
    Some(draft.proof("links_truncated", edge.truncated).proof("mixed_shape", edge.parented > 0))
}
