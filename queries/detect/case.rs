//! What detectors look at: spans, joins, and what is known about the services' clocks and calls.

use super::edges::Edges;
use super::headers::Headers;
use super::peers::Peers;
use crate::stitch::{State, Stitch};
use crate::trace::window::{NONE, Window};

/// One stretch of time, made ready for detectors.
#[derive(Debug)]
pub struct Case<'w> {
    pub window: &'w Window,
    /// Ordered by child.
    pub stitches: &'w [Stitch],
    /// By span: the parent as recorded, or the one of an accepted stitch; [`NONE`] where there is neither.
    pub healed_parent: Vec<u32>,
    pub peers: Peers,
    pub edges: Edges,
    pub headers: Headers,
    healed_children: Children,
}

type Children = crate::trace::window::Rows<u32>;

impl<'w> Case<'w> {
    /// Makes a case of what was read and what was stitched.
    #[must_use]
    pub fn new(window: &'w Window, stitches: &'w [Stitch]) -> Self {
        let healed_parent = healed_parents(window, stitches);
        let healed_children = crate::trace::window::children_of(&healed_parent);
        let peers = Peers::learn(window, &healed_parent);
        let edges = Edges::of(window, stitches, &peers);
        let headers = Headers::of(window);
        Self { window, stitches, healed_parent, peers, edges, headers, healed_children }
    }

    /// Returns the children of a span, those of accepted stitches too, by start.
    #[must_use]
    pub fn healed_children(&self, span: u32) -> &[u32] {
        self.healed_children.get(span as usize)
    }

    /// Returns the stitch of a child.
    #[must_use]
    pub fn stitch_of(&self, child: u32) -> Option<&'w Stitch> {
        let at = self.stitches.binary_search_by_key(&child, |stitch| stitch.child).ok()?;
        self.stitches.get(at)
    }
}

/// Puts accepted stitches in place of missing parents. One that would close a ring is left out.
pub(crate) fn healed_parents(window: &Window, stitches: &[Stitch]) -> Vec<u32> {
    let mut parents = window.parent.clone();
    for stitch in stitches.iter().filter(|stitch| stitch.state == State::Accepted) {
        if !leads_to(&parents, stitch.parent, stitch.child) {
            parents[stitch.child as usize] = stitch.parent;
        }
    }
    parents
}

fn leads_to(parents: &[u32], from: u32, to: u32) -> bool {
    /// Deeper than any real trace: a bound, so that a chain of a million spans does not cost a million steps a stitch.
    const MAX_DEPTH: usize = 10_000;
    let mut at = from;
    for _ in 0..MAX_DEPTH {
        if at == NONE || at == to {
            return at == to;
        }
        at = parents[at as usize];
    }
    true
}
