//! One trace as nested JSON: each span with its `children`.
//!
//! A line a span, without indentation: a chain of 100 000 spans indented would fill a disk.

use std::io::{self, Write};

use riftline_queries::table::Cell;
use riftline_queries::trace::assemble::Place;

use super::rows::Trace;
use crate::format::{write_cell, write_text};

/// Columns of the view `spans` that a span of the tree shows, where it has a value. Those of conventions stand in `attributes`.
const COLUMNS: [&str; 24] = [
    "span_id",
    "parent_span_id",
    "healed_parent_span_id",
    "stitch",
    "service",
    "name",
    "kind",
    "start",
    "duration_ns",
    "status",
    "status_message",
    "trace_state",
    "flags",
    "attributes",
    "resource",
    "scope_name",
    "scope_version",
    "scope",
    "events",
    "links",
    "source_id",
    "run_id",
    "marks",
    "original",
];

/// Tells whether a column of the view `spans` stands in the tree.
#[must_use]
pub fn is_shown(column: &str) -> bool {
    COLUMNS.contains(&column)
}

/// Prints the tree.
pub fn print(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    print_head(trace, out)?;
    let columns: Vec<(usize, &str)> =
        COLUMNS.iter().filter_map(|name| Some((trace.table.position(name)?, *name))).collect();
    let mut num_open = 0;
    let mut follows_sibling = false;
    for &span in &trace.tree.order {
        let span = span as usize;
        let depth = trace.tree.depth.get(span).copied().unwrap_or_default();
        while num_open > depth {
            out.write_all(b"]}")?;
            num_open -= 1;
            follows_sibling = true;
        }
        out.write_all(if follows_sibling { b",\n{" } else { b"\n{" })?;
        print_fields(trace, span, &columns, out)?;
        out.write_all(b",\"children\":[")?;
        num_open = depth.saturating_add(1);
        follows_sibling = false;
    }
    (0..num_open).try_for_each(|_| out.write_all(b"]}"))?;
    out.write_all(b"\n]}\n")
}

fn print_head(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    let (start, end) = trace.extent();
    out.write_all(b"{\"trace_id\":")?;
    write_text(trace.id(), out)?;
    out.write_all(b",\"start\":")?;
    write_cell(Cell::Time(start), out)?;
    write!(out, ",\"duration_ns\":{}", end.saturating_sub(start))?;
    write!(out, ",\"num_spans\":{},\"num_services\":{}", trace.spans.len(), trace.num_services())?;
    write!(out, ",\"num_errors\":{},\"spans\":[", trace.num_errors())
}

fn print_fields(trace: &Trace, span: usize, columns: &[(usize, &str)], out: &mut dyn Write) -> io::Result<()> {
    write!(out, "\"place\":\"{}\"", place_name(trace.tree.place.get(span).copied()))?;
    for (column, name) in columns {
        let cell = trace.table.cell(span, *column);
        if cell == Cell::Null {
            continue;
        }
        write!(out, ",\"{name}\":")?;
        write_cell(cell, out)?;
    }
    Ok(())
}

fn place_name(place: Option<Place>) -> &'static str {
    match place {
        Some(Place::Child) => "child",
        Some(Place::Orphan) => "orphan",
        Some(Place::CycleCut) => "cycle-cut",
        Some(Place::Root) | None => "root",
    }
}
