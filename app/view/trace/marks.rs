//! What is odd about a span, as a sign in its row and in words.

use riftline_ingest::marks::Mark;
use riftline_queries::trace::assemble::Place;

use super::data::TraceData;

/// Something to know about a span before believing what the waterfall seems to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanMark {
    Error,
    Joined,
    MaybeJoined,
    Orphan,
    CycleCut,
    SharesId,
    EndsBeforeStart,
    BeforeParent,
    AfterParent,
    Recorded,
}

impl SpanMark {
    /// All marks, the most important first.
    pub const ALL: [Self; 10] = [
        Self::Error,
        Self::Joined,
        Self::MaybeJoined,
        Self::Orphan,
        Self::CycleCut,
        Self::SharesId,
        Self::EndsBeforeStart,
        Self::BeforeParent,
        Self::AfterParent,
        Self::Recorded,
    ];

    /// Returns the sign in the row.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Error => "✖",
            Self::Joined => "≠",
            Self::MaybeJoined => "≠?",
            Self::Orphan => "?",
            Self::CycleCut => "↻",
            Self::SharesId => "≡",
            Self::EndsBeforeStart => "↔",
            Self::BeforeParent => "←",
            Self::AfterParent => "→",
            Self::Recorded => "!",
        }
    }

    /// Returns what the sign says, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Error => "failed: its status is error",
            Self::Joined => "it was joined to this parent, which was not recorded",
            Self::MaybeJoined => "it may belong to this parent: the likeliest, but not sure",
            Self::Orphan => "its parent is not in the store",
            Self::CycleCut => "its parents lead back to itself: the ring is cut here",
            Self::SharesId => "another span has the same id and other content",
            Self::EndsBeforeStart => "it ends before it starts",
            Self::BeforeParent => "it starts before its parent (clocks differ, or the wrong parent)",
            Self::AfterParent => "it ends after its parent (asynchronous work, or clocks differ)",
            Self::Recorded => "a value was changed to fit when it was read",
        }
    }
}

/// Returns the marks of the span at `rank`, the most important first.
#[must_use]
pub fn marks(data: &TraceData, rank: u32) -> Vec<SpanMark> {
    SpanMark::ALL.into_iter().filter(|&mark| has(data, rank, mark)).collect()
}

fn has(data: &TraceData, rank: u32, mark: SpanMark) -> bool {
    let (forest, span) = (&data.forest, data.forest.span(rank));
    let recorded = data.spans.marks[span];
    let parent = forest.parent(rank).map(|parent| data.interval(forest.span(parent)));
    let interval = data.interval(span);
    match mark {
        SpanMark::Error => data.spans.status[span] == 2,
        SpanMark::Joined => data.torn.join(span).is_some_and(|join| join.is_accepted),
        SpanMark::MaybeJoined => data.torn.join(span).is_some_and(|join| !join.is_accepted),
        SpanMark::Orphan => forest.place(rank) == Place::Orphan,
        SpanMark::CycleCut => forest.place(rank) == Place::CycleCut,
        SpanMark::SharesId => forest.shares_id(rank),
        SpanMark::EndsBeforeStart => data.spans.duration_ns[span] < 0,
        SpanMark::BeforeParent => parent.is_some_and(|parent| interval.0 < parent.0),
        SpanMark::AfterParent => parent.is_some_and(|parent| interval.1 > parent.1),
        SpanMark::Recorded => recorded & !Mark::EndsBeforeStart.bit() != 0,
    }
}
