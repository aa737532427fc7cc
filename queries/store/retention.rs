//! Keeps a store within an age and a size: whole minutes go, the oldest first.
//!
//! A trace goes with its last minute, so that none loses its beginning; traces that are to be kept stay whatever their age.
//! DuckDB reuses the room that rows leave; [`Store::save_as`] makes a file without it.

use std::path::Path;

use duckdb::{Connection, params};

use super::{Access, Store, TraceId, lock};
use crate::error::WriteError;

const MINUTE_NS: i64 = 60_000_000_000;

/// What a store may keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Nothing older than this, counted back from the newest record; nothing for any age.
    pub age_ns: Option<i64>,
    /// Not more than this on disk, in bytes; nothing for any size.
    pub bytes: Option<u64>,
    /// Traces that stay.
    pub keep: Vec<TraceId>,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    pub spans: u64,
    /// Log records, metric points, events and flows.
    pub others: u64,
}

/// Tables of records with the column of their time; spans go by trace.
const TIMED: [(&str, &str); 3] = [("raw_logs", "time"), ("raw_metrics", "time"), ("raw_flows", "time")];

impl Store {
    /// Removes what is too old or too much. Derived views must be settled: traces are removed whole.
    pub fn retain(&self, retention: &Retention) -> Result<Removed, WriteError> {
        if self.access() == Access::ReadOnly || (retention.age_ns.is_none() && retention.bytes.is_none()) {
            return Ok(Removed::default());
        }
        let _settling = lock(&self.shared.settling);
        let _writing = lock(&self.shared.writer);
        let failed = |error: duckdb::Error| self.shared.write_error(&error);
        let connection = self.shared.connection().map_err(failed)?;
        let Some(before) = cutoff(&connection, self.path(), retention).map_err(failed)? else {
            return Ok(Removed::default());
        };
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        let removed = remove(&transaction, before, &retention.keep).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        let _ = connection.execute_batch("CHECKPOINT");
        Ok(removed)
    }
}

/// Returns the minute before which everything goes; nothing where all may stay.
fn cutoff(connection: &Connection, path: &Path, retention: &Retention) -> duckdb::Result<Option<i64>> {
    let Some((oldest, newest)) = extent(connection)? else { return Ok(None) };
    let by_age = retention.age_ns.map(|age| newest.saturating_sub(age.max(0)));
    let by_size = match retention.bytes {
        Some(bytes) => too_much(connection, path, bytes)?,
        None => None,
    };
    let before = by_age.into_iter().chain(by_size).max();
    Ok(before.map(|before| before - before.rem_euclid(MINUTE_NS)).filter(|&before| before > oldest))
}

/// The first and last time of any record, in nanoseconds.
fn extent(connection: &Connection) -> duckdb::Result<Option<(i64, i64)>> {
    let sql = "SELECT epoch_ns(min(first)), epoch_ns(max(last)) FROM (\
               SELECT min(start) AS first, max(start) AS last FROM raw_spans UNION ALL \
               SELECT min(time), max(time) FROM raw_logs UNION ALL \
               SELECT min(time), max(time) FROM raw_metrics UNION ALL \
               SELECT min(time), max(time) FROM raw_flows)";
    connection.query_row(sql, [], |row| {
        let (first, last): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok(first.zip(last))
    })
}

/// Returns the time up to which records must go so that the rest fits `bytes`: as large a share of the spans and logs as the
/// file is too large by, and a tenth more, so that it is not done again at once.
fn too_much(connection: &Connection, path: &Path, bytes: u64) -> duckdb::Result<Option<i64>> {
    let used = used_bytes(connection)?;
    let on_disk = std::fs::metadata(path).map_or(used, |metadata| metadata.len().min(used));
    if on_disk <= bytes || on_disk == 0 {
        return Ok(None);
    }
    let share = ((on_disk - bytes) as f64 / on_disk as f64 + 0.1).min(1.0);
    let sql = "SELECT epoch_ns(quantile_disc(time, ?)) FROM (\
               SELECT start AS time FROM raw_spans UNION ALL SELECT time FROM raw_logs UNION ALL \
               SELECT time FROM raw_metrics)";
    let time: Option<i64> = connection.query_row(sql, params![share], |row| row.get(0))?;
    Ok(time.map(|time| time.saturating_add(MINUTE_NS)))
}

/// How much of the file holds something.
fn used_bytes(connection: &Connection) -> duckdb::Result<u64> {
    let sql = "SELECT CAST(block_size * used_blocks AS UBIGINT) FROM pragma_database_size() LIMIT 1";
    connection.query_row(sql, [], |row| row.get(0))
}

fn remove(connection: &Connection, before: i64, keep: &[TraceId]) -> duckdb::Result<Removed> {
    let cut = format!("make_timestamp_ns({before})");
    let kept: Vec<String> = keep.iter().map(|id| format!("({}::UBIGINT, {}::UBIGINT)", id.hi, id.lo)).collect();
    let not_kept =
        if kept.is_empty() { String::new() } else { format!(" AND (trace_hi, trace_lo) NOT IN ({})", kept.join(", ")) };
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE gone AS SELECT trace_hi, trace_lo FROM settled_traces \
         WHERE epoch_ns(start) + duration_ns < {before}{not_kept}"
    ))?;
    let of_gone = "USING gone g WHERE";
    let spans = connection.execute(
        &format!("DELETE FROM raw_spans {of_gone} raw_spans.trace_hi = g.trace_hi AND raw_spans.trace_lo = g.trace_lo"),
        [],
    )?;
    connection.execute_batch(&format!(
        "DELETE FROM settled_traces {of_gone} settled_traces.trace_hi = g.trace_hi AND settled_traces.trace_lo = g.trace_lo; \
         DELETE FROM edge_counts WHERE minute < {cut}; \
         DELETE FROM span_duplicates WHERE \"row\" NOT IN (SELECT \"row\" FROM raw_spans); \
         DELETE FROM span_marks WHERE \"row\" NOT IN (SELECT \"row\" FROM raw_spans); \
         DROP TABLE gone"
    ))?;
    let mut others = 0;
    for (table, time) in TIMED {
        others += connection.execute(&format!("DELETE FROM {table} WHERE {time} < {cut}"), [])?;
    }
    others += remove_events(connection, &cut)?;
    Ok(Removed { spans: spans as u64, others: others as u64 })
}

/// Events with a clock that is not UTC are of no minute: they stay as long as their source does.
fn remove_events(connection: &Connection, cut: &str) -> duckdb::Result<usize> {
    let sql = "SELECT id FROM raw_event_classes";
    let ids: Vec<u32> = connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<duckdb::Result<_>>()?;
    let year_2000 = "make_timestamp_ns(946684800000000000)";
    ids.iter().try_fold(0, |gone, id| {
        let sql = format!("DELETE FROM raw_event_{id} WHERE time < {cut} AND time > {year_2000}");
        Ok(gone + connection.execute(&sql, [])?)
    })
}
