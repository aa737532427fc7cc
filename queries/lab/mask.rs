//! Tears healthy calls of a window, to see how far stitching can be trusted on these very data.

use hashbrown::HashMap;

use super::truth::Truth;
use crate::chance::Chance;
use crate::trace::window::{Builder, LogRecord, NONE, SpanRecord, Window};

/// What is torn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masked {
    /// Callees of other processes begin traces of their own.
    Calls,
    /// Calls that a process makes for a request begin traces of their own.
    Work,
}

/// Tears a share of the healthy calls of each edge; returns the torn window and the truth about it.
#[must_use]
pub fn mask(window: &Window, what: Masked, share: f64, seed: u64) -> (Window, Truth) {
    let mut chance = Chance::new(seed);
    let torn: Vec<bool> = window.spans().map(|span| is_healthy(window, span, what) && chance.share() < share).collect();
    let fresh: Vec<u128> = torn.iter().map(|&is_torn| if is_torn { chance.trace_id() } else { 0 }).collect();
    let traces: Vec<u128> = window.spans().map(|span| trace_id(window, span, &torn, &fresh)).collect();
    let pairs: Vec<(u32, u32)> =
        window.spans().filter(|&span| torn[span as usize]).map(|span| (span, window.parent[span as usize])).collect();
    let ids = |span: u32| (traces[span as usize], window.span_id[span as usize]);
    let known: Vec<_> =
        pairs.iter().map(|&(child, parent)| (ids(child), ids(parent), window.trace[child as usize])).collect();
    let masked = rebuild(window, &traces, &torn);
    let places: HashMap<(u128, u64), u32> =
        masked.spans().map(|span| ((masked.trace_id(span), masked.span_id[span as usize]), span)).collect();
    let mut truth = Truth::default();
    for (child, parent, original) in known {
        if let (Some(&child), Some(&parent)) = (places.get(&child), places.get(&parent)) {
            truth.torn.push((child, parent, original));
        }
    }
    truth.torn.sort_unstable();
    (masked, truth)
}

/// Tells whether a span has its recorded parent where one is to be expected.
fn is_healthy(window: &Window, span: u32, what: Masked) -> bool {
    let parent = window.parent[span as usize];
    if parent == NONE {
        return false;
    }
    let is_same = window.instance(parent) == window.instance(span);
    match what {
        Masked::Calls => window.is_entry(span) && window.is_exit(parent) && !is_same,
        Masked::Work => window.is_exit(span) && is_same && window.is_served(span),
    }
}

/// The trace of the nearest torn span up the tree, or the recorded one.
fn trace_id(window: &Window, span: u32, torn: &[bool], fresh: &[u128]) -> u128 {
    const MAX_DEPTH: usize = 10_000;
    let mut at = span;
    for _ in 0..MAX_DEPTH {
        if torn[at as usize] {
            return fresh[at as usize];
        }
        at = window.parent[at as usize];
        if at == NONE {
            break;
        }
    }
    window.trace_id(span)
}

fn rebuild(window: &Window, traces: &[u128], torn: &[bool]) -> Window {
    let mut builder = Builder::of(window);
    let by_ids: HashMap<(u128, u64), u128> = window
        .spans()
        .map(|span| ((window.trace_id(span), window.span_id[span as usize]), traces[span as usize]))
        .collect();
    for span in window.spans() {
        let at = span as usize;
        let parent_span_id = if torn[at] { 0 } else { window.parent_span_id[at] };
        builder.copy(window, span, SpanRecord { trace_id: traces[at], parent_span_id, ..window.record(span) });
    }
    for log in 0..window.logs.time_ns.len() {
        let ids = (window.logs.trace_id[log], window.logs.span_id[log]);
        let trace_id = by_ids.get(&ids).copied().unwrap_or(ids.0);
        builder.copy_log(window, log, LogRecord { trace_id, ..window.log_record(log) });
    }
    builder.finish()
}
