//! One row of the answer, whole: a line for each column, JSON laid out.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::table::{Cell, Table};
use serde_json::Value;

use super::grid::{Grid, shown};
use crate::format;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::text::{put, width};

/// The widest that names are drawn.
const NAME: u16 = 28;

/// Draws the row under the cursor, from line `top` on.
pub fn render(grid: &Grid, top: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(row) = grid.row(grid.scroll.cursor) else { return };
    let theme = &shared.theme;
    let names = grid.table.columns.iter().map(|column| width(&column.name)).max().unwrap_or_default().min(NAME);
    let lines = grid.table.columns.iter().flat_map(|column| {
        let values = lines(column.values.get(row), &column.name, shared);
        values
            .into_iter()
            .enumerate()
            .map(|(index, (text, role))| (if index == 0 { column.name.as_str() } else { "" }, text, role))
    });
    for (line, (name, text, role)) in (area.top()..area.bottom()).zip(lines.skip(top)) {
        put(buffer, area.x, line, name, names, theme.style(Role::Dim));
        let room = area.width.saturating_sub(names + 2);
        put(buffer, area.x + names + 2, line, &text, room, theme.style(role));
    }
}

/// Returns a value as lines.
fn lines(cell: Cell<'_>, name: &str, shared: &Shared) -> Vec<(String, Role)> {
    let laid_out =
        |text: &str| serde_json::from_str::<Value>(text).and_then(|value| serde_json::to_string_pretty(&value)).ok();
    match cell {
        Cell::Json(text) => match laid_out(text) {
            Some(pretty) => pretty.lines().map(|line| (line.to_owned(), Role::Text)).collect(),
            None => vec![(text.to_owned(), Role::Text)],
        },
        Cell::Text(text) => text.lines().map(|line| (line.to_owned(), Role::Text)).collect(),
        other => match shown(other, name, shared.zone) {
            Some(text) => vec![(text, Role::Number)],
            None => vec![("null".to_owned(), Role::Null)],
        },
    }
}

/// Returns a row as a JSON object.
#[must_use]
pub fn json(table: &Table, row: usize) -> String {
    let mut object = Vec::new();
    object.push(b'{');
    for (index, column) in table.columns.iter().enumerate() {
        if index > 0 {
            object.push(b',');
        }
        // Writing to memory does not fail.
        let _ = format::write_text(&column.name, &mut object);
        object.push(b':');
        let _ = format::write_cell(column.values.get(row), &mut object);
    }
    object.push(b'}');
    String::from_utf8_lossy(&object).into_owned()
}
