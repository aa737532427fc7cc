//! Reads sources into a store: the reader's events on one side, the writer's commits on the other.

mod sink;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use riftline_ingest::read::{self, Event, History, Input, Progress, ReadOptions};

use crate::error::WriteError;
use crate::store::Store;
use sink::Sink;

/// Batches that wait for the writer. Each may be as large as a batch can be.
const MAX_WAITING_BATCHES: usize = 4;

/// Reports that wait for the caller.
const MAX_WAITING_REPORTS: usize = 256;

/// One commit when somebody watches: as many rows as DuckDB keeps together on disk.
const WATCHED_COMMIT_RECORDS: usize = 122_880;

/// One commit otherwise. What a commit has beyond whole row groups is written again by a later checkpoint: few large commits
/// write little twice. A loading that is killed goes on behind the last one.
pub const COMMIT_RECORDS: usize = 8 * WATCHED_COMMIT_RECORDS;

/// What loading reports while it runs.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadEvent {
    Progress(Progress),
    /// Rows of `source` up to byte `offset` of its decompressed stream are durable. The counts are those of this commit.
    Committed {
        source: String,
        offset: u64,
        spans: u64,
        logs: u64,
        metrics: u64,
        events: u64,
    },
    /// Derived views were brought up to date.
    Settled,
}

/// What was read, one line a source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadSummary {
    pub sources: Vec<LoadedSource>,
    /// Named inputs of which nothing could be read: (name, why).
    pub failed: Vec<(String, String)>,
    /// Until everything was durable in the store's file.
    pub seconds: f64,
    /// Seconds until derived views were up to date, where that was asked for.
    pub settle_seconds: Option<f64>,
}

/// One source of a [`LoadSummary`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadedSource {
    pub name: String,
    pub format: String,
    pub container: String,
    pub bytes: u64,
    pub skipped_bytes: u64,
    pub spans: u64,
    pub logs: u64,
    pub metrics: u64,
    /// Of kernels, tracers and sockets.
    pub events: u64,
    pub rejects: u64,
    /// The first few reject reasons, with line or offset.
    pub first_reasons: Vec<String>,
    pub stopped: Option<String>,
}

impl LoadedSource {
    /// Tells whether the source is telemetry. Folders hold other files too.
    #[must_use]
    pub fn is_recognised(&self) -> bool {
        self.format != riftline_ingest::format::UNKNOWN
    }

    /// Returns how many records of all kinds were read.
    #[must_use]
    pub fn records(&self) -> u64 {
        [self.logs, self.metrics, self.events].into_iter().fold(self.spans, u64::saturating_add)
    }
}

impl LoadSummary {
    /// Returns the sum of `number` over all sources.
    #[must_use]
    pub fn total(&self, number: fn(&LoadedSource) -> u64) -> u64 {
        self.sources.iter().map(number).fold(0, u64::saturating_add)
    }
}

/// How to load.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    pub read: ReadOptions,
    /// Bring derived views up to date at the end (and now and then while reading, for `live`).
    pub settle: bool,
    /// A person is watching: commit and settle the first rows at once, and again every second or so.
    pub live: bool,
}

/// Reads `inputs` into `store`. `report` may break to stop: what was committed stays.
///
/// Reading, decoding and writing run on threads of their own; `report` runs on the caller's.
pub fn load(
    store: &Store,
    inputs: &[Input],
    options: &LoadOptions,
    report: &mut dyn FnMut(LoadEvent) -> ControlFlow<()>,
) -> Result<LoadSummary, WriteError> {
    let records = if options.live { WATCHED_COMMIT_RECORDS } else { COMMIT_RECORDS };
    load_in_commits(store, inputs, options, records, report)
}

/// As [`load`], with commits of `records` records: smaller ones are durable sooner and cost more.
pub fn load_in_commits(
    store: &Store,
    inputs: &[Input],
    options: &LoadOptions,
    records: usize,
    report: &mut dyn FnMut(LoadEvent) -> ControlFlow<()>,
) -> Result<LoadSummary, WriteError> {
    run(store, inputs, options, Way { read: read::read, records, is_endless: false }, report)
}

/// As [`load`], but goes on with what is added to files, until `report` breaks. What came is committed every second.
pub fn follow(
    store: &Store,
    inputs: &[Input],
    options: &LoadOptions,
    report: &mut dyn FnMut(LoadEvent) -> ControlFlow<()>,
) -> Result<LoadSummary, WriteError> {
    run(store, inputs, options, Way { read: read::follow, records: WATCHED_COMMIT_RECORDS, is_endless: true }, report)
}

type Read = fn(&[Input], &ReadOptions, &dyn History, &mut dyn FnMut(Event) -> ControlFlow<()>);

/// How inputs are read.
#[derive(Clone, Copy)]
struct Way {
    read: Read,
    /// Records of one commit.
    records: usize,
    is_endless: bool,
}

fn run(
    store: &Store,
    inputs: &[Input],
    options: &LoadOptions,
    way: Way,
    report: &mut dyn FnMut(LoadEvent) -> ControlFlow<()>,
) -> Result<LoadSummary, WriteError> {
    let started = Instant::now();
    let (batches, waiting) = bounded(MAX_WAITING_BATCHES);
    let (reports, reported) = bounded(MAX_WAITING_REPORTS);
    let is_stopped = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        let (is_stopped, progress) = (&is_stopped, reports.clone());
        scope.spawn(move || read_all(store, (way.read, inputs), options, &batches, &progress, is_stopped));
        let write =
            move || Sink::new(store, options, way.records, reports, started).endless(way.is_endless).run(&waiting);
        let sink = scope.spawn(write);
        relay(&reported, is_stopped, report);
        sink.join()
    });
    result.unwrap_or_else(|_| Err(WriteError::Store { message: "the writer stopped unexpectedly".to_owned() }))
}

/// Hands events to the writer in their order; progress goes to the caller when there is room.
fn read_all(
    store: &Store,
    (read, inputs): (Read, &[Input]),
    options: &LoadOptions,
    batches: &Sender<Event>,
    progress: &Sender<LoadEvent>,
    is_stopped: &AtomicBool,
) {
    read(inputs, &options.read, store, &mut |event| {
        if is_stopped.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        let goes_on = match event {
            Event::Progress(made) => {
                !matches!(progress.try_send(LoadEvent::Progress(made)), Err(TrySendError::Disconnected(_)))
            }
            event => batches.send(event).is_ok(),
        };
        if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
}

/// Reports until the writer is done. After a break nothing more is reported, but the writer is heard out.
fn relay(
    reported: &Receiver<LoadEvent>,
    is_stopped: &AtomicBool,
    report: &mut dyn FnMut(LoadEvent) -> ControlFlow<()>,
) {
    for event in reported {
        if !is_stopped.load(Ordering::Relaxed) && report(event).is_break() {
            is_stopped.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
