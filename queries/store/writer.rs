//! The one writer of a store: rows, rejects and how far their source is read go into one transaction.

use std::path::Path;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use duckdb::Connection;
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use riftline_ingest::batch::Batch;
use riftline_ingest::rejects::Rejects;

use super::columns::{self, Columns, RowIds};
use super::intern::Interned;
use super::sources::{self, SourceState};
use super::{Access, Store, lock};
use crate::error::WriteError;

/// Tables that a copy of a store consists of, beside `store_info` and `store_conventions`, which the copy has of its own.
const COPIED: [&str; 13] = [
    "raw_sources",
    "raw_rejects",
    "raw_resources",
    "raw_scopes",
    "raw_alias_sets",
    "raw_spans",
    "raw_logs",
    "raw_metrics",
    "settled_traces",
    "edge_counts",
    "span_duplicates",
    "span_marks",
    "settle_state",
];

/// What the writer knows about the store between transactions.
#[derive(Debug)]
pub(super) struct WriterState {
    connection: Connection,
    interned: Interned,
    next_span: i64,
    next_log: i64,
    next_metric: i64,
    next_source: u32,
}

/// Rows that are committed together. Dropped without [`Group::commit`], none of them is in the store.
pub(crate) struct Group<'store> {
    store: &'store Store,
    state: MutexGuard<'store, Option<WriterState>>,
    num_records: usize,
    is_finished: bool,
}

impl<'store> Group<'store> {
    pub(super) fn begin(store: &'store Store) -> Result<Self, WriteError> {
        if store.access() == Access::ReadOnly {
            return Err(WriteError::Store { message: "the store is open for reading only".to_owned() });
        }
        let mut state = lock(&store.shared.writer);
        let failed = |error: &duckdb::Error| store.shared.write_error(error);
        if state.is_none() {
            *state = Some(WriterState::load(store).map_err(|error| failed(&error))?);
        }
        if let Some(state) = state.as_ref() {
            state.connection.execute_batch("BEGIN").map_err(|error| failed(&error))?;
        }
        Ok(Self { store, state, num_records: 0, is_finished: false })
    }

    /// Returns how many records the group holds so far.
    pub(crate) fn num_records(&self) -> usize {
        self.num_records
    }

    /// Returns the source that goes on at byte `offset` of a stream with this head, or a new one.
    pub(crate) fn source(
        &mut self,
        info: &riftline_ingest::read::SourceInfo,
        offset: u64,
    ) -> Result<SourceState, WriteError> {
        let (store, state) = self.parts()?;
        let found =
            sources::resume(&state.connection, info, offset).map_err(|error| store.shared.write_error(&error))?;
        if let Some(source) = found {
            return Ok(source);
        }
        let id = state.next_source;
        state.next_source = id.saturating_add(1);
        Ok(SourceState::new(id, info))
    }

    /// Appends the records of a batch and moves the source on behind them.
    pub(crate) fn append(&mut self, source: &mut SourceState, batch: Batch) -> Result<(), WriteError> {
        let (store, state) = self.parts()?;
        let num_records = batch.num_records();
        state.append(store, source, batch)?;
        self.num_records = self.num_records.saturating_add(num_records);
        Ok(())
    }

    /// Notes where the source stands, to be committed with its rows.
    pub(crate) fn save(&mut self, source: &mut SourceState) -> Result<(), WriteError> {
        let (store, state) = self.parts()?;
        sources::save(&state.connection, source).map_err(|error| store.shared.write_error(&error))
    }

    /// Makes everything durable: returns after the log was synced to disk.
    pub(crate) fn commit(mut self) -> Result<(), WriteError> {
        let (store, state) = self.parts()?;
        state.connection.execute_batch("COMMIT").map_err(|error| store.shared.write_error(&error))?;
        store.shared.last_row.store(state.next_span - 1, Ordering::Release);
        self.is_finished = true;
        Ok(())
    }

    fn parts(&mut self) -> Result<(&'store Store, &mut WriterState), WriteError> {
        let lost = || WriteError::Store { message: "the writer's connection is gone".to_owned() };
        Ok((self.store, self.state.as_mut().ok_or_else(lost)?))
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        // What was interned in the transaction is not in the store: the next writer reads anew what is.
        if let Some(state) = self.state.take() {
            let _ = state.connection.execute_batch("ROLLBACK");
        }
    }
}

impl WriterState {
    fn load(store: &Store) -> duckdb::Result<Self> {
        let connection = store.shared.connection()?;
        let next = |table: &str, column: &str| {
            let sql = format!("SELECT coalesce(max({column}), 0) + 1 FROM {table}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        let (next_span, next_log) = (next("raw_spans", "\"row\"")?, next("raw_logs", "\"row\"")?);
        let (next_metric, next_source) = (next("raw_metrics", "\"row\"")?, next("raw_sources", "id")?);
        let interned = Interned::load(&connection, &store.shared.conventions)?;
        let next_source = u32::try_from(next_source).unwrap_or(u32::MAX);
        Ok(Self { connection, interned, next_span, next_log, next_metric, next_source })
    }

    fn append(&mut self, store: &Store, source: &mut SourceState, batch: Batch) -> Result<(), WriteError> {
        source.count(&batch);
        self.append_rejects(store, source, &batch.rejects)?;
        let mut ids = self.ids(store, source.id, &batch).map_err(|error| store.shared.write_error(&error))?;
        ids.first_row = advance(&mut self.next_span, batch.spans.len());
        self.rows(store, "raw_spans", batch.spans.len(), columns::spans(batch.spans, &ids, &store.shared.conventions))?;
        ids.first_row = advance(&mut self.next_log, batch.logs.len());
        self.rows(store, "raw_logs", batch.logs.len(), columns::logs(batch.logs, &ids))?;
        ids.first_row = advance(&mut self.next_metric, batch.metrics.len());
        self.rows(store, "raw_metrics", batch.metrics.len(), columns::metrics(batch.metrics, &ids))
    }

    fn ids(&mut self, store: &Store, source_id: u32, batch: &Batch) -> duckdb::Result<RowIds> {
        let conventions = &store.shared.conventions;
        Ok(RowIds {
            first_row: 0,
            source_id,
            resources: self.interned.resources(&self.connection, conventions, &batch.resources)?,
            scopes: self.interned.scopes(&self.connection, &batch.scopes)?,
            alias_sets: self.interned.alias_sets(&self.connection, conventions, &batch.spans.alias_sets)?,
        })
    }

    fn rows(
        &self,
        store: &Store,
        table: &str,
        num_rows: usize,
        columns: Result<Columns, ArrowError>,
    ) -> Result<(), WriteError> {
        if num_rows == 0 {
            return Ok(());
        }
        let columns = columns.map_err(|error| arrow_error(&error))?;
        append_columns(&self.connection, table, columns).map_err(|error| store.shared.write_error(&error))
    }

    /// Every reject was counted; of each source the first are kept in full.
    fn append_rejects(&self, store: &Store, source: &mut SourceState, rejects: &Rejects) -> Result<(), WriteError> {
        let room = sources::MAX_REJECTS_KEPT.saturating_sub(source.num_rejects_kept);
        let kept = rejects.kept.iter().take(usize::try_from(room).unwrap_or(usize::MAX));
        source.num_rejects_kept += kept.len() as u64;
        sources::append_rejects(&self.connection, source.id, kept).map_err(|error| store.shared.write_error(&error))
    }
}

fn advance(next: &mut i64, by: usize) -> i64 {
    let first = *next;
    *next = next.saturating_add(i64::try_from(by).unwrap_or(i64::MAX));
    first
}

/// Appends rows that name only some of the table's columns; the others are NULL.
pub(crate) fn append_columns(connection: &Connection, table: &str, columns: Columns) -> duckdb::Result<()> {
    let mut appender = connection.appender_with_columns(table, &columns.names())?;
    let batch = columns.into_record_batch().map_err(|error| duckdb::Error::ToSqlConversionFailure(error.into()))?;
    appender.append_record_batch(batch)?;
    appender.flush()
}

fn arrow_error(error: &ArrowError) -> WriteError {
    WriteError::Store { message: error.to_string() }
}

/// Tells a full disk apart from everything else that can fail while writing.
pub(crate) fn write_error(path: &Path, error: &duckdb::Error) -> WriteError {
    let message = error.to_string();
    if ["No space left on device", "Disk quota exceeded", "Disk full"].iter().any(|sign| message.contains(sign)) {
        return WriteError::NoSpace { path: path.to_owned() };
    }
    WriteError::Store { message: message.lines().next().unwrap_or_default().to_owned() }
}

/// Copies all rows into a new store. The file itself must not be read: closing it would give up DuckDB's lock on it.
pub(super) fn save_as(store: &Store, path: &Path) -> Result<(), WriteError> {
    if path.exists() {
        return Err(WriteError::Store { message: format!("{} exists already", path.display()) });
    }
    let target =
        Store::open(path, Access::ReadWrite).map_err(|error| WriteError::Store { message: error.to_string() })?;
    let copied = copy_tables(store, &target).map_err(|error| target.shared.write_error(&error));
    copied.and_then(|()| target.checkpoint()).inspect_err(|_| {
        // Half a copy is no copy.
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_file(super::recover::log_path(path));
    })
}

fn copy_tables(store: &Store, target: &Store) -> duckdb::Result<()> {
    let (from, to) = (store.shared.connection()?, target.shared.connection()?);
    let reading = from.unchecked_transaction()?;
    let writing = to.unchecked_transaction()?;
    writing.execute_batch("DELETE FROM settle_state")?;
    for table in COPIED {
        copy_table(&reading, &writing, table, store.shared.derived())?;
    }
    writing.commit()?;
    reading.rollback()
}

fn copy_table(from: &Connection, to: &Connection, table: &str, derived: &str) -> duckdb::Result<()> {
    let prefix = if table.starts_with("raw_") { "" } else { derived };
    let mut statement = from.prepare(&format!("SELECT * FROM {prefix}{table}"))?;
    let batches = statement.stream_arrow([])?;
    let schema = batches.get_schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut appender = to.appender_with_columns(table, &names)?;
    for batch in batches {
        let batch: RecordBatch = batch?;
        appender.append_record_batch(batch)?;
    }
    appender.flush()
}
