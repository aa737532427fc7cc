//! The tables of a store and how older ones become this version's.
//!
//! Schema changes are the list [`MIGRATIONS`]. Conventions are data: those that the store does not know yet get their columns
//! when it is opened, and none ever loses its column, so that no version shows fewer attributes than were recorded. Spans that
//! were stored before a convention was added keep the value in `attributes` alone.

use std::path::Path;

use duckdb::{Connection, params};
use riftline_ingest::convention::{Convention, Conventions, ValueType};
use xxhash_rust::xxh3::xxh3_64;

use super::Access;
use super::open::{classify, database};
use super::views::{self, StoredConvention, quote, text};
use crate::error::OpenStoreError;

/// Statements that make schema n + 1 of schema n; the first makes an empty store.
const MIGRATIONS: [&str; 1] = [include_str!("../sql/store/schema_1.sql")];

/// Brings tables, convention columns, macros and views up to this version, in one transaction.
pub(super) fn prepare(
    root: &Connection,
    path: &Path,
    access: Access,
    conventions: &Conventions,
) -> Result<(), OpenStoreError> {
    let found = version(root, path)?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(OpenStoreError::Newer { path: path.to_owned(), found, known });
    }
    match access {
        Access::ReadWrite => in_transaction(root, path, |root| migrate(root, found, conventions)),
        Access::ReadOnly => prepare_read_only(root, path, found, known),
    }
}

fn in_transaction(
    root: &Connection,
    path: &Path,
    work: impl FnOnce(&Connection) -> duckdb::Result<()>,
) -> Result<(), OpenStoreError> {
    let transaction = root.unchecked_transaction().map_err(|error| database(path, &error))?;
    work(&transaction).and_then(|()| transaction.commit()).map_err(|error| database(path, &error))
}

/// Derived tables of a store that cannot be written lie in memory; they are made anew by settling.
fn prepare_read_only(root: &Connection, path: &Path, found: i64, known: i64) -> Result<(), OpenStoreError> {
    if found < known {
        let message =
            format!("has schema {found} and must be migrated to {known}: open it once where it can be written");
        return Err(OpenStoreError::Database { path: path.to_owned(), message });
    }
    let sql = format!("ATTACH ':memory:' AS derived; {}", views::derived_tables(Access::ReadOnly));
    root.execute_batch(&sql).map_err(|error| database(path, &error))
}

/// Returns the schema's version; 0 for an empty database.
fn version(root: &Connection, path: &Path) -> Result<i64, OpenStoreError> {
    let count = |sql: &str| root.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| classify(path, &error));
    if count("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'store_info'")? == 1 {
        return count("SELECT max(schema_version) FROM store_info");
    }
    if count("SELECT count(*) FROM duckdb_tables()")? > 0 {
        let reason = "a DuckDB database without riftline's tables".to_owned();
        return Err(OpenStoreError::NotAStore { path: path.to_owned(), reason });
    }
    Ok(0)
}

fn migrate(root: &Connection, found: i64, conventions: &Conventions) -> duckdb::Result<()> {
    for sql in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        root.execute_batch(&with_columns(sql, conventions))?;
    }
    if found == 0 {
        root.execute_batch(&views::derived_tables(Access::ReadWrite))?;
        root.execute_batch(&remember_all(conventions))?;
    }
    if found < MIGRATIONS.len() as i64 {
        root.execute("UPDATE store_info SET schema_version = ?", params![MIGRATIONS.len() as i64])?;
    }
    add_conventions(root, conventions)?;
    make_views(root)
}

/// Fills convention columns into the tables of an empty store: adding them one by one would take longer than all the rest.
fn with_columns(sql: &str, conventions: &Conventions) -> String {
    let columns = |conventions: &mut dyn Iterator<Item = (&Convention, &str)>| {
        conventions.map(|(one, sql_type)| format!(",\n    {} {sql_type}", quote(&one.column))).collect::<String>()
    };
    fn typed(one: &Convention) -> (&Convention, &'static str) {
        (one, sql_type(one.value))
    }
    sql.replace("{{resource_columns}}", &columns(&mut conventions.all().iter().map(typed)))
        .replace("{{span_columns}}", &columns(&mut conventions.span_columns().map(typed)))
        .replace("{{alias_columns}}", &columns(&mut conventions.span_columns().map(|one| (one, "VARCHAR"))))
}

fn remember_all(conventions: &Conventions) -> String {
    let rows: Vec<String> = conventions.all().iter().map(remembered).collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!("INSERT INTO store_conventions VALUES {}", rows.join(", ")),
    }
}

fn remembered(convention: &Convention) -> String {
    format!(
        "({}, {}, '{}', {}, {})",
        text(&convention.key),
        text(&convention.column),
        type_name(convention.value),
        convention.on_spans,
        !convention.aliases.is_empty(),
    )
}

fn add_conventions(root: &Connection, conventions: &Conventions) -> duckdb::Result<()> {
    let stored = stored_conventions(root)?;
    for convention in conventions.all() {
        let known = stored.iter().find(|one| one.key == convention.key);
        let has_aliases = !convention.aliases.is_empty();
        if known.is_some_and(|one| one.on_spans >= convention.on_spans && one.has_aliases >= has_aliases) {
            continue;
        }
        add_columns(root, convention)?;
        root.execute("DELETE FROM store_conventions WHERE \"key\" = ?", params![convention.key])?;
        root.execute_batch(&format!("INSERT INTO store_conventions VALUES {}", remembered(convention)))?;
    }
    Ok(())
}

fn add_columns(root: &Connection, convention: &Convention) -> duckdb::Result<()> {
    let (column, sql_type) = (quote(&convention.column), sql_type(convention.value));
    let mut sql = format!("ALTER TABLE raw_resources ADD COLUMN IF NOT EXISTS {column} {sql_type};");
    if convention.on_spans {
        sql += &format!("ALTER TABLE raw_spans ADD COLUMN IF NOT EXISTS {column} {sql_type};");
        sql += &format!("ALTER TABLE raw_alias_sets ADD COLUMN IF NOT EXISTS {column} VARCHAR;");
    }
    root.execute_batch(&sql)
}

/// Makes macros and views where their text is another than the one that the store has.
fn make_views(root: &Connection) -> duckdb::Result<()> {
    let sql = views::all(&stored_conventions(root)?, Access::ReadWrite);
    let hash = xxh3_64(sql.as_bytes());
    let stored: u64 = root.query_row("SELECT max(views_hash) FROM store_info", [], |row| row.get(0))?;
    if stored == hash {
        return Ok(());
    }
    root.execute_batch(&sql)?;
    let version = crate::semconv::conventions_version();
    root.execute("UPDATE store_info SET views_hash = ?, conventions_version = ?", params![hash, version]).map(|_| ())
}

/// Returns the conventions whose columns the store has, in the order in which they were added.
pub(super) fn stored_conventions(connection: &Connection) -> duckdb::Result<Vec<StoredConvention>> {
    let sql = "SELECT \"key\", column_name, value_type, on_spans, has_aliases FROM store_conventions ORDER BY rowid";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let value: String = row.get(2)?;
        Ok(StoredConvention {
            key: row.get(0)?,
            column: row.get(1)?,
            value: value_type(&value),
            on_spans: row.get(3)?,
            has_aliases: row.get(4)?,
        })
    })?;
    rows.collect()
}

fn type_name(value: ValueType) -> &'static str {
    match value {
        ValueType::Text => "text",
        ValueType::Int => "int",
        ValueType::Double => "double",
        ValueType::Bool => "bool",
    }
}

fn value_type(name: &str) -> ValueType {
    match name {
        "int" => ValueType::Int,
        "double" => ValueType::Double,
        "bool" => ValueType::Bool,
        _ => ValueType::Text,
    }
}

fn sql_type(value: ValueType) -> &'static str {
    match value {
        ValueType::Text => "VARCHAR",
        ValueType::Int => "BIGINT",
        ValueType::Double => "DOUBLE",
        ValueType::Bool => "BOOLEAN",
    }
}
