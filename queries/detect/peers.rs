//! Which service stands behind an address: learned from calls of which both ends are known.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::window::{NONE, Symbol, Window, key, url};

/// Services by what their callers write about them.
#[derive(Debug, Default)]
pub struct Peers {
    /// (what, value) to how often which service was met behind it.
    known: BTreeMap<Address, BTreeMap<Symbol, u32>>,
    services: BTreeSet<Symbol>,
}

/// What a caller writes about whom it calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// `server.address` and `server.port`, or those of the URL.
    Host(Symbol, Symbol),
    /// `rpc.service`, or the first part of a full method.
    Rpc(Symbol),
    Destination(Symbol),
    Name(Symbol),
}

impl Peers {
    /// Learns from all calls that were served, as recorded or by an accepted stitch.
    #[must_use]
    pub fn learn(window: &Window, healed_parent: &[u32]) -> Self {
        let mut peers = Self::default();
        for resource in &window.resources {
            peers.services.insert(resource.service);
        }
        for child in window.spans().filter(|&span| window.is_entry(span)) {
            let parent = healed_parent[child as usize];
            if parent != NONE && window.is_exit(parent) && window.service(parent) != window.service(child) {
                for address in addresses(window, parent) {
                    *peers.known.entry(address).or_default().entry(window.service(child)).or_default() += 1;
                }
            }
        }
        peers
    }

    /// Returns the service that a call goes to, where that is known: by address, then by RPC service or destination, then by a
    /// name that is one of the services'.
    #[must_use]
    pub fn of(&self, window: &Window, exit: u32) -> Option<Symbol> {
        addresses(window, exit).into_iter().find_map(|address| match self.known.get(&address) {
            Some(services) => services.iter().max_by_key(|&(_, count)| *count).map(|(&service, _)| service),
            None => match address {
                Address::Name(name) | Address::Host(name, _) => self.services.contains(&name).then_some(name),
                _ => None,
            },
        })
    }
}

/// Returns what a call says about its other end, the most telling first. Nothing for databases.
#[must_use]
pub fn addresses(window: &Window, exit: u32) -> Vec<Address> {
    if is_database(window, exit) {
        return Vec::new();
    }
    let get = |key: Symbol| window.attributes(exit).iter().find(|(name, _)| *name == key).map(|&(_, value)| value);
    let mut found = Vec::new();
    found.extend(get(key::PEER_SERVICE).map(Address::Name));
    found.extend(get(key::MESSAGING_DESTINATION_NAME).map(Address::Destination));
    found.extend(get(key::RPC_SERVICE).map(Address::Rpc));
    let port = get(key::SERVER_PORT).or_else(|| get(key::NET_PEER_PORT));
    match get(key::SERVER_ADDRESS).or_else(|| get(key::NET_PEER_NAME)) {
        Some(address) => found.push(Address::Host(address, port.unwrap_or_default())),
        None => found.extend(get(key::URL_FULL).and_then(|url| of_url(window, url))),
    }
    found
}

/// The host and port of a URL, as far as the window has met them as texts.
fn of_url(window: &Window, full: Symbol) -> Option<Address> {
    let (host, port) = url::host_and_port(window.text(full))?;
    let find = |text: &str| window.texts.find(text);
    Some(Address::Host(find(host)?, find(port).unwrap_or_default()))
}

/// Tells whether a call goes to a database, which has no spans of its own.
#[must_use]
pub fn is_database(window: &Window, exit: u32) -> bool {
    window.attributes(exit).iter().any(|(name, _)| *name == key::DB_SYSTEM_NAME)
}
