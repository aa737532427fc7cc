//! Reads a stretch of the store into a window.

use duckdb::Connection;
use duckdb::arrow::array::{Array, BooleanArray, Float64Array, StringArray};
use duckdb::arrow::datatypes::{Float64Type, Int64Type, TimestampNanosecondType, UInt8Type, UInt32Type, UInt64Type};
use duckdb::arrow::record_batch::RecordBatch;
use hashbrown::HashMap;

use super::stretches::Stretch;
use crate::store::arrays::{numbers, text_at, texts};
use crate::store::schema::{PhysicalColumns, stored_conventions};
use crate::store::views::quote;
use crate::trace::window::{Builder, LogRecord, MetricRecord, SpanRecord, Symbol, Window, from_batch};

/// Log records of one stretch that are looked at, at most: those that name a trace, and those that say that something was dropped.
const MAX_LOGS: u64 = 1_000_000;

/// Reads the spans of all traces that start in the stretch, and the logs of its time.
pub(super) fn window(connection: &Connection, derived: &str, stretch: &Stretch) -> duckdb::Result<Window> {
    let mut loader = Loader::new(connection)?;
    loader.spans(connection, derived, stretch)?;
    loader.logs(connection, stretch)?;
    loader.metrics(connection, stretch)?;
    Ok(loader.builder.finish())
}

struct Loader {
    builder: Builder,
    resources: HashMap<u32, u32>,
    scopes: HashMap<u32, u32>,
    /// The convention columns that spans have: column and key.
    conventions: Vec<(String, Symbol)>,
}

impl Loader {
    fn new(connection: &Connection) -> duckdb::Result<Self> {
        let mut builder = Builder::default();
        let physical = PhysicalColumns::read(connection)?;
        let known = stored_conventions(connection)?;
        let of_spans = known.iter().filter(|one| physical.has("raw_spans", &one.column));
        let conventions = of_spans.map(|one| (one.column.clone(), builder.texts.intern(&one.key))).collect();
        let mut loader = Self { builder, resources: HashMap::new(), scopes: HashMap::new(), conventions };
        loader.dictionaries(connection)?;
        Ok(loader)
    }

    fn dictionaries(&mut self, connection: &Connection) -> duckdb::Result<()> {
        let mut statement = connection.prepare("SELECT id, service, attributes FROM raw_resources ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, service, attributes): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            self.resources.insert(id, self.builder.stored_resource(id, &service, &attributes));
        }
        let mut statement = connection.prepare("SELECT id, name, version FROM raw_scopes ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (id, name, version): (u32, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            self.scopes.insert(id, self.builder.scope(&name, &version));
        }
        Ok(())
    }

    fn spans(&mut self, connection: &Connection, derived: &str, stretch: &Stretch) -> duckdb::Result<()> {
        let columns: Vec<String> =
            self.conventions.iter().map(|(column, _)| format!(", s.{}", quote(column))).collect();
        let columns = columns.concat();
        let of_stretch = if stretch.is_all {
            String::new()
        } else {
            format!(
                "SEMI JOIN (SELECT trace_hi, trace_lo FROM {derived}settled_traces WHERE start >= make_timestamp_ns({}) \
                 AND start < make_timestamp_ns({})) t ON t.trace_hi = s.trace_hi AND t.trace_lo = s.trace_lo",
                stretch.from_ns, stretch.to_ns
            )
        };
        let sql = format!(
            "SELECT s.\"row\", s.trace_hi, s.trace_lo, s.span_id, s.parent_span_id, s.start, s.duration_ns, s.kind, s.status, \
             s.flags, s.resource_id, s.scope_id, s.name, s.trace_state, s.attributes, s.links, s.status_message, \
             CASE WHEN s.status = 2 THEN s.events END{columns} FROM raw_spans s \
             ANTI JOIN {derived}span_duplicates d ON d.\"row\" = s.\"row\" {of_stretch} \
             WHERE s.\"row\" <= (SELECT \"row\" FROM {derived}settle_state)"
        );
        let mut statement = connection.prepare(&sql)?;
        for batch in statement.stream_arrow([])? {
            self.push_spans(&batch?)?;
        }
        Ok(())
    }

    fn push_spans(&mut self, batch: &RecordBatch) -> duckdb::Result<()> {
        let columns = SpanColumns::of(batch)?;
        for at in 0..batch.num_rows() {
            for (index, (_, key)) in self.conventions.iter().enumerate() {
                attribute(&mut self.builder, *key, batch, SpanColumns::FIXED + index, at);
            }
            self.builder.attributes(text_at(columns.attributes, at).unwrap_or_default());
            self.builder.links(text_at(columns.links, at).unwrap_or_default());
            let mut record = columns.record(at);
            record.resource = self.resources.get(&record.resource).copied().unwrap_or(0);
            record.scope = self.scopes.get(&record.scope).copied().unwrap_or(0);
            record.name = self.builder.texts.intern(text_at(columns.name, at).unwrap_or_default());
            record.trace_state = self.builder.texts.intern(text_at(columns.trace_state, at).unwrap_or_default());
            let said = text_at(columns.status_message, at).unwrap_or_default();
            let events = text_at(columns.events, at).unwrap_or_default();
            record.message = from_batch::message(&mut self.builder, record.status, said, events);
            self.builder.push(record);
        }
        Ok(())
    }

    fn metrics(&mut self, connection: &Connection, stretch: &Stretch) -> duckdb::Result<()> {
        let of_stretch = of_time(stretch);
        let sql = format!(
            "SELECT start, time, temporality, resource_id, \
             coalesce(value_double, CAST(value_int AS DOUBLE), CAST(count AS DOUBLE), 0.0), name, attributes FROM raw_metrics \
             WHERE (starts_with(name, 'otel') OR starts_with(name, 'http.client.')) {of_stretch}"
        );
        let mut statement = connection.prepare(&sql)?;
        for batch in statement.stream_arrow([])? {
            self.push_metrics(&batch?)?;
        }
        Ok(())
    }

    fn push_metrics(&mut self, batch: &RecordBatch) -> duckdb::Result<()> {
        let start = numbers::<TimestampNanosecondType>(batch, 0)?;
        let time = numbers::<TimestampNanosecondType>(batch, 1)?;
        let temporality = numbers::<UInt8Type>(batch, 2)?;
        let resource = numbers::<UInt32Type>(batch, 3)?;
        let value = numbers::<Float64Type>(batch, 4)?;
        let (name, attributes) = (texts(batch, 5)?, texts(batch, 6)?);
        for at in 0..batch.num_rows() {
            self.builder.attributes(text_at(attributes, at).unwrap_or_default());
            let name = self.builder.texts.intern(text_at(name, at).unwrap_or_default());
            self.builder.push_metric(MetricRecord {
                name,
                resource: self.resources.get(&resource.value(at)).copied().unwrap_or(0),
                start_ns: start.value(at),
                time_ns: time.value(at),
                value: value.value(at),
                is_delta: temporality.value(at) == 1,
            });
        }
        Ok(())
    }

    fn logs(&mut self, connection: &Connection, stretch: &Stretch) -> duckdb::Result<()> {
        let of_stretch = of_time(stretch);
        let sql = format!(
            "SELECT time, resource_id, trace_hi, trace_lo, span_id, body, attributes FROM raw_logs \
             WHERE (trace_hi <> 0 OR trace_lo <> 0 OR body ILIKE '%dropped%') {of_stretch} \
             ORDER BY time, \"row\" LIMIT {MAX_LOGS}"
        );
        let mut statement = connection.prepare(&sql)?;
        for batch in statement.stream_arrow([])? {
            self.push_logs(&batch?)?;
        }
        Ok(())
    }

    fn push_logs(&mut self, batch: &RecordBatch) -> duckdb::Result<()> {
        let time = numbers::<TimestampNanosecondType>(batch, 0)?;
        let resource = numbers::<UInt32Type>(batch, 1)?;
        let (hi, lo) = (numbers::<UInt64Type>(batch, 2)?, numbers::<UInt64Type>(batch, 3)?);
        let span = numbers::<UInt64Type>(batch, 4)?;
        let (body, attributes) = (texts(batch, 5)?, texts(batch, 6)?);
        for at in 0..batch.num_rows() {
            self.builder.attributes(text_at(attributes, at).unwrap_or_default());
            let body = self.builder.texts.intern(text_at(body, at).unwrap_or_default());
            self.builder.push_log(LogRecord {
                time_ns: time.value(at),
                resource: self.resources.get(&resource.value(at)).copied().unwrap_or(0),
                trace_id: id(hi.value(at), lo.value(at)),
                span_id: span.value(at),
                body,
            });
        }
        Ok(())
    }
}

/// What lies in the stretch's time, as SQL behind a condition.
fn of_time(stretch: &Stretch) -> String {
    if stretch.is_all {
        return String::new();
    }
    let (from, to) = (stretch.from_ns, stretch.to_ns);
    format!("AND time >= make_timestamp_ns({from}) AND time < make_timestamp_ns({to})")
}

/// The columns that every span has.
struct SpanColumns<'b> {
    numbers: [&'b [i64]; 3],
    ids: [&'b [u64]; 4],
    bytes: [&'b [u8]; 2],
    words: [&'b [u32]; 3],
    name: &'b StringArray,
    trace_state: &'b StringArray,
    attributes: &'b StringArray,
    links: &'b StringArray,
    status_message: &'b StringArray,
    /// Of spans that failed.
    events: &'b StringArray,
}

impl<'b> SpanColumns<'b> {
    /// How many there are; those of conventions follow.
    const FIXED: usize = 18;

    fn of(batch: &'b RecordBatch) -> duckdb::Result<Self> {
        let id = |at| numbers::<UInt64Type>(batch, at).map(|array| &array.values()[..]);
        let byte = |at| numbers::<UInt8Type>(batch, at).map(|array| &array.values()[..]);
        let word = |at| numbers::<UInt32Type>(batch, at).map(|array| &array.values()[..]);
        let (row, duration) = (numbers::<Int64Type>(batch, 0)?, numbers::<Int64Type>(batch, 6)?);
        let start = numbers::<TimestampNanosecondType>(batch, 5)?;
        Ok(Self {
            numbers: [row.values(), start.values(), duration.values()],
            ids: [id(1)?, id(2)?, id(3)?, id(4)?],
            bytes: [byte(7)?, byte(8)?],
            words: [word(9)?, word(10)?, word(11)?],
            name: texts(batch, 12)?,
            trace_state: texts(batch, 13)?,
            attributes: texts(batch, 14)?,
            links: texts(batch, 15)?,
            status_message: texts(batch, 16)?,
            events: texts(batch, 17)?,
        })
    }

    /// The numbers of a span; `resource` and `scope` are the store's ids.
    fn record(&self, at: usize) -> SpanRecord {
        SpanRecord {
            row: self.numbers[0][at],
            trace_id: id(self.ids[0][at], self.ids[1][at]),
            span_id: self.ids[2][at],
            parent_span_id: self.ids[3][at],
            start_ns: self.numbers[1][at],
            duration_ns: self.numbers[2][at],
            kind: self.bytes[0][at],
            status: self.bytes[1][at],
            flags: self.words[0][at],
            resource: self.words[1][at],
            scope: self.words[2][at],
            ..SpanRecord::default()
        }
    }
}

/// Adds the value of a convention's column, whatever its type.
fn attribute(builder: &mut Builder, key: Symbol, batch: &RecordBatch, column: usize, at: usize) {
    let Some(array) = batch.columns().get(column).filter(|array| array.is_valid(at)) else { return };
    let any = array.as_any();
    if let Some(texts) = any.downcast_ref::<StringArray>() {
        builder.attribute(key, texts.value(at));
    } else if let Some(values) = any.downcast_ref::<duckdb::arrow::array::Int64Array>() {
        builder.attribute(key, &values.value(at).to_string());
    } else if let Some(values) = any.downcast_ref::<Float64Array>() {
        builder.attribute(key, &format!("{:?}", values.value(at)));
    } else if let Some(values) = any.downcast_ref::<BooleanArray>() {
        builder.attribute(key, if values.value(at) { "true" } else { "false" });
    }
}

fn id(hi: u64, lo: u64) -> u128 {
    u128::from(hi) << 64 | u128::from(lo)
}
