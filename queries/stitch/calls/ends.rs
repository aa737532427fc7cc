//! Both ends of calls: what goes out, what comes in, and which of them are torn.

use hashbrown::HashMap;

use super::operation::{Operation, Operations, own, path};
use super::peers::{Peers, peer};
use crate::trace::window::{NONE, Role, Symbol, Window, key};

/// Ends that are alike: of one service, with one operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) service: Symbol,
    pub(super) role: Role,
    /// A number of [`Ends::operations`].
    pub(super) operation: u32,
    /// Whom it calls, as [`peer`] tells; empty where that is not known, and for callees.
    pub(super) peer: String,
}

/// All ends of a window.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) operations: Operations,
    pub(super) groups: Vec<Group>,
    /// The group of each span; [`NONE`] for what is no end of a call.
    pub(super) group: Vec<u32>,
    /// Torn callees: entry spans without a parent, by start.
    pub(super) roots: Vec<u32>,
    /// Entry spans whose recorded parent is not there, by start.
    pub(super) orphans: Vec<u32>,
    /// Calls that nobody served, by start.
    pub(super) calls: Vec<u32>,
    /// Calls with their recorded callee in another process.
    pub(super) linked: Vec<(u32, u32)>,
    pub(super) peers: Peers,
}

impl Ends {
    /// Finds all ends. Where nothing is torn, only `roots` and `calls` are filled.
    pub(super) fn find(window: &Window) -> Self {
        let mut ends = Self { group: vec![NONE; window.len()], ..Self::default() };
        ends.roots = window.spans().filter(|&span| window.is_entry(span) && window.is_root(span)).collect();
        ends.orphans = window.spans().filter(|&span| window.is_entry(span) && window.is_orphan(span)).collect();
        ends.calls = window.spans().filter(|&span| is_call(window, span) && !window.is_served(span)).collect();
        if ends.is_whole() {
            return ends;
        }
        ends.linked = window.spans().filter_map(|span| linked(window, span)).collect();
        ends.group_all(window);
        ends.peers = Peers::learn(window, &ends);
        ends
    }

    /// Tells whether there is nothing to join.
    pub(super) fn is_whole(&self) -> bool {
        self.calls.is_empty() || (self.roots.is_empty() && self.orphans.is_empty())
    }

    /// Tells whether a call and a callee may belong together, time apart.
    pub(super) fn may_join(&self, window: &Window, call: u32, child: u32) -> bool {
        let (one, other) = (self.group[call as usize], self.group[child as usize]);
        one != NONE && other != NONE && window.instance(call) != window.instance(child) && self.fits(one, other)
    }

    fn group_all(&mut self, window: &Window) {
        let mut numbers: HashMap<Group, u32> = HashMap::new();
        let mut cache: HashMap<(Symbol, Role, Vec<Symbol>), u32> = HashMap::new();
        for span in window.spans() {
            let is_end = window.is_entry(span) || is_call(window, span);
            if !is_end {
                continue;
            }
            let looks = (window.service(span), window.role[span as usize], looks(window, span));
            let group = *cache.entry(looks).or_insert_with(|| {
                let group = self.group_of(window, span);
                let next = self.groups.len() as u32;
                *numbers.entry(group).or_insert_with_key(|group| {
                    self.groups.push(group.clone());
                    next
                })
            });
            self.group[span as usize] = group;
        }
    }

    fn group_of(&mut self, window: &Window, span: u32) -> Group {
        let role = window.role[span as usize];
        let operation = self.operations.number(Operation::of(window, span));
        let peer = if window.is_exit(span) { peer(window, span).unwrap_or_default() } else { String::new() };
        Group { service: window.service(span), role, operation, peer }
    }

    /// Tells whether a call of one group can have been served by another.
    pub(super) fn fits(&self, call: u32, root: u32) -> bool {
        let group = |number: u32| self.groups.get(number as usize);
        // A span that is neither a call nor a callee is of no group.
        let (Some(call), Some(root)) = (group(call), group(root)) else { return false };
        let is_message = (call.role == Role::Producer, root.role == Role::Consumer);
        is_message.0 == is_message.1
            && self.peers.allow(&call.peer, root.service)
            && self.operations.get(call.operation).fits(self.operations.get(root.operation))
    }

    pub(super) fn is_message(&self, group: u32) -> bool {
        matches!(self.groups[group as usize].role, Role::Producer | Role::Consumer)
    }
}

/// Tells whether a span is a call that another instrumented process may serve: of nested ones the innermost.
fn is_call(window: &Window, span: u32) -> bool {
    let is_inner = |&child: &u32| window.is_exit(child) && window.instance(child) == window.instance(span);
    window.is_exit(span)
        && own(window, span, key::DB_SYSTEM_NAME).is_none()
        && !window.children(span).iter().any(is_inner)
}

fn linked(window: &Window, span: u32) -> Option<(u32, u32)> {
    let parent = window.parent[span as usize];
    let is_linked = parent != NONE && window.is_entry(span) && window.is_exit(parent);
    (is_linked && window.instance(parent) != window.instance(span)).then_some((parent, span))
}

/// Everything that the group of a span hangs on.
fn looks(window: &Window, span: u32) -> Vec<Symbol> {
    const KEYS: [Symbol; 15] = [
        key::HTTP_REQUEST_METHOD,
        key::HTTP_ROUTE,
        key::URL_TEMPLATE,
        key::URL_FULL,
        key::URL_PATH,
        key::HTTP_TARGET,
        key::SERVER_ADDRESS,
        key::SERVER_PORT,
        key::NET_PEER_NAME,
        key::NET_PEER_PORT,
        key::PEER_SERVICE,
        key::NETWORK_PEER_PORT,
        key::RPC_SERVICE,
        key::RPC_METHOD,
        key::MESSAGING_DESTINATION_NAME,
    ];
    let mut looks = vec![window.name[span as usize]];
    for &(key, value) in window.attributes(span).iter().filter(|(key, _)| KEYS.contains(key)) {
        let is_port_of_client = window.is_entry(span) && [key::NET_PEER_PORT, key::NETWORK_PEER_PORT].contains(&key);
        if !is_port_of_client {
            looks.extend([key, value]);
        }
    }
    looks
}

/// Returns a number for the path that a span was asked for; 0 where it is not known.
pub(super) fn path_number(window: &Window, span: u32) -> u64 {
    path(window, span).map_or(0, |path| xxhash_rust::xxh3::xxh3_64(path.trim_matches('/').as_bytes()).max(1))
}
