//! A metric and its data points between their fields and their rows.

use crate::batch::MetricBatch;
use crate::marks::Mark;
use crate::otlp::attribute::Object;
use crate::otlp::draft::Notes;
use crate::otlp::span::set_text;
use crate::otlp::text::{write_double, write_hex, write_int, write_list, write_member, write_unsigned};

/// The kinds of metrics, as [`MetricBatch::kind`] counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum MetricKind {
    Gauge = 1,
    Sum = 2,
    Histogram = 3,
    Exponential = 4,
    Summary = 5,
}

/// The metric that is being read.
#[derive(Debug, Default)]
pub(crate) struct MetricDraft {
    pub name: Vec<u8>,
    pub description: Vec<u8>,
    pub unit: Vec<u8>,
    pub metadata: Object,
    pub temporality: u64,
    pub is_monotonic: bool,
    first_row: usize,
}

/// The value of a point or exemplar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Double(f64),
    Int(i64),
}

/// Buckets of one side of an exponential histogram.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    pub offset: i64,
    pub counts: Vec<u64>,
}

/// The data point that is being read, of any kind.
#[derive(Debug, Default)]
pub(crate) struct PointDraft {
    pub notes: Notes,
    pub start: u64,
    pub time: u64,
    pub flags: u32,
    pub value: Option<Number>,
    pub count: u64,
    pub sum: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub counts: Vec<u64>,
    pub bounds: Vec<f64>,
    pub scale: i64,
    pub zero_count: u64,
    pub zero_threshold: f64,
    pub positive: Buckets,
    pub negative: Buckets,
    pub quantiles: Vec<(f64, f64)>,
    pub attributes: Object,
    /// The list of exemplars, without the closing bracket.
    exemplars: Vec<u8>,
}

/// An exemplar until it is written.
#[derive(Debug, Default)]
pub(crate) struct ExemplarDraft {
    pub time: u64,
    pub value: Option<Number>,
    pub trace: (u64, u64),
    pub span_id: u64,
    pub attributes: Object,
}

impl MetricDraft {
    /// Begins a metric; its points become the rows from here on.
    pub(crate) fn begin(&mut self, metrics: &MetricBatch) {
        for text in [&mut self.name, &mut self.description, &mut self.unit] {
            text.clear();
        }
        self.metadata.clear();
        self.first_row = metrics.len();
        self.begin_data();
    }

    /// Begins a gauge, sum or histogram of the metric.
    pub(crate) fn begin_data(&mut self) {
        (self.temporality, self.is_monotonic) = (0, false);
    }

    /// Gives the points since the last data what holds for all of them.
    pub(crate) fn end_data(&self, metrics: &mut MetricBatch) {
        let known = u8::try_from(self.temporality).ok().filter(|&number| number <= 2);
        if known.is_none() {
            let from = metrics.temporality.len();
            metrics.marks.iter_mut().skip(from).for_each(|marks| *marks |= Mark::EnumUnknown.bit());
        }
        metrics.temporality.resize(metrics.len(), known.unwrap_or_default());
        metrics.is_monotonic.resize(metrics.len(), self.is_monotonic);
    }

    /// Ends the metric: names its rows.
    pub(crate) fn commit(&mut self, metrics: &mut MetricBatch, max_bytes: usize) {
        let metadata = self.metadata.finish();
        for row in self.first_row..metrics.len() {
            let mut marks = 0;
            for (column, text) in [
                (&mut metrics.name, &self.name),
                (&mut metrics.description, &self.description),
                (&mut metrics.unit, &self.unit),
            ] {
                marks |= set_text(column, row, text, max_bytes);
            }
            if self.name.is_empty() {
                metrics.name.pad(row);
                metrics.name.push("");
            }
            set_text(&mut metrics.metadata, row, metadata, usize::MAX);
            if let Some(all) = metrics.marks.get_mut(row) {
                *all |= marks;
            }
        }
    }

    /// Removes every row of the metric.
    pub(crate) fn roll_back(&self, metrics: &mut MetricBatch) {
        roll_back(metrics, self.first_row);
    }
}

impl PointDraft {
    pub(crate) fn clear(&mut self) {
        let mut fresh = Self::default();
        std::mem::swap(&mut fresh, self);
        fresh.notes.clear();
        fresh.attributes.clear();
        fresh.exemplars.clear();
        (self.notes, self.attributes, self.exemplars) = (fresh.notes, fresh.attributes, fresh.exemplars);
    }

    pub(crate) fn push_exemplar(&mut self, exemplar: &mut ExemplarDraft) {
        self.exemplars.push(if self.exemplars.is_empty() { b'[' } else { b',' });
        exemplar.write(&mut self.exemplars);
    }

    /// Appends the row.
    pub(crate) fn commit(&mut self, metrics: &mut MetricBatch, kind: MetricKind) {
        let row = metrics.len();
        let start_ns = self.notes.time("start_time_unix_nano", self.start);
        let time_ns = self.notes.time("time_unix_nano", self.time);
        if self.time == 0 {
            self.notes.mark(Mark::TimeMissing);
        }
        self.commit_values(metrics, row, kind);
        set_text(&mut metrics.attributes, row, self.attributes.finish(), usize::MAX);
        if !self.exemplars.is_empty() {
            self.exemplars.push(b']');
            set_text(&mut metrics.exemplars, row, &self.exemplars, usize::MAX);
        }
        set_text(&mut metrics.original, row, self.notes.original().unwrap_or_default(), usize::MAX);
        metrics.start_ns.push(start_ns);
        metrics.kind.push(kind as u8);
        metrics.flags.push(self.flags);
        metrics.marks.push(self.notes.marks);
        metrics.time_ns.push(time_ns);
    }

    fn commit_values(&mut self, metrics: &mut MetricBatch, row: usize, kind: MetricKind) {
        match self.value {
            Some(Number::Double(value)) => {
                metrics.value_double.pad(row);
                metrics.value_double.push(value);
            }
            Some(Number::Int(value)) => {
                metrics.value_int.pad(row);
                metrics.value_int.push(value);
            }
            None => {}
        }
        if matches!(kind, MetricKind::Gauge | MetricKind::Sum) {
            return;
        }
        metrics.count.pad(row);
        metrics.count.push(i64::try_from(self.count).unwrap_or(i64::MAX));
        let sum = if kind == MetricKind::Summary { Some(self.sum.unwrap_or_default()) } else { self.sum };
        for (column, value) in [(&mut metrics.sum, sum), (&mut metrics.min, self.min), (&mut metrics.max, self.max)] {
            if let Some(value) = value {
                column.pad(row);
                column.push(value);
            }
        }
        metrics.buckets.pad(row);
        self.write_buckets(&mut metrics.buckets.bytes, kind);
        metrics.buckets.close_row();
    }

    fn write_buckets(&self, out: &mut Vec<u8>, kind: MetricKind) {
        out.push(b'{');
        match kind {
            MetricKind::Exponential => {
                write_member(out, "scale");
                write_int(out, self.scale);
                write_member(out, "zero_count");
                write_unsigned(out, self.zero_count);
                write_member(out, "zero_threshold");
                write_double(out, self.zero_threshold);
                write_member(out, "positive");
                self.positive.write(out);
                write_member(out, "negative");
                self.negative.write(out);
            }
            MetricKind::Summary => {
                write_member(out, "quantiles");
                write_list(out, &self.quantiles, |out, (quantile, value)| {
                    write_list(out, &[quantile, value], write_double);
                });
            }
            _ => {
                write_member(out, "bounds");
                write_list(out, &self.bounds, write_double);
                write_member(out, "counts");
                write_list(out, &self.counts, write_unsigned);
            }
        }
        out.push(b'}');
    }
}

impl Buckets {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        write_member(out, "offset");
        write_int(out, self.offset);
        write_member(out, "counts");
        write_list(out, &self.counts, write_unsigned);
        out.push(b'}');
    }
}

impl ExemplarDraft {
    pub(crate) fn clear(&mut self) {
        (self.time, self.value, self.trace, self.span_id) = (0, None, (0, 0), 0);
        self.attributes.clear();
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        out.push(b'{');
        write_member(out, "time_ns");
        write_unsigned(out, self.time);
        write_member(out, "value");
        match self.value {
            Some(Number::Double(value)) => write_double(out, value),
            Some(Number::Int(value)) => write_int(out, value),
            None => out.extend_from_slice(b"null"),
        }
        if self.trace != (0, 0) {
            write_member(out, "trace_id");
            out.push(b'"');
            write_hex(out, self.trace.0);
            write_hex(out, self.trace.1);
            out.push(b'"');
        }
        if self.span_id != 0 {
            write_member(out, "span_id");
            out.push(b'"');
            write_hex(out, self.span_id);
            out.push(b'"');
        }
        let attributes = self.attributes.finish();
        if !attributes.is_empty() {
            write_member(out, "attributes");
            out.extend_from_slice(attributes);
        }
        out.push(b'}');
    }
}

/// Removes the rows from `row` on.
pub(crate) fn roll_back(metrics: &mut MetricBatch, row: usize) {
    metrics.time_ns.truncate(row);
    metrics.start_ns.truncate(row);
    metrics.kind.truncate(row);
    metrics.temporality.truncate(row);
    metrics.is_monotonic.truncate(row);
    metrics.flags.truncate(row);
    metrics.marks.truncate(row);
    for column in [&mut metrics.value_double, &mut metrics.sum, &mut metrics.min, &mut metrics.max] {
        column.truncate(row);
    }
    for column in [&mut metrics.value_int, &mut metrics.count] {
        column.truncate(row);
    }
    let texts = [&mut metrics.name, &mut metrics.description, &mut metrics.unit, &mut metrics.buckets];
    for column in texts.into_iter().chain([
        &mut metrics.exemplars,
        &mut metrics.attributes,
        &mut metrics.metadata,
        &mut metrics.original,
    ]) {
        column.truncate(row);
    }
}
