//! Requests and messages from service to service, and at which of them a new trace began.

use std::collections::BTreeMap;

use super::Case;
use crate::stitch::{Rule as Join, State, Stitch};
use crate::trace::window::{Role, Symbol, Window};

/// A call whose callee began a new trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    pub call: u32,
    pub root: u32,
    /// Whether the stitch was accepted.
    pub is_sure: bool,
}

/// What goes from one service to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hop {
    /// Callee spans that have a span of the caller as recorded parent.
    pub linked: Vec<u32>,
    /// By start of the root.
    pub breaks: Vec<Break>,
}

/// Hops by caller and callee.
pub type Hops = BTreeMap<(Symbol, Symbol), Hop>;

impl Hop {
    /// Returns how many calls have a known callee.
    #[must_use]
    pub fn calls(&self) -> u64 {
        (self.linked.len() + self.breaks.len()) as u64
    }

    /// Share of calls that broke: 0 to 1.
    #[must_use]
    pub fn split(&self) -> f64 {
        self.breaks.len() as f64 / (self.calls().max(1)) as f64
    }

    /// Share of breaks whose stitch was accepted.
    #[must_use]
    pub fn sureness(&self) -> f64 {
        let sure = self.breaks.iter().filter(|one| one.is_sure).count();
        sure as f64 / self.breaks.len().max(1) as f64
    }
}

/// Returns the hops that arrive as requests.
#[must_use]
pub fn requests(case: &Case<'_>) -> Hops {
    hops(case, Role::Server)
}

/// Returns the hops that arrive as messages.
#[must_use]
pub fn messages(case: &Case<'_>) -> Hops {
    hops(case, Role::Consumer)
}

fn hops(case: &Case<'_>, role: Role) -> Hops {
    let window = case.window;
    let mut hops = Hops::new();
    for (&pair, edge) in case.edges.edges.iter().filter(|((caller, callee), _)| caller != callee) {
        let is_role = |span: &u32| window.role[*span as usize] == role;
        let linked = edge.linked.iter().copied().filter(is_role).collect();
        let stitches = edge.stitched.iter().chain(&edge.unsure).filter_map(|&at| case.stitches.get(at));
        let breaks = breaks(window, stitches.filter(|stitch| is_role(&stitch.child)));
        let hop = Hop { linked, breaks };
        if hop.calls() > 0 {
            hops.insert(pair, hop);
        }
    }
    hops
}

/// Returns the stitches that show lost context. A root that links to another trace began a new one on purpose. Mere guesses
/// count only where most are better than that: one by one they prove nothing.
fn breaks<'s>(window: &Window, stitches: impl Iterator<Item = &'s Stitch>) -> Vec<Break> {
    let is_break = |stitch: &&Stitch| {
        window.is_root(stitch.child) && stitch.rule != Join::Link && window.links_of(stitch.child).is_empty()
    };
    let all: Vec<&Stitch> = stitches.filter(is_break).collect();
    let likely = all.iter().filter(|stitch| stitch.state != State::Candidate).count();
    let is_counted = |stitch: &&&Stitch| likely * 2 >= all.len() || stitch.state != State::Candidate;
    let mut breaks: Vec<Break> = all.iter().filter(is_counted).map(|stitch| one(stitch)).collect();
    breaks.sort_by_key(|one| one.root);
    breaks
}

fn one(stitch: &Stitch) -> Break {
    Break { call: stitch.parent, root: stitch.child, is_sure: stitch.state == State::Accepted }
}
