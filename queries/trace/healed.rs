//! A trace with everything that was torn off it.

use super::spans::Spans;

/// Stands for "no join" in [`Healed::join`].
pub const NONE: u32 = u32::MAX;

/// The spans of one request, from all traces that it was torn into. Joined spans have the parent that was found for them; all
/// else is as recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Healed {
    pub spans: Spans,
    /// Ids of the traces, the one that was asked for first: lower-case hexadecimal.
    pub traces: Vec<String>,
    /// By span: which of `traces` it was recorded in.
    pub trace: Vec<u32>,
    pub joins: Vec<Join>,
    /// By span: the join that gave it its parent, or [`NONE`].
    pub join: Vec<u32>,
    /// By span: what to add to its times so that they go by the clock of the most others. Times in `spans` are as recorded.
    pub offset_ns: Vec<i64>,
}

/// Why a span stands below another than the recorded one.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// The parent id as recorded; 0 where there was none.
    pub recorded_parent: u64,
    /// 0 to 1.
    pub confidence: f64,
    /// Counted as one trace, or drawn with dashes.
    pub is_accepted: bool,
    /// A name of [`crate::stitch::Rule`].
    pub rule: String,
    /// One sentence.
    pub why: String,
}

impl Healed {
    /// Tells whether anything was joined.
    #[must_use]
    pub fn is_stitched(&self) -> bool {
        !self.joins.is_empty()
    }

    /// Returns the join of a span.
    #[must_use]
    pub fn join_of(&self, span: usize) -> Option<&Join> {
        self.joins.get(*self.join.get(span)? as usize)
    }

    /// Tells whether the clock of any span is off.
    #[must_use]
    pub fn is_skewed(&self) -> bool {
        self.offset_ns.iter().any(|&offset| offset != 0)
    }

    /// Returns the spans with their times moved to one clock.
    #[must_use]
    pub fn on_one_clock(&self) -> Spans {
        let mut spans = self.spans.clone();
        for (start, offset) in spans.start_ns.iter_mut().zip(&self.offset_ns) {
            *start = start.saturating_add(*offset);
        }
        spans
    }
}
