//! CSV as in RFC 4180, with `\n` at the end of lines. Null is nothing, an empty text is `""`.

use std::borrow::Cow;
use std::io::{self, Write};

use riftline_ingest::text::inert;
use riftline_queries::table::{Cell, Table};

use super::{Face, exact, unique_names};

/// Prints a line of names and a line a row. On a terminal texts are made inert; in a pipe they are exact.
pub fn print(table: &Table, face: &Face, out: &mut dyn Write) -> io::Result<()> {
    for (index, name) in unique_names(table).iter().enumerate() {
        separate(index, out)?;
        write_field(name, face, out)?;
    }
    out.write_all(b"\n")?;
    (0..table.num_rows()).try_for_each(|row| print_row(table, row, face, out))
}

fn print_row(table: &Table, row: usize, face: &Face, out: &mut dyn Write) -> io::Result<()> {
    for column in 0..table.columns.len() {
        separate(column, out)?;
        match table.cell(row, column) {
            Cell::Text(text) | Cell::Json(text) => write_field(text, face, out)?,
            cell => out.write_all(exact(cell).unwrap_or_default().as_bytes())?,
        }
    }
    out.write_all(b"\n")
}

fn separate(index: usize, out: &mut dyn Write) -> io::Result<()> {
    if index > 0 { out.write_all(b",") } else { Ok(()) }
}

fn write_field(text: &str, face: &Face, out: &mut dyn Write) -> io::Result<()> {
    let text = if face.is_terminal { inert(text) } else { Cow::Borrowed(text) };
    let needs_quotes = text.is_empty() || text.contains([',', '"', '\n', '\r']) || text.trim().len() < text.len();
    if needs_quotes { write!(out, "\"{}\"", text.replace('"', "\"\"")) } else { out.write_all(text.as_bytes()) }
}
