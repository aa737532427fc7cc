//! Long runs of siblings that do the same: a loop over rows, a page of requests. They fold into one row.

use riftline_queries::trace::assemble::Place;
use riftline_queries::trace::spans::Spans;

use super::forest::Forest;

/// Fewer siblings than these are shown one by one.
pub const MIN_LEN: u32 = 10;

/// A sibling with more spans below it than these is worth a row of its own. Less than [`MIN_LEN`], so that runs never nest.
const MAX_BELOW: u32 = 4;

/// Siblings of one service and name in a row: the ranks from `first` up to `end`, with what stands below them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub first: u32,
    pub end: u32,
    /// How many siblings, without what stands below them.
    pub len: u32,
    /// How many of all spans of the run have the status error.
    pub num_errors: u32,
    pub p50_ns: i64,
    pub p99_ns: i64,
    /// From the first start to the last end.
    pub extent_ns: (i64, i64),
}

/// Finds all runs, by rank. Visits every rank once.
#[must_use]
pub fn find(spans: &Spans, forest: &Forest) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut durations = Vec::new();
    let mut rank = 0;
    while rank < forest.len() {
        if forest.descendants(rank) > MAX_BELOW {
            rank += 1;
            continue;
        }
        let end = collect(spans, forest, rank, &mut durations);
        if durations.len() >= MIN_LEN as usize {
            runs.push(measure(spans, forest, rank, end, &mut durations));
        }
        rank = end;
    }
    runs
}

/// Puts the durations of the siblings like the one at `first` into `durations`; returns the rank behind the last of them.
fn collect(spans: &Spans, forest: &Forest, first: u32, durations: &mut Vec<i64>) -> u32 {
    durations.clear();
    let siblings_end = forest.siblings_end(first);
    let like = forest.span(first);
    let mut rank = first;
    while rank < siblings_end && is_alike(spans, forest, like, rank) {
        durations.push(spans.duration_ns[forest.span(rank)]);
        rank = forest.end(rank);
    }
    rank.max(forest.end(first))
}

fn is_alike(spans: &Spans, forest: &Forest, like: usize, rank: u32) -> bool {
    let span = forest.span(rank);
    forest.descendants(rank) <= MAX_BELOW
        && spans.name[span] == spans.name[like]
        && spans.service[span] == spans.service[like]
        && forest.place(rank) != Place::CycleCut
}

fn measure(spans: &Spans, forest: &Forest, first: u32, end: u32, durations: &mut [i64]) -> Run {
    let (mut num_errors, mut extent_ns) = (0, (i64::MAX, i64::MIN));
    for span in (first..end).map(|rank| forest.span(rank)) {
        num_errors += u32::from(spans.status[span] == 2);
        extent_ns = (extent_ns.0.min(spans.start_ns[span]), extent_ns.1.max(spans.end_ns(span)));
    }
    let p50_ns = quantile(durations, 50);
    let p99_ns = quantile(durations, 99);
    Run { first, end, len: durations.len() as u32, num_errors, p50_ns, p99_ns, extent_ns }
}

/// Returns the smallest value that `percent` of 100 values do not exceed (nearest rank).
fn quantile(values: &mut [i64], percent: usize) -> i64 {
    let index = (values.len() * percent).div_ceil(100).saturating_sub(1);
    *values.select_nth_unstable(index).1
}
