//! The requests that an incident began with, to be sent again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ground::Ground;
use crate::replay::path_key::operation;
use crate::stitch::calls::operation::{Operation, Protocol, own, path};
use crate::trace::window::{Window, key, url};

/// One of the requests, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootRequest {
    /// `GET`; empty where the root is no request of HTTP.
    pub method: String,
    /// With its query. The form of the path, or the name of the span, where the path itself was not recorded.
    pub path: String,
    /// As recorded, with the port where that is known: a host of production.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host: String,
    /// How often it was recorded.
    pub times: u64,
    /// Sending it again changes nothing.
    pub is_idempotent: bool,
    /// Why it cannot be sent again as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// Parameters of a query whose value is a secret: what their names contain.
const SECRETS: [&str; 9] =
    ["token", "secret", "password", "passwd", "signature", "apikey", "api_key", "access_key", "session"];

/// Returns the roots of some units, the most frequent first; equal ones once.
pub(super) fn of(ground: &Ground<'_>, units: &[u32]) -> Vec<RootRequest> {
    let mut all: BTreeMap<RootRequest, u64> = BTreeMap::new();
    for unit in units.iter().filter_map(|&unit| ground.units.get(unit as usize)) {
        *all.entry(request(ground.window, unit.root)).or_default() += 1;
    }
    let mut list: Vec<RootRequest> = all.into_iter().map(|(one, times)| RootRequest { times, ..one }).collect();
    list.sort_by(|left, right| right.times.cmp(&left.times).then_with(|| left.cmp(right)));
    list
}

fn request(window: &Window, root: u32) -> RootRequest {
    let Operation { protocol, what, .. } = Operation::as_recorded(window, root);
    let is_http = protocol == Protocol::Http && window.is_entry(root);
    let method = if is_http { what.to_uppercase() } else { String::new() };
    let (path, missing) = match path(window, root).filter(|_| is_http) {
        Some(path) => with_query(path, query(window, root)),
        None => (form(window, root), Some(unknown(protocol))),
    };
    let is_idempotent = is_http && ["GET", "HEAD", "OPTIONS"].contains(&method.as_str());
    let body =
        (is_http && !is_idempotent).then(|| format!("{method} changes something, and its body was not recorded"));
    RootRequest { method, path, host: host(window, root), times: 0, is_idempotent, why_not: missing.or(body) }
}

fn unknown(protocol: Protocol) -> String {
    let reason = match protocol {
        Protocol::Http => "only its form is known",
        Protocol::Rpc => "the message of a gRPC call is not recorded",
        Protocol::Message => "it begins with a message, not with a request",
        Protocol::Named => "it begins inside of a service",
    };
    reason.to_owned()
}

/// The path of the operation alone.
fn form(window: &Window, root: u32) -> String {
    let operation = operation(window, root);
    operation
        .split_once(' ')
        .filter(|(_, path)| path.starts_with('/'))
        .map_or(operation.clone(), |(_, path)| path.to_owned())
}

fn query(window: &Window, root: u32) -> &str {
    let whole = [key::HTTP_TARGET, key::URL_FULL].into_iter().filter_map(|key| own(window, root, key));
    let inside =
        whole.filter_map(|text| text.split_once('?')).map(|(_, query)| query.split('#').next().unwrap_or_default());
    own(window, root, key::URL_QUERY)
        .map(|query| query.trim_start_matches('?'))
        .or_else(|| inside.into_iter().next())
        .unwrap_or_default()
}

/// Puts path and query together, without parameters that are secrets.
fn with_query(path: &str, query: &str) -> (String, Option<String>) {
    let is_secret = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default().to_lowercase();
        SECRETS.iter().any(|secret| name.contains(secret))
    };
    let kept: Vec<&str> = query.split('&').filter(|part| !part.is_empty() && !is_secret(part)).collect();
    let hidden = query.split('&').any(|part| is_secret(&part)).then(|| "a secret of its query is left out".to_owned());
    let path = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    (path, hidden)
}

fn host(window: &Window, root: u32) -> String {
    let get = |key| own(window, root, key);
    if let Some(host) = get(key::HTTP_HOST) {
        return host.to_owned();
    }
    if let Some((host, port)) = get(key::URL_FULL).and_then(url::host_and_port) {
        return format!("{host}:{port}");
    }
    match (get(key::SERVER_ADDRESS), get(key::SERVER_PORT)) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_query_are_left_out() {
        assert_eq!(with_query("/a", "page=2&sort=up"), ("/a?page=2&sort=up".to_owned(), None));
        let (path, why_not) = with_query("/a", "access_token=abc&page=2");
        assert_eq!(path, "/a?page=2");
        assert!(why_not.is_some_and(|why| why.contains("secret")));
        assert_eq!(with_query("/a", ""), ("/a".to_owned(), None));
    }
}
