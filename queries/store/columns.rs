//! A batch's columns as Arrow arrays. Buffers are taken over, not copied; columns that no row uses are left out.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampNanosecondArray, UInt8Array, UInt16Array,
    UInt32Array, UInt64Array,
};
use duckdb::arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use duckdb::arrow::datatypes::{DataType, Field, Schema};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use riftline_ingest::batch::{ConventionColumn, LogBatch, MetricBatch, SpanBatch};
use riftline_ingest::column::{Bits, BoolColumn, DoubleColumn, IntColumn, TextColumn, UnsignedColumn};
use riftline_ingest::convention::Conventions;
use riftline_ingest::event::FlowBatch;

/// What the store adds to the rows of a batch: ids that hold for the whole store.
#[derive(Debug)]
pub(super) struct RowIds {
    /// Row of the first record.
    pub(super) first_row: i64,
    pub(super) source_id: u32,
    /// From the batch's index to the store's id.
    pub(super) resources: Vec<u32>,
    pub(super) scopes: Vec<u32>,
    /// From the batch's number (0 for none) to the store's id.
    pub(super) alias_sets: Vec<u32>,
}

/// Named columns of one table.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    /// Returns the names of the columns, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    /// Returns name and SQL type of the columns, in order.
    pub(super) fn types(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.names.iter().map(String::as_str).zip(self.arrays.iter().map(|array| sql_type(array.data_type())))
    }

    /// Returns the columns as one record batch.
    pub(super) fn into_record_batch(self) -> Result<RecordBatch, ArrowError> {
        let fields: Vec<Field> = self
            .names
            .iter()
            .zip(&self.arrays)
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), self.arrays)
    }

    fn push(&mut self, name: &str, array: ArrayRef) {
        self.names.push(name.to_owned());
        self.arrays.push(array);
    }

    pub(crate) fn int(&mut self, name: &str, values: Vec<i64>) {
        self.push(name, Arc::new(Int64Array::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn time(&mut self, name: &str, values: Vec<i64>) {
        self.push(name, Arc::new(TimestampNanosecondArray::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn unsigned(&mut self, name: &str, values: Vec<u64>) {
        self.push(name, Arc::new(UInt64Array::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn word(&mut self, name: &str, values: Vec<u32>) {
        self.push(name, Arc::new(UInt32Array::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn short(&mut self, name: &str, values: Vec<u16>) {
        self.push(name, Arc::new(UInt16Array::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn double(&mut self, name: &str, values: Vec<f64>) {
        self.push(name, Arc::new(Float64Array::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn byte(&mut self, name: &str, values: Vec<u8>) {
        self.push(name, Arc::new(UInt8Array::new(ScalarBuffer::from(values), None)));
    }

    pub(crate) fn flag(&mut self, name: &str, values: Vec<bool>) {
        self.push(name, Arc::new(BooleanArray::from(values)));
    }

    /// Texts that every row has.
    pub(crate) fn texts<'a>(&mut self, name: &str, texts: impl Iterator<Item = &'a str>) {
        self.push(name, Arc::new(StringArray::from_iter_values(texts)));
    }

    pub(crate) fn text(&mut self, name: &str, column: TextColumn) -> Result<(), ArrowError> {
        if column.all_absent() {
            return Ok(());
        }
        let nulls = nulls(column.present);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(column.offsets));
        let array = StringArray::try_new(offsets, Buffer::from_vec(column.bytes), nulls)?;
        self.push(name, Arc::new(array));
        Ok(())
    }

    pub(super) fn rare_int(&mut self, name: &str, column: IntColumn) -> Result<(), ArrowError> {
        if column.all_absent() {
            return Ok(());
        }
        let array = Int64Array::try_new(ScalarBuffer::from(column.values), nulls(column.present))?;
        self.push(name, Arc::new(array));
        Ok(())
    }

    pub(super) fn rare_double(&mut self, name: &str, column: DoubleColumn) -> Result<(), ArrowError> {
        if column.all_absent() {
            return Ok(());
        }
        let array = Float64Array::try_new(ScalarBuffer::from(column.values), nulls(column.present))?;
        self.push(name, Arc::new(array));
        Ok(())
    }

    pub(super) fn rare_unsigned(&mut self, name: &str, column: UnsignedColumn) -> Result<(), ArrowError> {
        if column.all_absent() {
            return Ok(());
        }
        let array = UInt64Array::try_new(ScalarBuffer::from(column.values), nulls(column.present))?;
        self.push(name, Arc::new(array));
        Ok(())
    }

    pub(super) fn rare_flag(&mut self, name: &str, column: BoolColumn) {
        if !column.all_absent() {
            let values = BooleanBuffer::from(column.values);
            self.push(name, Arc::new(BooleanArray::new(values, nulls(column.present))));
        }
    }

    pub(super) fn convention(&mut self, name: &str, column: ConventionColumn) -> Result<(), ArrowError> {
        match column {
            ConventionColumn::Text(column) => self.text(name, column),
            ConventionColumn::Int(column) => self.rare_int(name, column),
            ConventionColumn::Double(column) => self.rare_double(name, column),
            ConventionColumn::Bool(column) => {
                self.rare_flag(name, column);
                Ok(())
            }
        }
    }

    fn ids(&mut self, len: usize, ids: &RowIds, resource: &[u32], scope: &[u32]) {
        self.int("row", (ids.first_row..).take(len).collect());
        self.word("source_id", vec![ids.source_id; len]);
        self.word("resource_id", mapped(resource, &ids.resources));
        self.word("scope_id", mapped(scope, &ids.scopes));
    }
}

/// Returns the columns of `raw_spans`.
pub(super) fn spans(batch: SpanBatch, ids: &RowIds, conventions: &Conventions) -> Result<Columns, ArrowError> {
    let mut columns = Columns::default();
    columns.ids(batch.len(), ids, &batch.resource, &batch.scope);
    columns.unsigned("trace_hi", batch.trace_hi);
    columns.unsigned("trace_lo", batch.trace_lo);
    columns.unsigned("span_id", batch.span_id);
    columns.unsigned("parent_span_id", batch.parent_span_id);
    columns.time("start", batch.start_ns);
    columns.int("duration_ns", batch.duration_ns);
    columns.byte("kind", batch.kind);
    columns.byte("status", batch.status);
    columns.word("flags", batch.flags);
    columns.word("alias_set", mapped(&batch.alias_set, &ids.alias_sets));
    columns.word("marks", batch.marks);
    columns.text("name", batch.name)?;
    columns.text("trace_state", batch.trace_state)?;
    columns.text("status_message", batch.status_message)?;
    columns.text("attributes", batch.attributes)?;
    columns.text("events", batch.events)?;
    columns.text("links", batch.links)?;
    columns.text("original", batch.original)?;
    columns.rare_int("dropped_attributes", batch.dropped_attributes)?;
    columns.rare_int("dropped_events", batch.dropped_events)?;
    columns.rare_int("dropped_links", batch.dropped_links)?;
    for (convention, column) in conventions.span_columns().zip(batch.conventions) {
        columns.convention(&convention.column, column)?;
    }
    Ok(columns)
}

/// Returns the columns of `raw_logs`.
pub(super) fn logs(batch: LogBatch, ids: &RowIds) -> Result<Columns, ArrowError> {
    let mut columns = Columns::default();
    columns.ids(batch.len(), ids, &batch.resource, &batch.scope);
    columns.time("time", batch.time_ns);
    columns.time("observed", batch.observed_ns);
    columns.byte("severity", batch.severity);
    columns.unsigned("trace_hi", batch.trace_hi);
    columns.unsigned("trace_lo", batch.trace_lo);
    columns.unsigned("span_id", batch.span_id);
    columns.word("flags", batch.flags);
    columns.word("marks", batch.marks);
    columns.flag("body_is_json", batch.body_is_json);
    columns.text("severity_text", batch.severity_text)?;
    columns.text("event_name", batch.event_name)?;
    columns.text("body", batch.body)?;
    columns.text("attributes", batch.attributes)?;
    columns.text("original", batch.original)?;
    columns.rare_int("dropped_attributes", batch.dropped_attributes)?;
    Ok(columns)
}

/// Returns the columns of `raw_metrics`.
pub(super) fn metrics(batch: MetricBatch, ids: &RowIds) -> Result<Columns, ArrowError> {
    let mut columns = Columns::default();
    columns.ids(batch.len(), ids, &batch.resource, &batch.scope);
    columns.time("time", batch.time_ns);
    columns.time("start", batch.start_ns);
    columns.byte("kind", batch.kind);
    columns.byte("temporality", batch.temporality);
    columns.flag("is_monotonic", batch.is_monotonic);
    columns.word("flags", batch.flags);
    columns.word("marks", batch.marks);
    columns.rare_double("value_double", batch.value_double)?;
    columns.rare_int("value_int", batch.value_int)?;
    columns.rare_int("count", batch.count)?;
    columns.rare_double("sum", batch.sum)?;
    columns.rare_double("min", batch.min)?;
    columns.rare_double("max", batch.max)?;
    columns.text("name", batch.name)?;
    columns.text("description", batch.description)?;
    columns.text("unit", batch.unit)?;
    columns.text("buckets", batch.buckets)?;
    columns.text("exemplars", batch.exemplars)?;
    columns.text("attributes", batch.attributes)?;
    columns.text("metadata", batch.metadata)?;
    columns.text("original", batch.original)?;
    Ok(columns)
}

/// Returns the columns of `raw_flows`.
pub(super) fn flows(batch: FlowBatch, source_id: u32, first_row: i64) -> Result<Columns, ArrowError> {
    let mut columns = Columns::default();
    let len = batch.len();
    columns.int("row", (first_row..).take(len).collect());
    columns.word("source_id", vec![source_id; len]);
    columns.time("time", batch.time_ns);
    columns.byte("kind", batch.kind.iter().map(|kind| *kind as u8).collect());
    columns.rare_int("pid", batch.pid)?;
    columns.text("comm", batch.comm)?;
    columns.text("src", batch.src)?;
    columns.rare_int("src_port", batch.src_port)?;
    columns.text("dst", batch.dst)?;
    columns.rare_int("dst_port", batch.dst_port)?;
    columns.text("protocol", batch.protocol)?;
    columns.rare_int("bytes_sent", batch.bytes_sent)?;
    columns.rare_int("bytes_received", batch.bytes_received)?;
    columns.rare_int("duration_ns", batch.duration_ns)?;
    columns.text("details", batch.details)?;
    Ok(columns)
}

/// Returns the SQL type of a column.
pub(super) fn sql_type(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Int64 => "BIGINT",
        DataType::Float64 => "DOUBLE",
        DataType::Boolean => "BOOLEAN",
        DataType::UInt64 => "UBIGINT",
        DataType::UInt32 => "UINTEGER",
        DataType::Timestamp(..) => "TIMESTAMP_NS",
        _ => "VARCHAR",
    }
}

/// A number outside the batch's own list cannot come from a decoder; it becomes 0, which no row of the store has.
fn mapped(numbers: &[u32], ids: &[u32]) -> Vec<u32> {
    numbers.iter().map(|&number| ids.get(number as usize).copied().unwrap_or(0)).collect()
}

fn nulls(present: Bits) -> Option<NullBuffer> {
    (present.ones < present.len)
        .then(|| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(present.bytes), 0, present.len)))
}
