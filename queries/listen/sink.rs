//! Makes rows of a spool: reads requests, decodes them, commits, settles, and lets go of what a checkpoint has passed.

use std::thread;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use riftline_ingest::batch::Batch;
use riftline_ingest::format::{Decoder, Settings};
use riftline_ingest::read::SourceInfo;
use riftline_ingest::receive::kind::{Kind, Protocol};
use riftline_ingest::receive::spool::{Position, Record, Spool, SpoolReader};
use riftline_ingest::receive::{Bound, decode_request, decoder};
use xxhash_rust::xxh3::xxh3_64;

use super::{ListenEvent, ListenSummary};
use crate::cancel::Cancel;
use crate::error::WriteError;
use crate::store::{Group, SourceState, Store};

/// One commit: as many rows as DuckDB keeps together on disk, or what came in this time.
const COMMIT_RECORDS: usize = 122_880;
const COMMIT_EVERY: Duration = Duration::from_secs(1);
const COMMIT_EVERY_WATCHED: Duration = Duration::from_millis(250);

/// How often derived views are brought up to date: at least this far apart, and never so often that it takes more than a fifth
/// of the time.
const SETTLE_EVERY: Duration = Duration::from_secs(5);
const SETTLE_EVERY_WATCHED: Duration = Duration::from_secs(1);
const SETTLE_SHARE: u32 = 4;

/// A checkpoint is due after so many bytes of requests, or this long after the first of them.
const CHECKPOINT_BYTES: u64 = 256 << 20;
const CHECKPOINT_EVERY: Duration = Duration::from_mins(1);

/// How long to wait before what failed is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is told to who started to listen.
pub(super) type Report = Box<dyn FnMut(ListenEvent) + Send>;

/// The writer of one listening.
pub(super) struct Sink<'store> {
    store: &'store Store,
    spool: &'store Spool,
    bound: Vec<Bound>,
    settings: Settings,
    is_watched: bool,
    report: Report,
    reader: SpoolReader,
    /// Up to where requests are rows.
    stored: Position,
    decoders: HashMap<Kind, Box<dyn Decoder>>,
    sources: HashMap<(Protocol, &'static str), Source>,
    open: Option<Open<'store>>,
    settled: Option<(Instant, Duration)>,
    /// Since the last checkpoint.
    unsaved: Option<(Instant, u64)>,
    summary: ListenSummary,
}

/// The transaction that is open.
struct Open<'store> {
    group: Group<'store>,
    begun: Instant,
    /// Bytes of the spool that went into it.
    bytes: u64,
}

/// One way in, as a source.
struct Source {
    state: SourceState,
    /// How many bytes came, over all times.
    received: u64,
    /// Since the last commit.
    new: ListenSummary,
    is_dirty: bool,
}

impl<'store> Sink<'store> {
    pub(super) fn new(
        store: &'store Store,
        spool: &'store Spool,
        stored: Position,
        bound: Vec<Bound>,
        settings: Settings,
        is_watched: bool,
        report: Report,
    ) -> Self {
        Self {
            store,
            spool,
            bound,
            settings,
            is_watched,
            report,
            reader: spool.reader(stored),
            stored,
            decoders: HashMap::new(),
            sources: HashMap::new(),
            open: None,
            settled: None,
            unsaved: None,
            summary: ListenSummary::default(),
        }
    }

    /// Runs until the spool is closed and all of it is in the store's file.
    pub(super) fn run(mut self) -> Result<ListenSummary, WriteError> {
        while !self.spool.is_over(self.reader.position()) {
            if let Err(error) = self.step() {
                self.begin_again(&error)?;
            }
        }
        self.commit()?;
        if self.store.needs_settling() {
            self.settle()?;
        }
        self.stored = self.reader.position();
        if self.store.checkpoint()? {
            // A folder that stays is read again next time, and found to hold nothing new.
            let _ = self.spool.remove(self.stored);
        }
        Ok(self.summary)
    }

    /// Takes in what came, and does what is due.
    fn step(&mut self) -> Result<(), WriteError> {
        let end = self.spool.wait_beyond(self.reader.position(), self.patience());
        while !self.is_commit_due() {
            let read = self.reader.next(end);
            let read = read.map_err(|error| WriteError::Store { message: format!("read the spool: {error}") })?;
            self.reader.take_damages().into_iter().for_each(|damage| (self.report)(ListenEvent::Trouble(damage)));
            let Some((record, bytes)) = read else { break };
            self.take(&record, bytes)?;
        }
        if self.is_commit_due() {
            self.commit()?;
        }
        if self.open.is_none() {
            self.settle_now_and_then()?;
            self.checkpoint_now_and_then();
        }
        Ok(())
    }

    fn commit_every(&self) -> Duration {
        if self.is_watched { COMMIT_EVERY_WATCHED } else { COMMIT_EVERY }
    }

    fn patience(&self) -> Duration {
        let wait = self.commit_every();
        self.open.as_ref().map_or(wait, |open| wait.saturating_sub(open.begun.elapsed()))
    }

    fn is_commit_due(&self) -> bool {
        let wait = self.commit_every();
        self.open
            .as_ref()
            .is_some_and(|open| open.group.num_records() >= COMMIT_RECORDS || open.begun.elapsed() >= wait)
    }

    fn take(&mut self, record: &Record, bytes: u64) -> Result<(), WriteError> {
        if self.open.is_none() {
            self.open = Some(Open { group: self.store.begin()?, begun: Instant::now(), bytes: 0 });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.bytes = open.bytes.saturating_add(bytes);
        let offset = self.source(record.kind)?.map_or(0, |source| source.received);
        let mut full = Vec::new();
        if !self.decoders.contains_key(&record.kind) {
            let Some(decoder) = decoder(record.kind.payload, &self.settings) else {
                let message =
                    format!("this riftline does not read {}: requests are left out", record.kind.payload.format());
                (self.report)(ListenEvent::Trouble(message));
                return Ok(());
            };
            self.decoders.insert(record.kind, decoder);
        }
        if let Some(decoder) = self.decoders.get_mut(&record.kind) {
            decode_request(decoder.as_mut(), &record.bytes, offset, &mut |batch| full.push(batch));
        }
        if let Some(source) = self.source(record.kind)? {
            source.received = source.received.saturating_add(record.bytes.len() as u64);
        }
        full.into_iter().try_for_each(|batch| self.append(record.kind, batch))
    }

    /// Returns the source of a way in; nothing while no transaction is open.
    fn source(&mut self, kind: Kind) -> Result<Option<&mut Source>, WriteError> {
        let key = (kind.protocol, kind.payload.format());
        if !self.sources.contains_key(&key) {
            let info = self.info(kind);
            let Some(open) = &mut self.open else { return Ok(None) };
            let state = open.group.receiver(&info)?;
            let received = state.offset;
            self.sources.insert(key, Source { state, received, new: ListenSummary::default(), is_dirty: false });
        }
        Ok(self.sources.get_mut(&key))
    }

    fn info(&self, kind: Kind) -> SourceInfo {
        let bound = self.bound.iter().find(|bound| bound.protocol == kind.protocol);
        let name = bound.map_or_else(|| format!("{}://", kind.protocol.scheme()), Bound::name);
        let head_hash = xxh3_64(name.as_bytes());
        SourceInfo { name, path: None, size: None, format: kind.payload.format(), container: String::new(), head_hash }
    }

    fn append(&mut self, kind: Kind, mut batch: Batch) -> Result<(), WriteError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let Some(source) = self.sources.get_mut(&(kind.protocol, kind.payload.format())) else { return Ok(()) };
        batch.to_offset = source.received;
        source.new.count(&batch);
        source.is_dirty = true;
        open.group.append(&mut source.state, batch)
    }

    fn commit(&mut self) -> Result<(), WriteError> {
        let kinds: Vec<Kind> = self.decoders.keys().copied().collect();
        for kind in kinds {
            let rest = self.decoders.get_mut(&kind).map(|decoder| decoder.take(true)).unwrap_or_default();
            rest.into_iter().try_for_each(|batch| self.append(kind, batch))?;
        }
        let Some(mut open) = self.open.take() else { return Ok(()) };
        for source in self.sources.values_mut().filter(|source| source.is_dirty) {
            open.group.save(&mut source.state)?;
        }
        let position = self.reader.position();
        open.group.save_spool_position(position)?;
        open.group.commit()?;
        self.stored = position;
        self.spool.stored(open.bytes);
        let (_, unsaved) = self.unsaved.get_or_insert_with(|| (Instant::now(), 0));
        *unsaved = unsaved.saturating_add(open.bytes);
        self.tell();
        Ok(())
    }

    /// Tells what was committed.
    fn tell(&mut self) {
        for ((protocol, _), source) in self.sources.iter_mut().filter(|(_, source)| source.is_dirty) {
            source.is_dirty = false;
            let ListenSummary { spans, logs, metrics, rejects } = std::mem::take(&mut source.new);
            self.summary.add(&ListenSummary { spans, logs, metrics, rejects });
            let name = protocol.scheme().to_owned();
            (self.report)(ListenEvent::Committed { source: name, spans, logs, metrics, rejects });
        }
    }

    fn settle_now_and_then(&mut self) -> Result<(), WriteError> {
        let apart = if self.is_watched { SETTLE_EVERY_WATCHED } else { SETTLE_EVERY };
        let is_early =
            self.settled.is_some_and(|(when, took)| when.elapsed() < apart.max(took.saturating_mul(SETTLE_SHARE)));
        if is_early || !self.store.needs_settling() {
            return Ok(());
        }
        self.settle()
    }

    fn settle(&mut self) -> Result<(), WriteError> {
        let begun = Instant::now();
        let result = self.store.settle(&Cancel::default());
        self.settled = Some((Instant::now(), begun.elapsed()));
        result.map_err(|error| WriteError::Store { message: error.to_string() })?;
        (self.report)(ListenEvent::Settled);
        Ok(())
    }

    /// Segments go only once the store's file, and not just its log, holds what they hold.
    fn checkpoint_now_and_then(&mut self) {
        let is_due =
            self.unsaved.is_some_and(|(since, bytes)| bytes >= CHECKPOINT_BYTES || since.elapsed() >= CHECKPOINT_EVERY);
        // Where others read what a checkpoint would move, it is tried again after the next commit.
        if is_due && matches!(self.store.checkpoint(), Ok(true)) && self.spool.remove_before(self.stored).is_ok() {
            self.unsaved = None;
        }
    }

    /// What was not committed is read again. A store that cannot be written while riftline closes is left as it is: the spool
    /// keeps the rest.
    fn begin_again(&mut self, error: &WriteError) -> Result<(), WriteError> {
        self.open = None;
        self.decoders.clear();
        self.sources.clear();
        self.reader = self.spool.reader(self.stored);
        if self.spool.is_closing() {
            return Err(error.clone());
        }
        (self.report)(ListenEvent::Trouble(error.to_string()));
        thread::sleep(PAUSE);
        Ok(())
    }
}

impl ListenSummary {
    fn count(&mut self, batch: &Batch) {
        self.add(&Self {
            spans: batch.spans.len() as u64,
            logs: batch.logs.len() as u64,
            metrics: batch.metrics.len() as u64,
            rejects: batch.rejects.count,
        });
    }

    fn add(&mut self, more: &Self) {
        self.spans = self.spans.saturating_add(more.spans);
        self.logs = self.logs.saturating_add(more.logs);
        self.metrics = self.metrics.saturating_add(more.metrics);
        self.rejects = self.rejects.saturating_add(more.rejects);
    }
}
