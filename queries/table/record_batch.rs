//! From tables to Arrow record batches.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, LargeStringArray, RecordBatch, RecordBatchOptions,
    TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::builder::{EXTENSION_KEY, JSON_EXTENSION};
use super::{Column, Table, TableError, Values};

/// Rows of one batch: small enough to stream, large enough that its frame costs nothing.
const BATCH_ROWS: usize = 65_536;

/// Says in the schema that the row cap cut the table.
pub(super) const IS_CUT_KEY: &str = "riftline:is_cut";

/// Returns the Arrow schema of `table`. Times are UTC; JSON has the extension type `arrow.json`.
pub(super) fn schema(table: &Table) -> SchemaRef {
    let fields: Vec<Field> = table.columns.iter().map(field).collect();
    let mut metadata = HashMap::new();
    if table.is_cut {
        metadata.insert(IS_CUT_KEY.to_owned(), "true".to_owned());
    }
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn field(column: &Column) -> Field {
    let kind = match &column.values {
        Values::Bool(_) => DataType::Boolean,
        Values::Int(_) => DataType::Int64,
        Values::UInt(_) => DataType::UInt64,
        Values::Double(_) => DataType::Float64,
        Values::Time(_) => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        Values::Text(_) | Values::Json(_) => DataType::LargeUtf8,
    };
    let field = Field::new(&column.name, kind, true);
    match &column.values {
        Values::Json(_) => field.with_metadata(HashMap::from([(EXTENSION_KEY.to_owned(), JSON_EXTENSION.to_owned())])),
        _ => field,
    }
}

/// Returns the rows of `table`, in order, as batches of `schema`.
pub(super) fn batches(table: &Table, schema: &SchemaRef) -> impl Iterator<Item = Result<RecordBatch, TableError>> {
    let num_rows = table.num_rows();
    (0..num_rows).step_by(BATCH_ROWS).map(move |from| {
        let rows = from..num_rows.min(from + BATCH_ROWS);
        let columns = table.columns.iter().map(|column| array(&column.values, rows.clone())).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
    })
}

fn array(values: &Values, rows: Range<usize>) -> ArrayRef {
    match values {
        Values::Bool(values) => Arc::new(BooleanArray::from(slice(values, rows).to_vec())),
        Values::Int(values) => Arc::new(Int64Array::from(slice(values, rows).to_vec())),
        Values::UInt(values) => Arc::new(UInt64Array::from(slice(values, rows).to_vec())),
        Values::Double(values) => Arc::new(Float64Array::from(slice(values, rows).to_vec())),
        Values::Time(values) => {
            Arc::new(TimestampNanosecondArray::from(slice(values, rows).to_vec()).with_timezone("UTC"))
        }
        Values::Text(values) | Values::Json(values) => {
            Arc::new(slice(values, rows).iter().map(Option::as_deref).collect::<LargeStringArray>())
        }
    }
}

fn slice<T>(values: &[T], rows: Range<usize>) -> &[T] {
    values.get(rows).unwrap_or_default()
}
