//! Events on their way into the tables of their classes.

use std::collections::HashMap;

use duckdb::Connection;
use duckdb::arrow::error::ArrowError;
use riftline_ingest::event::{ClassBatch, Clock, EventBatch, EventClass, FieldValues, Gap};
use riftline_ingest::rejects::Reject;

use super::columns::Columns;
use super::event_views::{self, field_column};
use super::pending::Pending;
use super::writer::Writing;

/// Each class is a table: more of them than any real recording has would make the store unusable.
const MAX_CLASSES: usize = 4_096;

/// Fields of a class beyond these have no column.
const MAX_FIELDS: usize = 1_000;

/// What the writer knows about events between transactions.
#[derive(Debug, Default)]
pub(super) struct EventTables {
    ids: HashMap<EventClass, u32>,
    pending: HashMap<u32, Pending>,
    next_row: i64,
}

impl EventTables {
    /// Reads which classes the store has, and how many events.
    pub(super) fn load(connection: &Connection) -> duckdb::Result<Self> {
        let mut tables = Self { next_row: 1, ..Self::default() };
        tables.next_row = last_row(connection)?.saturating_add(1);
        for class in event_views::stored(connection)? {
            let key = EventClass { provider: class.provider, name: class.name, clock: class.clock };
            tables.ids.insert(key, class.id);
        }
        Ok(tables)
    }

    /// Returns the last row that was given to an event.
    pub(super) fn last_row(&self) -> i64 {
        self.next_row - 1
    }

    /// Appends the events of a batch. Returns what had no room.
    pub(super) fn append(
        &mut self,
        writing: &mut Writing<'_>,
        source_id: u32,
        events: EventBatch,
    ) -> duckdb::Result<Vec<Reject>> {
        let first_row = self.next_row;
        self.next_row = first_row.saturating_add(i64::try_from(events.len()).unwrap_or(i64::MAX));
        let mut refused = Vec::new();
        for batch in events.classes.into_iter().filter(|batch| !batch.is_empty()) {
            match self.class(writing.connection, &batch.class)? {
                Some(id) => self.append_class(writing, id, source_id, first_row, batch)?,
                None => refused.push(no_room(&batch)),
            }
        }
        Ok(refused)
    }

    fn class(&mut self, connection: &Connection, class: &EventClass) -> duckdb::Result<Option<u32>> {
        if let Some(&id) = self.ids.get(class) {
            return Ok(Some(id));
        }
        if self.ids.len() >= MAX_CLASSES {
            return Ok(None);
        }
        let id = u32::try_from(self.ids.len()).unwrap_or(u32::MAX).saturating_add(1);
        let sql = "INSERT INTO raw_event_classes VALUES (?, ?, ?, ?)";
        connection.execute(sql, duckdb::params![id, class.provider, class.name, class.clock])?;
        self.ids.insert(class.clone(), id);
        Ok(Some(id))
    }

    fn append_class(
        &mut self,
        writing: &mut Writing<'_>,
        id: u32,
        source_id: u32,
        first_row: i64,
        batch: ClassBatch,
    ) -> duckdb::Result<()> {
        let columns = columns(batch, source_id, first_row).map_err(arrow)?;
        let pending = self.pending.entry(id).or_insert_with(|| Pending::new(format!("raw_event_{id}")));
        writing.make_fit(pending.table(), &columns)?;
        pending.push(writing.connection, columns)
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self, connection: &Connection) -> duckdb::Result<()> {
        self.pending.values_mut().try_for_each(|pending| pending.flush(connection))
    }
}

/// Returns the last row of any class.
pub(super) fn last_row(connection: &Connection) -> duckdb::Result<i64> {
    let ids: Vec<u32> = connection
        .prepare("SELECT id FROM raw_event_classes")?
        .query_map([], |row| row.get(0))?
        .collect::<duckdb::Result<_>>()?;
    ids.iter().try_fold(0, |last, id| {
        let sql = format!("SELECT coalesce(max(\"row\"), 0) FROM raw_event_{id}");
        connection.query_row(&sql, [], |row| row.get(0)).map(|row: i64| row.max(last))
    })
}

fn no_room(batch: &ClassBatch) -> Reject {
    let reason = format!("{} events: the store has {MAX_CLASSES} classes of events, no room for another", batch.len());
    Reject {
        offset: 0,
        line: 0,
        column: 0,
        reason,
        excerpt: riftline_ingest::text::inert(&batch.class.name).into_owned(),
    }
}

fn arrow(error: ArrowError) -> duckdb::Error {
    duckdb::Error::ToSqlConversionFailure(error.into())
}

/// Returns the columns of a class table.
fn columns(batch: ClassBatch, source_id: u32, first_row: i64) -> Result<Columns, ArrowError> {
    let mut columns = Columns::default();
    let len = batch.len();
    columns.int("row", batch.order.iter().map(|&place| first_row.saturating_add(i64::from(place))).collect());
    columns.word("source_id", vec![source_id; len]);
    columns.time("time", batch.time_ns);
    columns.rare_int("cpu", batch.cpu)?;
    columns.rare_int("pid", batch.pid)?;
    columns.rare_int("tid", batch.tid)?;
    columns.text("comm", batch.comm)?;
    columns.rare_int("duration_ns", batch.duration_ns)?;
    columns.rare_unsigned("trace_hi", batch.trace_hi)?;
    columns.rare_unsigned("trace_lo", batch.trace_lo)?;
    columns.rare_unsigned("span_id", batch.span_id)?;
    for field in batch.fields.into_iter().take(MAX_FIELDS) {
        push_field(&mut columns, &field.name, field.values)?;
    }
    Ok(columns)
}

fn push_field(columns: &mut Columns, name: &str, values: FieldValues) -> Result<(), ArrowError> {
    match values {
        FieldValues::Int(column) => columns.rare_int(&field_column(name, "int"), column),
        FieldValues::Unsigned(column) => columns.rare_unsigned(&field_column(name, "unsigned"), column),
        FieldValues::Double(column) => columns.rare_double(&field_column(name, "double"), column),
        FieldValues::Bool(column) => {
            columns.rare_flag(&field_column(name, "bool"), column);
            Ok(())
        }
        FieldValues::Text(column) => columns.text(&field_column(name, "text"), column),
        FieldValues::Json(column) => columns.text(&field_column(name, "json"), column),
    }
}

/// Writes the gaps of a batch, and the clocks that it met first.
pub(super) fn append_gaps_and_clocks(
    connection: &Connection,
    source_id: u32,
    gaps: &[Gap],
    clocks: &[Clock],
) -> duckdb::Result<()> {
    for gap in gaps {
        let sql = "INSERT INTO raw_gaps VALUES (?, make_timestamp_ns(?), make_timestamp_ns(?), ?, ?, ?)";
        let values = duckdb::params![source_id, gap.from_ns, gap.to_ns, gap.stream, gap.lost, gap.what];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    for clock in clocks {
        let sql = "INSERT INTO raw_clocks SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS \
                   (FROM raw_clocks WHERE source_id = ? AND name = ?)";
        let values = duckdb::params![
            source_id,
            clock.name,
            clock.offset_ns,
            clock.frequency,
            clock.origin,
            source_id,
            clock.name
        ];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}
