//! The one writer of a store: rows, rejects and how far their source is read go into one transaction.

use std::path::Path;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use duckdb::Connection;
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use riftline_ingest::batch::Batch;
use riftline_ingest::event::EventBatch;
use riftline_ingest::receive::spool::Position;
use riftline_ingest::rejects::Rejects;

use super::columns::{self, Columns, RowIds};
use super::events::{self, EventTables};
use super::intern::Interned;
use super::pending::Pending;
use super::schema::{self, PhysicalColumns};
use super::sources::{self, SourceState};
use super::{Access, Store, lock};
use crate::error::WriteError;

/// Tables that a copy of a store consists of, beside `store_info` and `store_conventions`, which the copy has of its own.
const COPIED: [&str; 20] = [
    "raw_sources",
    "raw_rejects",
    "raw_resources",
    "raw_scopes",
    "raw_alias_sets",
    "raw_spans",
    "raw_logs",
    "raw_metrics",
    "raw_event_classes",
    "raw_flows",
    "raw_gaps",
    "raw_clocks",
    "settled_traces",
    "edge_counts",
    "span_duplicates",
    "span_marks",
    "settle_state",
    "event_durations",
    "open_events",
    "settle_events",
];

/// What the writer knows about the store between transactions.
#[derive(Debug)]
pub(super) struct WriterState {
    connection: Connection,
    physical: PhysicalColumns,
    /// Columns were added in the open transaction: the views must show them.
    has_new_columns: bool,
    interned: Interned,
    spans: Pending,
    logs: Pending,
    metrics: Pending,
    flows: Pending,
    events: EventTables,
    next_span: i64,
    next_log: i64,
    next_metric: i64,
    next_flow: i64,
    next_source: u32,
}

/// Where rows go: tables get the columns that they lack.
pub(super) struct Writing<'state> {
    pub(super) connection: &'state Connection,
    physical: &'state mut PhysicalColumns,
    has_new_columns: &'state mut bool,
}

impl Writing<'_> {
    /// Appends rows to `table`.
    pub(super) fn append(&mut self, table: &str, columns: Columns) -> duckdb::Result<()> {
        self.add_columns(table, &columns)?;
        append_columns(self.connection, table, columns)
    }

    /// Makes the table, where it is not there yet, or adds the columns that it lacks.
    pub(super) fn make_fit(&mut self, table: &str, columns: &Columns) -> duckdb::Result<()> {
        if self.physical.has(table, "row") {
            return self.add_columns(table, columns);
        }
        *self.has_new_columns = true;
        let types: Vec<(&str, &'static str)> = columns.types().collect();
        self.physical.create(self.connection, table, &types)
    }

    fn add_columns(&mut self, table: &str, columns: &Columns) -> duckdb::Result<()> {
        for (column, sql_type) in columns.types() {
            *self.has_new_columns |= self.physical.add(self.connection, table, column, sql_type)?;
        }
        Ok(())
    }
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

    /// Returns the source that a receiver goes on with, or a new one.
    pub(crate) fn receiver(&mut self, info: &riftline_ingest::read::SourceInfo) -> Result<SourceState, WriteError> {
        let (store, state) = self.parts()?;
        let found = sources::of_receiver(&state.connection, info).map_err(|error| store.shared.write_error(&error))?;
        if let Some(source) = found {
            return Ok(source);
        }
        let id = state.next_source;
        state.next_source = id.saturating_add(1);
        Ok(SourceState::new(id, info))
    }

    /// Notes up to where the spool of receivers is rows, to be committed with them.
    pub(crate) fn save_spool_position(&mut self, position: Position) -> Result<(), WriteError> {
        let (store, state) = self.parts()?;
        sources::save_spool_position(&state.connection, position).map_err(|error| store.shared.write_error(&error))
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
        state.commit().map_err(|error| store.shared.write_error(&error))?;
        store.shared.last_row.store(state.next_span - 1, Ordering::Release);
        store.shared.last_event.store(state.events.last_row(), Ordering::Release);
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
        let (next_flow, events) = (next("raw_flows", "\"row\"")?, EventTables::load(&connection)?);
        let physical = PhysicalColumns::read(&connection)?;
        let interned = Interned::load(&connection, &store.shared.conventions, &physical)?;
        let next_source = u32::try_from(next_source).unwrap_or(u32::MAX);
        Ok(Self {
            connection,
            physical,
            has_new_columns: false,
            interned,
            spans: Pending::new("raw_spans"),
            logs: Pending::new("raw_logs"),
            metrics: Pending::new("raw_metrics"),
            flows: Pending::new("raw_flows"),
            events,
            next_span,
            next_log,
            next_metric,
            next_flow,
            next_source,
        })
    }

    /// Views of new columns are committed with them. A checkpoint follows, so that no log ever holds a changed table and
    /// many rows of it.
    fn commit(&mut self) -> duckdb::Result<()> {
        for rows in [&mut self.spans, &mut self.logs, &mut self.metrics, &mut self.flows] {
            rows.flush(&self.connection)?;
        }
        self.events.flush(&self.connection)?;
        if !self.has_new_columns {
            return self.connection.execute_batch("COMMIT");
        }
        schema::make_views(&self.connection)?;
        self.connection.execute_batch("COMMIT")?;
        self.has_new_columns = false;
        // Others may be reading what a checkpoint would move: then the log is replayed as it is.
        let _ = self.connection.execute_batch("CHECKPOINT");
        Ok(())
    }

    fn append(&mut self, store: &Store, source: &mut SourceState, batch: Batch) -> Result<(), WriteError> {
        source.count(&batch);
        self.append_rejects(store, source, &batch.rejects)?;
        let mut ids = self.ids(store, source.id, &batch).map_err(|error| store.shared.write_error(&error))?;
        if !batch.spans.is_empty() {
            ids.first_row = advance(&mut self.next_span, batch.spans.len());
            let columns = columns::spans(batch.spans, &ids, &store.shared.conventions);
            self.rows(store, |state| &mut state.spans, columns)?;
        }
        if !batch.logs.is_empty() {
            ids.first_row = advance(&mut self.next_log, batch.logs.len());
            self.rows(store, |state| &mut state.logs, columns::logs(batch.logs, &ids))?;
        }
        if !batch.metrics.is_empty() {
            ids.first_row = advance(&mut self.next_metric, batch.metrics.len());
            self.rows(store, |state| &mut state.metrics, columns::metrics(batch.metrics, &ids))?;
        }
        if !batch.flows.is_empty() {
            let first_row = advance(&mut self.next_flow, batch.flows.len());
            self.rows(store, |state| &mut state.flows, columns::flows(batch.flows, source.id, first_row))?;
        }
        let failed = |error: duckdb::Error| store.shared.write_error(&error);
        events::append_gaps_and_clocks(&self.connection, source.id, &batch.gaps, &batch.clocks).map_err(failed)?;
        let refused = self.append_events(source.id, batch.events).map_err(failed)?;
        self.append_rejects(store, source, &refused)
    }

    fn append_events(&mut self, source_id: u32, batch: EventBatch) -> duckdb::Result<Rejects> {
        let Self { connection, physical, has_new_columns, events, .. } = self;
        let mut writing = Writing { connection, physical, has_new_columns };
        let kept = events.append(&mut writing, source_id, batch)?;
        Ok(Rejects { count: kept.len() as u64, kept })
    }

    fn ids(&mut self, store: &Store, source_id: u32, batch: &Batch) -> duckdb::Result<RowIds> {
        let conventions = &store.shared.conventions;
        let Self { connection, physical, has_new_columns, interned, .. } = self;
        let mut writing = Writing { connection, physical, has_new_columns };
        Ok(RowIds {
            first_row: 0,
            source_id,
            resources: interned.resources(&mut writing, conventions, &batch.resources)?,
            scopes: interned.scopes(connection, &batch.scopes)?,
            alias_sets: interned.alias_sets(&mut writing, conventions, &batch.spans.alias_sets)?,
        })
    }

    fn rows(
        &mut self,
        store: &Store,
        pending: fn(&mut Self) -> &mut Pending,
        columns: Result<Columns, ArrowError>,
    ) -> Result<(), WriteError> {
        let columns = columns.map_err(|error| WriteError::Store { message: error.to_string() })?;
        let table = pending(self).table().to_owned();
        let Self { connection, physical, has_new_columns, .. } = self;
        let added = Writing { connection, physical, has_new_columns }.add_columns(&table, &columns);
        let written = added.and_then(|()| {
            let mut rows = std::mem::replace(pending(self), Pending::new(table));
            let result = rows.push(&self.connection, columns);
            *pending(self) = rows;
            result
        });
        written.map_err(|error| store.shared.write_error(&error))
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
    copied.and_then(|()| target.checkpoint().map(|_| ())).inspect_err(|_| {
        // Half a copy is no copy.
        let _ = std::fs::remove_file(path);
        let _ = std::fs::remove_file(super::recover::log_path(path));
    })
}

fn copy_tables(store: &Store, target: &Store) -> duckdb::Result<()> {
    let (from, to) = (store.shared.connection()?, target.shared.connection()?);
    let reading = from.unchecked_transaction()?;
    let writing = to.unchecked_transaction()?;
    writing.execute_batch("DELETE FROM settle_state; DELETE FROM settle_events")?;
    let mut physical = PhysicalColumns::read(&writing)?;
    let class_tables = event_tables(&reading)?;
    for table in &class_tables {
        physical.create(&writing, table, &[("row", "BIGINT"), ("source_id", "UINTEGER"), ("time", "TIMESTAMP_NS")])?;
    }
    for table in COPIED.into_iter().chain(class_tables.iter().map(String::as_str)) {
        copy_table(&reading, &writing, &mut physical, table, store.shared.derived())?;
    }
    schema::make_views(&writing)?;
    writing.commit()?;
    reading.rollback()
}

/// Returns the tables of the classes of events.
fn event_tables(connection: &Connection) -> duckdb::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT 'raw_event_' || id FROM raw_event_classes ORDER BY id")?;
    let tables = statement.query_map([], |row| row.get(0))?;
    tables.collect()
}

fn copy_table(
    from: &Connection,
    to: &Connection,
    physical: &mut PhysicalColumns,
    table: &str,
    derived: &str,
) -> duckdb::Result<()> {
    let prefix = if table.starts_with("raw_") { "" } else { derived };
    let mut statement = from.prepare(&format!("SELECT * FROM {prefix}{table}"))?;
    let batches = statement.stream_arrow([])?;
    let schema = batches.get_schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    for field in schema.fields().iter().filter(|_| table.starts_with("raw_")) {
        physical.add(to, table, field.name(), columns::sql_type(field.data_type()))?;
    }
    let mut appender = to.appender_with_columns(table, &names)?;
    for batch in batches {
        let batch: RecordBatch = batch?;
        appender.append_record_batch(batch)?;
    }
    appender.flush()
}
