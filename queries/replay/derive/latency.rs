//! Where time went: by the critical path of a request, and of one call by its two ends.

use std::collections::BTreeMap;

use super::ground::{Call, Edge, Ground, Unit};
use super::magnitude::{deviation, median, quantile};
use crate::trace::assemble::assemble;
use crate::trace::critical_path::critical_path;
use crate::trace::spans::Spans;
use crate::trace::window::NONE;

/// On which side of a call time goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Side {
    /// Between the caller and the callee, there and back; or in a callee that has no spans.
    Wire,
    /// Inside of the callee itself, without what it waited for.
    Inside,
}

/// A place where time goes by: an edge ([`NONE`] for the root's own service) and a side.
pub(super) type Place = (u32, Side);

/// Returns how long a request waited at each place, in nanoseconds: its critical path. (CRISP, USENIX ATC 2022.)
pub(super) fn times(ground: &Ground<'_>, unit: u32) -> BTreeMap<Place, i64> {
    let Some(unit) = ground.units.get(unit as usize) else { return BTreeMap::new() };
    let spans = on_one_clock(ground, unit);
    let mut times = BTreeMap::new();
    for segment in critical_path(&spans, &assemble(&spans), 0) {
        let Some(&span) = spans.row.get(segment.span as usize) else { continue };
        let time: &mut i64 = times.entry(place(ground, span as u32)).or_default();
        *time = time.saturating_add(segment.end_ns.saturating_sub(segment.start_ns));
    }
    times
}

/// Where a span lies by the clock of the root.
#[derive(Debug, Clone, Copy)]
struct Shifted {
    span: u32,
    /// What is added to its recorded times.
    shift_ns: i64,
    start_ns: i64,
    end_ns: i64,
}

/// Copies the spans of a request, stitched ones below their new parents, by the clock of the root: what served a call is put in
/// the middle of it, as only the sum of the ways there and back is known, and does not outlive it.
fn on_one_clock(ground: &Ground<'_>, unit: &Unit) -> Spans {
    let root = unit.root as usize;
    let (start, end) = (ground.window.start_ns.get(root), ground.window.end_ns.get(root));
    let (start_ns, end_ns) = (start.copied().unwrap_or_default(), end.copied().unwrap_or_default());
    let mut spans = Spans { texts: vec!["".into()], ..Spans::default() };
    let mut waiting = vec![(0, Shifted { span: unit.root, shift_ns: 0, start_ns, end_ns })];
    while let Some((parent, at)) = waiting.pop() {
        let number = push(&mut spans, parent, at);
        waiting.extend(ground.children(at.span).iter().map(|&child| (number, below(ground, at, child))));
    }
    spans
}

/// Adds a span under a number of its own, which it returns: 1 is the first.
fn push(spans: &mut Spans, parent: u64, at: Shifted) -> u64 {
    let number = spans.len() as u64 + 1;
    spans.row.push(i64::from(at.span));
    spans.span_id.push(number);
    spans.parent_span_id.push(parent);
    spans.start_ns.push(at.start_ns);
    spans.duration_ns.push(at.end_ns.saturating_sub(at.start_ns));
    spans.kind.push(0);
    spans.status.push(0);
    spans.marks.push(0);
    spans.service.push(0);
    spans.name.push(0);
    number
}

fn below(ground: &Ground<'_>, parent: Shifted, child: u32) -> Shifted {
    let window = ground.window;
    let of = |times: &[i64], span: u32| times.get(span as usize).copied().unwrap_or_default();
    let (start, end) = (of(&window.start_ns, child), of(&window.end_ns, child));
    let is_served = is_served_by(ground, parent.span, child);
    let shift_ns = if is_served { into_the_middle(parent, start, end) } else { parent.shift_ns };
    let (start_ns, end_ns) = (start.saturating_add(shift_ns), end.saturating_add(shift_ns));
    // What goes on after its parent is no part of what was waited for; what ended with it is cut where the parent is.
    let was_waited_for = is_served || end <= of(&window.end_ns, parent.span);
    let end_ns = if was_waited_for { end_ns.min(parent.end_ns).max(start_ns) } else { end_ns };
    Shifted { span: child, shift_ns, start_ns, end_ns }
}

fn is_served_by(ground: &Ground<'_>, client: u32, server: u32) -> bool {
    let call = ground.call_of(server).and_then(|call| ground.call(call));
    let is_message = |call: &Call| ground.edge(call.edge).is_none_or(Edge::is_message);
    call.is_some_and(|call| call.client == client && call.server == server && !is_message(call))
}

fn into_the_middle(call: Shifted, start: i64, end: i64) -> i64 {
    let free = call.end_ns.saturating_sub(call.start_ns).saturating_sub(end.saturating_sub(start)).max(0);
    call.start_ns.saturating_add(free / 2).saturating_sub(start)
}

fn place(ground: &Ground<'_>, span: u32) -> Place {
    let boundary = ground.boundary(span);
    let call = ground.call_of(boundary).and_then(|call| ground.call(call));
    let side = |call: &Call| if call.client == boundary { Side::Wire } else { Side::Inside };
    call.map_or((NONE, Side::Inside), |call| (call.edge, side(call)))
}

/// Returns how long one call took on one side, in milliseconds; nothing where that cannot be told.
pub(super) fn of_call(ground: &Ground<'_>, call: &Call, side: Side) -> Option<f64> {
    let window = ground.window;
    let ms = |span: u32| window.duration_ns(span) as f64 / 1e6;
    match side {
        // Only the sum of the ways there and back is the same by all clocks.
        Side::Wire if call.client != NONE && call.server != NONE => Some((ms(call.client) - ms(call.server)).max(0.0)),
        Side::Wire if call.client != NONE => Some(ms(call.client)),
        Side::Inside if call.server != NONE => Some((ms(call.server) - waited_ms(ground, call.server)).max(0.0)),
        _ => None,
    }
}

/// Returns for how long an entry waited for calls of its own, in milliseconds: all of one process, so of one clock.
fn waited_ms(ground: &Ground<'_>, entry: u32) -> f64 {
    let window = ground.window;
    let mut waits: Vec<(i64, i64)> = Vec::new();
    let mut below = ground.children(entry).to_vec();
    while let Some(span) = below.pop() {
        if window.instance(span) != window.instance(entry) {
            continue;
        }
        match ground.call_of(span) {
            Some(_) => waits.extend(within(ground, span, entry)),
            None => below.extend_from_slice(ground.children(span)),
        }
    }
    covered_ns(waits) as f64 / 1e6
}

fn within(ground: &Ground<'_>, span: u32, entry: u32) -> Option<(i64, i64)> {
    let window = ground.window;
    let of = |span: u32| Some((*window.start_ns.get(span as usize)?, *window.end_ns.get(span as usize)?));
    let ((from, to), (first, last)) = (of(span)?, of(entry)?);
    Some((from.max(first), to.min(last))).filter(|(from, to)| from < to)
}

/// Returns how much time some intervals cover together.
fn covered_ns(mut intervals: Vec<(i64, i64)>) -> i64 {
    intervals.sort_unstable();
    let (mut covered, mut until) = (0_i64, i64::MIN);
    for (from, to) in intervals {
        covered = covered.saturating_add(to.saturating_sub(from.max(until)).max(0));
        until = until.max(to);
    }
    covered
}

/// How long requests of one kind usually take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usual {
    /// Milliseconds; longer is slow.
    pub limit_ms: f64,
    pub median_ms: f64,
}

/// Fewer requests do not say what is usual.
pub(super) const MIN_USUAL: usize = 5;

impl Usual {
    /// Learns it from durations in milliseconds. Slow is half as long again, and four deviations longer.
    pub(super) fn of(mut durations: Vec<f64>) -> Option<Self> {
        const DEVIATIONS: f64 = 4.0;
        const TIMES: f64 = 1.5;
        if durations.len() < MIN_USUAL {
            return None;
        }
        durations.iter_mut().for_each(|ms| *ms = ms.max(1e-6).ln());
        durations.sort_by(f64::total_cmp);
        let middle = quantile(&durations, 0.5);
        let limit = middle + f64::max(TIMES.ln(), DEVIATIONS * deviation(&durations));
        Some(Self { limit_ms: limit.exp(), median_ms: middle.exp() })
    }
}

/// What calls took on one side, in milliseconds, where nothing was wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Normal {
    pub median_ms: f64,
    /// Longer is a hit.
    pub limit_ms: f64,
    pub calls: usize,
}

impl Normal {
    pub(super) fn of(mut values: Vec<f64>) -> Self {
        const DEVIATIONS: f64 = 4.0;
        let median_ms = median(&mut values);
        let spread = DEVIATIONS * deviation(&values);
        let limit_ms = quantile(&values, 0.99).max(median_ms + spread).max(median_ms * 1.5);
        Self { median_ms, limit_ms, calls: values.len() }
    }
}
