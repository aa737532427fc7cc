//! The text of the views: `sql/store/views.sql` with one column for each convention that the store knows.

use std::fmt::Write;

use duckdb::Connection;
use riftline_ingest::convention::ValueType;
use riftline_ingest::event::FlowKind;
use riftline_ingest::marks::Mark;

use super::schema::{self, PhysicalColumns};
use super::{Access, event_views};

const VIEWS: &str = include_str!("../sql/store/views.sql");
const MACROS: &str = include_str!("../sql/store/macros.sql");
const DERIVED: &str = include_str!("../sql/store/derived.sql");

/// Another span of the trace has the same ids but other content. Set by settling, beside the marks of [`Mark`].
pub(crate) const SHARED_ID: u32 = 1 << 16;
const SHARED_ID_NAME: &str = "shared-id";

const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

/// A convention as the store knows it: its column exists for as long as the store does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredConvention {
    pub(crate) key: String,
    pub(crate) column: String,
    pub(crate) value: ValueType,
    pub(crate) on_spans: bool,
}

/// Returns what stands before the names of derived tables.
pub(crate) fn derived_prefix(access: Access) -> &'static str {
    match access {
        Access::ReadWrite => "",
        Access::ReadOnly => "derived.main.",
    }
}

/// Returns the statements that make the derived tables.
pub(super) fn derived_tables(access: Access) -> String {
    DERIVED.replace("{{derived}}", derived_prefix(access))
}

/// Returns the statements that make all macros and views of the store.
pub(super) fn of_store(connection: &Connection, access: Access) -> duckdb::Result<String> {
    let conventions = schema::stored_conventions(connection)?;
    let mut sql = all(&conventions, &PhysicalColumns::read(connection)?, access);
    let classes = event_views::stored(connection)?;
    sql.push_str(&event_views::kernel_events(&classes, derived_prefix(access)));
    if access == Access::ReadWrite {
        sql.push_str(&event_views::of_classes(&classes));
    }
    Ok(sql)
}

fn all(conventions: &[StoredConvention], physical: &PhysicalColumns, access: Access) -> String {
    let views = VIEWS
        .replace("{{kind}}", &names("s.kind", &KINDS))
        .replace("{{status}}", &names("s.status", &STATUSES))
        .replace("{{span_conventions}}", &convention_columns(conventions, physical))
        .replace("{{span_attributes}}", &attributes(conventions, physical))
        .replace("{{span_marks}}", &marks("(s.marks | coalesce(m.marks, 0))"))
        .replace("{{log_marks}}", &marks("l.marks"))
        .replace("{{metric_marks}}", &marks("p.marks"))
        .replace("{{flow_kind}}", &flow_kinds())
        .replace("{{derived}}", derived_prefix(access));
    format!("{MACROS}\n{views}")
}

fn names(column: &str, names: &[&str]) -> String {
    let mut sql = format!("CASE {column}");
    for (number, name) in names.iter().enumerate() {
        let _ = write!(sql, " WHEN {number} THEN '{name}'");
    }
    let _ = write!(sql, " ELSE '{}' END", names.first().copied().unwrap_or_default());
    sql
}

/// The name of a flow's kind, whose numbers begin at 1.
fn flow_kinds() -> String {
    let each = FlowKind::ALL.iter().map(|kind| format!(" WHEN {} THEN '{}'", *kind as u8, kind.name()));
    format!("CASE f.kind{} END", each.collect::<String>())
}

/// The names of the marks in `bits`, joined by commas; NULL where there are none.
fn marks(bits: &str) -> String {
    let known = Mark::ALL.iter().map(|mark| (mark.bit(), mark.name())).chain([(SHARED_ID, SHARED_ID_NAME)]);
    let each: Vec<String> =
        known.map(|(bit, name)| format!("CASE WHEN {bits} & {bit} <> 0 THEN '{name}' END")).collect();
    format!("CASE WHEN {bits} <> 0 THEN concat_ws(',', {}) END", each.join(", "))
}

/// The span's value, else the resource's; columns that no row has used so far are not there yet.
fn convention_columns(conventions: &[StoredConvention], physical: &PhysicalColumns) -> String {
    conventions.iter().fold(String::new(), |mut sql, convention| {
        let column = quote(&convention.column);
        let of_span = physical.has("raw_spans", &convention.column);
        let of_resource = physical.has("raw_resources", &convention.column);
        let _ = match (of_span, of_resource) {
            (true, true) => write!(sql, "coalesce(s.{column}, r.{column}) AS {column},\n    "),
            (true, false) => write!(sql, "s.{column},\n    "),
            (false, true) => write!(sql, "r.{column},\n    "),
            (false, false) => write!(sql, "NULL::{} AS {column},\n    ", sql_type(convention.value)),
        };
        sql
    })
}

fn sql_type(value: ValueType) -> &'static str {
    match value {
        ValueType::Text => "VARCHAR",
        ValueType::Int => "BIGINT",
        ValueType::Double => "DOUBLE",
        ValueType::Bool => "BOOLEAN",
    }
}

/// Puts the recorded attributes together again: columns under the keys they were recorded with, then the rest.
fn attributes(conventions: &[StoredConvention], physical: &PhysicalColumns) -> String {
    let of_spans = conventions.iter().filter(|one| physical.has("raw_spans", &one.column));
    let mut members: Vec<String> = of_spans.map(|one| member(one, physical)).collect();
    members.push("nullif(s.attributes[2:-2], '')".to_owned());
    format!("CAST('{{' || concat_ws(',', {}) || '}}' AS JSON)", members.join(", "))
}

/// `"key":value` of one convention; NULL where the span has none.
fn member(convention: &StoredConvention, physical: &PhysicalColumns) -> String {
    let column = format!("s.{}", quote(&convention.column));
    let key = if physical.has("raw_alias_sets", &convention.column) {
        format!("'\"' || coalesce(a.{}, {}) || '\":'", quote(&convention.column), text(&convention.key))
    } else {
        text(&format!("\"{}\":", convention.key))
    };
    let value = match convention.value {
        ValueType::Text => format!("CAST(to_json({column}) AS VARCHAR)"),
        ValueType::Int | ValueType::Bool => format!("CAST({column} AS VARCHAR)"),
        ValueType::Double => double(&column),
    };
    format!("{key} || {value}")
}

pub(super) fn double(column: &str) -> String {
    format!(
        "CASE WHEN isnan({column}) THEN '{{\"double\":\"NaN\"}}' WHEN {column} = 'inf'::DOUBLE THEN '{{\"double\":\"Infinity\"}}' \
         WHEN {column} = '-inf'::DOUBLE THEN '{{\"double\":\"-Infinity\"}}' ELSE CAST(to_json({column}) AS VARCHAR) END"
    )
}

/// Quotes an identifier.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a text literal.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
