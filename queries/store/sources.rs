//! What was read, how far, and what was refused: committed together with the rows it is about.

use std::time::{SystemTime, UNIX_EPOCH};

use duckdb::{Connection, OptionalExt, ToSql, params};
use riftline_ingest::batch::Batch;
use riftline_ingest::read::{Committed, HEAD_BYTES, History, SourceEnd, SourceInfo};
use riftline_ingest::receive::spool::Position;
use riftline_ingest::rejects::Reject;

use super::{Shared, Store};

/// Of each source so many rejects are kept in full; all are counted.
pub(super) const MAX_REJECTS_KEPT: u64 = 10_000;

/// One source as it stands after the rows that were appended so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceState {
    pub(crate) id: u32,
    name: String,
    format: String,
    container: String,
    head_hash: u64,
    pub(crate) offset: u64,
    prefix_hash: u64,
    pub(crate) num_spans: u64,
    pub(crate) num_logs: u64,
    pub(crate) num_metrics: u64,
    pub(crate) num_events: u64,
    pub(crate) num_rejects: u64,
    pub(super) num_rejects_kept: u64,
    is_complete: bool,
    stopped: Option<String>,
    is_new: bool,
}

impl SourceState {
    pub(super) fn new(id: u32, info: &SourceInfo) -> Self {
        Self {
            id,
            name: info.name.clone(),
            format: info.format.to_owned(),
            container: info.container.clone(),
            head_hash: info.head_hash,
            offset: 0,
            prefix_hash: 0,
            num_spans: 0,
            num_logs: 0,
            num_metrics: 0,
            num_events: 0,
            num_rejects: 0,
            num_rejects_kept: 0,
            is_complete: false,
            stopped: None,
            is_new: true,
        }
    }

    pub(super) fn count(&mut self, batch: &Batch) {
        self.num_spans += batch.spans.len() as u64;
        self.num_logs += batch.logs.len() as u64;
        self.num_metrics += batch.metrics.len() as u64;
        self.num_events += batch.events.len() as u64;
        self.num_rejects = self.num_rejects.saturating_add(batch.rejects.count);
        self.offset = batch.to_offset;
        self.prefix_hash = batch.prefix_hash;
    }

    /// Notes how reading ended.
    pub(crate) fn close(&mut self, end: &SourceEnd) {
        self.is_complete = end.stopped.is_none();
        self.stopped.clone_from(&end.stopped);
    }
}

/// Returns the source whose committed stretch ends at `offset` of a stream with this head; none for a stream from its start.
pub(super) fn resume(connection: &Connection, info: &SourceInfo, offset: u64) -> duckdb::Result<Option<SourceState>> {
    if offset == 0 {
        return Ok(None);
    }
    let sql = "SELECT id, name, format, container, prefix_hash, num_spans, num_logs, num_metrics, num_rejects, \
               num_rejects_kept, num_events FROM raw_sources WHERE committed_offset = ? AND (head_hash = ? OR (name = ? AND ? <= ?)) \
               ORDER BY name = ? DESC, id LIMIT 1";
    let values = params![offset, info.head_hash, info.name, offset, HEAD_BYTES, info.name];
    let found = connection.query_row(sql, values, |row| {
        Ok(SourceState {
            id: row.get(0)?,
            name: row.get(1)?,
            format: row.get(2)?,
            container: row.get(3)?,
            head_hash: info.head_hash,
            offset,
            prefix_hash: row.get(4)?,
            num_spans: row.get(5)?,
            num_logs: row.get(6)?,
            num_metrics: row.get(7)?,
            num_rejects: row.get(8)?,
            num_rejects_kept: row.get(9)?,
            num_events: row.get(10)?,
            is_complete: false,
            stopped: None,
            is_new: false,
        })
    });
    found.optional()
}

/// Returns the source that a receiver goes on with: the one of its name and format.
pub(super) fn of_receiver(connection: &Connection, info: &SourceInfo) -> duckdb::Result<Option<SourceState>> {
    let sql = "SELECT max(committed_offset) FROM raw_sources WHERE head_hash = ? AND name = ? AND format = ?";
    let offset: Option<u64> =
        connection.query_row(sql, params![info.head_hash, info.name, info.format], |row| row.get(0))?;
    offset.map_or(Ok(None), |offset| resume(connection, info, offset))
}

/// Returns up to where the spool of receivers is rows.
pub(super) fn spool_position(connection: &Connection) -> duckdb::Result<Position> {
    let sql = "SELECT segment, \"offset\" FROM raw_spool";
    let found = connection.query_row(sql, [], |row| Ok(Position { segment: row.get(0)?, offset: row.get(1)? }));
    found.optional().map(Option::unwrap_or_default)
}

/// Writes up to where the spool is rows.
pub(super) fn save_spool_position(connection: &Connection, position: Position) -> duckdb::Result<()> {
    let values = params![position.segment, position.offset];
    let updated = connection.prepare_cached("UPDATE raw_spool SET segment = ?, \"offset\" = ?")?.execute(values)?;
    if updated == 0 {
        connection.execute("INSERT INTO raw_spool VALUES (?, ?)", values)?;
    }
    Ok(())
}

/// Writes where the source stands.
pub(super) fn save(connection: &Connection, source: &mut SourceState) -> duckdb::Result<()> {
    let now = now_ns();
    if source.is_new {
        insert(connection, source, now)?;
        source.is_new = false;
        return Ok(());
    }
    let sql = "UPDATE raw_sources SET head_hash = ?, committed_offset = ?, prefix_hash = ?, num_spans = ?, num_logs = ?, num_metrics = ?, \
               num_rejects = ?, num_rejects_kept = ?, num_events = ?, is_complete = ?, stopped = ?, last_read = make_timestamp_ns(?) \
               WHERE id = ?";
    let values: [&dyn ToSql; 13] = [
        &source.head_hash,
        &source.offset,
        &source.prefix_hash,
        &source.num_spans,
        &source.num_logs,
        &source.num_metrics,
        &source.num_rejects,
        &source.num_rejects_kept,
        &source.num_events,
        &source.is_complete,
        &source.stopped,
        &now,
        &source.id,
    ];
    connection.prepare_cached(sql)?.execute(&values[..]).map(|_| ())
}

fn insert(connection: &Connection, source: &SourceState, now: i64) -> duckdb::Result<()> {
    let sql = "INSERT INTO raw_sources VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, make_timestamp_ns(?), \
               make_timestamp_ns(?), NULL, ?)";
    let values: [&dyn ToSql; 17] = [
        &source.id,
        &source.name,
        &source.format,
        &source.container,
        &source.head_hash,
        &source.offset,
        &source.prefix_hash,
        &source.num_spans,
        &source.num_logs,
        &source.num_metrics,
        &source.num_rejects,
        &source.num_rejects_kept,
        &source.is_complete,
        &source.stopped,
        &now,
        &now,
        &source.num_events,
    ];
    connection.prepare_cached(sql)?.execute(&values[..]).map(|_| ())
}

/// Writes refused records of one source.
pub(super) fn append_rejects<'a>(
    connection: &Connection,
    source_id: u32,
    rejects: impl Iterator<Item = &'a Reject>,
) -> duckdb::Result<()> {
    let mut appender = connection.appender("raw_rejects")?;
    for reject in rejects {
        appender.append_row(params![
            source_id,
            reject.offset,
            reject.line,
            reject.column,
            reject.reason,
            reject.excerpt
        ])?;
    }
    appender.flush()
}

fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

impl History for Store {
    /// A store that cannot be asked knows nothing: what is read twice then is found by settling.
    fn committed(&self, head_hash: u64) -> Vec<Committed> {
        committed(&self.shared, head_hash, None).unwrap_or_default()
    }

    fn committed_of(&self, head_hash: u64, name: &str) -> Vec<Committed> {
        committed(&self.shared, head_hash, Some(name)).unwrap_or_default()
    }
}

fn committed(shared: &Shared, head_hash: u64, name: Option<&str>) -> duckdb::Result<Vec<Committed>> {
    let connection = shared.connection()?;
    let sql = "SELECT DISTINCT committed_offset, prefix_hash FROM raw_sources \
               WHERE committed_offset > 0 AND (head_hash = ? OR (name = ? AND committed_offset <= ?)) \
               ORDER BY committed_offset DESC";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map(params![head_hash, name, HEAD_BYTES], |row| {
        Ok(Committed { offset: row.get(0)?, prefix_hash: row.get(1)? })
    })?;
    rows.collect()
}
