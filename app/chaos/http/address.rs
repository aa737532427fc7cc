//! Where a call goes: the parts of its URL, and the addresses that its host has.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use hyper::Uri;

use super::error::HttpError;

/// The parts of a URL that a connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub is_tls: bool,
    /// Without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    /// Path and query, at least `/`.
    pub path: String,
}

impl Endpoint {
    /// Takes an `http` or `https` URL apart.
    pub fn parse(url: &str) -> Result<Self, HttpError> {
        let wrong = |reason: &str| HttpError::Url { url: url.to_owned(), reason: reason.to_owned() };
        let uri: Uri = url.parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(&error.to_string()))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("names and passwords do not belong into a URL"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned());
        Ok(Self { is_tls, host, port, path })
    }

    /// Returns host and port as people write them: `127.0.0.1:8474`, `[::1]:8474`.
    #[must_use]
    pub fn target(&self) -> String {
        target(&self.host, self.port)
    }
}

/// Returns `host` and `port` as people write them, IPv6 in brackets.
#[must_use]
pub fn target(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Takes apart what [`target`] put together; nothing where there is no port.
#[must_use]
pub fn parts(target: &str) -> Option<(&str, u16)> {
    let (host, port) = target.rsplit_once(':')?;
    Some((host.trim_start_matches('[').trim_end_matches(']'), port.parse().ok()?))
}

/// Returns the addresses that `host` has now: a name of DNS or of the hosts file, or an address itself. Never an empty list.
pub fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, HttpError> {
    let failed = |reason: String| HttpError::Resolve { host: host.to_owned(), reason };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> =
        (bare, port).to_socket_addrs().map_err(|error| failed(error.to_string()))?.collect();
    if addresses.is_empty() {
        return Err(failed("the name exists and has no address".to_owned()));
    }
    Ok(addresses)
}

/// As [`resolve`], but given up after `timeout`: the system itself may wait much longer for a server of names.
pub(super) fn resolve_within(host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, HttpError> {
    if host.parse::<IpAddr>().is_ok() {
        return resolve(host, port);
    }
    let failed = |reason: String| HttpError::Resolve { host: host.to_owned(), reason };
    let (tell, told) = sync_channel(1);
    let name = host.to_owned();
    // Where nobody waits any more the answer is of no use.
    let look_up = move || drop(tell.send(resolve(&name, port)));
    let thread = thread::Builder::new().name("name lookup".to_owned()).spawn(look_up);
    thread.map_err(|error| failed(error.to_string()))?;
    told.recv_timeout(timeout).unwrap_or_else(|_| Err(failed(format!("no answer within {} ms", timeout.as_millis()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8474/proxies/a?b=c").unwrap();
        assert_eq!((endpoint.target().as_str(), endpoint.path.as_str()), ("127.0.0.1:8474", "/proxies/a?b=c"));
        let six = Endpoint::parse("https://[::1]").unwrap();
        assert_eq!((six.target().as_str(), six.path.as_str(), six.is_tls), ("[::1]:443", "/", true));
        assert_eq!(parts(&six.target()), Some(("::1", 443)));
        assert_eq!(parts("shop-staging"), None);
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for url in ["ftp://a/", "/proxies", "", "http://", "http://user:secret@host/", "http://a b/"] {
            assert!(matches!(Endpoint::parse(url), Err(HttpError::Url { .. })), "{url}");
        }
    }

    #[test]
    fn an_address_resolves_to_itself() {
        assert_eq!(resolve("127.0.0.1", 1).unwrap(), ["127.0.0.1:1".parse().unwrap()]);
        assert_eq!(resolve("[::1]", 1).unwrap(), ["[::1]:1".parse().unwrap()]);
        assert!(matches!(resolve("no-such-host.invalid", 1), Err(HttpError::Resolve { .. })));
        let patient = Duration::from_secs(30);
        assert!(resolve_within("localhost", 1, patient).is_ok_and(|addresses| !addresses.is_empty()));
        assert!(matches!(resolve_within("no-such-host.invalid", 1, patient), Err(HttpError::Resolve { .. })));
    }
}
