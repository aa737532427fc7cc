//! JSON: one array of objects, or one object a line. Keys are the names of the columns.
//!
//! Whatever a terminal could take for a command (control characters, also those above 127, marks that turn the direction of
//! text, line separators) is written as an escape, so that the same bytes are safe everywhere and still mean the same.

use std::io::{self, Write};

use riftline_queries::table::{Cell, Table};
use serde::de::IgnoredAny;

use super::{double, unique_names};
use crate::humane::{self, Zone};

/// Prints one array, one row a line.
pub fn print_array(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let keys = keys(table)?;
    out.write_all(b"[")?;
    for row in 0..table.num_rows() {
        out.write_all(if row == 0 { b"\n" } else { b",\n" })?;
        print_row(table, &keys, row, out)?;
    }
    out.write_all(if table.num_rows() == 0 { b"]\n" } else { b"\n]\n" })
}

/// Prints one object a line.
pub fn print_lines(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let keys = keys(table)?;
    for row in 0..table.num_rows() {
        print_row(table, &keys, row, out)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Returns each column's key with its quotes and colon. Of columns with one name the later ones are numbered.
fn keys(table: &Table) -> io::Result<Vec<Vec<u8>>> {
    let names = unique_names(table);
    names
        .iter()
        .map(|name| {
            let mut key = Vec::with_capacity(name.len() + 3);
            write_text(name, &mut key)?;
            key.push(b':');
            Ok(key)
        })
        .collect()
}

fn print_row(table: &Table, keys: &[Vec<u8>], row: usize, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{")?;
    for (column, key) in keys.iter().enumerate() {
        if column > 0 {
            out.write_all(b",")?;
        }
        out.write_all(key)?;
        write_cell(table.cell(row, column), out)?;
    }
    out.write_all(b"}")
}

/// Writes a value as JSON.
pub fn write_cell(cell: Cell<'_>, out: &mut dyn Write) -> io::Result<()> {
    match cell {
        Cell::Null => out.write_all(b"null"),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Int(value) => write!(out, "{value}"),
        Cell::UInt(value) => write!(out, "{value}"),
        Cell::Double(value) if value.is_finite() => write!(out, "{}", double(value)),
        Cell::Double(value) => write!(out, "\"{}\"", double(value)),
        Cell::Time(time_ns) => write!(out, "\"{}\"", humane::rfc3339(time_ns, Zone::Utc)),
        Cell::Text(text) => write_text(text, out),
        Cell::Json(text) => write_json(text, out),
    }
}

/// Writes `text` as a JSON string.
pub fn write_text(text: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    let mut plain_from = 0;
    for (at, letter) in text.char_indices() {
        if !(letter == '"' || letter == '\\' || is_risky(letter)) {
            continue;
        }
        out.write_all(text.get(plain_from..at).unwrap_or_default().as_bytes())?;
        write_escape(letter, out)?;
        plain_from = at + letter.len_utf8();
    }
    out.write_all(text.get(plain_from..).unwrap_or_default().as_bytes())?;
    out.write_all(b"\"")
}

/// Writes JSON `text` as it is, on one line and without risky characters; text that is no JSON becomes a string.
pub fn write_json(text: &str, out: &mut dyn Write) -> io::Result<()> {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return write_text(text, out);
    }
    let mut plain_from = 0;
    for (at, letter) in text.char_indices().filter(|&(_, letter)| is_risky(letter)) {
        out.write_all(text.get(plain_from..at).unwrap_or_default().as_bytes())?;
        match letter {
            // Only between tokens: inside strings JSON does not allow them.
            '\n' | '\r' | '\t' => out.write_all(b" ")?,
            _ => write_escape(letter, out)?,
        }
        plain_from = at + letter.len_utf8();
    }
    out.write_all(text.get(plain_from..).unwrap_or_default().as_bytes())
}

fn write_escape(letter: char, out: &mut dyn Write) -> io::Result<()> {
    match letter {
        '"' => out.write_all(b"\\\""),
        '\\' => out.write_all(b"\\\\"),
        '\n' => out.write_all(b"\\n"),
        '\r' => out.write_all(b"\\r"),
        '\t' => out.write_all(b"\\t"),
        _ => letter.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}")),
    }
}

/// Tells whether a terminal could act on the character or hide something with it.
fn is_risky(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}
