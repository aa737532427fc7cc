//! Merges the streams of a trace in the order of time into batches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::columns;
use super::ids;
use super::plan::Trace;
use super::stream::{Aside, Store, Stream};
use crate::batch::Batch;
use crate::convention::Conventions;
use crate::format::MAX_RECORDS;

/// Records of the first batch; each later one may hold twice as many.
const FIRST_RECORDS: usize = 256;

/// A batch is full when so many bytes went into it, however few events that are.
const MAX_INPUT_BYTES: u64 = 16 << 20;

/// A trace that is being read.
pub(crate) struct Merge {
    trace: Trace,
    streams: Vec<Stream>,
    /// Time and number of each stream's next event. Of equal times the first stream's goes first.
    order: BinaryHeap<Reverse<(i64, usize)>>,
    aside: Aside,
    /// Class of the batch by table.
    classes: Vec<Option<usize>>,
    max_records: usize,
    num_events: u64,
    hash: u64,
    has_told_clocks: bool,
}

impl Merge {
    /// Opens all streams.
    pub(crate) fn new(trace: Trace, stores: Vec<(String, Box<dyn Store>)>) -> Self {
        let mut aside = Aside::default();
        let streams: Vec<Stream> =
            stores.into_iter().map(|(name, store)| Stream::open(name, store, &trace, &mut aside)).collect();
        let order = streams.iter().enumerate();
        let order = order.filter_map(|(number, stream)| Some(Reverse((stream.next()?.time_ns, number)))).collect();
        Self {
            trace,
            streams,
            order,
            aside,
            classes: Vec::new(),
            max_records: FIRST_RECORDS,
            num_events: 0,
            hash: 0,
            has_told_clocks: false,
        }
    }

    /// Returns how many bytes were gone through.
    pub(crate) fn bytes(&self) -> u64 {
        self.streams.iter().map(Stream::bytes).sum()
    }

    /// Returns the next batch; nothing at the end.
    pub(crate) fn next(&mut self, conventions: &Conventions) -> Option<Batch> {
        let mut batch = Batch::new(conventions);
        batch.from_offset = self.num_events;
        self.classes.clear();
        self.classes.resize(self.trace.tables.len(), None);
        let until = self.bytes().saturating_add(MAX_INPUT_BYTES);
        while batch.events.len() < self.max_records && self.bytes() < until {
            let Some(Reverse((_, number))) = self.order.pop() else { break };
            self.streak(number, &mut batch);
        }
        self.tell_asides(&mut batch);
        let is_over = batch.num_records() == 0 && batch.rejects.count == 0 && batch.gaps.is_empty();
        if is_over && self.order.is_empty() {
            return None;
        }
        self.max_records = self.max_records.saturating_mul(2).min(MAX_RECORDS);
        (batch.to_offset, batch.prefix_hash) = (self.num_events, self.hash);
        batch.close();
        Some(batch)
    }

    /// Takes events of one stream until another has an earlier one, or the batch is full.
    fn streak(&mut self, number: usize, batch: &mut Batch) {
        let bound = self.order.peek().map_or((i64::MAX, usize::MAX), |Reverse(other)| *other);
        let Some(stream) = self.streams.get_mut(number) else { return };
        while let Some(next) = stream.next() {
            if (next.time_ns, number) > bound || batch.events.len() >= self.max_records {
                self.order.push(Reverse((next.time_ns, number)));
                return;
            }
            let Some(plan) = stream.plan(&self.trace, next) else { return };
            let (Some(table), Some(place)) = (self.trace.tables.get(plan.table), self.classes.get_mut(plan.table))
            else {
                return;
            };
            let class_number = *place.get_or_insert_with(|| batch.events.class(&table.class));
            let Some(class) = batch.events.begin(class_number, next.time_ns) else { return };
            columns::prepare(class, table);
            let row = class.row();
            if stream.take(plan, class, row, &mut self.aside) {
                if let Some(ids) = &plan.ids {
                    ids::fill(ids, class, row);
                }
                self.num_events += 1;
                self.hash = mixed(self.hash, next.time_ns as u64 ^ table.hash);
            } else {
                batch.events.take_back(class_number);
            }
            stream.advance(&self.trace, &mut self.aside);
        }
    }

    fn tell_asides(&mut self, batch: &mut Batch) {
        self.aside.rejects.drain(..).for_each(|reject| batch.rejects.push(reject));
        batch.gaps.append(&mut self.aside.gaps);
        if !self.has_told_clocks {
            batch.clocks.clone_from(&self.trace.clocks);
            self.has_told_clocks = true;
        }
    }
}

/// One step of a running hash.
#[inline]
fn mixed(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
