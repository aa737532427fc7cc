//! What decoders hand to the store: columns of rows, and the small dictionaries that rows refer to.

use crate::column::{BoolColumn, DoubleColumn, IntColumn, TextColumn};
use crate::convention::{Conventions, ValueType};
use crate::event::{Clock, EventBatch, FlowBatch, Gap};
use crate::rejects::Rejects;

/// Decoders close a batch when its columns hold about this many bytes, so that every offset fits 31 bits.
pub const MAX_BATCH_BYTES: usize = 64 << 20;

/// Rows of one stretch of one source, in the order of the source.
#[derive(Debug, Default)]
pub struct Batch {
    pub spans: SpanBatch,
    pub logs: LogBatch,
    pub metrics: MetricBatch,
    pub events: EventBatch,
    pub flows: FlowBatch,
    pub gaps: Vec<Gap>,
    /// Clocks that were met for the first time.
    pub clocks: Vec<Clock>,
    /// Resources that rows refer to by index.
    pub resources: Vec<Resource>,
    /// Scopes that rows refer to by index.
    pub scopes: Vec<Scope>,
    pub rejects: Rejects,
    /// The stretch of the decompressed stream that this batch covers; `to` is where reading may resume.
    pub from_offset: u64,
    pub to_offset: u64,
    /// XXH3-64 of the decompressed stream from its beginning to `to_offset`.
    pub prefix_hash: u64,
}

/// A resource as recorded. `service` is `service.name`, or `unknown_service` where it is absent (as OTLP's own default).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Resource {
    pub service: String,
    /// All attributes as typed JSON (see [`SpanBatch::attributes`]), in recorded order.
    pub attributes: String,
    pub schema_url: String,
    pub dropped_attributes: u32,
}

/// An instrumentation scope as recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    pub name: String,
    pub version: String,
    /// As typed JSON.
    pub attributes: String,
    pub schema_url: String,
    pub dropped_attributes: u32,
}

/// Spans. All flat columns have the same length; columns of texts are padded to it by [`Batch::close`].
#[derive(Debug, Default)]
pub struct SpanBatch {
    /// High 64 bits of the trace id, as a big-endian number: `4bf9…` begins with its most significant digit.
    pub trace_hi: Vec<u64>,
    pub trace_lo: Vec<u64>,
    pub span_id: Vec<u64>,
    /// 0 where there is none.
    pub parent_span_id: Vec<u64>,
    /// Nanoseconds since 1970, UTC, saturated to what `TIMESTAMP_NS` holds.
    pub start_ns: Vec<i64>,
    /// End minus start; negative where the span ends before it starts.
    pub duration_ns: Vec<i64>,
    /// As in OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: Vec<u8>,
    /// As in OTLP: 0 unset, 1 ok, 2 error.
    pub status: Vec<u8>,
    pub flags: Vec<u32>,
    /// Index into [`Batch::resources`].
    pub resource: Vec<u32>,
    /// Index into [`Batch::scopes`].
    pub scope: Vec<u32>,
    /// 0, or 1 + index into `alias_sets`: which conventions of the row were recorded under an older key.
    pub alias_set: Vec<u32>,
    /// Union of [`crate::marks::Mark`] bits.
    pub marks: Vec<u32>,
    pub dropped_attributes: IntColumn,
    pub dropped_events: IntColumn,
    pub dropped_links: IntColumn,
    pub name: TextColumn,
    pub trace_state: TextColumn,
    pub status_message: TextColumn,
    /// A JSON object of the attributes that went into no column of `conventions`, absent where there are none.
    ///
    /// Typed: integers are numbers without a point, doubles always carry a point or an exponent, bytes are
    /// `{"bytes":"base64"}`, doubles that JSON has no number for are `{"double":"NaN"}`, arrays and kvlists are arrays and
    /// objects, an empty value is null.
    pub attributes: TextColumn,
    /// A JSON array of `{"time_ns":…,"name":…,"attributes":{…},"dropped_attributes":…}`, absent where there are none.
    pub events: TextColumn,
    /// A JSON array of `{"trace_id":hex,"span_id":hex,"trace_state":…,"flags":…,"attributes":{…},"dropped_attributes":…}`.
    pub links: TextColumn,
    /// A JSON object of recorded values that were changed to fit (see [`crate::marks::Mark`]), absent where none was.
    pub original: TextColumn,
    /// One column for each of [`Conventions::span_columns`], in that order.
    pub conventions: Vec<ConventionColumn>,
    /// Sets of (index into `conventions`, alias number of [`crate::convention::Slot`]) that rows share.
    pub alias_sets: Vec<Vec<(u16, u8)>>,
}

/// The values of one convention.
#[derive(Debug, Clone)]
pub enum ConventionColumn {
    Text(TextColumn),
    Int(IntColumn),
    Double(DoubleColumn),
    Bool(BoolColumn),
}

/// Log records. Columns as in [`SpanBatch`]; no conventions: `attributes` holds all of them.
#[derive(Debug, Default)]
pub struct LogBatch {
    /// When the event happened; the observed time where that is missing.
    pub time_ns: Vec<i64>,
    pub observed_ns: Vec<i64>,
    /// 0 unspecified, 1-4 trace, 5-8 debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal.
    pub severity: Vec<u8>,
    pub trace_hi: Vec<u64>,
    pub trace_lo: Vec<u64>,
    /// 0 where there is none.
    pub span_id: Vec<u64>,
    pub flags: Vec<u32>,
    pub resource: Vec<u32>,
    pub scope: Vec<u32>,
    pub marks: Vec<u32>,
    pub dropped_attributes: IntColumn,
    pub severity_text: TextColumn,
    pub event_name: TextColumn,
    /// The text of a string body; typed JSON of any other.
    pub body: TextColumn,
    /// Whether `body` is typed JSON.
    pub body_is_json: Vec<bool>,
    pub attributes: TextColumn,
    pub original: TextColumn,
}

/// Metric data points, one row each.
#[derive(Debug, Default)]
pub struct MetricBatch {
    pub time_ns: Vec<i64>,
    /// 0 where there is none.
    pub start_ns: Vec<i64>,
    /// 1 gauge, 2 sum, 3 histogram, 4 exponential histogram, 5 summary.
    pub kind: Vec<u8>,
    /// As in OTLP: 0 unspecified, 1 delta, 2 cumulative.
    pub temporality: Vec<u8>,
    pub is_monotonic: Vec<bool>,
    pub flags: Vec<u32>,
    pub resource: Vec<u32>,
    pub scope: Vec<u32>,
    pub marks: Vec<u32>,
    /// The value of a gauge or sum that was recorded as a double.
    pub value_double: DoubleColumn,
    /// The value of a gauge or sum that was recorded as an integer.
    pub value_int: IntColumn,
    /// Of histograms and summaries.
    pub count: IntColumn,
    pub sum: DoubleColumn,
    pub min: DoubleColumn,
    pub max: DoubleColumn,
    pub name: TextColumn,
    pub description: TextColumn,
    pub unit: TextColumn,
    /// JSON: `{"bounds":[…],"counts":[…]}`, `{"scale":…,"zero_count":…,"zero_threshold":…,"positive":{"offset":…,"counts":[…]},"negative":{…}}`
    /// or `{"quantiles":[[q,value],…]}`; absent for gauges and sums.
    pub buckets: TextColumn,
    /// A JSON array of exemplars, absent where there are none.
    pub exemplars: TextColumn,
    pub attributes: TextColumn,
    /// The metric's own `metadata` attributes, absent where there are none.
    pub metadata: TextColumn,
    pub original: TextColumn,
}

impl Batch {
    /// Returns an empty batch with a column for each convention of spans.
    #[must_use]
    pub fn new(conventions: &Conventions) -> Self {
        let columns = conventions.span_columns().map(|convention| ConventionColumn::new(convention.value)).collect();
        Self { spans: SpanBatch { conventions: columns, ..SpanBatch::default() }, ..Self::default() }
    }

    /// Returns how many records of all kinds the batch holds. Flows are another reading of events, not records of their own.
    #[must_use]
    pub fn num_records(&self) -> usize {
        self.spans.len() + self.logs.len() + self.metrics.len() + self.events.len()
    }

    /// Pads every rare column to the number of rows. Call it once, when the batch is complete.
    pub fn close(&mut self) {
        self.spans.close();
        self.logs.close();
        self.metrics.close();
        self.events.close();
        self.flows.close();
    }
}

impl ConventionColumn {
    /// Returns an empty column for values of type `value`.
    #[must_use]
    pub fn new(value: ValueType) -> Self {
        match value {
            ValueType::Text => Self::Text(TextColumn::default()),
            ValueType::Int => Self::Int(IntColumn::default()),
            ValueType::Double => Self::Double(DoubleColumn::default()),
            ValueType::Bool => Self::Bool(BoolColumn::default()),
        }
    }

    /// Tells whether no row has a value.
    #[must_use]
    pub fn all_absent(&self) -> bool {
        match self {
            Self::Text(column) => column.all_absent(),
            Self::Int(column) => column.all_absent(),
            Self::Double(column) => column.all_absent(),
            Self::Bool(column) => column.all_absent(),
        }
    }

    /// Appends absent rows until there are `len` rows.
    pub fn pad(&mut self, len: usize) {
        match self {
            Self::Text(column) => column.pad(len),
            Self::Int(column) => column.pad(len),
            Self::Double(column) => column.pad(len),
            Self::Bool(column) => column.pad(len),
        }
    }
}

impl SpanBatch {
    /// Returns how many spans the batch holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Tells whether the batch holds no spans.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span_id.is_empty()
    }

    fn close(&mut self) {
        let len = self.len();
        for column in [&mut self.dropped_attributes, &mut self.dropped_events, &mut self.dropped_links] {
            column.pad(len);
        }
        let texts = [&mut self.name, &mut self.trace_state, &mut self.status_message, &mut self.attributes];
        for column in texts.into_iter().chain([&mut self.events, &mut self.links, &mut self.original]) {
            column.pad(len);
        }
        self.conventions.iter_mut().for_each(|column| column.pad(len));
    }
}

impl LogBatch {
    /// Returns how many log records the batch holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_ns.len()
    }

    /// Tells whether the batch holds no log records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_ns.is_empty()
    }

    fn close(&mut self) {
        let len = self.len();
        self.dropped_attributes.pad(len);
        let texts = [&mut self.severity_text, &mut self.event_name, &mut self.body];
        for column in texts.into_iter().chain([&mut self.attributes, &mut self.original]) {
            column.pad(len);
        }
    }
}

impl MetricBatch {
    /// Returns how many data points the batch holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_ns.len()
    }

    /// Tells whether the batch holds no data points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_ns.is_empty()
    }

    fn close(&mut self) {
        let len = self.len();
        self.value_int.pad(len);
        self.count.pad(len);
        for column in [&mut self.value_double, &mut self.sum, &mut self.min, &mut self.max] {
            column.pad(len);
        }
        let texts = [&mut self.name, &mut self.description, &mut self.unit, &mut self.buckets];
        for column in
            texts.into_iter().chain([&mut self.exemplars, &mut self.attributes, &mut self.metadata, &mut self.original])
        {
            column.pad(len);
        }
    }
}
