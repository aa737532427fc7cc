//! Errors of the room that answers, named by the operation that failed.

use std::path::PathBuf;

/// A question could not be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The question itself is wrong: unknown column, bad syntax, an ambiguous id. `at` is a byte offset into the text asked.
    #[error("{message}")]
    Bad { message: String, at: Option<usize> },
    /// Nothing in the store has this id.
    #[error("{what} {id} is not in the store")]
    NotFound { what: &'static str, id: String },
    #[error("refused: {reason}")]
    Refused { reason: String },
    #[error("cancelled")]
    Cancelled,
    #[error("answer: {message}")]
    Store { message: String },
    /// The process that holds the store went away or speaks another version.
    #[error("ask {holder}: {message}")]
    Holder { holder: String, message: String },
}

/// A store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// Another program has the file open. `riftline` holders are asked over their socket instead (see [`crate::serve`]).
    #[error("open store {path}: held by {program} (pid {pid})")]
    Held { path: PathBuf, program: String, pid: u32 },
    #[error("open store {path}: written by a newer riftline (schema {found}, this one knows up to {known})")]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// The file is damaged beyond what can be salvaged; nothing was changed.
    #[error("open store {path}: damaged ({reason})")]
    Damaged { path: PathBuf, reason: String },
    /// The file is a DuckDB database without riftline's tables, or no database at all.
    #[error("open store {path}: not a riftline store ({reason})")]
    NotAStore { path: PathBuf, reason: String },
    #[error("open store {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("open store {path}: {message}")]
    Database { path: PathBuf, message: String },
}

/// Rows could not be written. Nothing of the batch is in the store.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    #[error(
        "write: no space left on the disk of {path}; what was committed is safe, free some space and read the source again"
    )]
    NoSpace { path: PathBuf },
    #[error("write: {message}")]
    Store { message: String },
}
