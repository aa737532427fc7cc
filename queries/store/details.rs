//! Small questions about the store: one span as it was recorded, and how much there is.

use duckdb::{OptionalExt, Row, params};

use super::{Counts, Reader};
use crate::cancel::Cancel;
use crate::error::AskError;
use crate::trace::details::SpanDetails;

const DETAILS: &str = include_str!("../sql/store/span_details.sql");

/// Returns everything that was recorded with the span in `row`.
pub(super) fn span_details(reader: &Reader, row: i64) -> Result<SpanDetails, AskError> {
    let found = reader
        .run(&Cancel::default(), |connection| connection.query_row(DETAILS, params![row, row], details).optional())?;
    found.ok_or_else(|| AskError::NotFound { what: "span in row", id: row.to_string() })
}

fn details(row: &Row<'_>) -> duckdb::Result<SpanDetails> {
    let text = |name: &str| row.get::<_, Option<String>>(name).map(Option::unwrap_or_default);
    let count =
        |name: &str| row.get::<_, Option<i64>>(name).map(|count| u64::try_from(count.unwrap_or(0)).unwrap_or(0));
    Ok(SpanDetails {
        trace_id: text("trace_id")?,
        span_id: text("span_id")?,
        parent_span_id: text("parent_span_id")?,
        trace_state: text("trace_state")?,
        flags: row.get("flags")?,
        service: text("service")?,
        name: text("name")?,
        kind: row.get("kind_number")?,
        start_ns: row.get("start_ns")?,
        duration_ns: row.get("duration_ns")?,
        status: row.get("status_number")?,
        status_message: text("status_message")?,
        attributes: text("attributes")?,
        resource: text("resource")?,
        resource_schema_url: text("resource_schema_url")?,
        scope_name: text("scope_name")?,
        scope_version: text("scope_version")?,
        scope_attributes: text("scope")?,
        scope_schema_url: text("scope_schema_url")?,
        events: text("events")?,
        links: text("links")?,
        original: text("original")?,
        dropped_attributes: count("dropped_attributes")?,
        dropped_events: count("dropped_events")?,
        dropped_links: count("dropped_links")?,
        marks: row.get("mark_bits")?,
        source: text("source")?,
    })
}

/// Returns how much the store holds.
pub(super) fn counts(reader: &Reader) -> Result<Counts, AskError> {
    let derived = reader.shared().derived();
    let sql = format!(
        "SELECT (SELECT count(*) FROM raw_spans) - (SELECT count(*) FROM {derived}span_duplicates), \
         (SELECT count(*) FROM raw_logs), (SELECT count(*) FROM raw_metrics), \
         (SELECT count(*) FROM {derived}settled_traces), \
         (SELECT coalesce(sum(num_rejects), 0)::UBIGINT FROM raw_sources)"
    );
    reader.run(&Cancel::default(), |connection| {
        connection.query_row(&sql, [], |row| {
            let count = |index: usize| row.get::<_, i64>(index).map(|count| u64::try_from(count).unwrap_or(0));
            Ok(Counts {
                spans: count(0)?,
                logs: count(1)?,
                metrics: count(2)?,
                traces: count(3)?,
                rejects: row.get(4)?,
            })
        })
    })
}
