//! The writing side of loading: groups batches into commits, and settles for those who watch.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use riftline_ingest::batch::Batch;
use riftline_ingest::read::{Event, SourceEnd, SourceInfo};
use riftline_ingest::rejects::Reject;

use super::{LoadEvent, LoadOptions, LoadSummary, LoadedSource};
use crate::cancel::Cancel;
use crate::error::WriteError;
use crate::settle::SettleError;
use crate::store::{Group, SourceState, Store};

/// The first commit when somebody watches; each later one may be twice as large.
const FIRST_GROUP_RECORDS: usize = 256;

/// What was read is committed when nothing more comes for this long.
const IDLE: Duration = Duration::from_millis(200);

/// Nor does what was read wait for longer than this where reading has no end.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// How often derived views are brought up to date while somebody watches: at least this far apart, and never so often that
/// it takes more than a fifth of the time.
const SETTLE_EVERY: Duration = Duration::from_secs(1);
const SETTLE_SHARE: u32 = 4;

/// How many reject reasons the summary names.
const MAX_REASONS: usize = 5;

/// The writer of one loading.
pub(super) struct Sink<'load> {
    store: &'load Store,
    options: &'load LoadOptions,
    reports: Sender<LoadEvent>,
    started: Instant,
    group: Option<Group<'load>>,
    /// When the group was begun.
    begun: Instant,
    group_records: usize,
    max_group_records: usize,
    current: Option<Current>,
    /// What the open group holds, by source.
    uncommitted: Vec<Uncommitted>,
    settled: Option<(Instant, Duration)>,
    summary: LoadSummary,
    /// Files are followed.
    is_endless: bool,
}

/// The source that is being read.
struct Current {
    info: SourceInfo,
    /// Known once its first batch came.
    state: Option<SourceState>,
    /// Changed since it was last written.
    is_dirty: bool,
}

/// Rows of one source that are not committed yet.
struct Uncommitted {
    source: String,
    offset: u64,
    spans: u64,
    logs: u64,
    metrics: u64,
    events: u64,
}

impl<'load> Sink<'load> {
    pub(super) fn new(
        store: &'load Store,
        options: &'load LoadOptions,
        max_group_records: usize,
        reports: Sender<LoadEvent>,
        started: Instant,
    ) -> Self {
        Self {
            store,
            options,
            reports,
            started,
            group: None,
            begun: started,
            group_records: if options.live { FIRST_GROUP_RECORDS } else { max_group_records },
            max_group_records,
            current: None,
            uncommitted: Vec::new(),
            settled: None,
            summary: LoadSummary::default(),
            is_endless: false,
        }
    }

    /// Commits what came every second: more of it may come for ever.
    pub(super) fn endless(self, is_endless: bool) -> Self {
        Self { is_endless, ..self }
    }

    /// Takes events until there are no more, then makes everything durable.
    pub(super) fn run(mut self, events: &Receiver<Event>) -> Result<LoadSummary, WriteError> {
        loop {
            match self.next(events) {
                Ok(event) => {
                    self.take(event)?;
                    self.commit_in_time()?;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.commit()?;
                    self.settle_now_and_then()?;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.finish()
    }

    fn commit_in_time(&mut self) -> Result<(), WriteError> {
        let is_late = self.group.is_some() && self.begun.elapsed() >= MAX_WAIT;
        if !is_late || !(self.is_endless || self.options.live) {
            return Ok(());
        }
        self.commit()?;
        self.settle_now_and_then()
    }

    fn next(&self, events: &Receiver<Event>) -> Result<Event, RecvTimeoutError> {
        if self.group.is_some() || self.has_unsettled() {
            events.recv_timeout(IDLE)
        } else {
            events.recv().map_err(|_| RecvTimeoutError::Disconnected)
        }
    }

    fn take(&mut self, event: Event) -> Result<(), WriteError> {
        match event {
            Event::Opened(info) => {
                self.open(info);
                Ok(())
            }
            Event::Batch(batch) => self.append(*batch),
            Event::Closed(end) => self.close(&end),
            Event::Failed { name, error } => {
                self.summary.failed.push((name, error.to_string()));
                Ok(())
            }
            Event::Progress(_) => Ok(()),
        }
    }

    fn open(&mut self, info: SourceInfo) {
        // A file that is followed comes again and again.
        let is_same = |one: &LoadedSource| one.name == info.name && one.format == info.format;
        if let Some(at) = self.summary.sources.iter().position(is_same).filter(|_| self.is_endless) {
            let source = self.summary.sources.remove(at);
            self.summary.sources.push(source);
            self.current = Some(Current { info, state: None, is_dirty: false });
            return;
        }
        self.summary.sources.push(LoadedSource {
            name: info.name.clone(),
            format: info.format.to_owned(),
            container: info.container.clone(),
            ..LoadedSource::default()
        });
        self.current = Some(Current { info, state: None, is_dirty: false });
    }

    fn append(&mut self, batch: Batch) -> Result<(), WriteError> {
        self.summarize(&batch);
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let uncommitted = Uncommitted::of(&current.info, &batch);
        let group = self.group()?;
        let mut state = match current.state.take() {
            Some(state) => state,
            None => group.source(&current.info, batch.from_offset)?,
        };
        group.append(&mut state, batch)?;
        let is_full = group.num_records() >= self.group_records;
        self.current = Some(Current { state: Some(state), is_dirty: true, ..current });
        self.add_uncommitted(uncommitted);
        if is_full {
            self.commit()?;
            self.group_records = self.group_records.saturating_mul(2).min(self.max_group_records);
            self.settle_now_and_then()?;
        }
        Ok(())
    }

    fn group(&mut self) -> Result<&mut Group<'load>, WriteError> {
        if self.group.is_none() {
            self.group = Some(self.store.begin()?);
            self.begun = Instant::now();
        }
        self.group.as_mut().ok_or_else(|| WriteError::Store { message: "no transaction".to_owned() })
    }

    fn add_uncommitted(&mut self, more: Uncommitted) {
        match self.uncommitted.last_mut().filter(|last| last.source == more.source) {
            Some(last) => last.add(&more),
            None => self.uncommitted.push(more),
        }
    }

    /// A source that ends is written with the group: many small files share a commit.
    fn close(&mut self, end: &SourceEnd) -> Result<(), WriteError> {
        if let Some(last) = self.summary.sources.last_mut() {
            last.bytes = end.bytes;
            last.skipped_bytes = end.skipped_bytes;
            last.stopped.clone_from(&end.stopped);
        }
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let group = self.group()?;
        let mut state = match current.state.take() {
            Some(state) => state,
            None => group.source(&current.info, end.skipped_bytes)?,
        };
        state.close(end);
        group.save(&mut state)
    }

    fn commit(&mut self) -> Result<(), WriteError> {
        let Some(mut group) = self.group.take() else { return Ok(()) };
        if let Some(Current { state: Some(state), is_dirty, .. }) = self.current.as_mut().filter(|one| one.is_dirty) {
            group.save(state)?;
            *is_dirty = false;
        }
        group.commit()?;
        for one in self.uncommitted.drain(..) {
            // A caller that is gone needs no reports.
            let _ = self.reports.send(one.into_event());
        }
        Ok(())
    }

    fn has_unsettled(&self) -> bool {
        self.options.live && self.options.settle && self.store.needs_settling()
    }

    fn settle_now_and_then(&mut self) -> Result<(), WriteError> {
        let is_early = self
            .settled
            .is_some_and(|(when, took)| when.elapsed() < SETTLE_EVERY.max(took.saturating_mul(SETTLE_SHARE)));
        if is_early || !self.has_unsettled() {
            return Ok(());
        }
        self.settle()
    }

    fn settle(&mut self) -> Result<(), WriteError> {
        let begun = Instant::now();
        self.store.settle(&Cancel::default()).map_err(|error| match error {
            SettleError::Write(error) => error,
            SettleError::Cancelled => WriteError::Store { message: error.to_string() },
        })?;
        self.settled = Some((Instant::now(), begun.elapsed()));
        let _ = self.reports.send(LoadEvent::Settled);
        Ok(())
    }

    /// Somebody who watches has the analysis made beside the reading.
    fn analyse(&mut self) -> Result<(), WriteError> {
        if self.options.live {
            return Ok(());
        }
        let done = self.store.analyse(&Cancel::default());
        done.map(drop).map_err(|error| WriteError::Store { message: error.to_string() })
    }

    fn finish(mut self) -> Result<LoadSummary, WriteError> {
        self.commit()?;
        self.store.checkpoint()?;
        self.summary.seconds = self.started.elapsed().as_secs_f64();
        if self.options.settle {
            self.settle()?;
            self.analyse()?;
            self.summary.settle_seconds = Some(self.started.elapsed().as_secs_f64());
        }
        Ok(self.summary)
    }

    fn summarize(&mut self, batch: &Batch) {
        let Some(last) = self.summary.sources.last_mut() else { return };
        last.spans += batch.spans.len() as u64;
        last.logs += batch.logs.len() as u64;
        last.metrics += batch.metrics.len() as u64;
        last.events += batch.events.len() as u64;
        last.rejects = last.rejects.saturating_add(batch.rejects.count);
        let room = MAX_REASONS.saturating_sub(last.first_reasons.len());
        last.first_reasons.extend(batch.rejects.kept.iter().take(room).map(reason));
    }
}

impl Uncommitted {
    fn of(info: &SourceInfo, batch: &Batch) -> Self {
        Self {
            source: info.name.clone(),
            offset: batch.to_offset,
            spans: batch.spans.len() as u64,
            logs: batch.logs.len() as u64,
            metrics: batch.metrics.len() as u64,
            events: batch.events.len() as u64,
        }
    }

    fn add(&mut self, more: &Self) {
        self.offset = more.offset;
        self.spans += more.spans;
        self.logs += more.logs;
        self.metrics += more.metrics;
        self.events += more.events;
    }

    fn into_event(self) -> LoadEvent {
        let Self { source, offset, spans, logs, metrics, events } = self;
        LoadEvent::Committed { source, offset, spans, logs, metrics, events }
    }
}

fn reason(reject: &Reject) -> String {
    match reject.line {
        0 => format!("byte {}: {}", reject.offset, reject.reason),
        line => format!("line {line}, column {}: {}", reject.column, reject.reason),
    }
}
