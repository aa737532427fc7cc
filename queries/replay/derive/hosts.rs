//! The names of production, as its own spans tell them: what an experiment must never reach.

use std::collections::BTreeSet;

use crate::trace::window::{Symbol, Window, key, url};

/// Keys whose whole value names a host, a cluster or a namespace.
const NAMES: [&str; 7] = [
    "server.address",
    "net.peer.name",
    "http.host",
    "host.name",
    "k8s.cluster.name",
    "k8s.namespace.name",
    "k8s.node.name",
];
const ENVIRONMENTS: [&str; 2] = ["deployment.environment.name", "deployment.environment"];

/// Returns all hosts and addresses that spans name, ascending, and the environments. Loopback names no host in particular.
pub(super) fn of<'s>(window: &Window, spans: impl Iterator<Item = &'s u32>) -> (Vec<String>, Vec<String>) {
    let find = |keys: &[&str]| keys.iter().filter_map(|name| window.texts.find(name)).collect::<Vec<Symbol>>();
    let (names, environments) = (find(&NAMES), find(&ENVIRONMENTS));
    let (mut hosts, mut found) = (BTreeSet::new(), BTreeSet::new());
    let mut processes = BTreeSet::new();
    for &span in spans {
        processes.insert(window.resource.get(span as usize).copied().unwrap_or_default());
        hosts.extend(window.attributes(span).iter().filter_map(|&pair| host(window, &names, pair)));
        if window.is_exit(span) {
            let address = window.attributes(span).iter().find(|(key, _)| *key == key::NETWORK_PEER_ADDRESS);
            hosts.extend(address.map(|&(_, value)| window.text(value)));
        }
    }
    for process in processes.iter().filter_map(|&number| window.resources.get(number as usize)) {
        hosts.extend(process.attributes.iter().filter_map(|&pair| host(window, &names, pair)));
        let of = process.attributes.iter().filter(|(key, _)| environments.contains(key));
        found.extend(of.map(|&(_, value)| window.text(value)));
    }
    (owned(hosts.into_iter().filter(|host| !is_loopback(host))), owned(found.into_iter()))
}

fn owned<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    texts.filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn host<'w>(window: &'w Window, names: &[Symbol], (name, value): (Symbol, Symbol)) -> Option<&'w str> {
    let value = window.text(value);
    if name == key::URL_FULL {
        return url::host_and_port(value).map(|(host, _)| without_brackets(host));
    }
    names.contains(&name).then(|| without_port(value))
}

/// Takes the port off `host:port` and `[address]:port`; an address of IPv6 without brackets stays whole.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.contains(':') => name,
        Some((name, _)) if name.ends_with(']') => without_brackets(name),
        _ => without_brackets(host),
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').map_or(host, |rest| rest.trim_end_matches(']'))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_brackets_are_no_part_of_a_host() {
        for (host, expected) in [
            ("db.prod:5432", "db.prod"),
            ("[::1]:80", "::1"),
            ("fe80::1", "fe80::1"),
            ("a", "a"),
            ("[fe80::1]", "fe80::1"),
        ] {
            assert_eq!(without_port(host), expected);
        }
        assert!(is_loopback("127.0.0.9") && is_loopback("::1") && !is_loopback("10.0.0.1"));
    }
}
