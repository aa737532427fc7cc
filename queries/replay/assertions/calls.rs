//! The calls at the fault's edge, as the requests of the fault arm made them.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::Example;
use crate::replay::edge;
use crate::replay::judge::{Judged, Staging};
use crate::replay::path_key::{Names, PathKeys};
use crate::trace::window::{NONE, Symbol, Window};

/// One call of the client to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub span: u32,
    /// The span that made it, [`NONE`] where that is not known.
    pub parent: u32,
    pub trace: u32,
    /// The process that made it.
    pub instance: Symbol,
    /// Nanoseconds since 1970, UTC.
    pub start_ns: i64,
    pub end_ns: i64,
    pub is_failed: bool,
}

/// All calls of an edge, and what is asked about them.
#[derive(Debug)]
pub struct Calls<'a> {
    pub window: &'a Window,
    /// By start.
    pub all: Vec<Call>,
    /// Spans of the fault arm at which requests reach the client, and those at which calls reach the server, by start.
    pub client_entries: Vec<u32>,
    pub server_entries: Vec<u32>,
}

impl<'a> Calls<'a> {
    pub(super) fn of(staging: &Staging<'a>, plan: &Judged) -> Self {
        let window = staging.window;
        let name = |service: &String| plan.names.get(service).unwrap_or(service).clone();
        let (client, server) = (name(&plan.edge.client), name(&plan.edge.server));
        let edge = Edge { window, paths: PathKeys::of(window, staging.stitches, &Names::new()), client, server };
        let operations = edge.operations(&plan.edge);
        let listed: HashSet<u128> = staging.fault.traces.iter().copied().collect();
        let in_arm = |span: &u32| listed.contains(&edge.first_trace(*span));
        let spans: Vec<u32> = window.spans().filter(in_arm).collect();
        let is_call = |span: &&u32| edge.is_call(**span, &operations);
        let entries = |service: &str| {
            let is_entry = |span: &&u32| window.is_entry(**span) && edge.service(**span) == service;
            spans.iter().filter(is_entry).copied().collect()
        };
        let (client_entries, server_entries) = (entries(&edge.client), entries(&edge.server));
        let all = spans.iter().filter(is_call).map(|&span| edge.call(span)).collect();
        Self { window, all, client_entries, server_entries }
    }

    /// Returns the calls that one span made of one operation, in order: those after the first may be retries.
    pub(super) fn attempts(&self) -> Vec<Vec<Call>> {
        let mut groups: BTreeMap<(u32, u32, Symbol), Vec<Call>> = BTreeMap::new();
        for call in &self.all {
            let name = self.window.name.get(call.span as usize).copied().unwrap_or_default();
            groups.entry((call.trace, call.parent, name)).or_default().push(*call);
        }
        groups.into_values().collect()
    }

    /// Returns the calls that each process made, in order.
    pub(super) fn by_instance(&self) -> Vec<Vec<Call>> {
        let mut groups: BTreeMap<Symbol, Vec<Call>> = BTreeMap::new();
        self.all.iter().for_each(|call| groups.entry(call.instance).or_default().push(*call));
        groups.into_values().collect()
    }

    pub(super) fn example(&self, span: u32) -> Example {
        let span_id = self.window.span_id.get(span as usize).copied().unwrap_or_default();
        Example { trace_id: format!("{:032x}", self.window.trace_id(span)), span_id: format!("{span_id:016x}") }
    }
}

struct Edge<'a> {
    window: &'a Window,
    paths: PathKeys,
    client: String,
    server: String,
}

impl Edge<'_> {
    fn service(&self, span: u32) -> &str {
        self.window.text(self.window.service(span))
    }

    fn operation(&self, span: u32) -> &str {
        self.paths.step(self.paths.id(span)).map_or("", |step| step.operation.as_str())
    }

    /// Returns the trace that a request begins with, though it was torn on the way.
    fn first_trace(&self, span: u32) -> u128 {
        /// Deeper than any request.
        const MAX_DEPTH: usize = 10_000;
        let up = |&span: &u32| Some(self.paths.parent_of(span)).filter(|&parent| parent != NONE);
        std::iter::successors(Some(span), up).take(MAX_DEPTH).last().map_or(0, |root| self.window.trace_id(root))
    }

    /// Returns the operations by which the client calls the server, as seen wherever such a call arrived.
    fn operations(&self, asked: &edge::Edge) -> BTreeSet<String> {
        let arrived = |span: u32| {
            let call = self.paths.parent_of(span);
            let is_edge = self.service(span) == self.server && call != NONE && self.service(call) == self.client;
            let is_meant = is_edge && (asked.means(self.operation(span)) || asked.means(self.operation(call)));
            is_meant.then(|| self.operation(call).to_owned())
        };
        self.window.spans().filter_map(arrived).collect()
    }

    fn is_call(&self, span: u32, operations: &BTreeSet<String>) -> bool {
        let is_ours = self.window.is_exit(span) && self.service(span) == self.client;
        let goes_elsewhere = || {
            let others = self.window.children(span).iter().map(|&child| self.service(child));
            others.into_iter().any(|service| service != self.client && service != self.server)
        };
        is_ours && operations.contains(self.operation(span)) && !goes_elsewhere()
    }

    fn call(&self, span: u32) -> Call {
        let (window, at) = (self.window, span as usize);
        let time = |column: &[i64]| column.get(at).copied().unwrap_or_default();
        Call {
            span,
            parent: self.paths.parent_of(span),
            trace: window.trace.get(at).copied().unwrap_or_default(),
            instance: window.instance(span),
            start_ns: time(&window.start_ns),
            end_ns: time(&window.end_ns),
            is_failed: window.status.get(at) == Some(&2),
        }
    }
}
