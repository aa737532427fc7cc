//! The answer as bars or as a line: a label from the first column that is no number, a value from a column that is one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::table::{Cell, Column, Table};

use super::grid::{Grid, is_number, shown};
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::bar::put_bar;
use crate::widget::text::{fit, put, put_right, width};

/// The widest that labels are drawn.
const LABEL: u16 = 32;

/// What of an answer is drawn.
struct Chart<'a> {
    grid: &'a Grid,
    label: Option<&'a Column>,
    value: &'a Column,
    largest: f64,
}

impl<'a> Chart<'a> {
    /// Returns what is drawn of an answer; nothing where no column is a number.
    fn new(grid: &'a Grid) -> Option<Self> {
        let table: &Table = &grid.table;
        let chosen = table.columns.get(grid.column).filter(|column| is_number(column));
        let value = chosen.or_else(|| table.columns.iter().find(|column| is_number(column)))?;
        let label = table.columns.iter().find(|column| !is_number(column));
        let values = (0..table.num_rows()).filter_map(|row| number(value.values.get(row)));
        let largest = values.fold(0.0, f64::max);
        Some(Self { grid, label, value, largest })
    }

    fn number(&self, place: usize) -> Option<f64> {
        number(self.value.values.get(self.grid.row(place)?))
    }

    fn label(&self, place: usize, shared: &Shared) -> String {
        let cell = self.grid.row(place).zip(self.label).map(|(row, column)| (column.values.get(row), &column.name));
        match cell {
            Some((cell, name)) => shown(cell, name, shared.zone).unwrap_or_else(|| "null".to_owned()),
            None => (place + 1).to_string(),
        }
    }

    fn shown(&self, value: f64, shared: &Shared) -> String {
        let cell = if value.fract() == 0.0 { Cell::Int(value as i64) } else { Cell::Double(value) };
        shown(cell, &self.value.name, shared.zone).unwrap_or_default()
    }

    fn share(&self, value: f64) -> f64 {
        if self.largest > 0.0 { value / self.largest } else { 0.0 }
    }
}

fn number(cell: Cell<'_>) -> Option<f64> {
    match cell {
        Cell::Int(value) => Some(value as f64),
        Cell::UInt(value) => Some(value as f64),
        Cell::Double(value) => Some(value).filter(|value| value.is_finite()),
        _ => None,
    }
}

/// Draws one bar a row, from the first row on the screen on.
pub fn bars(grid: &Grid, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(chart) = Chart::new(grid) else { return nothing(area, buffer, shared) };
    let theme = &shared.theme;
    let seen = grid.scroll.seen(grid.len(), area.height);
    let widest =
        |text: &dyn Fn(usize) -> String| seen.clone().map(|place| width(&text(place))).max().unwrap_or_default();
    let label = widest(&|place| fit(&chart.label(place, shared), LABEL));
    let text = |place: usize| chart.number(place).map_or_else(|| "null".to_owned(), |value| chart.shown(value, shared));
    let value = widest(&text);
    let bar = area.width.saturating_sub(label).saturating_sub(value).saturating_sub(6);
    for (row, place) in (area.top()..area.bottom()).zip(seen) {
        let line = Rect { y: row, height: 1, ..area };
        if place == grid.scroll.cursor {
            buffer.set_style(line, theme.style(Role::Selection));
        }
        put(buffer, area.x + 2, row, &chart.label(place, shared), label, theme.style(Role::Text));
        let share = chart.number(place).map_or(0.0, |value| chart.share(value));
        put_bar(buffer, area.x + 3 + label, row, bar, share, &shared.symbols, theme.style(Role::Bar));
        put_right(buffer, area.x + 4 + label + bar, row, &text(place), value, theme.style(Role::Number));
    }
}

/// Draws the values in the order of the rows, the largest as high as the area.
pub fn line(grid: &Grid, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(chart) = Chart::new(grid) else { return nothing(area, buffer, shared) };
    let dim = shared.theme.style(Role::Dim);
    let top = chart.shown(chart.largest, shared);
    let axis = width(&top).max(width(&chart.value.name)).clamp(4, 16);
    let plot = Rect {
        x: area.x + axis + 3,
        width: area.width.saturating_sub(axis + 5),
        y: area.y + 1,
        height: area.height.saturating_sub(3),
    };
    put(buffer, area.x + 2, area.y, &chart.value.name, area.width, shared.theme.style(Role::Heading));
    put_right(buffer, area.x + 1, plot.y, &top, axis, dim);
    put_right(buffer, area.x + 1, plot.bottom().saturating_sub(1), "0", axis, dim);
    for column in 0..plot.width {
        let share = cell_value(&chart, column, plot.width).map_or(0.0, |value| chart.share(value));
        pillar(share, plot, column, buffer, shared);
    }
    let last = grid.len().saturating_sub(1);
    put(buffer, plot.x, plot.bottom(), &chart.label(0, shared), plot.width / 2, dim);
    put_right(buffer, plot.x, plot.bottom(), &chart.label(last, shared), plot.width, dim);
}

/// Returns the largest of the values that share the cell at `column`.
fn cell_value(chart: &Chart<'_>, column: u16, columns: u16) -> Option<f64> {
    let (len, columns) = (chart.grid.len(), usize::from(columns).max(1));
    let from = usize::from(column) * len / columns;
    let to = ((usize::from(column) + 1) * len / columns).max(from + 1).min(len);
    (from..to).filter_map(|place| chart.number(place)).reduce(f64::max)
}

/// Draws the value of one column of cells, by eighths of a cell.
fn pillar(share: f64, plot: Rect, column: u16, buffer: &mut Buffer, shared: &Shared) {
    let eighths = (share.clamp(0.0, 1.0) * f64::from(plot.height) * 8.0).round() as u16;
    for step in 0..plot.height {
        let level = eighths.saturating_sub(step * 8).min(8);
        let row = plot.bottom().saturating_sub(1 + step);
        if level > 0 {
            let sign = shared.symbols.levels[usize::from(level) - 1];
            put(buffer, plot.x + column, row, sign, 1, shared.theme.style(Role::Bar));
        }
    }
}

fn nothing(area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let text = "no column of this answer is a number; c shows the table again";
    put(buffer, area.x + 2, area.y + 1, text, area.width.saturating_sub(4), shared.theme.style(Role::Dim));
}
