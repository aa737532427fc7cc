//! From what the user named to batches: opens each source, finds its format, decodes it, and reports as it goes.

mod follow;
mod leaf;
mod reader;
mod recording;
mod stream;
mod worker;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::batch::Batch;
use crate::convention::Conventions;
use crate::error::OpenError;
use crate::log::pattern::Pattern;
use crate::read::reader::Reader;

/// What the user named: `-` or something on disk (a file, a folder, a glob).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Stdin,
    Path(String),
}

/// How to read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    pub conventions: Arc<Conventions>,
    /// A name out of [`crate::format::FORMATS`] to use instead of looking at the content.
    pub format: Option<String>,
    /// How many threads decode.
    pub num_threads: usize,
    pub limits: Limits,
    /// Log patterns of the user's own; see [`crate::log::pattern`].
    pub patterns: Arc<[Pattern]>,
}

/// What bounds the memory that hostile input can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest single record (span, log record, metric) in bytes.
    pub record_bytes: usize,
    /// Longest text or bytes value that is kept whole.
    pub value_bytes: usize,
    /// Deepest nesting of arrays and kvlists.
    pub depth: usize,
    /// How many times larger than its compressed form a source may become, once it is past [`Limits::expanded_bytes`].
    pub expansion: u64,
    /// Decompressed bytes that are always allowed.
    pub expanded_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 8 << 20, value_bytes: 256 << 10, depth: 100, expansion: 1_000, expanded_bytes: 1 << 30 }
    }
}

/// One stream of bytes that is read: a file, a member of a tar archive, or stdin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// Absolute path, `path!member` inside an archive, or `-`.
    pub name: String,
    pub path: Option<PathBuf>,
    /// Size on disk in bytes where it is known (compressed, for compressed files).
    pub size: Option<u64>,
    /// Name out of [`crate::format::FORMATS`], such as `otlp-json`; `unknown` where nothing was recognised.
    pub format: &'static str,
    /// Wrappings around it, such as `gzip` or `tar+zstd`; empty where there are none.
    pub container: String,
    /// XXH3-64 of the first 64 KiB of the decompressed stream: tells which earlier source this may be.
    pub head_hash: u64,
}

/// How far an earlier reading of the same stream was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    pub offset: u64,
    /// XXH3-64 of the decompressed stream up to `offset`.
    pub prefix_hash: u64,
}

/// What the store knows about streams that were read before.
pub trait History {
    /// Returns the stretches of streams with this head that are committed already, the longest first.
    fn committed(&self, head_hash: u64) -> Vec<Committed>;

    /// As [`History::committed`], and the stretches of the stream of this name that were shorter than a head then: its head is
    /// another one now where it has grown.
    fn committed_of(&self, head_hash: u64, name: &str) -> Vec<Committed> {
        let _ = name;
        self.committed(head_hash)
    }
}

/// Nothing was read before.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoHistory;

impl History for NoHistory {
    fn committed(&self, _head_hash: u64) -> Vec<Committed> {
        Vec::new()
    }
}

/// What the reader reports, in this order for each source: `Opened`, then `Batch`es and `Progress`, then `Closed`.
#[derive(Debug)]
pub enum Event {
    Opened(SourceInfo),
    /// Boxed because batches are large.
    Batch(Box<Batch>),
    Progress(Progress),
    Closed(SourceEnd),
    /// A named input could not be opened, or nothing in it was recognised; the others go on.
    Failed {
        name: String,
        error: OpenError,
    },
}

/// How far the reader is, over all sources. Bytes are those on disk, so that a share can be shown for compressed files too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    pub bytes_read: u64,
    /// Nothing for pipes.
    pub bytes_total: Option<u64>,
}

/// How reading of one source ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceEnd {
    /// Decompressed bytes.
    pub bytes: u64,
    /// Decompressed bytes that were skipped because they are in the store already.
    pub skipped_bytes: u64,
    /// Why reading stopped early (an I/O error, a cut-off archive, a refused expansion); records before it are kept.
    pub stopped: Option<String>,
}

/// How much of a stream its head is.
pub const HEAD_BYTES: usize = 64 << 10;

/// How often progress is reported, also while nothing else happens: `report` can break then.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// What the reading thread hands over, in the order in which it is to be reported.
#[derive(Debug)]
pub(crate) enum Message {
    Event(Event),
    /// Batches of a piece that is being decoded.
    Piece(Receiver<Box<Batch>>),
    /// What was read before of a stream with this head?
    Ask {
        head_hash: u64,
        name: String,
        answer: Sender<Vec<Committed>>,
    },
}

/// Reads every input to its end, or until `report` breaks.
///
/// Batches of one source come in the order of the source. The first batches are small, so that a screen has something to
/// show at once; later ones hold a few thousand records. Decoding runs on `num_threads` threads with bounded queues;
/// `report` runs on the caller's thread, at least every 100 ms.
///
/// A batch's `to_offset` is where reading may resume. Within one request that is larger than the window it stays at the
/// request's beginning until the request ends: who resumes there reads records again, and never loses one.
pub fn read(
    inputs: &[Input],
    options: &ReadOptions,
    history: &dyn History,
    report: &mut dyn FnMut(Event) -> ControlFlow<()>,
) {
    run(inputs, options, history, report, Reader::read_all);
}

/// As [`read`], but does not end with the files: reads what is added to them, and files that come into folders, until `report`
/// breaks. Rotated and truncated files are noticed.
pub fn follow(
    inputs: &[Input],
    options: &ReadOptions,
    history: &dyn History,
    report: &mut dyn FnMut(Event) -> ControlFlow<()>,
) {
    run(inputs, options, history, report, Reader::follow_all);
}

fn run(
    inputs: &[Input],
    options: &ReadOptions,
    history: &dyn History,
    report: &mut dyn FnMut(Event) -> ControlFlow<()>,
    work: fn(&mut Reader, &[Input]),
) {
    let (sender, messages) = bounded(options.num_threads.max(1) * 2);
    let bytes_read = Arc::new(AtomicU64::new(0));
    let total = Arc::new(AtomicU64::new(u64::MAX));
    let mut reader = Reader::new(options.clone(), sender, bytes_read.clone(), total.clone());
    let inputs = inputs.to_vec();
    // Not joined when `report` breaks: it may be waiting for a pipe. It ends at its next message.
    let thread = thread::spawn(move || work(&mut reader, &inputs));
    let mut desk = Desk { report, history, bytes_read, total, last_progress: Instant::now() };
    if desk.pass_on(&messages).is_continue() {
        let _ = thread.join();
    }
}

/// Passes messages on to the caller.
struct Desk<'a> {
    report: &'a mut dyn FnMut(Event) -> ControlFlow<()>,
    history: &'a dyn History,
    bytes_read: Arc<AtomicU64>,
    /// `u64::MAX` where it is not known.
    total: Arc<AtomicU64>,
    last_progress: Instant,
}

impl Desk<'_> {
    fn pass_on(&mut self, messages: &Receiver<Message>) -> ControlFlow<()> {
        while let Some(message) = self.wait(messages)? {
            match message {
                Message::Event(event) => (self.report)(event)?,
                Message::Piece(batches) => {
                    while let Some(batch) = self.wait(&batches)? {
                        (self.report)(Event::Batch(batch))?;
                    }
                }
                // A reader that does not wait for the answer has ended.
                Message::Ask { head_hash, name, answer } => {
                    drop(answer.send(self.history.committed_of(head_hash, &name)));
                }
            }
        }
        self.progress()
    }

    /// Waits for the next one, with progress meanwhile; nothing when there are no more.
    fn wait<T>(&mut self, queue: &Receiver<T>) -> ControlFlow<(), Option<T>> {
        loop {
            if self.last_progress.elapsed() >= HEARTBEAT {
                self.progress()?;
            }
            match queue.recv_timeout(HEARTBEAT) {
                Ok(one) => return ControlFlow::Continue(Some(one)),
                Err(RecvTimeoutError::Disconnected) => return ControlFlow::Continue(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn progress(&mut self) -> ControlFlow<()> {
        self.last_progress = Instant::now();
        let total = self.total.load(Ordering::Relaxed);
        let bytes_total = (total != u64::MAX).then_some(total);
        let bytes_read = self.bytes_read.load(Ordering::Relaxed);
        (self.report)(Event::Progress(Progress { bytes_read, bytes_total }))
    }
}

#[cfg(test)]
pub(crate) mod tests;
