//! A table for people:
//!
//! ```text
//! service   name            duration  status
//! ────────  ──────────────  ────────  ──────
//! gateway   POST /checkout    2.31 s  error
//! orders    SELECT sto…       40 ms   unset
//! ```
//!
//! On a terminal it fits the width: long texts are cut first, then columns at the right are left out; durations have units.
//! In a pipe nothing is cut and values are exact.

use std::io::{self, Write};

use riftline_ingest::text::inert;
use riftline_queries::table::{Cell, Table, Values};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::{Face, Hidden, exact, is_number};
use crate::humane;

/// Between two columns.
const GAP: usize = 2;
/// Texts are not cut below this width.
const MIN_TEXT_WIDTH: usize = 12;
/// Integers in nanoseconds that are points in time, not durations.
const TIME_COLUMNS: [&str; 6] = ["start_ns", "end_ns", "time_ns", "observed_ns", "first_seen_ns", "last_seen_ns"];

/// One column as it is printed.
struct Lane {
    title: String,
    cells: Vec<Option<String>>,
    is_number: bool,
    can_shrink: bool,
    width: usize,
}

/// Prints `table` and tells how many columns had no room.
pub fn print(table: &Table, face: &Face, out: &mut dyn Write) -> io::Result<Hidden> {
    let mut lanes: Vec<Lane> = (0..table.columns.len()).map(|column| lane(table, column, face)).collect();
    let num_columns = lanes.len();
    if let Some(width) = face.width {
        fit(&mut lanes, width);
    }
    print_head(&lanes, face, out)?;
    (0..table.num_rows()).try_for_each(|row| print_row(&lanes, row, out))?;
    Ok(Hidden { num_columns: num_columns - lanes.len() })
}

fn lane(table: &Table, index: usize, face: &Face) -> Lane {
    let Some(column) = table.columns.get(index) else {
        return Lane { title: String::new(), cells: Vec::new(), is_number: false, can_shrink: false, width: 0 };
    };
    let is_duration = face.is_terminal && is_duration(&column.name, &column.values);
    let title = inert(if is_duration { column.name.trim_end_matches("_ns") } else { &column.name }).into_owned();
    let shown = |row| shown(column.values.get(row), is_duration, face);
    let cells: Vec<Option<String>> = (0..column.values.len()).map(shown).collect();
    let widest = cells.iter().flatten().map(|cell| cell.width()).max().unwrap_or_default();
    let is_text = matches!(column.values, Values::Text(_) | Values::Json(_));
    let can_shrink = is_text && !column.name.ends_with("_id");
    Lane { width: widest.max(title.width()), title, cells, is_number: is_number(table, index), can_shrink }
}

fn is_duration(name: &str, values: &Values) -> bool {
    matches!(values, Values::Int(_) | Values::UInt(_) | Values::Double(_))
        && name.ends_with("_ns")
        && !TIME_COLUMNS.contains(&name)
}

fn shown(cell: Cell<'_>, is_duration: bool, face: &Face) -> Option<String> {
    match cell {
        Cell::Int(value) if is_duration => Some(humane::duration(value)),
        Cell::UInt(value) if is_duration => Some(humane::duration(i64::try_from(value).unwrap_or(i64::MAX))),
        Cell::Double(value) if is_duration => Some(humane::duration(value as i64)),
        Cell::Double(value) if face.is_terminal => Some(short_double(value)),
        Cell::Time(time_ns) if face.is_terminal => Some(humane::date_time(time_ns, face.zone)),
        cell => exact(cell).map(|text| inert(&text).into_owned()),
    }
}

/// Returns at most six decimals of numbers of a common size.
fn short_double(value: f64) -> String {
    let is_common = value == 0.0 || (1e-4..1e15).contains(&value.abs());
    if !is_common {
        return super::double(value);
    }
    let digits = format!("{value:.6}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Makes the lanes fit `width`: columns without a single value go first, then texts are cut, then columns at the right go.
fn fit(lanes: &mut Vec<Lane>, width: usize) {
    if least_width(lanes) > width {
        lanes.retain(|lane| lane.cells.is_empty() || lane.cells.iter().any(Option::is_some));
    }
    while lanes.len() > 1 && least_width(lanes) > width {
        lanes.pop();
    }
    let limit = (MIN_TEXT_WIDTH..=width).rev().find(|&limit| total_width(lanes, limit) <= width);
    let limit = limit.unwrap_or(MIN_TEXT_WIDTH);
    for lane in lanes.iter_mut() {
        lane.width = limited(lane, limit).min(width);
    }
}

fn least_width(lanes: &[Lane]) -> usize {
    total_width(lanes, MIN_TEXT_WIDTH)
}

fn total_width(lanes: &[Lane], limit: usize) -> usize {
    let widths: usize = lanes.iter().map(|lane| limited(lane, limit)).sum();
    widths + GAP * lanes.len().saturating_sub(1)
}

fn limited(lane: &Lane, limit: usize) -> usize {
    if lane.can_shrink { lane.width.min(limit) } else { lane.width }
}

fn print_head(lanes: &[Lane], face: &Face, out: &mut dyn Write) -> io::Result<()> {
    let (bold, plain) = if face.has_color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let titles = lanes.iter().map(|lane| Some(lane.title.as_str()));
    writeln!(out, "{bold}{}{plain}", line(lanes, titles))?;
    let rules: Vec<String> = lanes.iter().map(|lane| "─".repeat(lane.width)).collect();
    writeln!(out, "{}", line(lanes, rules.iter().map(|rule| Some(rule.as_str()))))
}

fn print_row(lanes: &[Lane], row: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", line(lanes, lanes.iter().map(|lane| lane.cells.get(row)?.as_deref())))
}

/// Returns one line without blanks at its end; null is a dot in the middle.
fn line<'a>(lanes: &[Lane], cells: impl Iterator<Item = Option<&'a str>>) -> String {
    let mut text = String::new();
    for (index, (lane, cell)) in lanes.iter().zip(cells).enumerate() {
        if index > 0 {
            text.push_str("  ");
        }
        let cell = cut(cell.unwrap_or("·"), lane.width);
        let blanks = " ".repeat(lane.width.saturating_sub(cell.width()));
        let (before, after) = if lane.is_number { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
        text.extend([before, &cell, after]);
    }
    text.truncate(text.trim_end().len());
    text
}

/// Returns what of `text` fits `width`, with `…` where it was cut.
#[must_use]
pub fn cut(text: &str, width: usize) -> std::borrow::Cow<'_, str> {
    if text.width() <= width {
        return text.into();
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used >= width {
            break;
        }
        kept.push_str(grapheme);
    }
    kept.push('…');
    kept.into()
}
