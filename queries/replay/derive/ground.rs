//! The window made ready: requests as trees, stitched fragments among them, and all calls between services.

use std::collections::BTreeMap;

use crate::detect::peers::Peers;
use crate::replay::path_key::{Names, PathKeys, operation};
use crate::stitch::Stitch;
use crate::stitch::calls::operation::{Operation, Protocol, own};
use crate::trace::window::{NONE, Rows, Symbol, Window, children_of, key};

/// A root and all that hangs below it, stitched fragments too.
#[derive(Debug)]
pub(super) struct Unit {
    pub root: u32,
    /// Ascending.
    pub spans: Vec<u32>,
    /// The root is one: it names no parent that is not there.
    pub is_whole: bool,
}

/// Calls of one operation from one service to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Edge {
    pub client: String,
    /// The address or system where the callee has no spans.
    pub server: String,
    pub operation: String,
    pub protocol: Protocol,
    /// The callee has spans somewhere in the window.
    pub is_seen: bool,
}

/// One call: the span that goes out and the one that comes in. One of them may be [`NONE`], not both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub edge: u32,
    pub client: u32,
    pub server: u32,
    pub unit: u32,
    /// The callee began a trace of its own and was stitched.
    pub is_torn: bool,
}

#[derive(Debug)]
pub(super) struct Ground<'w> {
    pub window: &'w Window,
    pub keys: PathKeys,
    pub units: Vec<Unit>,
    /// By start.
    pub calls: Vec<Call>,
    pub edges: Vec<Edge>,
    children: Rows<u32>,
    /// By span: its unit.
    unit_of: Vec<u32>,
    /// By span that is one end of a call: the call, else [`NONE`].
    call_of: Vec<u32>,
}

impl<'w> Ground<'w> {
    pub(super) fn new(window: &'w Window, stitches: &[Stitch]) -> Self {
        let keys = PathKeys::of(window, stitches, &Names::new());
        let parents: Vec<u32> = window.spans().map(|span| keys.parent_of(span)).collect();
        let children = children_of(&parents);
        let (units, unit_of) = units(window, &keys, &children);
        let (calls, edges, call_of) = (Vec::new(), Vec::new(), vec![NONE; window.len()]);
        let mut ground = Self { window, keys, units, calls, edges, children, unit_of, call_of };
        ground.find_calls(&Peers::learn(window, &parents));
        ground
    }

    /// Returns the children of a span, stitched ones too, by start.
    pub(super) fn children(&self, span: u32) -> &[u32] {
        self.children.get(span as usize)
    }

    pub(super) fn unit_of(&self, span: u32) -> u32 {
        self.unit_of.get(span as usize).copied().unwrap_or(NONE)
    }

    /// Returns the number of the call that a span is one end of.
    pub(super) fn call_of(&self, span: u32) -> Option<u32> {
        self.call_of.get(span as usize).copied().filter(|&call| call != NONE)
    }

    pub(super) fn call(&self, number: u32) -> Option<&Call> {
        self.calls.get(number as usize)
    }

    /// Returns the edge of a call.
    pub(super) fn edge(&self, number: u32) -> Option<&Edge> {
        self.edges.get(number as usize)
    }

    pub(super) fn service(&self, span: u32) -> &'w str {
        self.window.text(self.window.service(span))
    }

    /// Returns what kind of request a unit is: the key of its root.
    pub(super) fn kind(&self, unit: u32) -> u32 {
        self.units.get(unit as usize).map_or(NONE, |unit| self.keys.id(unit.root))
    }

    /// Returns when a call began, by the clock of the caller where that is known.
    pub(super) fn start_ns(&self, call: &Call) -> i64 {
        let first = if call.client == NONE { call.server } else { call.client };
        self.window.start_ns.get(first as usize).copied().unwrap_or_default()
    }

    /// Returns the nearest span at or above `span`, in the same process, that comes in or goes out as one end of a call or as a
    /// root; the topmost span of the process where there is none.
    pub(super) fn boundary(&self, span: u32) -> u32 {
        let mut at = span;
        loop {
            let parent = self.keys.parent_of(at);
            let is_top = parent == NONE || self.window.instance(parent) != self.window.instance(at);
            if is_top || self.window.is_entry(at) || self.call_of(at).is_some() {
                return at;
            }
            at = parent;
        }
    }

    /// Returns the request or message that `span` was done for: itself where it is one.
    pub(super) fn entry_above(&self, span: u32) -> Option<u32> {
        let above = |&at: &u32| Some(self.keys.parent_of(at)).filter(|&parent| parent != NONE);
        std::iter::successors(Some(span), above).find(|&at| self.window.is_entry(at))
    }

    fn find_calls(&mut self, peers: &Peers) {
        let mut numbers: BTreeMap<Edge, u32> = BTreeMap::new();
        let mut calls = Vec::new();
        for span in self.window.spans() {
            let Some((client, server)) = self.ends(span) else { continue };
            let unit = self.unit_of(if client == NONE { server } else { client });
            let edge = self.edge_of(client, server, peers);
            let next = numbers.len() as u32;
            let edge = *numbers.entry(edge).or_insert(next);
            let is_torn = server != NONE && self.window.is_root(server);
            calls.push(Call { edge, client, server, unit, is_torn });
        }
        calls.sort_by_key(|call| self.start_ns(call));
        self.edges = by_number(numbers);
        self.calls = calls;
        for (number, call) in (0..).zip(&self.calls) {
            for end in [call.client, call.server] {
                self.call_of.get_mut(end as usize).into_iter().for_each(|of| *of = number);
            }
        }
    }

    /// Returns both ends of the call that a span begins: a call going out, or what comes in without one.
    fn ends(&self, span: u32) -> Option<(u32, u32)> {
        let window = self.window;
        let crosses = |&child: &u32| window.is_entry(child) || window.instance(child) != window.instance(span);
        if window.is_exit(span) {
            let is_inner = |&child: &u32| window.is_exit(child) && !crosses(&child);
            let server = self.children(span).iter().copied().find(crosses);
            let is_outer = server.is_none() && self.children(span).iter().any(is_inner);
            return (!is_outer).then_some((span, server.unwrap_or(NONE)));
        }
        let parent = self.keys.parent_of(span);
        let comes_in = window.is_entry(span) && parent != NONE && !window.is_exit(parent);
        (comes_in && window.service(parent) != window.service(span)).then_some((NONE, span))
    }

    fn edge_of(&self, client: u32, server: u32, peers: &Peers) -> Edge {
        let named = if server == NONE { client } else { server };
        let caller = if client == NONE { self.keys.parent_of(server) } else { client };
        let protocol = Operation::as_recorded(self.window, named).protocol;
        let known = if server == NONE { peers.of(self.window, client) } else { Some(self.window.service(server)) };
        Edge {
            client: self.service(caller).to_owned(),
            server: known.map_or_else(|| self.address(client), |service| self.window.text(service).to_owned()),
            operation: self.operation(client, named),
            protocol,
            is_seen: known.is_some(),
        }
    }

    /// Returns what is asked for: as the caller wrote it into the URL where that is known, since a call that did not arrive has
    /// nothing else, and routes of servers are written in other ways.
    fn operation(&self, client: u32, named: u32) -> String {
        let of_client = Some(client).filter(|&client| client != NONE).map(|client| operation(self.window, client));
        let has_path = |text: &String| text.split_once(' ').is_some_and(|(_, path)| path.starts_with('/'));
        of_client.filter(has_path).unwrap_or_else(|| operation(self.window, named))
    }

    /// Returns what a callee without spans is called: by its name, its address, or the system that it is.
    fn address(&self, call: u32) -> String {
        let get = |key: Symbol| own(self.window, call, key);
        let host =
            [key::PEER_SERVICE, key::SERVER_ADDRESS, key::NET_PEER_NAME, key::DB_SYSTEM_NAME, key::MESSAGING_SYSTEM];
        let host = host.into_iter().find_map(get).unwrap_or("unknown");
        match [key::SERVER_PORT, key::NET_PEER_PORT].into_iter().find_map(get) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }
}

impl Edge {
    pub(super) fn is_message(&self) -> bool {
        self.protocol == Protocol::Message
    }
}

fn by_number(numbers: BTreeMap<Edge, u32>) -> Vec<Edge> {
    let mut all: Vec<(u32, Edge)> = numbers.into_iter().map(|(edge, number)| (number, edge)).collect();
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, edge)| edge).collect()
}

/// Gathers what hangs below each root.
fn units(window: &Window, keys: &PathKeys, children: &Rows<u32>) -> (Vec<Unit>, Vec<u32>) {
    let mut of = vec![NONE; window.len()];
    let mut units: Vec<Unit> = Vec::new();
    for root in window.spans().filter(|&span| keys.parent_of(span) == NONE) {
        let mut spans = vec![root];
        let mut at = 0;
        while let Some(&span) = spans.get(at) {
            spans.extend_from_slice(children.get(span as usize));
            at += 1;
        }
        spans.sort_unstable();
        for &span in &spans {
            of.get_mut(span as usize).into_iter().for_each(|unit| *unit = units.len() as u32);
        }
        units.push(Unit { root, spans, is_whole: window.is_root(root) });
    }
    (units, of)
}
