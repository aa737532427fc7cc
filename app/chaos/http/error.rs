//! What goes wrong with an HTTP call, told apart as an SRE would tell it.

use std::error::Error;
use std::io;
use std::time::Duration;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The address cannot be called: no scheme, no host, not http or https.
    #[error("`{url}` is not an address that can be called: {reason}")]
    Url { url: String, reason: String },
    /// The host has no address, or none that was checked.
    #[error("{host} has no address to call: {reason}")]
    Resolve { host: String, reason: String },
    /// No connection came about.
    #[error("no connection to {target}: {}", .refusal.phrase())]
    Connect { target: String, refusal: Refusal },
    /// The two sides do not agree on TLS, or the certificate is not trusted.
    #[error("no TLS with {target}: {reason}")]
    Tls { target: String, reason: String },
    /// The connection ended before the answer was complete.
    #[error("{target} {} before its answer was complete: {reason}", .ending.phrase())]
    Cut { target: String, ending: Ending, reason: String },
    /// No complete answer in time.
    #[error("{target} gave no complete answer within {} ms", .within.as_millis())]
    Late { target: String, within: Duration },
    /// The answer sends us elsewhere; whether that place may be called is not ours to decide.
    #[error("{url} answered {status} and wants to go to `{to}`: redirects are not followed")]
    Redirect { url: String, status: u16, to: String },
    /// The answer is longer than any answer to a control call.
    #[error("the answer of {url} is longer than {limit} bytes")]
    TooLong { url: String, limit: u64 },
    /// The call could not be made at all: no thread, no file of certificates.
    #[error("the call cannot be made: {0}")]
    Unable(String),
}

/// Why a connection did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody listens there.
    Refused,
    /// Accepted and thrown out.
    Reset,
    /// No way to that network or host.
    Unreachable,
    /// Nothing came back in time.
    TimedOut,
    /// Whatever else the system said.
    Other(String),
}

/// How a connection ended too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By RST, or by `RST_STREAM` or GOAWAY in HTTP/2.
    Reset,
    /// In order, but too early.
    Closed,
    /// With bytes that are not HTTP.
    Garbled,
}

impl HttpError {
    /// Returns one word for what happened, for counting and comparing.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::Unable(_) => "unable",
            Self::Resolve { .. } => "unresolved",
            Self::Connect { refusal, .. } => refusal.word(),
            Self::Tls { .. } => "tls",
            Self::Cut { ending, .. } => ending.word(),
            Self::Late { .. } => "timeout",
            Self::Redirect { .. } => "redirect",
            Self::TooLong { .. } => "too-long",
        }
    }
}

impl Refusal {
    /// Tells apart what the system said when connecting.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Self::Reset,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Self::Unreachable,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Other(error.to_string()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Refused => "connect-refused",
            Self::Reset => "connect-reset",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "connect-timeout",
            Self::Other(_) => "connect-failed",
        }
    }

    fn phrase(&self) -> &str {
        match self {
            Self::Refused => "nobody listens there",
            Self::Reset => "it was reset",
            Self::Unreachable => "there is no way to it",
            Self::TimedOut => "nothing came back in time",
            Self::Other(reason) => reason,
        }
    }
}

impl Ending {
    /// Tells apart how `error` ended the connection.
    #[must_use]
    pub fn of(error: &hyper::Error) -> Self {
        if error.is_parse() {
            return Self::Garbled;
        }
        if is_reset(error) { Self::Reset } else { Self::Closed }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Garbled => "garbled",
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::Reset => "reset the connection",
            Self::Closed => "closed the connection",
            Self::Garbled => "sent something that is not HTTP",
        }
    }
}

/// Says whether a reset stands anywhere among the causes of `error`; of HTTP/2 only the text tells.
fn is_reset(error: &hyper::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)) || is_h2_reset(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn is_h2_reset(error: &(dyn Error + 'static)) -> bool {
    let text = error.to_string();
    text.starts_with("stream error") || text.starts_with("connection error received")
}
