//! Writes what settling found into the derived tables.

use duckdb::Connection;
use riftline_ingest::column::TextColumn;

use super::edges::{Calls, EdgeKey};
use super::partition::Outcome;
use crate::store::columns::Columns;
use crate::store::views::SHARED_ID;
use crate::store::writer::append_columns;

/// Names of the columns that edges are added up by.
const EDGE_KEYS: [&str; 5] = ["minute", "client", "server", "operation", "bucket"];

/// Makes the temporary tables that changes are gathered in.
pub(super) fn begin(connection: &Connection, derived: &str) -> duckdb::Result<()> {
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE new_traces AS SELECT * FROM {derived}settled_traces LIMIT 0; \
         CREATE OR REPLACE TEMP TABLE edge_changes AS SELECT * FROM {derived}edge_counts LIMIT 0; \
         CREATE OR REPLACE TEMP TABLE new_duplicates AS SELECT * FROM {derived}span_duplicates LIMIT 0; \
         CREATE OR REPLACE TEMP TABLE new_marks AS SELECT * FROM {derived}span_marks LIMIT 0"
    ))
}

/// Writes one part into the temporary tables.
pub(super) fn part(connection: &Connection, outcome: &Outcome<'_>) -> duckdb::Result<()> {
    traces(connection, outcome)?;
    edges(connection, outcome)?;
    let mut duplicates = Columns::default();
    duplicates.int("row", outcome.duplicates.iter().map(|&(row, _)| row).collect());
    duplicates.word("source_id", outcome.duplicates.iter().map(|&(_, source)| source).collect());
    append_columns(connection, "new_duplicates", duplicates)?;
    let mut marks = Columns::default();
    marks.int("row", outcome.shared.clone());
    marks.word("marks", vec![SHARED_ID; outcome.shared.len()]);
    append_columns(connection, "new_marks", marks)
}

fn traces(connection: &Connection, outcome: &Outcome<'_>) -> duckdb::Result<()> {
    let traces = &outcome.traces;
    let texts = |number: fn(&super::summary::Summary) -> u32| {
        let mut column = TextColumn::default();
        for trace in traces {
            column.push(text(outcome, number(trace)));
        }
        column
    };
    let mut columns = Columns::default();
    columns.unsigned("trace_hi", traces.iter().map(|trace| trace.id.0).collect());
    columns.unsigned("trace_lo", traces.iter().map(|trace| trace.id.1).collect());
    columns.time("start", traces.iter().map(|trace| trace.start_ns).collect());
    columns.int("duration_ns", traces.iter().map(|trace| trace.duration_ns).collect());
    columns.text("root_service", texts(|trace| trace.root_service)).map_err(arrow)?;
    columns.text("root_name", texts(|trace| trace.root_name)).map_err(arrow)?;
    columns.int("num_spans", traces.iter().map(|trace| trace.num_spans).collect());
    columns.int("num_services", traces.iter().map(|trace| trace.num_services).collect());
    columns.int("num_errors", traces.iter().map(|trace| trace.num_errors).collect());
    columns.flag("is_complete", traces.iter().map(|trace| trace.is_complete).collect());
    columns.int("first_row", traces.iter().map(|trace| trace.first_row).collect());
    columns.int("last_row", traces.iter().map(|trace| trace.last_row).collect());
    columns.int("num_rows", traces.iter().map(|trace| trace.num_rows).collect());
    append_columns(connection, "new_traces", columns)
}

fn edges(connection: &Connection, outcome: &Outcome<'_>) -> duckdb::Result<()> {
    let edges: Vec<(&EdgeKey, &Calls)> = outcome.edges.iter().collect();
    let texts = |number: fn(&EdgeKey) -> u32| {
        let mut column = TextColumn::default();
        for (key, _) in &edges {
            column.push(text(outcome, number(key)));
        }
        column
    };
    let mut columns = Columns::default();
    columns.time("minute", edges.iter().map(|(key, _)| key.minute_ns).collect());
    columns.text("client", texts(|key| key.client)).map_err(arrow)?;
    columns.text("server", texts(|key| key.server)).map_err(arrow)?;
    columns.text("operation", texts(|key| key.operation)).map_err(arrow)?;
    columns.short("bucket", edges.iter().map(|(key, _)| key.bucket).collect());
    columns.int("calls", edges.iter().map(|(_, calls)| calls.calls).collect());
    columns.int("errors", edges.iter().map(|(_, calls)| calls.errors).collect());
    append_columns(connection, "edge_changes", columns)
}

fn text<'a>(outcome: &'a Outcome<'_>, number: u32) -> &'a str {
    outcome.rows.texts.get(number as usize).map_or("", |text| text)
}

fn arrow(error: duckdb::arrow::error::ArrowError) -> duckdb::Error {
    duckdb::Error::ToSqlConversionFailure(error.into())
}

/// Adds the changes of edges to what is there; what comes to nothing goes.
pub(super) fn sum_edges(connection: &Connection, derived: &str) -> duckdb::Result<()> {
    let (same, keys) = (same_edge(), EDGE_KEYS.join(", "));
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE edge_sums AS \
         SELECT {keys}, CAST(sum(calls) AS BIGINT) AS calls, CAST(sum(errors) AS BIGINT) AS errors \
         FROM (FROM edge_changes UNION ALL \
         SELECT edge_counts.* FROM {derived}edge_counts SEMI JOIN edge_changes c ON {same}) \
         GROUP BY {keys} HAVING sum(calls) <> 0"
    ))
}

/// Moves everything into the derived tables and notes how far they are.
pub(super) fn finish(connection: &Connection, derived: &str, upto: i64) -> duckdb::Result<()> {
    let (same, keys) = (same_edge(), EDGE_KEYS.join(", "));
    connection.execute_batch(&format!(
        "DELETE FROM {derived}settled_traces USING touched t \
         WHERE t.old_num > 0 AND settled_traces.trace_hi = t.trace_hi AND settled_traces.trace_lo = t.trace_lo; \
         INSERT INTO {derived}settled_traces SELECT * FROM new_traces; \
         INSERT INTO {derived}span_duplicates SELECT * FROM new_duplicates; \
         INSERT INTO {derived}span_marks SELECT * FROM new_marks; \
         DELETE FROM {derived}edge_counts USING edge_changes c WHERE {same}; \
         INSERT INTO {derived}edge_counts SELECT * FROM edge_sums ORDER BY {keys}; \
         UPDATE {derived}settle_state SET \"row\" = {upto}; \
         DROP TABLE new_traces; DROP TABLE edge_changes; DROP TABLE edge_sums; DROP TABLE new_duplicates; \
         DROP TABLE new_marks; DROP TABLE touched"
    ))
}

fn same_edge() -> String {
    EDGE_KEYS.map(|key| format!("edge_counts.{key} = c.{key}")).join(" AND ")
}
