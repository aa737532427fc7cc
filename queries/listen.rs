//! Live receivers and the store: requests go into a spool, a thread makes rows of it.
//!
//! Rows and how far the spool is read are committed together, so every request becomes rows once, whatever is killed when. What
//! the store's log loses comes again from the spool: its segments stay until a checkpoint has passed them.

mod sink;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use riftline_ingest::format::Settings;
use riftline_ingest::read::Limits;
use riftline_ingest::receive::spool::{Position, Spool, SpoolLimits};
use riftline_ingest::receive::{Bound, Doors, ListenError, ListenOptions, Receivers};

use crate::error::WriteError;
use crate::store::Store;
use sink::Sink;

/// What happens while riftline listens.
#[derive(Debug, Clone, PartialEq)]
pub enum ListenEvent {
    /// Records of `source` are rows. The counts are those of this commit.
    Committed { source: String, spans: u64, logs: u64, metrics: u64, rejects: u64 },
    /// Derived views were brought up to date.
    Settled,
    /// Something is wrong for now; it is tried again.
    Trouble(String),
}

/// Why riftline cannot listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("keep requests in {path}: {source}")]
    Spool { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] WriteError),
    #[error("this riftline listens for {path} already")]
    Busy { path: PathBuf },
    #[error("start to listen: {0}")]
    Thread(#[from] io::Error),
}

/// What became rows while riftline listened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListenSummary {
    pub spans: u64,
    pub logs: u64,
    pub metrics: u64,
    pub rejects: u64,
}

/// Receivers at work for one store. Dropping it closes it.
pub struct Listener {
    receivers: Receivers,
    spool: Arc<Spool>,
    writer: Option<JoinHandle<Result<ListenSummary, WriteError>>>,
}

impl Listener {
    /// Begins to take requests for `store`. Requests that an earlier riftline acknowledged become rows first.
    ///
    /// `is_watched`: somebody looks at the rows as they come. `report` is called on a thread of its own.
    pub fn start(
        store: &Store,
        options: &ListenOptions,
        is_watched: bool,
        report: impl FnMut(ListenEvent) + Send + 'static,
    ) -> Result<Self, StartError> {
        let doors = Doors::bind(options)?;
        let (bound, settings) = (doors.bound(), settings(store));
        let turn = Turn::take(store).ok_or_else(|| StartError::Busy { path: store.path().to_owned() })?;
        let (spool, stored) = open_spool(store, options.limits)?;
        let (for_writer, receivers) = (spool.clone(), doors.open(spool.clone(), settings.clone())?);
        let write = move || {
            let sink = Sink::new(&turn.store, &for_writer, stored, bound, settings, is_watched, Box::new(report));
            sink.run()
        };
        let writer = thread::Builder::new().name("listen".to_owned()).spawn(write)?;
        Ok(Self { receivers, spool, writer: Some(writer) })
    }

    /// Returns where it listens.
    #[must_use]
    pub fn bound(&self) -> &[Bound] {
        self.receivers.bound()
    }

    /// Takes no more requests and makes all that were acknowledged durable in the store's file.
    pub fn close(mut self) -> Result<ListenSummary, WriteError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<ListenSummary, WriteError> {
        self.receivers.close();
        self.spool.close();
        let Some(writer) = self.writer.take() else { return Ok(ListenSummary::default()) };
        let stopped = |_| Err(WriteError::Store { message: "the writer stopped unexpectedly".to_owned() });
        writer.join().unwrap_or_else(stopped)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // What could not be written is still in the spool.
        let _ = self.finish();
    }
}

/// Makes rows of what a riftline that was killed had acknowledged. Returns nothing where there was nothing.
pub fn recover(store: &Store) -> Result<Option<ListenSummary>, StartError> {
    if !Spool::folder_of(store.path()).is_dir() {
        return Ok(None);
    }
    let Some(turn) = Turn::take(store) else { return Ok(None) };
    let (spool, stored) = open_spool(store, SpoolLimits::default())?;
    spool.close();
    let sink = Sink::new(&turn.store, &spool, stored, Vec::new(), settings(store), false, Box::new(drop));
    Ok(Some(sink.run()?))
}

fn settings(store: &Store) -> Settings {
    Settings { conventions: store.conventions(), limits: Limits::default(), patterns: Arc::default() }
}

fn open_spool(store: &Store, limits: SpoolLimits) -> Result<(Arc<Spool>, Position), StartError> {
    let stored = store.spool_position()?;
    let path = Spool::folder_of(store.path());
    let open = |path: &Path| Spool::open(path, stored, limits);
    let spool = open(&path).map_err(|source| StartError::Spool { path, source })?;
    Ok((Arc::new(spool), stored))
}

/// The right to make rows of a store's spool, until dropped.
struct Turn {
    store: Store,
}

impl Turn {
    fn take(store: &Store) -> Option<Self> {
        let was_taken = store.shared.is_listening.swap(true, Ordering::AcqRel);
        (!was_taken).then(|| Self { store: store.clone() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.store.shared.is_listening.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
