//! Collects what lines say into batches.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::batch::Batch;
use crate::clock::Times;
use crate::convention::Conventions;
use crate::event::{ClassBatch, EventClass, Gap};
use crate::format::{MAX_RECORDS, Settings};
use crate::kernel::row::Row;

/// A batch is full when it was made from so many bytes.
const MAX_INPUT_BYTES: usize = 8 << 20;

/// Most different names of events; what has another name goes under [`OTHER`].
const MAX_NAMES: usize = 2_000;

/// Longest name of an event.
const MAX_NAME: usize = 128;

const OTHER: &str = "other";

/// A clock and a time that it counted, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub clock: &'static str,
    pub ns: i64,
}

/// Where an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    batch: u64,
    class: usize,
    row: usize,
}

/// Batches under construction.
pub(crate) struct Out {
    pub batch: Batch,
    pub times: Times,
    /// Records after which the batch is full; the next one may hold twice as many.
    pub max_records: usize,
    /// Longest text that is kept whole.
    pub max_text: usize,
    provider: &'static str,
    conventions: Arc<Conventions>,
    numbers: HashMap<String, Vec<(&'static str, usize)>>,
    clocks: Vec<&'static str>,
    input_bytes: usize,
    ready: Vec<Batch>,
    num_batches: u64,
    /// The class of the last event.
    last: usize,
}

impl Out {
    pub(crate) fn new(provider: &'static str, settings: &Settings, times: Times) -> Self {
        Self {
            batch: Batch::new(&settings.conventions),
            times,
            max_records: MAX_RECORDS,
            max_text: settings.limits.value_bytes,
            provider,
            conventions: settings.conventions.clone(),
            numbers: HashMap::new(),
            clocks: Vec::new(),
            input_bytes: 0,
            ready: Vec::new(),
            num_batches: 0,
            last: 0,
        }
    }

    /// Begins an event; what is known of it is put into the row.
    pub(crate) fn event(&mut self, name: &str, stamp: Stamp) -> Option<Row<'_>> {
        let time_ns = self.time(stamp);
        let number = self.class(name, stamp.clock);
        let max_text = self.max_text;
        self.last = number;
        self.batch.events.begin(number, time_ns).map(|class| Row::new(class, max_text))
    }

    /// Returns what a time is in UTC, or as recorded where that is not known.
    pub(crate) fn time(&mut self, stamp: Stamp) -> i64 {
        if !self.clocks.contains(&stamp.clock) {
            self.clocks.push(stamp.clock);
            self.batch.clocks.push(self.times.clock(stamp.clock));
        }
        self.times.utc(stamp)
    }

    /// Returns the place of the event that was begun last.
    pub(crate) fn place(&self) -> Place {
        let row = self.batch.events.classes.get(self.last).map_or(0, ClassBatch::row);
        Place { batch: self.num_batches, class: self.last, row }
    }

    /// Returns the row of an event, unless it went with its batch.
    pub(crate) fn row_at(&mut self, place: Place) -> Option<Row<'_>> {
        let (max_text, is_here) = (self.max_text, place.batch == self.num_batches);
        let class = self.batch.events.classes.get_mut(place.class).filter(|class| is_here && place.row < class.len());
        class.map(|class| Row::at(class, place.row, max_text))
    }

    fn class(&mut self, name: &str, clock: &'static str) -> usize {
        let known = self.numbers.get(name).and_then(|all| all.iter().find(|one| one.0 == clock));
        if let Some(&(_, number)) = known {
            return number;
        }
        let has_room = self.numbers.len() < MAX_NAMES || self.numbers.contains_key(name);
        if (!has_room || name.len() > MAX_NAME) && name != OTHER {
            return self.class(OTHER, clock);
        }
        let class = EventClass { provider: self.provider.to_owned(), name: name.to_owned(), clock: clock.to_owned() };
        let number = self.batch.events.class(&class);
        self.numbers.entry_ref(name).or_default().push((clock, number));
        number
    }

    /// Notes that events were lost.
    pub(crate) fn gap(&mut self, from_ns: i64, to_ns: i64, stream: &str, lost: Option<u64>, what: &str) {
        self.batch.gaps.push(Gap { from_ns, to_ns, stream: stream.to_owned(), lost, what: what.to_owned() });
    }

    /// Notes that a line of so many bytes was read.
    pub(crate) fn read(&mut self, num_bytes: usize) {
        self.input_bytes = self.input_bytes.saturating_add(num_bytes);
    }

    /// Tells whether the batch is full.
    pub(crate) fn is_due(&self) -> bool {
        self.batch.num_records() >= self.max_records || self.input_bytes >= MAX_INPUT_BYTES
    }

    /// Tells whether a batch is complete.
    pub(crate) fn is_full(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Tells whether the batch is so full that it goes, whatever may belong to its last event.
    pub(crate) fn is_overdue(&self) -> bool {
        self.batch.num_records() >= self.max_records.saturating_mul(4) || self.input_bytes >= 4 * MAX_INPUT_BYTES
    }

    /// Returns the batches that are complete; `flush` also the one that is not full yet.
    pub(crate) fn take(&mut self, flush: bool) -> Vec<Batch> {
        if flush && self.has_rows() {
            self.split();
        }
        std::mem::take(&mut self.ready)
    }

    fn has_rows(&self) -> bool {
        let batch = &self.batch;
        batch.num_records() > 0 || batch.rejects.count > 0 || !batch.gaps.is_empty() || !batch.clocks.is_empty()
    }

    /// Closes the batch.
    pub(crate) fn split(&mut self) {
        let mut batch = std::mem::replace(&mut self.batch, Batch::new(&self.conventions));
        batch.close();
        self.ready.push(batch);
        self.numbers.clear();
        self.input_bytes = 0;
        self.num_batches += 1;
        self.max_records = self.max_records.saturating_mul(2).min(MAX_RECORDS);
    }
}
