//! Requests: the spans of a trace, with the fragments that were torn off it.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;

use crate::stitch::{State, Stitch};
use crate::trace::window::{NONE, Window};

/// One request of an arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) trace_id: u128,
    /// By start; those of fragments behind those of the trace itself.
    pub(super) spans: Vec<u32>,
    /// How many of `spans` have the trace's own id.
    pub(super) num_own: usize,
}

impl Request {
    pub(super) fn own(&self) -> &[u32] {
        self.spans.get(..self.num_own).unwrap_or_default()
    }

    /// Returns the span that the request begins with, of those that are not looked through.
    pub(super) fn head(&self, window: &Window, is_seen: impl Fn(u32) -> bool) -> Option<u32> {
        let is_under_seen = |span: u32| Some(parent(window, span)).is_some_and(|above| above != NONE && is_seen(above));
        let mut seen = self.own().iter().copied().filter(|&span| is_seen(span));
        seen.clone().find(|&span| !is_under_seen(span)).or_else(|| seen.next())
    }

    /// Returns the spans at which fragments begin: all without a parent, but the one that the request begins with.
    pub(super) fn torn(&self, window: &Window, head: Option<u32>) -> impl Iterator<Item = u32> {
        self.spans.iter().copied().filter(move |&span| parent(window, span) == NONE && Some(span) != head)
    }
}

/// Returns the recorded parent.
pub(super) fn parent(window: &Window, span: u32) -> u32 {
    window.parent.get(span as usize).copied().unwrap_or(NONE)
}

pub(super) fn start_ns(window: &Window, span: u32) -> i64 {
    window.start_ns.get(span as usize).copied().unwrap_or_default()
}

/// The traces of a window, and which of them were torn off which.
#[derive(Debug)]
pub(super) struct Traces {
    /// By trace: its spans, by start.
    spans: Vec<Vec<u32>>,
    by_id: HashMap<u128, u32>,
    /// By trace: the one that it was torn off; itself where it was not.
    whole: Vec<u32>,
}

impl Traces {
    pub(super) fn of(window: &Window, stitches: &[Stitch]) -> Self {
        let mut spans = vec![Vec::new(); window.traces.len()];
        for span in window.spans() {
            if let Some(list) = spans.get_mut(trace(window, span)) {
                list.push(span);
            }
        }
        let by_id = window.traces.iter().zip(0..).map(|(&id, trace)| (id, trace)).collect();
        Self { spans, by_id, whole: wholes(window, stitches) }
    }

    /// Returns the requests with these trace ids, by start. An id that was not recorded has none; one that was torn off another
    /// of them is a part of that one.
    pub(super) fn requests(&self, window: &Window, ids: &[u128]) -> Vec<Request> {
        let listed: BTreeSet<u32> = ids.iter().filter_map(|id| self.by_id.get(id)).copied().collect();
        let mut parts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (trace, &whole) in (0_u32..).zip(&self.whole) {
            let owner = if listed.contains(&whole) { whole } else { trace };
            if listed.contains(&owner) {
                parts.entry(owner).or_default().push(trace);
            }
        }
        let mut requests: Vec<Request> = parts.iter().map(|(&own, parts)| self.request(window, own, parts)).collect();
        requests.sort_by_key(|request| (begin(window, request), request.trace_id));
        requests
    }

    fn request(&self, window: &Window, own: u32, parts: &[u32]) -> Request {
        let mut spans = self.spans_of(own).to_vec();
        let num_own = spans.len();
        let others = parts.iter().filter(|&&part| part != own).flat_map(|&part| self.spans_of(part));
        spans.extend(others);
        spans.get_mut(num_own..).into_iter().for_each(<[u32]>::sort_unstable);
        Request { trace_id: window.traces.get(own as usize).copied().unwrap_or_default(), spans, num_own }
    }

    fn spans_of(&self, trace: u32) -> &[u32] {
        self.spans.get(trace as usize).map_or(&[], Vec::as_slice)
    }

    /// Returns the traces that begin within `interval`, are not in `known`, and were not torn off any of these.
    pub(super) fn loose(&self, window: &Window, known: &BTreeSet<u128>, interval: (i64, i64)) -> Vec<&[u32]> {
        let is_known = |trace: u32| window.traces.get(trace as usize).is_none_or(|id| known.contains(id));
        let begins_within = |spans: &&[u32]| {
            spans.first().is_some_and(|&first| (interval.0..=interval.1).contains(&start_ns(window, first)))
        };
        let unknown = (0_u32..).zip(&self.whole).filter(|&(trace, &whole)| !is_known(trace) && !is_known(whole));
        unknown.map(|(trace, _)| self.spans_of(trace)).filter(begins_within).collect()
    }
}

/// Gives each fragment to the request that began last before it.
pub(super) fn attach(window: &Window, requests: &mut [Request], fragments: &[&[u32]]) {
    let begins: Vec<i64> = requests.iter().map(|request| begin(window, request)).collect();
    for fragment in fragments {
        let at = fragment.first().map_or(i64::MIN, |&first| start_ns(window, first));
        let before = begins.partition_point(|&begin| begin <= at).saturating_sub(1);
        if let Some(request) = requests.get_mut(before) {
            request.spans.extend_from_slice(fragment);
        }
    }
}

pub(super) fn begin(window: &Window, request: &Request) -> i64 {
    request.own().first().map_or(i64::MAX, |&first| start_ns(window, first))
}

fn trace(window: &Window, span: u32) -> usize {
    window.trace.get(span as usize).map_or(usize::MAX, |&trace| trace as usize)
}

/// Follows accepted joins to the trace that was not torn off any other. Rings end where they began.
fn wholes(window: &Window, stitches: &[Stitch]) -> Vec<u32> {
    /// More fragments one behind the other than any request has.
    const MAX_STEPS: usize = 1_000;
    let mut torn_off: Vec<u32> = (0..window.traces.len() as u32).collect();
    for stitch in stitches.iter().rev().filter(|stitch| stitch.state == State::Accepted) {
        let (child, whole) = (trace(window, stitch.child), trace(window, stitch.parent));
        if let Some(slot) = torn_off.get_mut(child).filter(|_| whole < window.traces.len()) {
            *slot = whole as u32;
        }
    }
    let next = |trace: u32| torn_off.get(trace as usize).copied().unwrap_or(trace);
    let last = |from: u32| {
        let way = std::iter::successors(Some(from), |&at| Some(next(at)).filter(|&next| next != at && next != from));
        way.take(MAX_STEPS).last().unwrap_or(from)
    };
    (0..window.traces.len() as u32).map(last).collect()
}
