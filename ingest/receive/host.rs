//! Who may ask: no page in a browser, under whatever name it found the way here.
//!
//! A page of a stranger can send requests to this machine: across origins (then the browser adds `Origin`), or to a name of its
//! own that it has made to mean 127.0.0.1 (then `Host` is that name). Neither is answered, and no answer allows an origin.

use std::net::{IpAddr, SocketAddr};

use hyper::Request;
use hyper::header::{HOST, ORIGIN};

use crate::receive::trouble::Trouble;

/// Names that a container gives to the machine that it runs on: nobody else can make them mean anything.
const CONTAINER_NAMES: [&str; 2] = ["host.docker.internal", "host.containers.internal"];

/// Refuses requests that a page in a browser may have sent.
pub(super) fn check<B>(request: &Request<B>, bound: SocketAddr) -> Result<(), Trouble> {
    if request.headers().contains_key(ORIGIN) {
        return Err(Trouble::Forbidden("requests of pages in a browser are not taken".to_owned()));
    }
    let header = request.headers().get(HOST).map(|host| host.to_str().unwrap_or("?"));
    let named = header.or_else(|| request.uri().authority().map(hyper::http::uri::Authority::as_str));
    match named {
        Some(named) if !is_ours(named, bound) => {
            Err(Trouble::Forbidden("the host that was asked for is not this one: use its address".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Where riftline listens beyond this machine, names are the network's own business.
fn is_ours(named: &str, bound: SocketAddr) -> bool {
    if !bound.ip().is_loopback() {
        return true;
    }
    let name = name_of(named);
    if let Ok(address) = name.parse::<IpAddr>() {
        return address.is_loopback() || address == bound.ip();
    }
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || CONTAINER_NAMES.contains(&name.as_str())
}

/// Returns the name without the port.
fn name_of(named: &str) -> &str {
    match named.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => named.rsplit_once(':').map_or(named, |(name, _)| name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(host: &str, bound: &str) -> bool {
        let request = Request::builder().header("host", host).body(()).unwrap();
        check(&request, bound.parse().unwrap()).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in
            ["localhost:4318", "LOCALHOST", "127.0.0.1:4318", "[::1]:4318", "app.localhost", "localhost.", "127.0.0.2"]
        {
            assert!(answers(host, "127.0.0.1:4318"), "{host}");
        }
        for host in ["evil.example:4318", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "a@b"] {
            assert!(!answers(host, "127.0.0.1:4318"), "{host}");
        }
        assert!(answers("collector.prod:4318", "0.0.0.0:4318"));
    }

    #[test]
    fn pages_are_refused_everywhere() {
        let request =
            Request::builder().header("host", "localhost").header("origin", "http://localhost").body(()).unwrap();
        assert!(check(&request, "127.0.0.1:1".parse().unwrap()).is_err());
        assert!(check(&request, "0.0.0.0:1".parse().unwrap()).is_err());
        assert!(check(&Request::new(()), "127.0.0.1:1".parse().unwrap()).is_ok());
    }
}
