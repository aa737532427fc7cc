//! What receivers took, on disk before it is acknowledged: a folder of segments beside the store.
//!
//! Connections append requests; one thread writes what came within a few milliseconds in one go, syncs it, and only then lets
//! all of them answer. Whoever makes rows of the requests reads the segments, at its own pace, and says how far it is:
//! segments that lie wholly in the store's file are removed. A crash can only tear what was never acknowledged.

mod reader;
mod record;
mod segment;
mod tail;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::oneshot;

pub use reader::SpoolReader;
pub use record::Record;
use record::{HEADER_BYTES, MAX_BYTES};
use tail::Tail;

use crate::receive::kind::Kind;

/// A place in a spool: a segment and a byte in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub segment: u64,
    pub offset: u64,
}

/// What bounds a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// A new segment begins behind so many bytes.
    pub segment_bytes: u64,
    /// Requests are synced together until so many bytes wait, or this long.
    pub group_bytes: u64,
    pub group_wait: Duration,
    /// Bytes that may wait to be synced.
    pub waiting_bytes: u64,
    /// Bytes on disk that may wait to become rows.
    pub unstored_bytes: u64,
}

/// Why a request was not taken. None of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    #[error("more requests come than the disk takes")]
    Waiting,
    #[error("more requests come than the store takes")]
    Unstored,
    #[error("the request cannot be kept: {message}")]
    Disk { message: String },
    #[error("riftline is closing")]
    Closing,
}

/// A spool that is open for appending. Dropping it closes it.
#[derive(Debug)]
pub struct Spool {
    shared: Arc<Shared>,
    folder: PathBuf,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    limits: SpoolLimits,
    state: Mutex<State>,
    /// A request waits, or the spool closes.
    appended: Condvar,
    /// Requests were synced, or the spool closed.
    synced: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Waiting>,
    waiting_bytes: u64,
    first_came: Option<Instant>,
    unstored_bytes: u64,
    /// Everything before it is durable.
    end: Position,
    is_closing: bool,
    is_closed: bool,
}

/// A request that is not durable yet.
#[derive(Debug)]
struct Waiting {
    kind: Kind,
    time_ns: i64,
    bytes: Bytes,
    done: oneshot::Sender<Result<(), Refused>>,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            group_bytes: 1 << 20,
            group_wait: Duration::from_millis(5),
            waiting_bytes: 64 << 20,
            unstored_bytes: 512 << 20,
        }
    }
}

impl Spool {
    /// Returns the folder of the spool of the store at `store`.
    #[must_use]
    pub fn folder_of(store: &Path) -> PathBuf {
        let mut name = store.as_os_str().to_owned();
        name.push(".spool");
        name.into()
    }

    /// Opens the spool in `folder`, whose requests up to `stored` are rows already. New requests go behind all that is there.
    pub fn open(folder: &Path, stored: Position, limits: SpoolLimits) -> io::Result<Self> {
        let unstored_bytes = segment::prepare(folder, stored)?;
        let last = segment::numbers(folder)?.last().copied().unwrap_or(0).max(stored.segment);
        let end = Position { segment: last.saturating_add(1), offset: 0 };
        let state = State {
            waiting: Vec::new(),
            waiting_bytes: 0,
            first_came: None,
            unstored_bytes,
            end,
            is_closing: false,
            is_closed: false,
        };
        let shared =
            Arc::new(Shared { limits, state: Mutex::new(state), appended: Condvar::new(), synced: Condvar::new() });
        let (for_thread, tail) = (shared.clone(), Tail::new(folder, end, limits.segment_bytes));
        let thread = thread::Builder::new().name("spool".to_owned()).spawn(move || for_thread.write_all(tail))?;
        Ok(Self { shared, folder: folder.to_owned(), thread: Mutex::new(Some(thread)) })
    }

    /// Appends a request; done once it is durable.
    pub fn append(&self, kind: Kind, bytes: Bytes) -> impl Future<Output = Result<(), Refused>> + use<> {
        let appended = self.shared.append(kind, bytes);
        async move { appended?.await.unwrap_or(Err(Refused::Closing)) }
    }

    /// Tells, without appending, whether a request would be refused now.
    pub fn check(&self) -> Result<(), Refused> {
        self.shared.lock().check(&self.shared.limits, 0)
    }

    /// Waits until there is something durable behind `position`, or the spool is closed, but no longer than `patience`.
    /// Returns up to where requests are durable.
    #[must_use]
    pub fn wait_beyond(&self, position: Position, patience: Duration) -> Position {
        let state = self.shared.lock();
        let is_early = |state: &mut State| state.end <= position && !state.is_closed;
        let waited = self.shared.synced.wait_timeout_while(state, patience, is_early);
        waited.unwrap_or_else(PoisonError::into_inner).0.end
    }

    /// Notes that so many more bytes are rows now.
    pub fn stored(&self, bytes: u64) {
        let mut state = self.shared.lock();
        state.unstored_bytes = state.unstored_bytes.saturating_sub(bytes);
    }

    /// Returns how many bytes wait to become rows.
    #[must_use]
    pub fn unstored_bytes(&self) -> u64 {
        self.shared.lock().unstored_bytes
    }

    /// Returns a reader of the requests behind `position`.
    #[must_use]
    pub fn reader(&self, position: Position) -> SpoolReader {
        SpoolReader::new(&self.folder, position)
    }

    /// Removes the segments before `position`: the store's file holds all that is in them.
    pub fn remove_before(&self, position: Position) -> io::Result<()> {
        segment::remove_before(&self.folder, position.segment)
    }

    /// Makes what waits durable and takes no more.
    pub fn close(&self) {
        self.shared.lock().is_closing = true;
        self.shared.appended.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }

    /// Tells whether it takes no more.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.shared.lock().is_closing
    }

    /// Tells whether nothing comes behind `position` any more.
    #[must_use]
    pub fn is_over(&self, position: Position) -> bool {
        let state = self.shared.lock();
        state.is_closed && state.end <= position
    }

    /// Removes a spool that was closed, where the store's file holds all that is in it.
    pub fn remove(&self, stored: Position) -> io::Result<()> {
        self.close();
        if stored < self.shared.lock().end {
            return Ok(());
        }
        segment::remove_before(&self.folder, u64::MAX)?;
        match std::fs::remove_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            result => result,
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.close();
    }
}

impl State {
    fn check(&self, limits: &SpoolLimits, len: u64) -> Result<(), Refused> {
        if self.is_closing {
            return Err(Refused::Closing);
        }
        if self.waiting_bytes.saturating_add(len) > limits.waiting_bytes {
            return Err(Refused::Waiting);
        }
        if self.unstored_bytes.saturating_add(self.waiting_bytes).saturating_add(len) > limits.unstored_bytes {
            return Err(Refused::Unstored);
        }
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(&self, kind: Kind, bytes: Bytes) -> Result<oneshot::Receiver<Result<(), Refused>>, Refused> {
        if bytes.len() > MAX_BYTES {
            return Err(Refused::Disk { message: format!("longer than {MAX_BYTES} bytes") });
        }
        let len = (bytes.len() + HEADER_BYTES) as u64;
        let mut state = self.lock();
        state.check(&self.limits, len)?;
        let (done, waiter) = oneshot::channel();
        state.waiting.push(Waiting { kind, time_ns: now_ns(), bytes, done });
        let before = state.waiting_bytes;
        state.waiting_bytes = before.saturating_add(len);
        // The thread looks when the first comes, and when there is enough: it need not wake in between.
        let is_enough = before < self.limits.group_bytes && state.waiting_bytes >= self.limits.group_bytes;
        if state.first_came.is_none() || is_enough {
            state.first_came.get_or_insert_with(Instant::now);
            self.appended.notify_one();
        }
        Ok(waiter)
    }

    /// Writes groups until the spool closes.
    fn write_all(&self, mut tail: Tail) {
        while let Some(group) = self.next_group() {
            let result = tail.write(&group).map_err(|error| Refused::Disk { message: error.to_string() });
            let num_bytes: u64 = group.iter().map(|one| (one.bytes.len() + HEADER_BYTES) as u64).sum();
            let mut state = self.lock();
            state.waiting_bytes = state.waiting_bytes.saturating_sub(num_bytes);
            state.end = tail.position();
            if result.is_ok() {
                state.unstored_bytes = state.unstored_bytes.saturating_add(num_bytes);
            }
            drop(state);
            self.synced.notify_all();
            // Who asked may have gone.
            group.into_iter().for_each(|one| drop(one.done.send(result.clone())));
        }
        self.lock().is_closed = true;
        self.synced.notify_all();
    }

    /// Waits for requests and a moment longer for others; nothing once the spool is closing and all is written.
    fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut state = self.lock();
        loop {
            if let Some(first) = state.first_came {
                let left = self.limits.group_wait.saturating_sub(first.elapsed());
                if left.is_zero() || state.is_closing || state.waiting_bytes >= self.limits.group_bytes {
                    state.first_came = None;
                    return Some(std::mem::take(&mut state.waiting));
                }
                state = self.appended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            } else if state.is_closing {
                return None;
            } else {
                state = self.appended.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// Now, in nanoseconds since 1970.
fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
