//! The text of the view `kernel_events`, one class table over the other, and of the typed view of each class.

use std::collections::HashSet;
use std::fmt::Write;

use duckdb::Connection;

use super::views::{double, quote, text};

/// Columns of a class table that are not fields of the events.
pub(super) const COMMON: [&str; 11] =
    ["row", "source_id", "time", "cpu", "pid", "tid", "comm", "duration_ns", "trace_hi", "trace_lo", "span_id"];

/// No class has its own view beyond these: a name for each would make opening slow.
const MAX_CLASS_VIEWS: usize = 1_000;

/// A class of events as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredClass {
    pub(super) id: u32,
    pub(super) provider: String,
    pub(super) name: String,
    pub(super) clock: String,
    /// Those of [`COMMON`] that its table has.
    common: HashSet<String>,
    /// In recorded order.
    fields: Vec<StoredField>,
}

/// A field's column: `name:type`, since one field may come with several types.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoredField {
    column: String,
    name: String,
    kind: String,
}

/// Returns the name of a field's column. DuckDB's names know no case, fields do.
pub(super) fn field_column(name: &str, kind: &str) -> String {
    let is_lower = !name.chars().any(char::is_uppercase);
    if is_lower {
        format!("{name}:{kind}")
    } else {
        format!("{name}:{kind}:{:016x}", xxhash_rust::xxh3::xxh3_64(name.as_bytes()))
    }
}

impl StoredField {
    fn of(column: String) -> Self {
        let is_hashed = column.rsplit(':').next().is_some_and(|last| last.len() == 16);
        let plain = if is_hashed { column.rsplit_once(':').map_or("", |(plain, _)| plain) } else { &column };
        let (name, kind) = plain.rsplit_once(':').unwrap_or((plain, "text"));
        Self { name: name.to_owned(), kind: kind.to_owned(), column }
    }

    /// `"name":value` as text; NULL where the event lacks the field.
    fn member(&self) -> String {
        let key = text(&format!("{}:", serde_json::Value::from(self.name.as_str())));
        let column = format!("e.{}", quote(&self.column));
        let value = match self.kind.as_str() {
            "text" => format!("CAST(to_json({column}) AS VARCHAR)"),
            "double" => double(&column),
            "json" => column,
            _ => format!("CAST({column} AS VARCHAR)"),
        };
        format!("{key} || {value}")
    }
}

/// Returns the classes of the store, by id.
pub(super) fn stored(connection: &Connection) -> duckdb::Result<Vec<StoredClass>> {
    let mut statement = connection.prepare("SELECT id, provider, name, clock FROM raw_event_classes ORDER BY id")?;
    let rows = statement.query_map([], |row| {
        let (id, provider, name, clock) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(StoredClass { id, provider, name, clock, common: HashSet::new(), fields: Vec::new() })
    })?;
    let mut classes: Vec<StoredClass> = rows.collect::<duckdb::Result<_>>()?;
    if !classes.is_empty() {
        read_columns(connection, &mut classes)?;
    }
    Ok(classes)
}

fn read_columns(connection: &Connection, classes: &mut [StoredClass]) -> duckdb::Result<()> {
    let sql = "SELECT CAST(table_name[11:] AS UINTEGER), column_name FROM duckdb_columns() \
               WHERE regexp_full_match(table_name, 'raw_event_[0-9]+') ORDER BY 1, column_index";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, column): (u32, String) = (row.get(0)?, row.get(1)?);
        let Ok(at) = classes.binary_search_by_key(&id, |class| class.id) else { continue };
        let Some(class) = classes.get_mut(at) else { continue };
        if COMMON.contains(&column.as_str()) {
            class.common.insert(column);
        } else {
            class.fields.push(StoredField::of(column));
        }
    }
    Ok(())
}

impl StoredClass {
    /// The column, or a NULL of its type where no event had a value so far.
    fn column(&self, name: &str, sql_type: &str) -> String {
        if self.common.contains(name) { format!("e.{name}") } else { format!("NULL::{sql_type} AS {name}") }
    }

    fn common_columns(&self) -> String {
        let [cpu, pid, tid] = ["cpu", "pid", "tid"].map(|name| self.column(name, "BIGINT"));
        format!("e.time, {cpu}, {pid}, {tid}, {}", self.column("comm", "VARCHAR"))
    }

    fn ids(&self) -> String {
        let (has_trace, has_span) = (self.common.contains("trace_lo"), self.common.contains("span_id"));
        let high = if self.common.contains("trace_hi") { "coalesce(e.trace_hi, 0)" } else { "0::UBIGINT" };
        let trace = if has_trace {
            format!(
                "CASE WHEN {high} <> 0 OR e.trace_lo <> 0 THEN format('{{:016x}}{{:016x}}', {high}, e.trace_lo) END"
            )
        } else {
            "NULL::VARCHAR".to_owned()
        };
        let span =
            if has_span { "CASE WHEN e.span_id <> 0 THEN format('{:016x}', e.span_id) END" } else { "NULL::VARCHAR" };
        format!("{trace} AS trace_id, {span} AS span_id")
    }

    fn select(&self, derived: &str) -> String {
        let members: Vec<String> = self.fields.iter().map(StoredField::member).collect();
        let fields =
            if members.is_empty() { "''".to_owned() } else { format!("concat_ws(',', {})", members.join(", ")) };
        let own = if self.common.contains("duration_ns") { "e.duration_ns" } else { "NULL::BIGINT" };
        format!(
            "SELECT {}, {} AS provider, {} AS name, coalesce({own}, d.duration_ns) AS duration_ns, \
             CAST('{{' || {fields} || '}}' AS JSON) AS fields, {}, {} AS clock, e.source_id, e.\"row\" \
             FROM raw_event_{} e LEFT JOIN {derived}event_durations d ON d.\"row\" = e.\"row\"",
            self.common_columns(),
            text(&self.provider),
            text(&self.name),
            self.ids(),
            text(&self.clock),
            self.id
        )
    }

    /// Typed columns of the fields; a name that is taken already gets its type as well.
    fn typed(&self) -> String {
        let mut taken: HashSet<String> = COMMON.iter().map(|name| (*name).to_owned()).collect();
        taken.extend(["trace_id".to_owned()]);
        self.fields.iter().fold(String::new(), |mut sql, field| {
            let is_free = taken.insert(field.name.to_lowercase());
            let name = if is_free { &field.name } else { &field.column };
            let _ = write!(sql, ", e.{} AS {}", quote(&field.column), quote(name));
            sql
        })
    }
}

/// Returns the statement that makes the view `kernel_events`.
pub(super) fn kernel_events(classes: &[StoredClass], derived: &str) -> String {
    let empty = "SELECT NULL::TIMESTAMP_NS AS time, NULL::BIGINT AS cpu, NULL::BIGINT AS pid, NULL::BIGINT AS tid, \
                 NULL::VARCHAR AS comm, NULL::VARCHAR AS provider, NULL::VARCHAR AS name, NULL::BIGINT AS duration_ns, \
                 NULL::JSON AS fields, NULL::VARCHAR AS trace_id, NULL::VARCHAR AS span_id, NULL::VARCHAR AS clock, \
                 NULL::UINTEGER AS source_id, NULL::BIGINT AS \"row\" WHERE false";
    let parts: Vec<String> = classes.iter().map(|class| class.select(derived)).collect();
    let body = if parts.is_empty() { empty.to_owned() } else { parts.join("\nUNION ALL ") };
    format!("\nCREATE OR REPLACE VIEW kernel_events AS {body};\n")
}

/// Returns the statements that make a typed view of each class: `events."provider:name"`.
pub(super) fn of_classes(classes: &[StoredClass]) -> String {
    let mut taken = HashSet::new();
    let mut sql = "CREATE SCHEMA IF NOT EXISTS events;\n".to_owned();
    for class in classes.iter().take(MAX_CLASS_VIEWS) {
        let mut name = format!("{}:{}", class.provider, class.name);
        if !taken.insert(name.to_lowercase()) {
            let _ = write!(name, ":{}", class.id);
        }
        let own = class.column("duration_ns", "BIGINT");
        let _ = writeln!(
            sql,
            "CREATE OR REPLACE VIEW events.{} AS SELECT {}, {own}, {}{}, e.source_id, e.\"row\" FROM raw_event_{} e;",
            quote(&name),
            class.common_columns(),
            class.ids(),
            class.typed(),
            class.id
        );
    }
    sql
}
