//! A file that grows: read to where it ends now, and on from there later.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How much of a file's beginning tells whether it is still the same.
const SAMPLE_BYTES: usize = 256;

/// How long who reads on at the end is held up: some cannot stop before they have read a whole record.
const PAUSE: Duration = Duration::from_millis(20);

/// A file that is followed; the reader of its bytes is apart, see [`Tail::reader`].
#[derive(Debug)]
pub(crate) struct Tail {
    file: Arc<File>,
    identity: (u64, u64),
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The file does not grow any more: its end is the end.
    is_finished: AtomicBool,
    /// How far it was read, and what it began with then.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    offset: u64,
    sample: Vec<u8>,
}

/// What has become of a followed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing new.
    None,
    Grown,
    /// Its content was replaced: it begins anew.
    Restarted,
    /// Its name is another file's now.
    Replaced,
    /// Its name is nobody's now.
    Gone,
}

/// Reads a followed file. At its end reading fails with `WouldBlock`, until it has grown or is finished.
pub(crate) struct TailReader {
    file: Arc<File>,
    shared: Arc<Shared>,
    is_at_end: bool,
}

impl Tail {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = Arc::new(File::open(path)?);
        let identity = identity(&file.metadata()?);
        Ok(Self { file, identity, shared: Arc::default() })
    }

    /// Returns a reader from the beginning. Only one at a time tells how far the file was read.
    pub(crate) fn reader(&self) -> TailReader {
        *self.shared.lock() = State::default();
        self.shared.is_finished.store(false, Ordering::Relaxed);
        TailReader { file: self.file.clone(), shared: self.shared.clone(), is_at_end: false }
    }

    /// From now on the end of the file is the end.
    pub(crate) fn finish(&self) {
        self.shared.is_finished.store(true, Ordering::Relaxed);
    }

    /// Tells what has become of the file at `path`. One that was replaced may still have grown: see [`Tail::has_grown`].
    pub(crate) fn change(&self, path: &Path) -> io::Result<Change> {
        match std::fs::metadata(path) {
            Ok(metadata) if identity(&metadata) != self.identity => return Ok(Change::Replaced),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Change::Gone),
            Err(error) => return Err(error),
        }
        let len = self.file.metadata()?.len();
        let state = self.shared.lock();
        if len < state.offset || (len != state.offset && !self.begins_as_before(&state)?) {
            return Ok(Change::Restarted);
        }
        Ok(if len > state.offset { Change::Grown } else { Change::None })
    }

    /// Tells whether there is more than was read, whatever the file is called now.
    pub(crate) fn has_grown(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() > self.shared.lock().offset)
    }

    fn begins_as_before(&self, state: &State) -> io::Result<bool> {
        let mut now = vec![0; state.sample.len()];
        match self.file.read_exact_at(&mut now, 0) {
            Ok(()) => Ok(now == state.sample),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for TailReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.shared.lock();
        let len = self.file.read_at(buffer, state.offset)?;
        if len > 0 {
            let missing = SAMPLE_BYTES.saturating_sub(state.sample.len());
            if state.offset == state.sample.len() as u64 {
                state.sample.extend(buffer.iter().take(len.min(missing)));
            }
            state.offset = state.offset.saturating_add(len as u64);
            self.is_at_end = false;
            return Ok(len);
        }
        if buffer.is_empty() || self.shared.is_finished.load(Ordering::Relaxed) {
            return Ok(0);
        }
        drop(state);
        if std::mem::replace(&mut self.is_at_end, true) {
            thread::sleep(PAUSE);
        }
        Err(io::ErrorKind::WouldBlock.into())
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
