//! One embedded columnar store in one file: opened once per process, written by one writer, read by many.
//!
//! What readers see are the views of `sql/README.md`; how rows lie below them is in `docs/adr/0001-store-layout.md`.

pub(crate) mod arrays;
pub(crate) mod columns;
mod details;
mod event_views;
mod events;
mod healed;
mod holder;
mod intern;
mod open;
mod pending;
pub(crate) mod reader;
pub(crate) mod recover;
mod registry;
mod retention;
pub mod runs;
pub(crate) mod schema;
mod sources;
mod spans;
pub(crate) mod views;
pub(crate) mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use duckdb::Connection;
use riftline_ingest::convention::Conventions;
use riftline_ingest::receive::spool::Position;
use tempfile::TempDir;

use crate::analyse::Seen;
use crate::detect::Rules;
use crate::error::{AskError, OpenStoreError, WriteError};
use crate::trace::details::SpanDetails;
use crate::trace::healed::Healed;
use crate::trace::spans::Spans;
pub use reader::Reader;
pub use retention::{Removed, Retention};
pub(crate) use sources::SourceState;
pub(crate) use writer::Group;

/// Whether a store may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    /// For read-only file systems: derived views are settled into memory.
    ReadOnly,
}

/// 128 bits of a trace id, as two big-endian numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId {
    pub hi: u64,
    pub lo: u64,
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows of the view `spans`: duplicates that settling hid are not among them.
    pub spans: u64,
    pub logs: u64,
    pub metrics: u64,
    /// Rows of the view `traces`: as of the last settling.
    pub traces: u64,
    /// All records that were refused.
    pub rejects: u64,
}

/// A store. Clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones and readers of one store share. Dropping the last one closes the file.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
    pub(crate) conventions: Arc<Conventions>,
    warnings: Vec<String>,
    /// The connection that others are cloned from; taken out only to close the file.
    root: Mutex<Option<Connection>>,
    writer: Mutex<Option<writer::WriterState>>,
    /// Somebody makes rows of the spool.
    pub(crate) is_listening: AtomicBool,
    /// Held while derived views are brought up to date.
    pub(crate) settling: Mutex<()>,
    /// Highest row of `raw_spans` that is committed, and how far derived views are.
    pub(crate) last_row: AtomicI64,
    pub(crate) settled_row: AtomicI64,
    /// The same of the events of all classes.
    pub(crate) last_event: AtomicI64,
    pub(crate) settled_event: AtomicI64,
    /// What stitches and findings were made of; held while they are made.
    pub(crate) analysed: Mutex<Option<Seen>>,
    pub(crate) rules: Mutex<Arc<Rules>>,
    registration: registry::Registration,
    /// The folder of a temporary store.
    folder: Option<TempDir>,
}

impl Store {
    /// Opens the store at `path`, once per process: a second opening of the same file is the same store.
    ///
    /// Creates a missing file, migrates an older one and salvages a damaged log (see [`Store::warnings`]).
    pub fn open(path: &Path, access: Access) -> Result<Self, OpenStoreError> {
        registry::open(path, access, |canonical| open::open(canonical, access, crate::semconv::conventions(), None))
    }

    /// Opens a new store in a temporary folder that is removed when the last clone goes.
    pub fn temporary() -> Result<Self, OpenStoreError> {
        Self::temporary_with(crate::semconv::conventions())
    }

    pub(crate) fn temporary_with(conventions: Arc<Conventions>) -> Result<Self, OpenStoreError> {
        let folder = tempfile::Builder::new().prefix("riftline-").tempdir();
        let folder = folder.map_err(|source| OpenStoreError::Io { path: std::env::temp_dir(), source })?;
        let path = folder.path().join("temporary.rift");
        registry::open(&path, Access::ReadWrite, |canonical| {
            open::open(canonical, Access::ReadWrite, conventions, Some(folder))
        })
    }

    /// Keeps a copy of everything, durably, in a new file at `path`.
    pub fn save_as(&self, path: &Path) -> Result<(), WriteError> {
        writer::save_as(self, path)
    }

    /// Returns the canonical path of the store's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Returns whether the store may be written.
    #[must_use]
    pub fn access(&self) -> Access {
        self.shared.access
    }

    /// Returns what opening salvaged or set aside, for the user to see.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.shared.warnings
    }

    /// Returns the conventions that have columns in this store; decoders fill those.
    #[must_use]
    pub fn conventions(&self) -> Arc<Conventions> {
        self.shared.conventions.clone()
    }

    /// Returns a connection of its own to read with, and the handle that interrupts it.
    pub fn reader(&self) -> Result<Reader, AskError> {
        Reader::new(self.shared.clone())
    }

    /// Returns how much the store holds.
    pub fn counts(&self) -> Result<Counts, AskError> {
        details::counts(&self.reader()?)
    }

    /// Returns how many spans the view `spans` shows.
    pub fn num_spans(&self) -> Result<u64, AskError> {
        Ok(self.counts()?.spans)
    }

    /// Returns all spans of the trace `id` as columns, by row; fails where the store has none.
    pub fn load_trace(&self, id: TraceId, cancel: &crate::cancel::Cancel) -> Result<Spans, AskError> {
        spans::load_trace(&self.reader()?, id, cancel)
    }

    /// Returns the ids of the traces that were joined to `id`, itself first, as of the last analysis.
    pub(crate) fn pieces(&self, id: TraceId, cancel: &crate::cancel::Cancel) -> Result<Vec<TraceId>, AskError> {
        healed::pieces(&self.reader()?, id, cancel)
    }

    /// Returns the trace `id` together with the traces that were joined to it, as of the last analysis; fails where the store has
    /// no such trace.
    pub fn load_healed(&self, id: TraceId, cancel: &crate::cancel::Cancel) -> Result<Healed, AskError> {
        healed::load(&self.reader()?, id, cancel)
    }

    /// Returns everything that was recorded with the span in `row`, as JSON text.
    pub fn span_details(&self, row: i64) -> Result<SpanDetails, AskError> {
        details::span_details(&self.reader()?, row)
    }

    /// Begins a transaction that rows are appended to; waits for another writer of this process.
    pub(crate) fn begin(&self) -> Result<Group<'_>, WriteError> {
        Group::begin(self)
    }

    /// Returns up to where the spool of receivers is rows of this store.
    pub(crate) fn spool_position(&self) -> Result<Position, WriteError> {
        let connection = self.shared.connection().map_err(|error| self.shared.write_error(&error))?;
        sources::spool_position(&connection).map_err(|error| self.shared.write_error(&error))
    }

    /// Writes the log into the file, so that what was committed no longer needs it. Returns whether it did: DuckDB refuses
    /// while another transaction writes, and then what was committed stays durable in the log until a later checkpoint.
    pub fn checkpoint(&self) -> Result<bool, WriteError> {
        let _settling = lock(&self.shared.settling);
        let _writing = lock(&self.shared.writer);
        let connection = self.shared.connection().map_err(|error| self.shared.write_error(&error))?;
        match connection.execute_batch("CHECKPOINT") {
            Ok(()) => Ok(true),
            Err(error) if error.to_string().contains("Cannot CHECKPOINT") => Ok(false),
            Err(error) => Err(self.shared.write_error(&error)),
        }
    }

    /// Tells whether rows were committed that derived views do not show yet.
    #[must_use]
    pub fn needs_settling(&self) -> bool {
        let is_behind =
            |last: &AtomicI64, settled: &AtomicI64| last.load(Ordering::Acquire) > settled.load(Ordering::Acquire);
        is_behind(&self.shared.last_row, &self.shared.settled_row)
            || is_behind(&self.shared.last_event, &self.shared.settled_event)
    }
}

/// Returns the last row of any class of events.
pub(crate) fn events_last_row(connection: &Connection) -> duckdb::Result<i64> {
    events::last_row(connection)
}

impl Shared {
    /// Returns a new connection to the open file.
    pub(crate) fn connection(&self) -> duckdb::Result<Connection> {
        match lock(&self.root).as_ref() {
            Some(root) => root.try_clone(),
            None => Err(duckdb::Error::InvalidQuery),
        }
    }

    /// Returns the prefix of derived tables: they lie in memory where the file cannot be written.
    pub(crate) fn derived(&self) -> &'static str {
        views::derived_prefix(self.access)
    }

    /// Tells a full disk apart from everything else that can fail while writing.
    pub(crate) fn write_error(&self, error: &duckdb::Error) -> WriteError {
        writer::write_error(&self.path, error)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let root = lock(&self.root).take();
        let writer = lock(&self.writer).take();
        self.registration.close(|| {
            drop(writer);
            drop(root);
        });
        if let Some(folder) = self.folder.take() {
            // A folder that cannot be removed lies in the system's temporary folder, which is cleaned by others.
            let _ = folder.close();
        }
    }
}

/// Locks `mutex`; what a panicking thread left behind is a finished or rolled back transaction, so it can be used.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests;
