//! Errors of the room that reads, named by the operation that failed.

use std::path::PathBuf;

/// A source could not be opened at all. Records that could not be read are [`crate::rejects::Reject`]s, not errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    #[error("open {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("no file matches {pattern}")]
    NoMatch { pattern: String },
    #[error("bad file pattern {pattern}: {reason}")]
    BadPattern { pattern: String, reason: String },
    #[error("unknown format {name}; known are {known}")]
    UnknownFormat { name: String, known: String },
    #[error("content not recognised: it begins with {seen}; `riftline check` lists what is, --from names a format")]
    Unrecognised { seen: String },
    #[error("open recording {path}: {reason}")]
    Recording { path: PathBuf, reason: String },
    #[error("read archive {name}: {source}")]
    Archive { name: String, source: std::io::Error },
}
