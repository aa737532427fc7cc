//! The tables of a store and how older ones become this version's.
//!
//! Schema changes are the list [`MIGRATIONS`]. Conventions are data: those that the store does not know yet are listed when it
//! is opened, and none is ever taken off the list, so that no version shows fewer attributes than were recorded. Spans that were
//! stored before a convention was added keep its value in `attributes` alone.

use std::collections::HashSet;
use std::path::Path;

use duckdb::{Connection, params};
use riftline_ingest::convention::{Convention, Conventions, ValueType};
use xxhash_rust::xxh3::xxh3_64;

use super::Access;
use super::open::{classify, database};
use super::views::{self, StoredConvention, quote, text};
use crate::error::OpenStoreError;

/// Statements that make schema n + 1 of schema n; the first makes an empty store.
const MIGRATIONS: [&str; 4] = [
    include_str!("../sql/store/schema_1.sql"),
    include_str!("../sql/store/schema_2.sql"),
    include_str!("../sql/store/schema_3.sql"),
    include_str!("../sql/store/schema_4.sql"),
];

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
    let sql = format!("ATTACH ':memory:' AS derived (READ_WRITE); {}", views::derived_tables(Access::ReadOnly));
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
        root.execute_batch(sql)?;
    }
    if found < MIGRATIONS.len() as i64 {
        root.execute_batch(&views::derived_tables(Access::ReadWrite))?;
        root.execute("UPDATE store_info SET schema_version = ?", params![MIGRATIONS.len() as i64])?;
    }
    add_conventions(root, conventions)?;
    make_views(root)
}

/// Lists conventions that the store does not know yet.
fn add_conventions(root: &Connection, conventions: &Conventions) -> duckdb::Result<()> {
    let stored = stored_conventions(root)?;
    let is_known = |one: &Convention| stored.iter().any(|known| known.key == one.key && known.on_spans >= one.on_spans);
    let new: Vec<&Convention> = conventions.all().iter().filter(|one| !is_known(one)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let keys: Vec<String> = new.iter().map(|one| text(&one.key)).collect();
    let rows: Vec<String> = new.iter().map(|one| listed(one)).collect();
    let (keys, rows) = (keys.join(", "), rows.join(", "));
    root.execute_batch(&format!(
        "DELETE FROM store_conventions WHERE \"key\" IN ({keys}); INSERT INTO store_conventions VALUES {rows}"
    ))
}

fn listed(convention: &Convention) -> String {
    let (key, column, value) = (text(&convention.key), text(&convention.column), type_name(convention.value));
    format!("({key}, {column}, '{value}', {})", convention.on_spans)
}

/// Makes macros and views where their text is another than the one that the store has.
pub(super) fn make_views(connection: &Connection) -> duckdb::Result<()> {
    let sql = views::of_store(connection, Access::ReadWrite)?;
    let hash = xxh3_64(sql.as_bytes());
    let stored: u64 = connection.query_row("SELECT max(views_hash) FROM store_info", [], |row| row.get(0))?;
    if stored == hash {
        return Ok(());
    }
    connection.execute_batch(&sql)?;
    let version = crate::semconv::conventions_version();
    let update = "UPDATE store_info SET views_hash = ?, conventions_version = ?";
    connection.execute(update, params![hash, version]).map(|_| ())
}

/// The columns that tables have by now.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct PhysicalColumns(HashSet<(String, String)>);

impl PhysicalColumns {
    /// Reads which columns the raw tables have.
    pub(crate) fn read(connection: &Connection) -> duckdb::Result<Self> {
        let sql = "SELECT table_name, column_name FROM duckdb_columns() WHERE starts_with(table_name, 'raw_')";
        let mut statement = connection.prepare(sql)?;
        let columns = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        columns.collect::<duckdb::Result<_>>().map(Self)
    }

    /// Tells whether `table` has `column`.
    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        self.0.contains(&(table.to_owned(), column.to_owned()))
    }

    /// Makes a table with these columns.
    pub(super) fn create(
        &mut self,
        connection: &Connection,
        table: &str,
        columns: &[(&str, &'static str)],
    ) -> duckdb::Result<()> {
        let list: Vec<String> = columns.iter().map(|(name, sql_type)| format!("{} {sql_type}", quote(name))).collect();
        connection.execute_batch(&format!("CREATE TABLE {table} ({})", list.join(", ")))?;
        self.0.extend(columns.iter().map(|(name, _)| (table.to_owned(), (*name).to_owned())));
        Ok(())
    }

    /// Adds a column to a table where it is not there yet; returns whether it was added.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        table: &str,
        column: &str,
        sql_type: &str,
    ) -> duckdb::Result<bool> {
        if self.has(table, column) {
            return Ok(false);
        }
        connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {} {sql_type}", quote(column)))?;
        self.0.insert((table.to_owned(), column.to_owned()));
        Ok(true)
    }
}

/// Returns the conventions whose columns the store has, in the order in which they were added.
pub(crate) fn stored_conventions(connection: &Connection) -> duckdb::Result<Vec<StoredConvention>> {
    let sql = "SELECT \"key\", column_name, value_type, on_spans FROM store_conventions ORDER BY rowid";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let value: String = row.get(2)?;
        Ok(StoredConvention { key: row.get(0)?, column: row.get(1)?, value: value_type(&value), on_spans: row.get(3)? })
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
