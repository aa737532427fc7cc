//! Rejoins what propagation tore: says which span called or caused which root, how sure that is, and why.
//!
//! Nothing recorded is changed: a [`Stitch`] stands beside it.

pub mod calls;
pub mod density;
pub mod keys;
mod matching;
mod why;
pub mod work;

use std::cell::OnceCell;

use crate::trace::window::{Symbol, Window};

/// Rejoins all that can be rejoined: at most one stitch a child, ordered by child.
#[must_use]
pub fn stitch(window: &Window) -> Vec<Stitch> {
    // Looked for by whoever needs them first.
    let keys = OnceCell::new();
    let mut all = work::join(window, &keys);
    all.extend(calls::join(window, &keys));
    all.sort_by_key(|stitch| (stitch.child, stitch.state));
    all.dedup_by_key(|stitch| stitch.child);
    all
}

/// The baseline that stitching is measured against: first come, first served. Pairs of (child, parent).
#[must_use]
pub fn first_come(window: &Window) -> Vec<(u32, u32)> {
    let mut all = work::first_come(window);
    all.extend(calls::first_come(window));
    all
}

/// How a span lost its parent, and how it was found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A captured header holds the ids of the call.
    Header,
    /// A span link names the call.
    Link,
    /// The ids are one id in two widths or alphabets.
    TwinId,
    /// The message has an id, or a partition and offset.
    MessageId,
    /// A request id is equal on both sides.
    RequestId,
    /// One log record carries both ids.
    Log,
    /// A number, path or other value that occurs once on each side.
    UniqueValue,
    /// Both ends of one connection.
    Connection,
    /// The parent was rewritten by a hop that exports no spans: the call of the same trace takes its place.
    HiddenHop,
    /// The callee began a new trace: calls and callees were matched by time.
    CallTiming,
    /// Inside a service the context was lost: calls and requests were matched by time.
    WorkTiming,
    /// The consumer began a new trace: messages were matched by time.
    MessageTiming,
}

/// What is made of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Sure enough to be counted and drawn as one trace.
    Accepted,
    /// Likely; drawn with dashes, left out of counts.
    Maybe,
    /// The best guess, and no more than that.
    Candidate,
}

/// Why a join is believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// The value that both sides share; empty where time alone decides.
    pub value: Symbol,
    /// How many calls could have been the parent.
    pub candidates: u32,
    /// The next best parent, or [`crate::trace::window::NONE`].
    pub runner_up: u32,
    pub runner_up_confidence: f64,
    /// From the parent's start to the child's, and from the child's end to the parent's, by the clock of the parent.
    pub before_ns: i64,
    pub after_ns: i64,
    /// What was added to the child's clock.
    pub offset_ns: i64,
    /// How many joins the delays were learned from.
    pub learned_from: u32,
}

/// One rejoined span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stitch {
    pub child: u32,
    pub parent: u32,
    /// The probability that this is the parent: 0 to 1.
    pub confidence: f64,
    pub state: State,
    pub rule: Rule,
    pub evidence: Evidence,
}

impl Rule {
    /// Tells whether the evidence is exact: then the confidence is not a matter of time.
    #[must_use]
    pub fn is_exact(self) -> bool {
        !matches!(self, Self::CallTiming | Self::WorkTiming | Self::MessageTiming)
    }

    /// Returns the name that stands in the view `stitches`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Link => "link",
            Self::TwinId => "twin-id",
            Self::MessageId => "message-id",
            Self::RequestId => "request-id",
            Self::Log => "log",
            Self::UniqueValue => "unique-value",
            Self::Connection => "connection",
            Self::HiddenHop => "hidden-hop",
            Self::CallTiming => "call-timing",
            Self::WorkTiming => "work-timing",
            Self::MessageTiming => "message-timing",
        }
    }
}

impl State {
    /// Returns the name that stands in the view `stitches`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Maybe => "maybe",
            Self::Candidate => "candidate",
        }
    }
}

#[cfg(test)]
mod tests;
