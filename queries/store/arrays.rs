//! Typed access to the columns of an answer in Arrow.

use duckdb::arrow::array::{Array, ArrowPrimitiveType, PrimitiveArray, StringArray};
use duckdb::arrow::record_batch::RecordBatch;

/// Returns the column at `index`, which the SQL text beside the call makes of this type.
pub(crate) fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, index: usize) -> duckdb::Result<&PrimitiveArray<T>> {
    column(batch, index)
}

/// Returns the texts at `index`.
pub(crate) fn texts(batch: &RecordBatch, index: usize) -> duckdb::Result<&StringArray> {
    column(batch, index)
}

fn column<A: Array + 'static>(batch: &RecordBatch, index: usize) -> duckdb::Result<&A> {
    let array = batch.columns().get(index).and_then(|array| array.as_any().downcast_ref::<A>());
    array.ok_or(duckdb::Error::InvalidColumnIndex(index))
}

/// Returns the text at `row`, or nothing where there is none.
pub(crate) fn text_at(array: &StringArray, row: usize) -> Option<&str> {
    (row < array.len() && array.is_valid(row)).then(|| array.value(row))
}

/// Returns the numbers at `index`, or none of them where no row has one (DuckDB gives such a column another type).
pub(crate) fn optional_numbers(
    batch: &RecordBatch,
    index: usize,
) -> duckdb::Result<impl Fn(usize) -> Option<i64> + '_> {
    let array = numbers::<duckdb::arrow::datatypes::Int64Type>(batch, index)?;
    Ok(move |row| (row < array.len() && array.is_valid(row)).then(|| array.value(row)))
}
