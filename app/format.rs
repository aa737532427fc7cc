//! Prints answers: one file a format. Machines get exact values; people on a terminal get units and a fitting width.

mod csv;
mod grid;
mod json;
mod markdown;

use std::io::{self, Write};

use clap::ValueEnum;
use riftline_queries::table::parquet::write_parquet;
use riftline_queries::table::{Cell, Table, TableError, ipc};

use crate::humane::{self, Zone};

pub use grid::cut;
pub use json::{write_cell, write_json, write_text};

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One array of objects
    Json,
    /// One object a line
    Ndjson,
    /// RFC 4180, first line names the columns
    Csv,
    /// A table for documents
    Markdown,
    /// Apache Parquet
    Parquet,
    /// Arrow IPC stream
    Arrow,
}

impl Format {
    /// Returns the format where none was asked for.
    #[must_use]
    pub fn default_for(face: &Face) -> Self {
        if face.is_terminal { Self::Table } else { Self::Ndjson }
    }

    /// Tells whether the format is made of bytes that would garble a terminal.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Parquet | Self::Arrow)
    }
}

/// What answers are printed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Face {
    pub is_terminal: bool,
    /// In columns; nothing in a pipe.
    pub width: Option<usize>,
    pub has_color: bool,
    pub zone: Zone,
}

/// An answer could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    #[error("write the answer: {0}")]
    Write(#[from] io::Error),
    #[error("write the answer as {format}: {message}")]
    Encode { format: &'static str, message: String },
}

/// What could not be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Columns for which the terminal is too narrow.
    pub num_columns: usize,
}

/// Prints `table` and tells what had no room.
pub fn print(table: &Table, format: Format, face: &Face, out: &mut dyn Write) -> Result<Hidden, PrintError> {
    match format {
        Format::Table => return Ok(grid::print(table, face, out)?),
        Format::Json => json::print_array(table, out)?,
        Format::Ndjson => json::print_lines(table, out)?,
        Format::Csv => csv::print(table, face, out)?,
        Format::Markdown => markdown::print(table, out)?,
        Format::Parquet => print_parquet(table, out)?,
        Format::Arrow => print_arrow(table, out)?,
    }
    Ok(Hidden::default())
}

fn print_parquet(table: &Table, out: &mut dyn Write) -> Result<(), PrintError> {
    // The writer wants to own what it writes to, and the footer needs every offset anyway.
    let mut file = Vec::new();
    write_parquet(&named(table), &mut file).map_err(|error| encode("parquet", error))?;
    Ok(out.write_all(&file)?)
}

fn print_arrow(table: &Table, out: &mut dyn Write) -> Result<(), PrintError> {
    ipc::write_ipc(&named(table), out).map_err(|error| encode("arrow", error))
}

fn encode(format: &'static str, error: TableError) -> PrintError {
    match error {
        TableError::Io(error) => PrintError::Write(error),
        other => PrintError::Encode { format, message: other.to_string() },
    }
}

/// Returns the table under names that are unique: readers of these formats refuse others.
fn named(table: &Table) -> std::borrow::Cow<'_, Table> {
    let names = unique_names(table);
    if table.columns.iter().zip(&names).all(|(column, name)| column.name == *name) {
        return std::borrow::Cow::Borrowed(table);
    }
    let mut table = table.clone();
    table.columns.iter_mut().zip(names).for_each(|(column, name)| column.name = name);
    std::borrow::Cow::Owned(table)
}

/// Returns the names of the columns; of those with one name the later ones are numbered: `count`, `count_2`.
fn unique_names(table: &Table) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let numbered = (2_usize..).map(|number| format!("{}_{number}", column.name));
        let name = std::iter::once(column.name.clone()).chain(numbered).find(|name| !names.contains(name));
        names.push(name.unwrap_or_default());
    }
    names
}

/// Returns a value as exact text, the same in every format for people and in CSV; nothing for null.
#[must_use]
pub fn exact(cell: Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) => value.to_string(),
        Cell::UInt(value) => value.to_string(),
        Cell::Double(value) => double(value),
        Cell::Text(text) | Cell::Json(text) => text.to_owned(),
        Cell::Time(time_ns) => humane::rfc3339(time_ns, Zone::Utc),
    })
}

/// Returns the shortest text that reads back as the same double; what is not finite is named as protobuf's JSON names it.
fn double(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value.is_infinite() => if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
        _ => format!("{value:?}"),
    }
}

/// Tells whether the values stand at the right: numbers do.
fn is_number(table: &Table, column: usize) -> bool {
    use riftline_queries::table::Values;
    let values = table.columns.get(column).map(|column| &column.values);
    matches!(values, Some(Values::Int(_) | Values::UInt(_) | Values::Double(_)))
}

#[cfg(test)]
mod tests;
