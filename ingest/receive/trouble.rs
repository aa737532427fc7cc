//! Why a request gets no ordinary answer, for both protocols.

use std::time::Duration;

use crate::receive::MAX_REQUEST_BYTES;
use crate::receive::spool::Refused;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    #[error("only POST is answered here")]
    Method,
    #[error("the request did not come in time")]
    Slow,
    #[error("requests hold at most {MAX_REQUEST_BYTES} bytes, decompressed")]
    TooLarge,
    #[error("{0}")]
    Unsupported(String),
    /// Too much at once: this sender, or all of them.
    #[error("{0}")]
    Busy(String),
    /// Nothing can be taken for now.
    #[error("{0}")]
    Unavailable(String),
    #[error("{0}")]
    Missing(String),
}

impl Trouble {
    /// Returns the code of `google.rpc.Code`.
    pub(super) const fn code(&self) -> i32 {
        match self {
            Self::Malformed(_) | Self::Unsupported(_) => 3,
            Self::Slow => 4,
            Self::NotFound(_) => 5,
            Self::Forbidden(_) => 7,
            Self::TooLarge => 8,
            Self::Method | Self::Missing(_) => 12,
            Self::Busy(_) | Self::Unavailable(_) => 14,
        }
    }

    /// Returns the HTTP status.
    pub(super) const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::Method => 405,
            Self::Slow => 408,
            Self::TooLarge => 413,
            Self::Unsupported(_) => 415,
            Self::Busy(_) => 429,
            Self::Missing(_) => 501,
            Self::Unavailable(_) => 503,
        }
    }

    /// Returns when to try again, where that may help.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(_) => Some(Duration::from_secs(1)),
            Self::Unavailable(_) => Some(Duration::from_secs(2)),
            _ => None,
        }
    }
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Waiting => Self::Busy(refused.to_string()),
            _ => Self::Unavailable(refused.to_string()),
        }
    }
}
