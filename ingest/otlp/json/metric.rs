//! The metric object, with its data points of all kinds.

use crate::batch::MetricBatch;
use crate::otlp::json::cursor::{Cursor, Fault, Why};
use crate::otlp::json::field::Fields;
use crate::otlp::json::number::{boolean, double, enumeration, integer, signed};
use crate::otlp::json::span::id_text;
use crate::otlp::json::value::Values;
use crate::otlp::metric::{Buckets, ExemplarDraft, MetricDraft, MetricKind, Number, PointDraft, roll_back};
use crate::otlp::text::replace;

const TEMPORALITIES: [&str; 3] = ["UNSPECIFIED", "DELTA", "CUMULATIVE"];

/// Reads metrics into rows, one a data point.
#[derive(Debug)]
pub(crate) struct MetricReader {
    fields: Fields,
    data_fields: Fields,
    point_fields: Fields,
    bucket_fields: Fields,
    quantile_fields: Fields,
    exemplar_fields: Fields,
    draft: MetricDraft,
    point: PointDraft,
    exemplar: ExemplarDraft,
    /// Points of the metric that could not be read, with where they begin.
    pub faults: Vec<(usize, Fault)>,
}

fn metric_field(name: &[u8]) -> u8 {
    match name {
        b"name" => 1,
        b"description" => 2,
        b"unit" => 3,
        b"gauge" => 4,
        b"sum" => 5,
        b"histogram" => 6,
        b"exponentialHistogram" | b"exponential_histogram" => 7,
        b"summary" => 8,
        b"metadata" => 9,
        _ => 0,
    }
}

fn data_field(name: &[u8]) -> u8 {
    match name {
        b"dataPoints" | b"data_points" => 1,
        b"aggregationTemporality" | b"aggregation_temporality" => 2,
        b"isMonotonic" | b"is_monotonic" => 3,
        _ => 0,
    }
}

fn point_field(name: &[u8]) -> u8 {
    match name {
        b"attributes" => 1,
        b"startTimeUnixNano" | b"start_time_unix_nano" => 2,
        b"timeUnixNano" | b"time_unix_nano" => 3,
        b"asDouble" | b"as_double" => 4,
        b"asInt" | b"as_int" => 5,
        b"exemplars" => 6,
        b"flags" => 7,
        b"count" => 8,
        b"sum" => 9,
        b"bucketCounts" | b"bucket_counts" => 10,
        b"explicitBounds" | b"explicit_bounds" => 11,
        b"min" => 12,
        b"max" => 13,
        b"scale" => 14,
        b"zeroCount" | b"zero_count" => 15,
        b"positive" => 16,
        b"negative" => 17,
        b"zeroThreshold" | b"zero_threshold" => 18,
        b"quantileValues" | b"quantile_values" => 19,
        _ => 0,
    }
}

fn bucket_field(name: &[u8]) -> u8 {
    match name {
        b"offset" => 1,
        b"bucketCounts" | b"bucket_counts" => 2,
        _ => 0,
    }
}

fn quantile_field(name: &[u8]) -> u8 {
    match name {
        b"quantile" => 1,
        b"value" => 2,
        _ => 0,
    }
}

fn exemplar_field(name: &[u8]) -> u8 {
    match name {
        b"filteredAttributes" | b"filtered_attributes" => 1,
        b"timeUnixNano" | b"time_unix_nano" => 2,
        b"asDouble" | b"as_double" => 3,
        b"asInt" | b"as_int" => 4,
        b"spanId" | b"span_id" => 5,
        b"traceId" | b"trace_id" => 6,
        _ => 0,
    }
}

impl MetricReader {
    pub(crate) fn new() -> Self {
        Self {
            fields: Fields::new(metric_field),
            data_fields: Fields::new(data_field),
            point_fields: Fields::new(point_field),
            bucket_fields: Fields::new(bucket_field),
            quantile_fields: Fields::new(quantile_field),
            exemplar_fields: Fields::new(exemplar_field),
            draft: MetricDraft::default(),
            point: PointDraft::default(),
            exemplar: ExemplarDraft::default(),
            faults: Vec::new(),
        }
    }

    /// Reads one metric after its brace, and appends a row for each of its points.
    pub(crate) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        values: &mut Values,
        metrics: &mut MetricBatch,
    ) -> Result<(), Fault> {
        self.draft.begin(metrics);
        self.faults.clear();
        let result = self.read_fields(cursor, values, metrics);
        match result {
            Ok(()) => self.draft.commit(metrics, values.limits.value_bytes),
            Err(_) => self.draft.roll_back(metrics),
        }
        result
    }

    fn read_fields(
        &mut self,
        cursor: &mut Cursor<'_>,
        values: &mut Values,
        metrics: &mut MetricBatch,
    ) -> Result<(), Fault> {
        let mut field = 0;
        while let Some(next) = self.fields.next(cursor, field)? {
            field = next;
            match field {
                1 => replace(&mut self.draft.name, values.text(cursor)?),
                2 => replace(&mut self.draft.description, values.text(cursor)?),
                3 => replace(&mut self.draft.unit, values.text(cursor)?),
                4 => self.data(cursor, values, metrics, MetricKind::Gauge)?,
                5 => self.data(cursor, values, metrics, MetricKind::Sum)?,
                6 => self.data(cursor, values, metrics, MetricKind::Histogram)?,
                7 => self.data(cursor, values, metrics, MetricKind::Exponential)?,
                8 => self.data(cursor, values, metrics, MetricKind::Summary)?,
                9 => values.attributes(cursor, &mut self.draft.metadata)?,
                _ => cursor.skip_value()?,
            }
        }
        Ok(())
    }

    fn data(
        &mut self,
        cursor: &mut Cursor<'_>,
        values: &mut Values,
        metrics: &mut MetricBatch,
        kind: MetricKind,
    ) -> Result<(), Fault> {
        if cursor.take_null() {
            return Ok(());
        }
        cursor.expect(b'{', Why::NoObject)?;
        self.draft.begin_data();
        let mut field = 0;
        while let Some(next) = self.data_fields.next(cursor, field)? {
            field = next;
            match field {
                1 => each(cursor, |cursor| self.point(cursor, values, metrics, kind))?,
                2 => self.draft.temporality = enumeration(cursor, "AGGREGATION_TEMPORALITY_", &TEMPORALITIES)?,
                3 => self.draft.is_monotonic = boolean(cursor)?,
                _ => cursor.skip_value()?,
            }
        }
        self.draft.end_data(metrics);
        Ok(())
    }

    /// Reads a point; one whose values make no sense is left out and noted, the others are kept.
    fn point(
        &mut self,
        cursor: &mut Cursor<'_>,
        values: &mut Values,
        metrics: &mut MetricBatch,
        kind: MetricKind,
    ) -> Result<(), Fault> {
        let start = *cursor;
        self.point.clear();
        values.marks = 0;
        let result = cursor.expect(b'{', Why::NoObject).and_then(|()| self.point_fields(cursor, values));
        match result {
            Ok(()) => {
                self.point.notes.marks |= values.marks;
                self.point.commit(metrics, kind);
            }
            Err(fault) if fault.why.breaks_form() => return Err(fault),
            Err(fault) => {
                roll_back(metrics, metrics.time_ns.len());
                *cursor = start;
                cursor.skip_value()?;
                self.faults.push((start.at, fault));
            }
        }
        Ok(())
    }

    fn point_fields(&mut self, cursor: &mut Cursor<'_>, values: &mut Values) -> Result<(), Fault> {
        let mut field = 0;
        while let Some(next) = self.point_fields.next(cursor, field)? {
            field = next;
            let point = &mut self.point;
            match field {
                1 => values.attributes(cursor, &mut point.attributes)?,
                2 => point.start = integer(cursor)?.unsigned(),
                3 => point.time = integer(cursor)?.unsigned(),
                4 => point.value = Some(Number::Double(double(cursor)?)),
                5 => point.value = Some(Number::Int(signed(cursor)?)),
                6 => each(cursor, |cursor| self.exemplar(cursor, values))?,
                7 => point.flags = integer(cursor)?.unsigned32(),
                8 => point.count = integer(cursor)?.unsigned(),
                9 => point.sum = optional(cursor)?,
                10 => numbers(cursor, &mut point.counts, |cursor| Ok(integer(cursor)?.unsigned()))?,
                11 => numbers(cursor, &mut point.bounds, double)?,
                12 => point.min = optional(cursor)?,
                13 => point.max = optional(cursor)?,
                14 => point.scale = signed(cursor)?,
                15 => point.zero_count = integer(cursor)?.unsigned(),
                16 => buckets(cursor, &mut self.bucket_fields, &mut point.positive)?,
                17 => buckets(cursor, &mut self.bucket_fields, &mut point.negative)?,
                18 => point.zero_threshold = double(cursor)?,
                19 => each(cursor, |cursor| self.quantile(cursor))?,
                _ => cursor.skip_value()?,
            }
        }
        Ok(())
    }

    fn quantile(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        cursor.expect(b'{', Why::NoObject)?;
        let (mut pair, mut field) = ((0.0, 0.0), 0);
        while let Some(next) = self.quantile_fields.next(cursor, field)? {
            field = next;
            match field {
                1 => pair.0 = double(cursor)?,
                2 => pair.1 = double(cursor)?,
                _ => cursor.skip_value()?,
            }
        }
        self.point.quantiles.push(pair);
        Ok(())
    }

    fn exemplar(&mut self, cursor: &mut Cursor<'_>, values: &mut Values) -> Result<(), Fault> {
        cursor.expect(b'{', Why::NoObject)?;
        self.exemplar.clear();
        let mut field = 0;
        while let Some(next) = self.exemplar_fields.next(cursor, field)? {
            field = next;
            let exemplar = &mut self.exemplar;
            match field {
                1 => values.attributes(cursor, &mut exemplar.attributes)?,
                2 => exemplar.time = integer(cursor)?.unsigned(),
                3 => exemplar.value = Some(Number::Double(double(cursor)?)),
                4 => exemplar.value = Some(Number::Int(signed(cursor)?)),
                5 => exemplar.span_id = self.point.notes.inner_id("exemplar_span_id", id_text(cursor)?, 8).1,
                6 => exemplar.trace = self.point.notes.inner_id("exemplar_trace_id", id_text(cursor)?, 16),
                _ => cursor.skip_value()?,
            }
        }
        self.point.push_exemplar(&mut self.exemplar);
        Ok(())
    }
}

fn buckets(cursor: &mut Cursor<'_>, fields: &mut Fields, buckets: &mut Buckets) -> Result<(), Fault> {
    if cursor.take_null() {
        return Ok(());
    }
    cursor.expect(b'{', Why::NoObject)?;
    let mut field = 0;
    while let Some(next) = fields.next(cursor, field)? {
        field = next;
        match field {
            1 => buckets.offset = signed(cursor)?,
            2 => numbers(cursor, &mut buckets.counts, |cursor| Ok(integer(cursor)?.unsigned()))?,
            _ => cursor.skip_value()?,
        }
    }
    Ok(())
}

/// Reads each element of an array; `null` is an empty one.
pub(super) fn each<'a>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if cursor.take_null() {
        return Ok(());
    }
    cursor.expect(b'[', Why::NoArray)?;
    while !cursor.take(b']') {
        if !cursor.take_null() {
            read(cursor)?;
        }
    }
    Ok(())
}

/// Reads an array of numbers.
fn numbers<T>(
    cursor: &mut Cursor<'_>,
    numbers: &mut Vec<T>,
    read: impl Fn(&mut Cursor<'_>) -> Result<T, Fault>,
) -> Result<(), Fault> {
    each(cursor, |cursor| {
        numbers.push(read(cursor)?);
        Ok(())
    })
}

fn optional(cursor: &mut Cursor<'_>) -> Result<Option<f64>, Fault> {
    if cursor.take_null() { Ok(None) } else { double(cursor).map(Some) }
}
