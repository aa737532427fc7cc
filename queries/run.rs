//! Runs SQL that a user wrote: one SELECT, read-only, capped, stoppable.

mod check;
mod fault;

use duckdb::{Connection, Statement};

use crate::cancel::Cancel;
use crate::catalog::{Catalog, Mistake};
use crate::error::AskError;
use crate::settle::SettleError;
use crate::store::reader::interruptible;
use crate::store::{Reader, Store};
use crate::table::Table;
use crate::table::builder::TableBuilder;

/// Rows of an answer where whoever asks names no other cap.
pub const DEFAULT_MAX_ROWS: u64 = 1_000_000;

/// An answer is cut once its rows take about this many bytes, so that wide rows cannot fill the memory.
const MAX_BYTES: usize = 512 << 20;

/// Runs `sql` and returns at most `max_rows` rows, [`DEFAULT_MAX_ROWS`] where none are named.
///
/// Anything but one SELECT is refused; what is wrong with it is told with its place. Derived views that it names are settled
/// first.
pub fn run(store: &Store, sql: &str, max_rows: Option<u64>, cancel: &Cancel) -> Result<Table, AskError> {
    let reader = store.reader()?;
    // DuckDB counts places from here in some messages, and from the beginning in others.
    let (before, sql) = sql.split_at(check::begin(sql));
    let result = checked(store, reader.connection(), sql, max_rows, cancel);
    if cancel.is_stopped() {
        return Err(AskError::Cancelled);
    }
    result.map_err(|error| shifted(error, before.len()))
}

fn checked(
    store: &Store,
    connection: &Connection,
    sql: &str,
    max_rows: Option<u64>,
    cancel: &Cancel,
) -> Result<Table, AskError> {
    check::check(connection, sql)?;
    bring_up_to_date(store, sql, cancel)?;
    select(connection, sql, max_rows.unwrap_or(DEFAULT_MAX_ROWS), cancel)
}

/// Runs our own SELECT, or one of a rule, on views as they are: nothing is settled first.
pub(crate) fn checked_select(store: &Store, sql: &str, max_rows: u64, cancel: &Cancel) -> Result<Table, AskError> {
    let reader = store.reader()?;
    let (_, sql) = sql.split_at(check::begin(sql));
    check::check(reader.connection(), sql)?;
    select(reader.connection(), sql, max_rows, cancel)
}

fn shifted(error: AskError, by: usize) -> AskError {
    match error {
        AskError::Bad { message, at } => AskError::Bad { message, at: at.map(|at| at.saturating_add(by)) },
        other => other,
    }
}

/// Prepares every query of `catalog` with its defaults and returns what does not fit the store.
pub fn check_catalog(store: &Store, catalog: &Catalog) -> Result<Vec<Mistake>, AskError> {
    let reader = store.reader()?;
    let mut mistakes = Vec::new();
    for query in catalog.queries() {
        let sql = query.bind(&[]).map_err(|error| AskError::Store { message: error.to_string() })?;
        let begin = check::begin(&sql);
        let (message, at) = match check_one(&reader, &sql[begin..]).map_err(|error| shifted(error, begin)) {
            Ok(()) => continue,
            Err(AskError::Bad { message, at }) => (message, at.unwrap_or(begin)),
            Err(error) => (error.to_string(), begin),
        };
        let line = 1 + sql.get(..at).unwrap_or(&sql).matches('\n').count();
        let path = query.path.clone().unwrap_or_else(|| format!("{}.sql", query.name).into());
        mistakes.push(Mistake { path, line, message });
    }
    Ok(mistakes)
}

fn check_one(reader: &Reader, sql: &str) -> Result<(), AskError> {
    check::check(reader.connection(), sql)?;
    prepare(reader.connection(), sql).map(drop)
}

/// Settles what `sql` names. Any mention counts, in comments too: settling once too often costs little.
fn bring_up_to_date(store: &Store, sql: &str, cancel: &Cancel) -> Result<(), AskError> {
    let sql = sql.to_ascii_lowercase();
    let names = |views: &[&str]| views.iter().any(|view| sql.contains(view));
    if names(&["traces", "stitches", "findings", "clock_offsets"]) {
        return analyse(store, cancel);
    }
    if names(&["edges"]) { settle(store, cancel) } else { Ok(()) }
}

/// Brings traces and edges up to date before they are read.
pub(crate) fn settle(store: &Store, cancel: &Cancel) -> Result<(), AskError> {
    store.settle(cancel).map(drop).map_err(settle_fault)
}

/// Brings stitches and findings up to date too.
pub(crate) fn analyse(store: &Store, cancel: &Cancel) -> Result<(), AskError> {
    store.analyse(cancel).map(drop).map_err(settle_fault)
}

fn settle_fault(error: SettleError) -> AskError {
    match error {
        SettleError::Cancelled => AskError::Cancelled,
        error @ SettleError::Write(_) => AskError::Store { message: error.to_string() },
    }
}

/// Runs a checked SELECT in a read-only transaction of its own.
pub(crate) fn select(connection: &Connection, sql: &str, max_rows: u64, cancel: &Cancel) -> Result<Table, AskError> {
    if cancel.is_stopped() {
        return Err(AskError::Cancelled);
    }
    interruptible(connection, cancel, |connection| {
        let transaction = |sql| connection.execute_batch(sql).map_err(|error| fault::fault(sql, &error));
        transaction("BEGIN TRANSACTION READ ONLY")?;
        let result = read(connection, sql, max_rows, cancel);
        transaction("ROLLBACK").and(result)
    })
}

fn prepare<'a>(connection: &'a Connection, sql: &str) -> Result<Statement<'a>, AskError> {
    let statement = connection.prepare(sql).map_err(|error| fault::fault(sql, &error))?;
    if statement.parameter_count() > 0 {
        let message = "this SQL has parameters: write the values, or make it a named query".to_owned();
        return Err(AskError::Bad { message, at: None });
    }
    Ok(statement)
}

fn read(connection: &Connection, sql: &str, max_rows: u64, cancel: &Cancel) -> Result<Table, AskError> {
    let mut statement = prepare(connection, sql)?;
    let is_json: Vec<bool> = (0..statement.column_count())
        .map(|column| statement.column_logical_type(column).get_alias().is_some_and(|alias| alias == "JSON"))
        .collect();
    let stream = statement.stream_arrow([]).map_err(|error| fault::fault(sql, &error))?;
    let mut table = TableBuilder::new(&stream.get_schema(), |column| is_json.get(column).is_some_and(|&json| json));
    let mut num_bytes = 0;
    for batch in stream {
        if cancel.is_stopped() {
            return Err(AskError::Cancelled);
        }
        let batch = batch.map_err(|error| fault::fault(sql, &error))?;
        let room = usize::try_from(max_rows).unwrap_or(usize::MAX).saturating_sub(table.num_rows());
        let taken = batch.slice(0, batch.num_rows().min(room));
        table.push(&taken).map_err(|error| AskError::Store { message: error.to_string() })?;
        num_bytes += batch.get_array_memory_size();
        if taken.num_rows() < batch.num_rows() || num_bytes > MAX_BYTES {
            return Ok(table.finish(true));
        }
    }
    Ok(table.finish(false))
}

#[cfg(test)]
mod tests;
