//! Who calls whom, and which of these calls kept their context.

use std::collections::BTreeMap;

use super::peers::Peers;
use crate::stitch::{State, Stitch};
use crate::trace::window::{NONE, Symbol, Window};

/// The calls from one service to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edge {
    /// Callee spans that were recorded as children of the caller's.
    pub linked: Vec<u32>,
    /// Positions in the case's stitches: joins that were accepted.
    pub stitched: Vec<usize>,
    /// The same for likely joins, and for best guesses.
    pub unsure: Vec<usize>,
    /// Calls to this service of which no callee span is known, stitched or not.
    pub unserved: Vec<u32>,
}

/// What a service receives and sends.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Service {
    /// Server and consumer spans, and which of them have no recorded parent id, or one that is not there.
    pub entries: Vec<u32>,
    pub roots: Vec<u32>,
    pub orphans: Vec<u32>,
    /// Client and producer spans, databases left out.
    pub exits: u64,
    /// Of those, with a callee span as recorded.
    pub served: u64,
}

/// All edges and services of a window, ordered by their symbols.
#[derive(Debug, Default)]
pub struct Edges {
    /// By caller and callee.
    pub edges: BTreeMap<(Symbol, Symbol), Edge>,
    pub services: BTreeMap<Symbol, Service>,
}

impl Edge {
    /// Share of broken calls: accepted joins of all calls whose callee is known. Nothing where there is none.
    #[must_use]
    pub fn split(&self) -> Option<f64> {
        let known = self.linked.len() + self.stitched.len();
        (known > 0).then(|| self.stitched.len() as f64 / known as f64)
    }
}

impl Edges {
    /// Counts the calls of a window.
    #[must_use]
    pub fn of(window: &Window, stitches: &[Stitch], peers: &Peers) -> Self {
        let mut edges = Self::default();
        let mut is_stitched = vec![false; window.len()];
        for (at, stitch) in stitches.iter().enumerate() {
            is_stitched[stitch.parent as usize] |= stitch.state == State::Accepted;
            edges.stitch(window, at, stitch);
        }
        for span in window.spans() {
            if window.is_entry(span) {
                edges.entry(window, span);
            }
            if window.is_exit(span) {
                edges.exit(window, span, peers, is_stitched[span as usize]);
            }
        }
        edges
    }

    /// Returns the edge, where there is one.
    #[must_use]
    pub fn get(&self, caller: Symbol, callee: Symbol) -> Option<&Edge> {
        self.edges.get(&(caller, callee))
    }

    /// Returns the edges that leave a service.
    pub fn from(&self, caller: Symbol) -> impl Iterator<Item = (Symbol, &Edge)> {
        self.edges.iter().filter(move |((from, _), _)| *from == caller).map(|(&(_, to), edge)| (to, edge))
    }

    /// Returns the edges that lead to a service.
    pub fn to(&self, callee: Symbol) -> impl Iterator<Item = (Symbol, &Edge)> {
        self.edges.iter().filter(move |((_, to), _)| *to == callee).map(|(&(from, _), edge)| (from, edge))
    }

    fn edge(&mut self, caller: Symbol, callee: Symbol) -> &mut Edge {
        self.edges.entry((caller, callee)).or_default()
    }

    fn stitch(&mut self, window: &Window, at: usize, stitch: &Stitch) {
        if !window.is_entry(stitch.child) {
            return;
        }
        let edge = self.edge(window.service(stitch.parent), window.service(stitch.child));
        if stitch.state == State::Accepted { edge.stitched.push(at) } else { edge.unsure.push(at) }
    }

    fn entry(&mut self, window: &Window, span: u32) {
        let service = self.services.entry(window.service(span)).or_default();
        service.entries.push(span);
        if window.is_root(span) {
            service.roots.push(span);
        }
        if window.is_orphan(span) {
            service.orphans.push(span);
        }
        let parent = window.parent[span as usize];
        if parent != NONE && window.instance(parent) != window.instance(span) {
            self.edge(window.service(parent), window.service(span)).linked.push(span);
        }
    }

    fn exit(&mut self, window: &Window, span: u32, peers: &Peers, is_stitched: bool) {
        if super::peers::is_database(window, span) {
            return;
        }
        let caller = window.service(span);
        let service = self.services.entry(caller).or_default();
        service.exits += 1;
        if window.is_served(span) {
            service.served += 1;
        } else if !is_stitched && let Some(callee) = peers.of(window, span) {
            self.edge(caller, callee).unserved.push(span);
        }
    }
}
