//! Three layouts of spans, compared on the same rows: rows written a second, bytes a row, and the time of three questions.
//!
//! `cargo bench -p riftline-queries --bench store_layout -- FILE...` (see docs/adr/0001-store-layout.md). The rows are read once, put into
//! Arrow batches of each layout, and only then written: what is measured is the store, not the parser.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "compares bare databases, not stores")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use duckdb::Connection;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::vtab::arrow::{ArrowBatchRegistration, ArrowVTab};
use riftline_ingest::read::{Input, Limits, ReadOptions};
use riftline_queries::load::{LoadOptions, load};
use riftline_queries::store::Store;

const CORE: &str = "s.\"row\", s.trace_hi, s.trace_lo, s.span_id, s.parent_span_id, s.start, s.duration_ns, s.kind, s.status, \
                    s.flags, s.scope_id, s.marks, s.source_id, s.events, s.links, s.status_message";

/// A layout: how its rows come out of a store, and how one attribute value is counted in it.
struct Layout {
    name: &'static str,
    rows: String,
    count: &'static str,
}

fn layouts() -> [Layout; 3] {
    [
        Layout {
            name: "typed columns",
            rows: "SELECT * FROM raw_spans".to_owned(),
            count: "SELECT count(*) FROM layout WHERE http_response_status_code = 500",
        },
        Layout {
            name: "interned pairs",
            rows: format!(
                "SELECT {CORE}, s.resource_id, n.id AS name_id, p.pairs, t.tail FROM raw_spans s \
                 LEFT JOIN names n ON n.name IS NOT DISTINCT FROM s.name LEFT JOIN pairs p ON p.\"row\" = s.\"row\" \
                 LEFT JOIN tails t ON t.\"row\" = s.\"row\" ORDER BY s.\"row\""
            ),
            count: "SELECT count(*) FROM layout WHERE list_contains(pairs, $wanted)",
        },
        Layout {
            name: "JSON text",
            rows: format!(
                "SELECT {CORE}, s.resource_id, s.name, CAST(v.attributes AS VARCHAR) AS attributes \
                 FROM raw_spans s JOIN spans v ON v.\"row\" = s.\"row\" ORDER BY s.\"row\""
            ),
            count: "SELECT count(*) FROM layout \
                    WHERE json_extract_string(attributes, '$.\"http.response.status_code\"') = '500'",
        },
    ]
}

/// Pairs of key and value are interned where a key has at most 1000 values; the rest stays text.
const INTERN: &str = "
    CREATE TEMP TABLE members AS
        SELECT v.\"row\", j.key, j.value::VARCHAR AS value FROM spans v, json_each(v.attributes) j;
    CREATE TEMP TABLE few AS SELECT key FROM members GROUP BY key HAVING count(DISTINCT value) <= 1000;
    CREATE TEMP TABLE dictionary AS
        SELECT key, value, (row_number() OVER ())::UINTEGER AS id
        FROM (SELECT DISTINCT key, value FROM members SEMI JOIN few USING (key));
    CREATE TEMP TABLE pairs AS
        SELECT m.\"row\", list(d.id) AS pairs FROM members m JOIN dictionary d USING (key, value) GROUP BY m.\"row\";
    CREATE TEMP TABLE tails AS
        SELECT \"row\", json_group_object(key, value)::VARCHAR AS tail FROM members ANTI JOIN few USING (key) GROUP BY \"row\";
    CREATE TEMP TABLE names AS
        SELECT name, (row_number() OVER ())::UINTEGER AS id FROM (SELECT DISTINCT name FROM raw_spans);";

fn main() -> Result<(), Box<dyn Error>> {
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if files.is_empty() {
        println!("name OTLP files to measure on, such as those of a generator or sample-traces/*/*.jsonl.gz");
        return Ok(());
    }
    let store = Store::temporary()?;
    let inputs: Vec<Input> = files.into_iter().map(Input::Path).collect();
    let read = ReadOptions {
        conventions: store.conventions(),
        format: None,
        num_threads: 2,
        limits: Limits::default(),
        patterns: Arc::default(),
    };
    let options = LoadOptions { read, settle: false, live: false };
    load(&store, &inputs, &options, &mut |_| ControlFlow::Continue(()))?;
    let reader = store.reader()?;
    let source = reader.connection();
    source.execute_batch(INTERN)?;
    let wanted = source
        .query_row(
            "SELECT id FROM dictionary WHERE key LIKE 'http%status_code' AND value IN ('500', '\"500\"')",
            [],
            |row| row.get::<_, u32>(0),
        )
        .unwrap_or(0);
    println!(
        "{:<16} {:>10} {:>10} {:>8} {:>10} {:>10}",
        "layout", "rows/s", "CPU µs/row", "B/row", "count ms", "trace ms"
    );
    for layout in layouts() {
        let mut statement = source.prepare(&layout.rows)?;
        let batches: Vec<RecordBatch> = statement.stream_arrow([])?.collect::<duckdb::Result<_>>()?;
        let count = layout.count.replace("$wanted", &wanted.to_string());
        measure(layout.name, &batches, &count)?;
    }
    let extra: i64 = source.query_row(
        "SELECT sum(octet_length(value::BLOB) + octet_length(key::BLOB)) FROM dictionary",
        [],
        |row| row.get(0),
    )?;
    println!("interned pairs also need a dictionary of {extra} bytes of text");
    Ok(())
}

fn measure(name: &str, batches: &[RecordBatch], count: &str) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("layout.db");
    let num_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let before = processor_time()?;
    let (connection, seconds) = write(&path, batches)?;
    let processor = processor_time()?.saturating_sub(before);
    let bytes = std::fs::metadata(&path)?.len();
    let last = "SELECT 'SELECT * FROM layout WHERE trace_hi = ' || trace_hi || ' AND trace_lo = ' || trace_lo \
                FROM layout ORDER BY \"row\" DESC LIMIT 1";
    let trace: String = connection.query_row(last, [], |row| row.get(0))?;
    println!(
        "{name:<16} {:>10.0} {:>10.2} {:>8.1} {:>10.2} {:>10.2}",
        num_rows as f64 / seconds.as_secs_f64(),
        processor.as_secs_f64() * 1e6 / num_rows as f64,
        bytes as f64 / num_rows as f64,
        best(&connection, count)?.as_secs_f64() * 1e3,
        best(&connection, &trace)?.as_secs_f64() * 1e3,
    );
    Ok(())
}

/// Writes in commits of a row group and a checkpoint at the end. Lists go in batches of one vector, as they must.
fn write(path: &Path, batches: &[RecordBatch]) -> Result<(Connection, Duration), Box<dyn Error>> {
    let connection = Connection::open(path)?;
    connection.register_table_function::<ArrowVTab>("arrow")?;
    connection.execute_batch("SET memory_limit = '256MB'")?;
    let Some(first) = batches.first() else { return Err("no rows".into()) };
    connection
        .prepare("CREATE TABLE layout AS SELECT * FROM arrow(?) LIMIT 0")?
        .execute([&ArrowBatchRegistration::new(first.clone())])?;
    let begun = Instant::now();
    for group in batches.chunks(60) {
        connection.execute_batch("BEGIN")?;
        let mut appender = connection.appender("layout")?;
        for batch in group {
            appender.append_record_batch(batch.clone())?;
        }
        appender.flush()?;
        drop(appender);
        connection.execute_batch("COMMIT")?;
    }
    connection.execute_batch("CHECKPOINT")?;
    Ok((connection, begun.elapsed()))
}

/// Returns the processor time of all threads so far: a busy machine changes it less than the time of day. In hundredths of a
/// second, as proc(5) gives it.
fn processor_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

fn best(connection: &Connection, sql: &str) -> Result<Duration, Box<dyn Error>> {
    let mut best = Duration::MAX;
    for _ in 0..7 {
        let begun = Instant::now();
        let mut statement = connection.prepare(sql)?;
        for batch in statement.stream_arrow([])? {
            batch?;
        }
        best = best.min(begun.elapsed());
    }
    Ok(best)
}
