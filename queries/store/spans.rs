//! Reads the spans of one trace as columns.

use duckdb::arrow::datatypes::{Int64Type, TimestampNanosecondType, UInt8Type, UInt32Type, UInt64Type};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, OptionalExt, params};
use hashbrown::HashMap;

use super::arrays::{numbers, text_at, texts};
use super::{Reader, TraceId};
use crate::cancel::Cancel;
use crate::error::AskError;
use crate::trace::spans::Spans;

/// Without its order, which is that of the rows anyway; duplicates and later marks are few and come separately.
const SPANS: &str = "SELECT \"row\", span_id, parent_span_id, start, duration_ns, kind, status, marks, resource_id, name \
                     FROM raw_spans WHERE trace_hi = ? AND trace_lo = ? AND \"row\" BETWEEN ? AND ?";

/// Returns the spans of the trace that the view `spans` shows.
pub(super) fn load_trace(reader: &Reader, id: TraceId, cancel: &Cancel) -> Result<Spans, AskError> {
    let spans = reader.run(cancel, |connection| {
        let transaction = connection.unchecked_transaction()?;
        load(&transaction, reader.shared().derived(), id, cancel)
    })?;
    if spans.is_empty() {
        return Err(AskError::NotFound { what: "trace", id: id.to_string() });
    }
    Ok(spans)
}

fn load(connection: &Connection, derived: &str, id: TraceId, cancel: &Cancel) -> duckdb::Result<Spans> {
    let mut loader = Loader::new(connection)?;
    for (first, last) in ranges(connection, derived, id)? {
        loader.hide(connection, derived, first, last)?;
        let mut statement = connection.prepare(SPANS)?;
        for batch in statement.stream_arrow(params![id.hi, id.lo, first, last])? {
            if cancel.is_stopped() {
                break;
            }
            loader.push(&batch?)?;
        }
    }
    loader.finish(connection, derived)
}

/// Where rows of the trace can lie: between its first and last settled row, and behind what is settled.
fn ranges(connection: &Connection, derived: &str, id: TraceId) -> duckdb::Result<Vec<(i64, i64)>> {
    let settled: i64 =
        connection.query_row(&format!("SELECT \"row\" FROM {derived}settle_state"), [], |row| row.get(0))?;
    let sql = format!("SELECT first_row, last_row FROM {derived}settled_traces WHERE trace_hi = ? AND trace_lo = ?");
    let known = connection.query_row(&sql, params![id.hi, id.lo], |row| Ok((row.get(0)?, row.get(1)?)));
    let new = (settled.saturating_add(1), i64::MAX);
    Ok(known.optional()?.into_iter().chain([new]).collect())
}

/// Spans as they are read.
struct Loader {
    spans: Spans,
    services: HashMap<u32, u32>,
    text_numbers: HashMap<Box<str>, u32>,
    /// Rows that are hidden, sorted.
    hidden: Vec<i64>,
}

impl Loader {
    fn new(connection: &Connection) -> duckdb::Result<Self> {
        let mut loader = Self {
            spans: Spans::default(),
            services: HashMap::new(),
            text_numbers: HashMap::new(),
            hidden: Vec::new(),
        };
        let mut statement = connection.prepare("SELECT id, service FROM raw_resources")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, service): (u32, String) = (row.get(0)?, row.get(1)?);
            let number = loader.text(&service);
            loader.services.insert(id, number);
        }
        Ok(loader)
    }

    fn hide(&mut self, connection: &Connection, derived: &str, first: i64, last: i64) -> duckdb::Result<()> {
        let sql = format!("SELECT \"row\" FROM {derived}span_duplicates WHERE \"row\" BETWEEN ? AND ?");
        let mut statement = connection.prepare(&sql)?;
        let rows = statement.query_map(params![first, last], |row| row.get(0))?;
        self.hidden = rows.collect::<duckdb::Result<_>>()?;
        self.hidden.sort_unstable();
        Ok(())
    }

    fn text(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.text_numbers.get(text) {
            return number;
        }
        let number = self.spans.texts.len() as u32;
        self.spans.texts.push(text.into());
        self.text_numbers.insert(text.into(), number);
        number
    }

    fn push(&mut self, batch: &RecordBatch) -> duckdb::Result<()> {
        let row = numbers::<Int64Type>(batch, 0)?;
        let kept: Vec<usize> =
            (0..batch.num_rows()).filter(|&at| self.hidden.binary_search(&row.value(at)).is_err()).collect();
        let pick = |values: &mut Vec<i64>, from: &[i64]| values.extend(kept.iter().map(|&at| from[at]));
        let pick_ids = |values: &mut Vec<u64>, from: &[u64]| values.extend(kept.iter().map(|&at| from[at]));
        let pick_bytes = |values: &mut Vec<u8>, from: &[u8]| values.extend(kept.iter().map(|&at| from[at]));
        pick(&mut self.spans.row, row.values());
        pick_ids(&mut self.spans.span_id, numbers::<UInt64Type>(batch, 1)?.values());
        pick_ids(&mut self.spans.parent_span_id, numbers::<UInt64Type>(batch, 2)?.values());
        pick(&mut self.spans.start_ns, numbers::<TimestampNanosecondType>(batch, 3)?.values());
        pick(&mut self.spans.duration_ns, numbers::<Int64Type>(batch, 4)?.values());
        pick_bytes(&mut self.spans.kind, numbers::<UInt8Type>(batch, 5)?.values());
        pick_bytes(&mut self.spans.status, numbers::<UInt8Type>(batch, 6)?.values());
        let marks = numbers::<UInt32Type>(batch, 7)?.values();
        self.spans.marks.extend(kept.iter().map(|&at| marks[at]));
        self.push_texts(batch, &kept)
    }

    fn push_texts(&mut self, batch: &RecordBatch, kept: &[usize]) -> duckdb::Result<()> {
        let resources = numbers::<UInt32Type>(batch, 8)?;
        let names = texts(batch, 9)?;
        for &at in kept {
            let service = match self.services.get(&resources.value(at)) {
                Some(&service) => service,
                None => self.text(""),
            };
            let name = self.text(text_at(names, at).unwrap_or_default());
            self.spans.service.push(service);
            self.spans.name.push(name);
        }
        Ok(())
    }

    /// Adds the marks that settling found.
    fn finish(mut self, connection: &Connection, derived: &str) -> duckdb::Result<Spans> {
        let (Some(&first), Some(&last)) = (self.spans.row.first(), self.spans.row.last()) else {
            return Ok(self.spans);
        };
        let sql = format!("SELECT \"row\", marks FROM {derived}span_marks WHERE \"row\" BETWEEN ? AND ?");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query(params![first, last])?;
        while let Some(row) = rows.next()? {
            let (row, marks): (i64, u32) = (row.get(0)?, row.get(1)?);
            if let Ok(at) = self.spans.row.binary_search(&row) {
                self.spans.marks[at] |= marks;
            }
        }
        Ok(self.spans)
    }
}

impl std::fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:016x}{:016x}", self.hi, self.lo)
    }
}
