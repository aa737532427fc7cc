//! `baggage-survives`: what travels beside the trace arrives at the server.
//!
//! Baggage shows where a span has it as an attribute (`baggage.<key>`, or the key itself) or where the header was captured.

use super::{Assertion, Calls, Given, Parameter, Seen};
use crate::trace::window::Window;

pub(super) const ASSERTION: Assertion = Assertion {
    name: "baggage-survives",
    sentence: "the server has the baggage key {key}",
    parameters: &[Parameter { name: "key", sentence: "the key in the baggage header", default: None, is_text: true }],
    check,
};

fn check(calls: &Calls<'_>, given: &Given<'_>) -> Seen {
    let (window, key) = (calls.window, given.text("key"));
    let entries = &calls.server_entries;
    let without: Vec<u32> = entries.iter().copied().filter(|&span| !has(window, span, key)).collect();
    let is_known = calls.client_entries.iter().any(|&span| has(window, span, key));
    if entries.is_empty() || (without.len() == entries.len() && !is_known) {
        return Seen::untested("no span of the client or the server shows this key");
    }
    let words = format!("{} of {} requests arrived without it", without.len(), entries.len());
    Seen { holds: Some(without.is_empty()), words, examples: without }
}

fn has(window: &Window, span: u32, key: &str) -> bool {
    window.attributes(span).iter().any(|&(name, value)| shows(window.text(name), window.text(value), key))
}

fn shows(name: &str, value: &str, key: &str) -> bool {
    let is_header = ["http.request.header.baggage", "rpc.request.metadata.baggage"].contains(&name);
    let is_member = |member: &str| member.split('=').next().is_some_and(|name| name.trim() == key);
    name == key || name.strip_prefix("baggage.") == Some(key) || (is_header && value.split(',').any(is_member))
}
