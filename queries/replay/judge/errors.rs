//! What failed in a request, in words that both sides share: where, with which status, code, exception and message.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use super::keys::{AtEdge, KeyOf};
use super::units::{Request, parent};
use crate::replay::path_key::Names;
use crate::trace::window::{NONE, Symbol, Window, key};

/// One way to fail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Failure {
    /// HTTP status or gRPC code, as recorded; empty where there is none.
    pub code: String,
    /// `exception.type`, else `error.type`; empty where there is none.
    pub exception: String,
    /// What was said of why, without numbers, addresses and quoted values; empty where nothing was.
    pub message: String,
    /// Whether the span itself was marked as failed.
    pub is_marked: bool,
}

/// A failure at a key.
pub(super) type Failed = (u32, Failure);

impl Failure {
    /// Returns the failure without what was said: messages differ between environments for reasons of their own.
    pub(super) fn in_short(&self) -> Self {
        Self { message: String::new(), ..self.clone() }
    }
}

/// Where an exception is told: the span has it, or a log record of the span.
#[derive(Debug)]
pub(super) struct Exceptions<'a> {
    names: &'a Names,
    type_: Option<Symbol>,
    message: Option<Symbol>,
    /// By trace and span: the log record.
    logs: HashMap<(u128, u64), usize>,
}

impl<'a> Exceptions<'a> {
    /// Services in messages are called as in `names`.
    pub(super) fn of(window: &Window, names: &'a Names) -> Self {
        let type_ = window.texts.find("exception.type");
        let mut logs = HashMap::new();
        for (at, (&trace, &span)) in window.logs.trace_id.iter().zip(&window.logs.span_id).enumerate() {
            if type_.is_some_and(|type_| log_attribute(window, at, type_).is_some()) {
                logs.entry((trace, span)).or_insert(at);
            }
        }
        Self { names, type_, message: window.texts.find("exception.message"), logs }
    }

    fn get<'w>(&self, window: &'w Window, span: u32, key: Option<Symbol>) -> Option<&'w str> {
        let key = key?;
        let own = || own(window, span, key);
        let ids = (window.trace_id(span), window.span_id.get(span as usize).copied()?);
        own().or_else(|| log_attribute(window, *self.logs.get(&ids)?, key))
    }
}

fn log_attribute(window: &Window, log: usize, key: Symbol) -> Option<&str> {
    let found = window.log_attributes(log).iter().find(|(name, _)| *name == key);
    found.map(|&(_, value)| window.text(value)).filter(|value| !value.is_empty())
}

fn own(window: &Window, span: u32, key: Symbol) -> Option<&str> {
    let found = window.attributes(span).iter().find(|(name, _)| *name == key);
    found.map(|&(_, value)| window.text(value)).filter(|value| !value.is_empty())
}

/// Returns how a span failed; nothing where it did not.
///
/// A call failed where it was marked so, or by its code: HTTP 5xx, for the one who asked 4xx too, and any gRPC code but 0.
pub(super) fn failure(window: &Window, exceptions: &Exceptions<'_>, span: u32) -> Option<Failure> {
    let is_marked = window.status.get(span as usize) == Some(&2);
    let http = own(window, span, key::HTTP_RESPONSE_STATUS_CODE).unwrap_or_default();
    let rpc = [key::RPC_GRPC_STATUS_CODE, key::RPC_RESPONSE_STATUS_CODE];
    let grpc = rpc.into_iter().find_map(|key| own(window, span, key)).filter(|code| !matches!(*code, "0" | "OK"));
    let is_bad = |code: u16| code >= 500 || (code >= 400 && window.is_exit(span));
    if !is_marked && grpc.is_none() && !http.parse().is_ok_and(is_bad) {
        return None;
    }
    let (told, said) = said(window, span);
    let exception =
        exceptions.get(window, span, exceptions.type_).or(told).or_else(|| own(window, span, key::ERROR_TYPE));
    let message = exceptions.get(window, span, exceptions.message).unwrap_or(said);
    let code = grpc.unwrap_or(http).to_owned();
    let exception = exception.unwrap_or_default().to_owned();
    Some(Failure { code, exception, message: template(message, exceptions.names), is_marked })
}

/// Returns what a span says of why it failed: the type of its exception, where it names one, and the message.
fn said(window: &Window, span: u32) -> (Option<&str>, &str) {
    let message = window.message.get(span as usize).map_or("", |&message| window.text(message));
    let is_type = |word: &&str| {
        word.contains(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '$'))
    };
    match message.split_once(": ") {
        Some((word, rest)) if is_type(&word) => (Some(word), rest),
        _ => (None, message),
    }
}

/// Returns a message without what differs from one time or place to the next: numbers, ids, addresses, and what stands in quotes.
pub(super) fn template(message: &str, names: &Names) -> String {
    /// Longer messages are told apart by their beginning.
    const MAX_WORDS: usize = 40;
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ':', '.', ';']);
        let is_value = |c: char| c.is_ascii_digit() || matches!(c, '/' | ':' | '.' | '=');
        match names.get(bare) {
            Some(name) => name.clone(),
            None if bare.contains(is_value) => "*".to_owned(),
            None => bare.to_owned(),
        }
    };
    let unquoted = without_quoted(message);
    unquoted.split_whitespace().take(MAX_WORDS).map(word).collect::<Vec<_>>().join(" ")
}

fn without_quoted(message: &str) -> String {
    let outside = |(at, part): (usize, &str)| if at % 2 == 0 { part.to_owned() } else { "*".to_owned() };
    message.split(['"', '`']).enumerate().map(outside).collect()
}

/// All failures of a request, and those with which they began.
#[derive(Debug, Default)]
pub(super) struct Failures {
    pub(super) all: Vec<Failed>,
    pub(super) first: Vec<Failed>,
}

/// Finds the failures of a request. A failure begins at a span that has no failed children. What begins at the fault's edge or
/// below it is told as the client of the edge sees it: a fault on the wire cannot make the server itself fail, and to all others
/// that is the same.
pub(super) fn failures(
    window: &Window,
    exceptions: &Exceptions<'_>,
    request: &Request,
    of: &KeyOf,
    edge: &AtEdge,
) -> Failures {
    let tell = |&span: &u32| Some((span, (of.get(span)?, failure(window, exceptions, span)?)));
    let failed: BTreeMap<u32, Failed> = request.spans.iter().filter_map(tell).collect();
    let passed_on: HashSet<u32> = failed.keys().map(|&span| parent(window, span)).collect();
    let begins = failed.keys().filter(|span| !passed_on.contains(*span));
    let mut at: Vec<u32> = begins.map(|&span| seen_by_client(window, &failed, edge, span)).collect();
    at.sort_unstable();
    at.dedup();
    let first = at.iter().filter_map(|span| failed.get(span)).cloned().collect();
    Failures { all: failed.into_values().collect(), first }
}

/// Returns the failed call of the edge that a failure came up through; the span itself where there is none.
fn seen_by_client(window: &Window, failed: &BTreeMap<u32, Failed>, edge: &AtEdge, span: u32) -> u32 {
    let up = |&span: &u32| Some(parent(window, span)).filter(|parent| *parent != NONE && failed.contains_key(parent));
    let is_call = |span: &u32| failed.get(span).is_some_and(|(key, _)| edge.client.contains(key));
    std::iter::successors(Some(span), up).find(is_call).unwrap_or(span)
}

#[cfg(test)]
mod tests {
    use super::template;
    use crate::replay::path_key::Names;

    #[test]
    fn messages_are_told_by_their_form() {
        let names = Names::from([("payments".to_owned(), "pay-staging".to_owned())]);
        let template = |message| template(message, &names);
        assert_eq!(template("order 17 of \"ann\" failed"), "order * of * failed");
        assert_eq!(template(""), "");
        assert_eq!(template("dial tcp 10.0.0.1:80: refused"), "dial tcp * refused");
        assert_eq!(template("payments: not reached, see http://help"), "pay-staging not reached see *");
        assert_eq!(template("pay-staging: not reached, see http://help"), "pay-staging not reached see *");
    }
}
