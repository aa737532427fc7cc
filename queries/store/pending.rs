//! Rows on their way into the big tables. One statement a batch would cost more than the rows of a small batch do, so
//! batches with the same columns are written together.

use duckdb::Connection;
use duckdb::arrow::compute::concat_batches;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::vtab::arrow::{ArrowBatchRegistration, ArrowVTab};

use super::columns::Columns;
use super::views::quote;

/// Half of what DuckDB keeps together on disk: enough to make a statement's cost vanish, little enough to hold twice.
const MAX_PENDING_ROWS: usize = 61_440;

/// How many bytes may wait, for batches of few but large rows.
const MAX_PENDING_BYTES: usize = 32 << 20;

/// Rows of one table that are not written yet.
#[derive(Debug)]
pub(super) struct Pending {
    table: String,
    batches: Vec<RecordBatch>,
    num_rows: usize,
    num_bytes: usize,
}

impl Pending {
    pub(super) fn new(table: impl Into<String>) -> Self {
        Self { table: table.into(), batches: Vec::new(), num_rows: 0, num_bytes: 0 }
    }

    pub(super) fn table(&self) -> &str {
        &self.table
    }

    /// Adds rows; writes what waits once it is enough, or has other columns.
    pub(super) fn push(&mut self, connection: &Connection, columns: Columns) -> duckdb::Result<()> {
        let batch = columns.into_record_batch().map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
        if self.batches.first().is_some_and(|first| first.schema() != batch.schema()) {
            self.flush(connection)?;
        }
        self.num_rows = self.num_rows.saturating_add(batch.num_rows());
        self.num_bytes = self.num_bytes.saturating_add(batch.get_array_memory_size());
        self.batches.push(batch);
        if self.num_rows >= MAX_PENDING_ROWS || self.num_bytes >= MAX_PENDING_BYTES {
            self.flush(connection)?;
        }
        Ok(())
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self, connection: &Connection) -> duckdb::Result<()> {
        let batches = std::mem::take(&mut self.batches);
        (self.num_rows, self.num_bytes) = (0, 0);
        let Some(first) = batches.first() else { return Ok(()) };
        let schema = first.schema();
        let all =
            concat_batches(&schema, &batches).map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
        drop(batches);
        let names: Vec<String> = schema.fields().iter().map(|field| quote(field.name())).collect();
        let sql = format!("INSERT INTO {} ({}) SELECT * FROM arrow(?)", self.table, names.join(", "));
        let registration = ArrowBatchRegistration::new(all);
        connection.prepare(&sql)?.execute([&registration]).map(|_| ())
    }
}

/// Makes the table function that [`Pending::flush`] reads from.
pub(super) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_table_function::<ArrowVTab>("arrow")
}
