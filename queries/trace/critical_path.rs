//! Which spans the end of the trace waited for.

use super::assemble::Tree;
use super::spans::Spans;

/// A stretch of the critical path: until `end_ns` the trace waited for `span` itself, not for one of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub span: u32,
    pub start_ns: i64,
    pub end_ns: i64,
}

/// Returns the critical path below `root`, by time. Segments do not overlap, lie within the root's interval, and their lengths
/// add up to the root's duration. Children that go on after their parent's end (asynchronous work) are not on it.
#[must_use]
pub fn critical_path(spans: &Spans, tree: &Tree, root: u32) -> Vec<Segment> {
    let _ = (spans, tree, root);
    Vec::new()
}
