//! The message `Metric`, with its data points of all kinds.

use crate::batch::MetricBatch;
use crate::otlp::draft::Recorded;
use crate::otlp::metric::{Buckets, ExemplarDraft, MetricDraft, MetricKind, Number, PointDraft, roll_back};
use crate::otlp::proto::value::Values;
use crate::otlp::proto::wire::{Fault, Field, Wire, each_fixed64, each_varint};
use crate::otlp::text::replace;

/// Reads metrics into rows, one a data point.
#[derive(Debug, Default)]
pub(crate) struct MetricReader {
    draft: MetricDraft,
    point: PointDraft,
    exemplar: ExemplarDraft,
    /// Points of the metric that could not be read, with their addresses.
    pub faults: Vec<(usize, Fault)>,
}

impl MetricReader {
    /// Reads a metric and appends a row for each of its points.
    pub(crate) fn read(&mut self, bytes: &[u8], values: &mut Values, metrics: &mut MetricBatch) -> Result<(), Fault> {
        self.draft.begin(metrics);
        self.faults.clear();
        let result = self.fields(bytes, values, metrics);
        match result {
            Ok(()) => self.draft.commit(metrics, values.limits.value_bytes),
            Err(_) => self.draft.roll_back(metrics),
        }
        result
    }

    fn fields(&mut self, bytes: &[u8], values: &mut Values, metrics: &mut MetricBatch) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let kind = match field.number {
                1 => return_text(&mut self.draft.name, &field, values)?,
                2 => return_text(&mut self.draft.description, &field, values)?,
                3 => return_text(&mut self.draft.unit, &field, values)?,
                5 => Some(MetricKind::Gauge),
                7 => Some(MetricKind::Sum),
                9 => Some(MetricKind::Histogram),
                10 => Some(MetricKind::Exponential),
                11 => Some(MetricKind::Summary),
                12 => {
                    values.attribute(field.value.bytes(&field)?, &mut self.draft.metadata, 0)?;
                    None
                }
                _ => None,
            };
            if let Some(kind) = kind {
                self.data(field.value.bytes(&field)?, values, metrics, kind)?;
            }
        }
        Ok(())
    }

    fn data(
        &mut self,
        bytes: &[u8],
        values: &mut Values,
        metrics: &mut MetricBatch,
        kind: MetricKind,
    ) -> Result<(), Fault> {
        self.draft.begin_data();
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            match field.number {
                1 => self.point(field.value.bytes(&field)?, values, metrics, kind),
                2 => self.draft.temporality = field.value.varint(&field)?,
                3 => self.draft.is_monotonic = field.value.varint(&field)? != 0,
                _ => {}
            }
        }
        self.draft.end_data(metrics);
        Ok(())
    }

    /// Reads a point; one that makes no sense is left out and noted, the others are kept.
    fn point(&mut self, bytes: &[u8], values: &mut Values, metrics: &mut MetricBatch, kind: MetricKind) {
        self.point.clear();
        values.marks = 0;
        let result = match kind {
            MetricKind::Gauge | MetricKind::Sum => self.number_point(bytes, values),
            MetricKind::Histogram => self.histogram_point(bytes, values),
            MetricKind::Exponential => self.exponential_point(bytes, values),
            MetricKind::Summary => self.summary_point(bytes, values),
        };
        match result {
            Ok(()) => {
                self.point.notes.marks |= values.marks;
                self.point.commit(metrics, kind);
            }
            Err(fault) => {
                roll_back(metrics, metrics.time_ns.len());
                self.faults.push((bytes.as_ptr().addr(), fault));
            }
        }
    }

    fn number_point(&mut self, bytes: &[u8], values: &mut Values) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, point) = (field.value, &mut self.point);
            match field.number {
                2 => point.start = value.fixed64(&field)?,
                3 => point.time = value.fixed64(&field)?,
                4 => point.value = Some(Number::Double(value.double(&field)?)),
                5 => self.exemplar(value.bytes(&field)?, values)?,
                6 => point.value = Some(Number::Int(value.fixed64(&field)? as i64)),
                7 => values.attribute(value.bytes(&field)?, &mut point.attributes, 0)?,
                8 => point.flags = value.varint32(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn histogram_point(&mut self, bytes: &[u8], values: &mut Values) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, point) = (field.value, &mut self.point);
            match field.number {
                2 => point.start = value.fixed64(&field)?,
                3 => point.time = value.fixed64(&field)?,
                4 => point.count = value.fixed64(&field)?,
                5 => point.sum = Some(value.double(&field)?),
                6 => each_fixed64(&field, |count| point.counts.push(count))?,
                7 => each_fixed64(&field, |bound| point.bounds.push(f64::from_bits(bound)))?,
                8 => self.exemplar(value.bytes(&field)?, values)?,
                9 => values.attribute(value.bytes(&field)?, &mut point.attributes, 0)?,
                10 => point.flags = value.varint32(&field)?,
                11 => point.min = Some(value.double(&field)?),
                12 => point.max = Some(value.double(&field)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn exponential_point(&mut self, bytes: &[u8], values: &mut Values) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, point) = (field.value, &mut self.point);
            match field.number {
                1 => values.attribute(value.bytes(&field)?, &mut point.attributes, 0)?,
                2 => point.start = value.fixed64(&field)?,
                3 => point.time = value.fixed64(&field)?,
                4 => point.count = value.fixed64(&field)?,
                5 => point.sum = Some(value.double(&field)?),
                6 => point.scale = value.zigzag(&field)?,
                7 => point.zero_count = value.fixed64(&field)?,
                8 => buckets(value.bytes(&field)?, &mut point.positive)?,
                9 => buckets(value.bytes(&field)?, &mut point.negative)?,
                10 => point.flags = value.varint32(&field)?,
                11 => self.exemplar(value.bytes(&field)?, values)?,
                12 => point.min = Some(value.double(&field)?),
                13 => point.max = Some(value.double(&field)?),
                14 => point.zero_threshold = value.double(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn summary_point(&mut self, bytes: &[u8], values: &mut Values) -> Result<(), Fault> {
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, point) = (field.value, &mut self.point);
            match field.number {
                2 => point.start = value.fixed64(&field)?,
                3 => point.time = value.fixed64(&field)?,
                4 => point.count = value.fixed64(&field)?,
                5 => point.sum = Some(value.double(&field)?),
                6 => point.quantiles.push(quantile(value.bytes(&field)?)?),
                7 => values.attribute(value.bytes(&field)?, &mut point.attributes, 0)?,
                8 => point.flags = value.varint32(&field)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn exemplar(&mut self, bytes: &[u8], values: &mut Values) -> Result<(), Fault> {
        self.exemplar.clear();
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, exemplar, notes) = (field.value, &mut self.exemplar, &mut self.point.notes);
            match field.number {
                2 => exemplar.time = value.fixed64(&field)?,
                3 => exemplar.value = Some(Number::Double(value.double(&field)?)),
                4 => exemplar.span_id = notes.inner_id("exemplar_span_id", Recorded::Bytes(value.bytes(&field)?), 8).1,
                5 => exemplar.trace = notes.inner_id("exemplar_trace_id", Recorded::Bytes(value.bytes(&field)?), 16),
                6 => exemplar.value = Some(Number::Int(value.fixed64(&field)? as i64)),
                7 => values.attribute(value.bytes(&field)?, &mut exemplar.attributes, 0)?,
                _ => {}
            }
        }
        self.point.push_exemplar(&mut self.exemplar);
        Ok(())
    }
}

fn return_text(place: &mut Vec<u8>, field: &Field<'_>, values: &mut Values) -> Result<Option<MetricKind>, Fault> {
    replace(place, values.text(field)?);
    Ok(None)
}

fn buckets(bytes: &[u8], buckets: &mut Buckets) -> Result<(), Fault> {
    let mut wire = Wire::new(bytes);
    while let Some(field) = wire.next()? {
        match field.number {
            1 => buckets.offset = field.value.zigzag(&field)?,
            2 => each_varint(&field, |count| buckets.counts.push(count))?,
            _ => {}
        }
    }
    Ok(())
}

fn quantile(bytes: &[u8]) -> Result<(f64, f64), Fault> {
    let (mut wire, mut pair) = (Wire::new(bytes), (0.0, 0.0));
    while let Some(field) = wire.next()? {
        match field.number {
            1 => pair.0 = field.value.double(&field)?,
            2 => pair.1 = field.value.double(&field)?,
            _ => {}
        }
    }
    Ok(pair)
}
