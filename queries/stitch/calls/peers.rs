//! Whom a call is for: from an address to a service.

use std::collections::{BTreeMap, BTreeSet};

use super::ends::Ends;
use super::operation::own;
use crate::trace::window::{Symbol, Window, key, url};

/// Which services answer at which address.
#[derive(Debug, Default)]
pub(super) struct Peers {
    services: BTreeMap<String, BTreeSet<Symbol>>,
}

impl Peers {
    /// Learns from calls that are linked, else from names, else from the ports that services say they listen at.
    pub(super) fn learn(window: &Window, ends: &Ends) -> Self {
        let mut peers = Self::default();
        for &(call, callee) in &ends.linked {
            peers.add(ends, call, window.service(callee));
        }
        let by_name = names(window);
        let by_port = ports(window);
        for group in ends.groups.iter().filter(|group| !group.peer.is_empty()) {
            let is_known = peers.services.contains_key(&group.peer);
            let (host, port) = group.peer.rsplit_once(':').unwrap_or((&group.peer, ""));
            let found = host.split('.').next().and_then(|label| by_name.get(label)).or_else(|| by_port.get(port));
            if let Some(found) = found.filter(|_| !is_known) {
                peers.services.insert(group.peer.clone(), found.clone());
            }
        }
        peers
    }

    fn add(&mut self, ends: &Ends, call: u32, service: Symbol) {
        let Some(group) = ends.groups.get(ends.group[call as usize] as usize) else { return };
        if !group.peer.is_empty() {
            self.services.entry(group.peer.clone()).or_default().insert(service);
        }
    }

    /// Tells whether a service may answer at an address: nothing that is known speaks against it.
    pub(super) fn allow(&self, peer: &str, service: Symbol) -> bool {
        self.services.get(peer).is_none_or(|services| services.contains(&service))
    }
}

/// Returns host and port that a call goes to, or the name of the service, in lower case.
pub(super) fn peer(window: &Window, span: u32) -> Option<String> {
    let get = |keys: &[Symbol]| keys.iter().find_map(|&key| own(window, span, key));
    if let Some(service) = get(&[key::PEER_SERVICE]) {
        return Some(format!("{}:", service.to_lowercase()));
    }
    let found = get(&[key::URL_FULL]).and_then(url::host_and_port);
    let (url_host, url_port) = found.unwrap_or_default();
    let host = get(&[key::SERVER_ADDRESS, key::NET_PEER_NAME]).unwrap_or(url_host);
    let port = get(&[key::SERVER_PORT, key::NET_PEER_PORT, key::NETWORK_PEER_PORT]).unwrap_or(url_port);
    (!host.is_empty() || !port.is_empty()).then(|| format!("{}:{port}", host.to_lowercase()))
}

/// Services by their names, without the namespace.
fn names(window: &Window) -> BTreeMap<String, BTreeSet<Symbol>> {
    let mut names: BTreeMap<String, BTreeSet<Symbol>> = BTreeMap::new();
    for resource in &window.resources {
        let name = window.text(resource.service).to_lowercase();
        let short = name.rsplit('/').next().unwrap_or_default().to_owned();
        names.entry(short).or_default().insert(resource.service);
        names.entry(name).or_default().insert(resource.service);
    }
    names
}

/// Services by the port that they say requests came in at.
fn ports(window: &Window) -> BTreeMap<String, BTreeSet<Symbol>> {
    let mut ports: BTreeMap<String, BTreeSet<Symbol>> = BTreeMap::new();
    let mut last = (Symbol::EMPTY, Symbol::EMPTY);
    for span in window.spans().filter(|&span| window.is_entry(span)) {
        let port = window.attributes(span).iter().find(|(name, _)| *name == key::SERVER_PORT);
        let Some(&(_, port)) = port else { continue };
        let one = (port, window.service(span));
        if one != last {
            ports.entry(window.text(port).to_owned()).or_default().insert(one.1);
            last = one;
        }
    }
    ports
}
