//! Brings derived views up to date: reads what was committed since the last time, assembles the traces that it touched, and
//! writes what changed in one transaction.
//!
//! The result is the same whatever the order and batching of arrival: a trace that is touched is assembled from all its
//! spans, and what its earlier spans had added to the edges is taken off again. Memory is bounded by the largest of
//! [`PARTITION_ROWS`] and the longest single trace.

mod duplicates;
mod edges;
mod pairs;
mod partition;
mod rows;
mod summary;
mod write;

use std::path::Path;
use std::sync::atomic::Ordering;

use duckdb::{Connection, params};

use crate::cancel::Cancel;
use crate::error::WriteError;
use crate::store::reader::interruptible;
use crate::store::{Store, lock, writer};

/// Traces are taken in parts of about this many spans.
const PARTITION_ROWS: u64 = 1_000_000;

/// What settling did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Spans that were not settled before.
    pub new_spans: u64,
    /// Traces that were assembled.
    pub traces: u64,
    /// Spans that repeat an earlier one and were hidden.
    pub duplicates: u64,
}

/// Derived views could not be brought up to date. They are as they were before.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    #[error("cancelled")]
    Cancelled,
    #[error("settle: {0}")]
    Write(#[from] WriteError),
}

/// Why a settling in progress stops.
#[derive(Debug)]
enum Stop {
    Cancelled,
    Database(duckdb::Error),
}

impl From<duckdb::Error> for Stop {
    fn from(error: duckdb::Error) -> Self {
        Self::Database(error)
    }
}

/// The stretch of rows that one settling takes in.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// Rows up to this one are settled.
    after: i64,
    /// The last row that this settling sees.
    upto: i64,
    /// The first row of any touched trace that was settled before; above `upto` where none was.
    first_old: i64,
    num_touched_rows: u64,
}

impl Store {
    /// Brings derived views up to date.
    pub fn settle(&self, cancel: &Cancel) -> Result<Settled, SettleError> {
        let _turn = lock(&self.shared.settling);
        if !self.needs_settling() {
            return Ok(Settled::default());
        }
        let connection = self.shared.connection().map_err(|error| self.settle_error(&error))?;
        let result = interruptible(&connection, cancel, |connection| transact(self, connection, cancel));
        match result {
            Ok((settled, upto, events_upto)) => {
                self.shared.settled_row.store(upto, Ordering::Release);
                self.shared.settled_event.store(events_upto, Ordering::Release);
                Ok(settled)
            }
            Err(_) if cancel.is_stopped() => Err(SettleError::Cancelled),
            Err(Stop::Cancelled) => Err(SettleError::Cancelled),
            Err(Stop::Database(error)) => Err(self.settle_error(&error)),
        }
    }

    /// Brings derived views up to date where rows were committed since the last time. Questions on them ask for it first.
    pub fn settle_if_needed(&self, cancel: &Cancel) -> Result<Settled, SettleError> {
        if self.needs_settling() { self.settle(cancel) } else { Ok(Settled::default()) }
    }

    fn settle_error(&self, error: &duckdb::Error) -> SettleError {
        let path: &Path = self.path();
        SettleError::Write(writer::write_error(path, error))
    }
}

/// Finds what changes, then writes it in one transaction.
///
/// Finding keeps its temporary tables outside the transaction: DuckDB 2.0 returns no rows for an aggregate over more than some
/// 50 000 rows that the same transaction wrote. Nobody else settles meanwhile, and raw rows up to `upto` never change.
fn transact(store: &Store, connection: &Connection, cancel: &Cancel) -> Result<(Settled, i64, i64), Stop> {
    let derived = store.shared.derived();
    let events_upto = pairs::settle(connection, derived, cancel)?;
    let stretch = find_touched(connection, derived)?;
    if stretch.upto == stretch.after {
        return Ok((Settled::default(), stretch.upto, events_upto));
    }
    let settled = find_changes(connection, derived, &stretch, cancel)?;
    let transaction = connection.unchecked_transaction()?;
    write::finish(&transaction, derived, stretch.upto)?;
    if cancel.is_stopped() {
        return Err(Stop::Cancelled);
    }
    transaction.commit()?;
    Ok((settled, stretch.upto, events_upto))
}

/// Assembles the touched traces, part by part, and gathers what changes in temporary tables.
fn find_changes(connection: &Connection, derived: &str, stretch: &Stretch, cancel: &Cancel) -> Result<Settled, Stop> {
    let new_spans = u64::try_from(stretch.upto - stretch.after).unwrap_or(0);
    let mut settled = Settled { new_spans, ..Settled::default() };
    write::begin(connection, derived)?;
    let num_parts = stretch.num_touched_rows.div_ceil(PARTITION_ROWS).max(1);
    for part in 0..num_parts {
        let rows = rows::read(connection, stretch, (part, num_parts), cancel)?;
        let outcome = partition::settle(connection, &rows, stretch, cancel)?;
        settled.traces += outcome.traces.len() as u64;
        settled.duplicates += outcome.duplicates.len() as u64;
        write::part(connection, &outcome)?;
    }
    write::sum_edges(connection, derived)?;
    Ok(settled)
}

/// Lists the traces that have new rows, with what is settled of them.
fn find_touched(connection: &Connection, derived: &str) -> duckdb::Result<Stretch> {
    let single = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let after = single(&format!("SELECT \"row\" FROM {derived}settle_state"))?;
    let upto = single("SELECT coalesce(max(\"row\"), 0) FROM raw_spans")?.max(after);
    let sql = format!(
        "CREATE OR REPLACE TEMP TABLE touched AS \
         SELECT n.trace_hi, n.trace_lo, n.num_rows, n.first_row, n.last_row, t.first_row AS old_first, \
         coalesce(t.num_rows, 0) AS old_num \
         FROM (SELECT trace_hi, trace_lo, count(*) AS num_rows, min(\"row\") AS first_row, max(\"row\") AS last_row \
         FROM raw_spans WHERE \"row\" > {after} AND \"row\" <= {upto} GROUP BY trace_hi, trace_lo) n \
         LEFT JOIN {derived}settled_traces t ON t.trace_hi = n.trace_hi AND t.trace_lo = n.trace_lo"
    );
    connection.execute_batch(&sql)?;
    let sql = "SELECT coalesce(min(old_first), ?), CAST(coalesce(sum(num_rows + old_num), 0) AS UBIGINT) FROM touched";
    connection.query_row(sql, params![i64::MAX], |row| {
        Ok(Stretch { after, upto, first_old: row.get(0)?, num_touched_rows: row.get(1)? })
    })
}

#[cfg(test)]
mod tests;
