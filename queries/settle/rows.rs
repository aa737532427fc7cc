//! The spans of touched traces as columns, grouped by trace.

use std::hash::BuildHasher;

use duckdb::Connection;
use duckdb::arrow::datatypes::{Int64Type, TimestampNanosecondType, UInt8Type, UInt32Type, UInt64Type};
use duckdb::arrow::record_batch::RecordBatch;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::{Stop, Stretch};
use crate::cancel::Cancel;
use crate::store::arrays::{numbers, text_at, texts};
use crate::store::schema::PhysicalColumns;

/// Stands for "no text".
pub(super) const NO_TEXT: u32 = u32::MAX;

/// Where a call goes that has no span on the other side: the first of these that is recorded.
const PEERS: [&str; 5] = ["peer_service", "db_system_name", "messaging_system", "server_address", "net_peer_name"];

/// Spans in the order of their rows. All columns have the same length.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) row: Vec<i64>,
    pub(super) trace: Vec<u32>,
    pub(super) span_id: Vec<u64>,
    pub(super) parent_span_id: Vec<u64>,
    pub(super) start_ns: Vec<i64>,
    pub(super) duration_ns: Vec<i64>,
    pub(super) kind: Vec<u8>,
    pub(super) status: Vec<u8>,
    /// Numbers into `texts`.
    pub(super) service: Vec<u32>,
    pub(super) name: Vec<u32>,
    /// Number into `texts`, or [`NO_TEXT`].
    pub(super) peer: Vec<u32>,
    pub(super) texts: Vec<Box<str>>,
    /// By trace: its id.
    pub(super) trace_ids: Vec<(u64, u64)>,
    /// Positions of all spans, trace by trace, by row within each; `trace_starts` has one entry more than there are traces.
    pub(super) by_trace: Vec<u32>,
    pub(super) trace_starts: Vec<u32>,
}

/// Reads the rows of the touched traces of one part: new ones, and old ones of traces that were settled before.
pub(super) fn read(
    connection: &Connection,
    stretch: &Stretch,
    part: (u64, u64),
    cancel: &Cancel,
) -> Result<Rows, Stop> {
    let mut reader = RowReader::new(connection)?;
    let select = select(connection)?;
    let of_part =
        if part.1 > 1 { format!(" AND hash(s.trace_hi, s.trace_lo) % {} = {}", part.1, part.0) } else { String::new() };
    if stretch.first_old <= stretch.after {
        let (first, last) = (stretch.first_old, stretch.after);
        let touched = "SEMI JOIN (SELECT trace_hi, trace_lo FROM touched WHERE old_num > 0) t \
                       ON t.trace_hi = s.trace_hi AND t.trace_lo = s.trace_lo";
        let sql = format!("{select} {touched} WHERE s.\"row\" BETWEEN {first} AND {last}{of_part}");
        reader.read(connection, &sql, cancel)?;
    }
    let (after, upto) = (stretch.after, stretch.upto);
    let sql = format!("{select} WHERE s.\"row\" > {after} AND s.\"row\" <= {upto}{of_part}");
    reader.read(connection, &sql, cancel)?;
    Ok(reader.finish())
}

fn select(connection: &Connection) -> duckdb::Result<String> {
    let physical = PhysicalColumns::read(connection)?;
    let known: Vec<String> =
        PEERS.iter().filter(|peer| physical.has("raw_spans", peer)).map(|peer| format!("s.{peer}")).collect();
    let peer =
        if known.is_empty() { "NULL::VARCHAR".to_owned() } else { format!("coalesce({}, NULL)", known.join(", ")) };
    Ok(format!(
        "SELECT s.\"row\", s.trace_hi, s.trace_lo, s.span_id, s.parent_span_id, s.start, s.duration_ns, s.kind, s.status, \
         s.resource_id, s.name, CASE WHEN s.kind IN (3, 4) THEN {peer} END FROM raw_spans s"
    ))
}

struct RowReader {
    rows: Rows,
    traces: HashMap<(u64, u64), u32>,
    services: HashMap<u32, u32>,
    text_table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl RowReader {
    fn new(connection: &Connection) -> duckdb::Result<Self> {
        let mut reader = Self {
            rows: Rows::default(),
            traces: HashMap::new(),
            services: HashMap::new(),
            text_table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        };
        let mut statement = connection.prepare("SELECT id, service FROM raw_resources")?;
        let mut services = statement.query([])?;
        while let Some(row) = services.next()? {
            let (id, service): (u32, String) = (row.get(0)?, row.get(1)?);
            let number = reader.text(&service);
            reader.services.insert(id, number);
        }
        Ok(reader)
    }

    fn read(&mut self, connection: &Connection, sql: &str, cancel: &Cancel) -> Result<(), Stop> {
        let mut statement = connection.prepare(sql)?;
        for batch in statement.stream_arrow([])? {
            if cancel.is_stopped() {
                return Err(Stop::Cancelled);
            }
            self.push(&batch?)?;
        }
        Ok(())
    }

    fn push(&mut self, batch: &RecordBatch) -> duckdb::Result<()> {
        let rows = &mut self.rows;
        rows.row.extend_from_slice(numbers::<Int64Type>(batch, 0)?.values());
        rows.span_id.extend_from_slice(numbers::<UInt64Type>(batch, 3)?.values());
        rows.parent_span_id.extend_from_slice(numbers::<UInt64Type>(batch, 4)?.values());
        rows.start_ns.extend_from_slice(numbers::<TimestampNanosecondType>(batch, 5)?.values());
        rows.duration_ns.extend_from_slice(numbers::<Int64Type>(batch, 6)?.values());
        rows.kind.extend_from_slice(numbers::<UInt8Type>(batch, 7)?.values());
        rows.status.extend_from_slice(numbers::<UInt8Type>(batch, 8)?.values());
        let hi = numbers::<UInt64Type>(batch, 1)?.values();
        let lo = numbers::<UInt64Type>(batch, 2)?.values();
        for (&hi, &lo) in hi.iter().zip(lo.iter()) {
            let number = self.trace((hi, lo));
            self.rows.trace.push(number);
        }
        self.push_texts(batch)
    }

    fn push_texts(&mut self, batch: &RecordBatch) -> duckdb::Result<()> {
        let resources = numbers::<UInt32Type>(batch, 9)?.values();
        let (names, peers) = (texts(batch, 10)?, texts(batch, 11)?);
        for (at, resource) in resources.iter().enumerate() {
            let service = match self.services.get(resource) {
                Some(&service) => service,
                None => self.text(""),
            };
            let name = self.text(text_at(names, at).unwrap_or_default());
            let peer = text_at(peers, at).map_or(NO_TEXT, |peer| self.text(peer));
            self.rows.service.push(service);
            self.rows.name.push(name);
            self.rows.peer.push(peer);
        }
        Ok(())
    }

    fn trace(&mut self, id: (u64, u64)) -> u32 {
        // Spans of one trace mostly come one after the other.
        if let Some(&number) = self.rows.trace.last()
            && self.rows.trace_ids[number as usize] == id
        {
            return number;
        }
        let next = self.rows.trace_ids.len() as u32;
        let number = *self.traces.entry(id).or_insert(next);
        if number == next {
            self.rows.trace_ids.push(id);
        }
        number
    }

    /// Returns the number of a text; each is kept once.
    fn text(&mut self, text: &str) -> u32 {
        let hasher = &self.hasher;
        let all = &mut self.rows.texts;
        let hash = hasher.hash_one(text);
        if let Some(&number) = self.text_table.find(hash, |&number| &*all[number as usize] == text) {
            return number;
        }
        let number = all.len() as u32;
        all.push(text.into());
        self.text_table.insert_unique(hash, number, |&number| hasher.hash_one(&*all[number as usize]));
        number
    }

    /// Groups the rows by trace: by counting, since traces are numbered.
    fn finish(mut self) -> Rows {
        let rows = &mut self.rows;
        let mut starts = vec![0_u32; rows.trace_ids.len() + 1];
        for &trace in &rows.trace {
            starts[trace as usize + 1] += 1;
        }
        for trace in 1..starts.len() {
            starts[trace] += starts[trace - 1];
        }
        let mut next = starts.clone();
        rows.by_trace = vec![0; rows.row.len()];
        for (at, &trace) in rows.trace.iter().enumerate() {
            rows.by_trace[next[trace as usize] as usize] = at as u32;
            next[trace as usize] += 1;
        }
        // Scans on several threads may hand rows out of order.
        if !rows.row.is_sorted() {
            for window in starts.windows(2) {
                let of_trace = &mut rows.by_trace[window[0] as usize..window[1] as usize];
                of_trace.sort_unstable_by_key(|&at| rows.row[at as usize]);
            }
        }
        rows.trace_starts = starts;
        self.rows
    }
}

impl Rows {
    /// Returns how many traces there are.
    pub(super) fn num_traces(&self) -> usize {
        self.trace_ids.len()
    }

    /// Returns the spans of `trace`, as positions, by row.
    pub(super) fn of_trace(&self, trace: usize) -> &[u32] {
        &self.by_trace[self.trace_starts[trace] as usize..self.trace_starts[trace + 1] as usize]
    }
}
