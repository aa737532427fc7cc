//! A Markdown table, for documents: what stands in the data can neither leave its cell nor format anything.

use std::io::{self, Write};

use riftline_ingest::text::inert;
use riftline_queries::table::Table;

use super::{exact, is_number};

/// Prints a line of names, the alignment, and a line a row.
pub fn print(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    write_line(table.columns.iter().map(|column| cell_text(&column.name)), out)?;
    let alignments = (0..table.columns.len()).map(|column| if is_number(table, column) { "---:" } else { "---" });
    write_line(alignments.map(str::to_owned), out)?;
    for row in 0..table.num_rows() {
        let cells = (0..table.columns.len()).map(|column| exact(table.cell(row, column)).unwrap_or_default());
        write_line(cells.map(|text| cell_text(&text)), out)?;
    }
    Ok(())
}

fn write_line(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"|")?;
    for cell in cells {
        write!(out, " {cell} |")?;
    }
    out.write_all(b"\n")
}

fn cell_text(text: &str) -> String {
    let shown = inert(text);
    let mut escaped = String::with_capacity(shown.len());
    for letter in shown.chars() {
        if matches!(letter, '\\' | '|' | '`' | '*' | '[' | ']' | '<' | '>') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}
