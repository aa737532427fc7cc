//! What goes over the socket as JSON.

use std::path::PathBuf;

use riftline_ingest::read::Progress;
use serde::{Deserialize, Serialize};

use crate::desk::Question;
use crate::error::{AskError, WriteError};
use crate::load::{LoadEvent, LoadSummary, LoadedSource};

/// Changes with every change of these messages: both ends must speak the same.
pub(super) const PROTOCOL: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) protocol: u32,
    pub(super) asked: Asked,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    Ping,
    Question(Question),
    Load(LoadRequest),
}

/// What the holder is asked to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadRequest {
    /// Absolute paths, folders and globs: the holder stands in another folder.
    pub inputs: Vec<String>,
    /// Name of a format to use instead of looking at the content.
    pub format: Option<String>,
    /// Bring derived views up to date at the end.
    pub settle: bool,
}

/// Who answers at the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Greeting {
    pub(super) protocol: u32,
    pub(super) version: String,
    pub(super) pid: u32,
}

impl Greeting {
    pub(super) fn ours() -> Self {
        Self { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned(), pid: std::process::id() }
    }
}

/// Loading through the holder did not finish. What it had committed stays.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("{0}")]
    Write(WriteError),
    /// The holder could not be asked.
    #[error("{0}")]
    Ask(AskError),
}

/// [`AskError`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub(super) enum Fault {
    Bad { message: String, at: Option<usize> },
    NotFound { what: String, id: String },
    Refused { reason: String },
    Cancelled,
    Store { message: String },
    Holder { holder: String, message: String },
}

impl From<AskError> for Fault {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Bad { message, at } => Self::Bad { message, at },
            AskError::NotFound { what, id } => Self::NotFound { what: what.to_owned(), id },
            AskError::Refused { reason } => Self::Refused { reason },
            AskError::Cancelled => Self::Cancelled,
            AskError::Store { message } => Self::Store { message },
            AskError::Holder { holder, message } => Self::Holder { holder, message },
        }
    }
}

impl From<Fault> for AskError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Bad { message, at } => Self::Bad { message, at },
            Fault::NotFound { what, id } => {
                let known = ["trace", "span", "query"].into_iter().find(|known| *known == what);
                Self::NotFound { what: known.unwrap_or("record"), id }
            }
            Fault::Refused { reason } => Self::Refused { reason },
            Fault::Cancelled => Self::Cancelled,
            Fault::Store { message } => Self::Store { message },
            Fault::Holder { holder, message } => Self::Holder { holder, message },
        }
    }
}

/// [`WriteError`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "error")]
pub(super) enum WriteFault {
    NoSpace { path: PathBuf },
    Store { message: String },
}

impl From<WriteError> for WriteFault {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::NoSpace { path } => Self::NoSpace { path },
            WriteError::Store { message } => Self::Store { message },
        }
    }
}

impl From<WriteFault> for WriteError {
    fn from(fault: WriteFault) -> Self {
        match fault {
            WriteFault::NoSpace { path } => Self::NoSpace { path },
            WriteFault::Store { message } => Self::Store { message },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Progress")]
struct ProgressForm {
    bytes_read: u64,
    bytes_total: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "LoadEvent", rename_all = "snake_case")]
enum EventForm {
    Progress(#[serde(with = "ProgressForm")] Progress),
    Committed { source: String, offset: u64, spans: u64, logs: u64, metrics: u64, events: u64 },
    Settled,
}

/// [`LoadEvent`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireEvent(#[serde(with = "EventForm")] pub(super) LoadEvent);

#[derive(Serialize, Deserialize)]
#[serde(remote = "LoadedSource")]
struct SourceForm {
    name: String,
    format: String,
    container: String,
    bytes: u64,
    skipped_bytes: u64,
    spans: u64,
    logs: u64,
    metrics: u64,
    events: u64,
    rejects: u64,
    first_reasons: Vec<String>,
    stopped: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct WireSource(#[serde(with = "SourceForm")] LoadedSource);

/// [`LoadSummary`] on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireSummary {
    sources: Vec<WireSource>,
    failed: Vec<(String, String)>,
    seconds: f64,
    settle_seconds: Option<f64>,
}

impl From<LoadSummary> for WireSummary {
    fn from(summary: LoadSummary) -> Self {
        let LoadSummary { sources, failed, seconds, settle_seconds } = summary;
        Self { sources: sources.into_iter().map(WireSource).collect(), failed, seconds, settle_seconds }
    }
}

impl From<WireSummary> for LoadSummary {
    fn from(wire: WireSummary) -> Self {
        let WireSummary { sources, failed, seconds, settle_seconds } = wire;
        Self { sources: sources.into_iter().map(|source| source.0).collect(), failed, seconds, settle_seconds }
    }
}
