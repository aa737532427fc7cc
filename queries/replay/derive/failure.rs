//! What a span that failed says about how: status codes, types of errors and texts put into one of a few kinds.

use crate::stitch::calls::operation::own;
use crate::trace::window::{Symbol, Window, key};

/// How a call failed, as one of its ends tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Failure {
    /// Nobody waited any longer.
    TimedOut,
    /// The connection was reset.
    Reset,
    /// The connection was closed before the answer was whole.
    Closed,
    /// Nobody listened.
    Refused,
    /// No connection was to be had.
    NoConnection,
    Grpc(u8),
    Http(u16),
    /// It failed, and nothing says how.
    Unnamed,
}

/// Words in the type or text of an error, and what they mean. The first that is found counts.
const WORDS: &[(&str, Failure)] = &[
    ("econnreset", Failure::Reset),
    ("connection reset", Failure::Reset),
    ("connectionreset", Failure::Reset),
    ("reset by peer", Failure::Reset),
    ("epipe", Failure::Reset),
    ("broken pipe", Failure::Reset),
    ("econnrefused", Failure::Refused),
    ("connection refused", Failure::Refused),
    ("connectionrefused", Failure::Refused),
    ("no route to host", Failure::Refused),
    ("too many connections", Failure::NoConnection),
    ("connection pool", Failure::NoConnection),
    ("pool exhausted", Failure::NoConnection),
    ("could not get a resource", Failure::NoConnection),
    ("deadline", Failure::TimedOut),
    ("timeout", Failure::TimedOut),
    ("timed out", Failure::TimedOut),
    ("etimedout", Failure::TimedOut),
    ("socket hang up", Failure::Closed),
    ("connection closed", Failure::Closed),
    ("remotedisconnected", Failure::Closed),
    ("premature close", Failure::Closed),
    ("unexpected eof", Failure::Closed),
    ("unexpected end", Failure::Closed),
    ("incompleteread", Failure::Closed),
    (" eof", Failure::Closed),
    (".eof", Failure::Closed),
];

/// Attributes whose text tells how a span failed, the most telling first.
const TEXTS: [&str; 5] =
    ["error.type", "exception.type", "exception.message", "error.message", "otel.status_description"];

const GRPC_DEADLINE_EXCEEDED: u8 = 4;
const GRPC_CANCELLED: u8 = 1;
const GRPC_UNAVAILABLE: u8 = 14;

/// Tells whether a span failed: by its status, or by a status code of HTTP that is the server's fault.
pub(super) fn is_failed(window: &Window, span: u32) -> bool {
    const ERROR: u8 = 2;
    window.status.get(span as usize) == Some(&ERROR) || http_status(window, span).is_some_and(|status| status >= 500)
}

/// Returns how a span failed that did; nothing for one that was called off by its caller, which is an effect.
pub(super) fn of(window: &Window, span: u32) -> Option<Failure> {
    let grpc = grpc_status(window, span).filter(|&status| status != 0);
    match grpc {
        Some(GRPC_CANCELLED) => return None,
        Some(GRPC_DEADLINE_EXCEEDED) => return Some(Failure::TimedOut),
        Some(GRPC_UNAVAILABLE) => return Some(of_texts(window, span).unwrap_or(Failure::Grpc(GRPC_UNAVAILABLE))),
        Some(status) => return Some(Failure::Grpc(status)),
        None => {}
    }
    match http_status(window, span) {
        Some(408 | 504) => Some(Failure::TimedOut),
        Some(status) if status >= 400 => Some(Failure::Http(status)),
        _ => Some(of_texts(window, span).unwrap_or(Failure::Unnamed)),
    }
}

/// Returns the status that an answer had.
pub(super) fn http_status(window: &Window, span: u32) -> Option<u16> {
    own(window, span, key::HTTP_RESPONSE_STATUS_CODE)?.parse().ok()
}

/// Returns the status that gRPC ended with: 0 to 16.
pub(super) fn grpc_status(window: &Window, span: u32) -> Option<u8> {
    own(window, span, key::RPC_GRPC_STATUS_CODE)?.parse().ok().filter(|&status| status <= 16)
}

/// Returns what the error says in words, if anything.
pub(super) fn text(window: &Window, span: u32) -> Option<&str> {
    let by_key = |key: &&str| window.texts.find(key).and_then(|key| own(window, span, key));
    let message =
        || window.message.get(span as usize).map(|&message| window.text(message)).filter(|text| !text.is_empty());
    let said = ["exception.message", "error.message", "otel.status_description"].iter().find_map(by_key);
    said.or_else(message).or_else(|| own(window, span, key::ERROR_TYPE))
}

fn of_texts(window: &Window, span: u32) -> Option<Failure> {
    let keys = TEXTS.iter().filter_map(|key| window.texts.find(key));
    let texts = keys.filter_map(|key: Symbol| own(window, span, key));
    let message = window.message.get(span as usize).map(|&message| window.text(message));
    texts.chain(message).find_map(named)
}

fn named(text: &str) -> Option<Failure> {
    // A space before the first word too, so that EOF is found, and `typeof` is not.
    let text = format!(" {}", text.to_lowercase());
    WORDS.iter().find(|(word, _)| text.contains(word)).map(|&(_, failure)| failure)
}

impl Failure {
    /// Returns the words that stand behind "calls".
    pub(super) fn words(self) -> String {
        match self {
            Self::TimedOut => "timed out".to_owned(),
            Self::Reset => "ended with a reset connection".to_owned(),
            Self::Closed => "ended with a connection closed early".to_owned(),
            Self::Refused => "found nobody listening".to_owned(),
            Self::NoConnection => "got no connection".to_owned(),
            Self::Grpc(status) => format!("failed with gRPC status {status}"),
            Self::Http(status) => format!("failed with HTTP status {status}"),
            Self::Unnamed => "failed".to_owned(),
        }
    }

    /// Returns how surely the kind of fault is known from this: 0 to 1.
    pub(super) fn certainty(self) -> f64 {
        match self {
            Self::Grpc(_) | Self::Http(_) => 0.95,
            Self::Unnamed => 0.6,
            _ => 0.9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_many_languages_mean_the_same() {
        for (text, expected) in [
            ("read ECONNRESET", Failure::Reset),
            ("requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104))", Failure::Reset),
            ("socket hang up", Failure::Closed),
            ("unexpected EOF", Failure::Closed),
            ("java.net.SocketTimeoutException", Failure::TimedOut),
            ("context deadline exceeded", Failure::TimedOut),
            ("dial tcp: connect: connection refused", Failure::Refused),
            ("HikariPool-1 - Connection pool is exhausted", Failure::NoConnection),
        ] {
            assert_eq!(named(text), Some(expected), "{text}");
        }
        assert_eq!(named("deadlock detected"), None);
        assert_eq!(named("typeof x"), None);
        assert_eq!(named("EOFError"), Some(Failure::Closed));
    }
}
