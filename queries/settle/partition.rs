//! Settles the traces of one part: trace by trace, each as it is now and, for edges, as it was before.

use duckdb::Connection;

use super::duplicates::{self, Repeats};
use super::edges::{self, EdgeChanges};
use super::rows::Rows;
use super::summary::{Summary, summarize};
use super::{Stop, Stretch};
use crate::cancel::Cancel;
use crate::trace::assemble::assemble;
use crate::trace::spans::Spans;

/// What changes in the derived tables.
#[derive(Debug)]
pub(super) struct Outcome<'rows> {
    pub(super) rows: &'rows Rows,
    pub(super) traces: Vec<Summary>,
    pub(super) edges: EdgeChanges,
    /// (row, source) of spans that are hidden from now on.
    pub(super) duplicates: Vec<(i64, u32)>,
    /// Rows of spans that are marked from now on.
    pub(super) shared: Vec<i64>,
}

/// Settles all traces of `rows`.
pub(super) fn settle<'rows>(
    connection: &Connection,
    rows: &'rows Rows,
    stretch: &Stretch,
    cancel: &Cancel,
) -> Result<Outcome<'rows>, Stop> {
    let repeats = duplicates::find(connection, rows, stretch)?;
    let mut duplicates: Vec<(i64, u32)> =
        repeats.hidden.iter().map(|(&row, &source)| (row, source)).filter(|&(row, _)| row > stretch.after).collect();
    duplicates.sort_unstable();
    let shared = repeats.shared.iter().filter(|(_, was_shared)| !was_shared).map(|&(row, _)| row).collect();
    let mut outcome =
        Outcome { rows, traces: Vec::with_capacity(rows.num_traces()), edges: EdgeChanges::new(), duplicates, shared };
    let mut scratch = Scratch { spans: Spans { texts: rows.texts.clone(), ..Spans::default() }, positions: Vec::new() };
    for trace in 0..rows.num_traces() {
        if cancel.is_stopped() {
            return Err(Stop::Cancelled);
        }
        outcome.trace(trace, &repeats, stretch, &mut scratch);
    }
    outcome.edges.retain(|_, calls| calls.calls != 0 || calls.errors != 0);
    Ok(outcome)
}

/// One trace as columns; filled anew for each, so that a million small traces allocate nothing.
struct Scratch {
    spans: Spans,
    positions: Vec<u32>,
}

impl Outcome<'_> {
    fn trace(&mut self, trace: usize, repeats: &Repeats, stretch: &Stretch, scratch: &mut Scratch) {
        let rows = self.rows;
        let all = rows.of_trace(trace);
        let (Some(&first), Some(&last)) = (all.first(), all.last()) else { return };
        let (first, last) = (rows.row[first as usize], rows.row[last as usize]);
        if first <= stretch.after {
            scratch.fill(rows, all.iter().filter(|&&at| rows.row[at as usize] <= stretch.after), repeats);
            let before = assemble(&scratch.spans);
            edges::add(&mut self.edges, rows, &scratch.positions, &scratch.spans, &before, -1);
        }
        scratch.fill(rows, all.iter(), repeats);
        let tree = assemble(&scratch.spans);
        edges::add(&mut self.edges, rows, &scratch.positions, &scratch.spans, &tree, 1);
        self.traces.push(summarize(rows.trace_ids[trace], &scratch.spans, &tree, (first, last, all.len() as i64)));
    }
}

impl Scratch {
    fn fill<'a>(&mut self, rows: &Rows, positions: impl Iterator<Item = &'a u32>, repeats: &Repeats) {
        self.positions.clear();
        let is_shown = |at: &&u32| !repeats.hidden.contains_key(&rows.row[**at as usize]);
        self.positions.extend(positions.filter(is_shown));
        let positions = &self.positions;
        let spans = &mut self.spans;
        take(&mut spans.row, &rows.row, positions);
        take(&mut spans.span_id, &rows.span_id, positions);
        take(&mut spans.parent_span_id, &rows.parent_span_id, positions);
        take(&mut spans.start_ns, &rows.start_ns, positions);
        take(&mut spans.duration_ns, &rows.duration_ns, positions);
        take(&mut spans.kind, &rows.kind, positions);
        take(&mut spans.status, &rows.status, positions);
        take(&mut spans.service, &rows.service, positions);
        take(&mut spans.name, &rows.name, positions);
        spans.marks.clear();
        spans.marks.resize(positions.len(), 0);
    }
}

fn take<T: Copy>(to: &mut Vec<T>, from: &[T], positions: &[u32]) {
    to.clear();
    to.extend(positions.iter().map(|&at| from[at as usize]));
}
