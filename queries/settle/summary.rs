//! One trace in one row.

use crate::trace::assemble::{Place, Tree};
use crate::trace::spans::Spans;

/// The row of a trace in `settled_traces`; texts are numbers into [`super::rows::Rows::texts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) id: (u64, u64),
    pub(super) start_ns: i64,
    pub(super) duration_ns: i64,
    pub(super) root_service: u32,
    pub(super) root_name: u32,
    pub(super) num_spans: i64,
    pub(super) num_services: i64,
    pub(super) num_errors: i64,
    pub(super) is_complete: bool,
    pub(super) first_row: i64,
    pub(super) last_row: i64,
    /// Rows of the trace, duplicates too.
    pub(super) num_rows: i64,
}

/// Sums up a trace. Its root is the first span without a parent id, else the first span under the trace.
pub(super) fn summarize(id: (u64, u64), spans: &Spans, tree: &Tree, rows: (i64, i64, i64)) -> Summary {
    let start_ns = spans.start_ns.iter().copied().min().unwrap_or(0);
    let end_ns = (0..spans.len()).map(|span| spans.end_ns(span)).max().unwrap_or(0);
    let is_root = |&&span: &&u32| tree.place[span as usize] == Place::Root;
    let root = tree.order.iter().find(is_root).or(tree.order.first()).map_or(0, |&span| span as usize);
    let mut services = spans.service.clone();
    services.sort_unstable();
    services.dedup();
    Summary {
        id,
        start_ns,
        duration_ns: end_ns.saturating_sub(start_ns),
        root_service: spans.service.get(root).copied().unwrap_or(0),
        root_name: spans.name.get(root).copied().unwrap_or(0),
        num_spans: spans.len() as i64,
        num_services: services.len() as i64,
        num_errors: spans.status.iter().map(|&status| i64::from(status == 2)).sum(),
        is_complete: is_complete(tree),
        first_row: rows.0,
        last_row: rows.1,
        num_rows: rows.2,
    }
}

/// One root, and every other span below it.
fn is_complete(tree: &Tree) -> bool {
    let count = |place: Place| tree.place.iter().filter(|&&one| one == place).count();
    count(Place::Root) == 1 && count(Place::Child) + 1 == tree.place.len()
}
