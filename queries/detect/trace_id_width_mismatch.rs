//! `trace-id-width-mismatch`: one trace under two ids that share their low 64 bits.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

/// Two spans, one of each trace: the parent and its child where the child names it, else the first of both.
type Seam = (u32, u32);

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut edges: BTreeMap<(Symbol, Symbol), Vec<Seam>> = BTreeMap::new();
    let twins = twins(window, rule);
    let spans = spans_of(window, &twins);
    for (one, other) in twins {
        let (Some(one), Some(other)) = (spans.get(&one), spans.get(&other)) else { continue };
        if let Some((before, after)) = seam(window, rule, one, other) {
            edges.entry((window.service(before), window.service(after))).or_default().push((before, after));
        }
    }
    edges.retain(|_, seams| seams.len() as u64 >= rule.count("min_traces").max(1));
    edges.into_iter().map(|(edge, seams)| draft(case, rule, edge, &seams)).collect()
}

/// Pairs of traces whose ids differ in the high half only. More than two of a kind are no twins: such ids are not random.
fn twins(window: &Window, rule: &Rule) -> Vec<(u32, u32)> {
    let mut traces: Vec<(u64, u128, u32)> = window.traces.iter().zip(0..).map(|(&id, at)| (id as u64, id, at)).collect();
    traces.sort_unstable();
    let of_kind = traces.chunk_by(|left, right| left.0 == right.0);
    let is_twin = |kind: &[(u64, u128, u32)]| kind[0].0 != 0 && (2..=rule.count("max_kin") as usize).contains(&kind.len());
    of_kind.filter(|kind| is_twin(kind)).flat_map(|kind| kind.windows(2).map(|pair| (pair[0].2, pair[1].2))).collect()
}

/// The spans of the traces that have a twin, by start.
fn spans_of(window: &Window, twins: &[(u32, u32)]) -> HashMap<u32, Vec<u32>> {
    let mut spans: HashMap<u32, Vec<u32>> = twins.iter().flat_map(|&(one, other)| [one, other]).map(|trace| (trace, Vec::new())).collect();
    if spans.is_empty() {
        return spans;
    }
    for span in window.spans() {
        if let Some(list) = spans.get_mut(&window.trace[span as usize]) {
            list.push(span);
        }
    }
    spans
}

/// Returns where one trace goes over into the other. Nothing where the two lie far apart, or neither is narrow and no span names
/// one of the other trace: then it is chance.
fn seam(window: &Window, rule: &Rule, one: &[u32], other: &[u32]) -> Option<Seam> {
    if let Some(seam) = named(window, one, other).or_else(|| named(window, other, one)) {
        return Some(seam);
    }
    let (first, second) = (*one.first()?, *other.first()?);
    let gap = window.start_ns[first as usize].saturating_sub(window.start_ns[second as usize]).saturating_abs();
    let is_narrow = |span: u32| window.trace_id(span) >> 64 == 0;
    let is_near = gap as f64 <= rule.threshold("max_gap_minutes") * 6e10;
    (is_near && (is_narrow(first) || is_narrow(second))).then_some((first.min(second), first.max(second)))
}

/// A span of `below` that names one of `above` as its parent.
fn named(window: &Window, above: &[u32], below: &[u32]) -> Option<Seam> {
    let ids: HashMap<u64, u32> = above.iter().rev().map(|&span| (window.span_id[span as usize], span)).collect();
    let mut open = below.iter().filter(|&&span| window.is_orphan(span));
    open.find_map(|&span| ids.get(&window.parent_span_id[span as usize]).map(|&parent| (parent, span)))
}

fn draft(case: &Case<'_>, rule: &Rule, (caller, callee): (Symbol, Symbol), seams: &[Seam]) -> Draft {
    let window = case.window;
    let linked = case.edges.get(caller, callee).map_or(0, |edge| edge.linked.len());
    let (from, to, count) = (window.text(caller), window.text(callee), seams.len());
    let id = |span: u32| format!("{:032x}", window.trace_id(span));
    let pair = seams.first().map(|&(before, after)| json!([id(before), id(after)]));
    let width = |span: u32| if window.trace_id(span) >> 64 == 0 { 64 } else { 128 };
    let widths = seams.first().map(|&(before, after)| json!({"before": width(before), "after": width(after)}));
    Draft {
        occurrences: count as u64,
        out_of: (count + linked) as u64,
        why: format!("{count} traces go on from {from} to {to} under another id with the same low 64 bits"),
        examples: seams.iter().map(|&(before, after)| Example { before, after }).take(3).collect(),
        spans: seams.iter().map(|&(_, after)| after).collect(),
        ..Draft::new(Subject::Edge(caller, callee), callee, rule.confidence)
    }
    .proof("ids", pair)
    .proof("bits", widths)
}
