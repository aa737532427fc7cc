//! Draws the console: the editor, a rule that tells of the answer, and the answer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Clear, Widget as _};
use riftline_queries::error::AskError;
use riftline_queries::table::Cell;

use super::grid::{Grid, is_number, shown};
use super::{MAX_ROWS, Mode, Query, chart, detail, highlight};
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::text::{put, put_parts, put_right, width};

/// The parts of the view.
pub struct Parts {
    pub editor: Rect,
    pub rule: Rect,
    pub header: Rect,
    pub rows: Rect,
    /// The row under the cursor, while it is shown whole.
    pub detail: Rect,
}

const GUTTER: u16 = 3;
const WIDE: u16 = 120;

/// Returns the parts of the view in `area`.
pub fn parts(view: &Query, area: Rect) -> Parts {
    let lines = u16::try_from(view.editor.lines().len()).unwrap_or(u16::MAX).saturating_add(1);
    let editor = lines.clamp(3, (area.height / 3).max(3)).min(area.height);
    let rule = Rect { y: area.y + editor, height: 1, ..area }.intersection(area);
    let below = Rect { y: rule.bottom(), height: area.height.saturating_sub(editor + 1), ..area };
    let detail = match (view.shows_row, area.width >= WIDE) {
        (false, _) => Rect::default(),
        (true, true) => Rect { x: area.x + area.width / 2, width: area.width - area.width / 2, ..below },
        (true, false) => below,
    };
    let wide = if detail.x > area.x { detail.x - area.x } else { area.width };
    let header = Rect { height: below.height.min(1), width: wide, ..below };
    let rows = Rect { y: header.bottom(), height: below.height.saturating_sub(1), width: wide, ..below };
    Parts { editor: Rect { height: editor, ..area }, rule, header, rows, detail }
}

/// Draws the view.
pub fn render(view: &Query, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let parts = parts(view, area);
    rule(view, parts.rule, buffer, shared);
    answer(view, &parts, buffer, shared);
    editor(view, parts.editor, area, buffer, shared);
}

fn editor(view: &Query, area: Rect, screen: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let top = view.editor.top(area.height);
    let mistake = view.failure.as_ref().filter(|_| view.failed_here).and_then(|error| place(view, error));
    let mut is_open = false;
    let mut row = area.y;
    for (index, line) in view.editor.lines().iter().enumerate() {
        let parts = highlight::line(line, &mut is_open);
        if index < top || row >= area.bottom() {
            continue;
        }
        let sign = if index == 0 { "›" } else { "·" };
        let sign_role = if view.reads() { Role::Faint } else { Role::Prompt };
        put(buffer, area.x + 1, row, sign, 1, theme.style(sign_role));
        let styled: Vec<(&str, Style)> = parts.iter().map(|(text, role)| (*text, theme.style(*role))).collect();
        put_parts(buffer, area.x + GUTTER, row, area.width.saturating_sub(GUTTER + 1), &styled);
        row += 1;
        if let Some((_, cells, message)) = mistake.as_ref().filter(|(line, ..)| *line == index) {
            caret(*cells, message, Rect { y: row, height: 1, ..screen }, buffer, shared);
            row += 1;
        }
    }
    if !view.reads() {
        cursor(view, area, screen, top, mistake.as_ref().map(|(line, ..)| *line), buffer, shared);
    }
}

/// Returns the line and cells of a mistake, and its message.
fn place(view: &Query, error: &AskError) -> Option<(usize, u16, String)> {
    match error {
        AskError::Bad { message, at: Some(at) } => {
            let (line, cells) = view.editor.place(*at);
            Some((line, cells, message.lines().next().unwrap_or_default().to_owned()))
        }
        _ => None,
    }
}

fn caret(cells: u16, message: &str, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    Clear.render(area.intersection(buffer.area), buffer);
    buffer.set_style(area.intersection(buffer.area), shared.theme.style(Role::Background));
    let column = area.x.saturating_add(GUTTER).saturating_add(cells).min(area.right().saturating_sub(2));
    put(buffer, column, area.y, "^", 1, shared.theme.style(Role::Caret));
    let needed = width(message).saturating_add(1);
    let style = shared.theme.style(Role::Error);
    if column.saturating_add(needed + 1) < area.right() || column < area.x + GUTTER + needed {
        put(buffer, column + 2, area.y, message, area.right().saturating_sub(column + 3), style);
    } else {
        put(buffer, column - needed, area.y, message, needed, style);
    }
}

fn cursor(
    view: &Query,
    area: Rect,
    screen: Rect,
    top: usize,
    mistake: Option<usize>,
    buffer: &mut Buffer,
    shared: &Shared,
) {
    let (line, cells) = view.editor.cursor();
    let below_mistake = mistake.is_some_and(|mistaken| mistaken < line);
    let row = area.y + u16::try_from(line.saturating_sub(top)).unwrap_or(u16::MAX) + u16::from(below_mistake);
    let column = (area.x + GUTTER).saturating_add(cells).min(area.right().saturating_sub(1));
    let cell = Rect::new(column, row.min(area.bottom().saturating_sub(1)), 1, 1).intersection(buffer.area);
    buffer.set_style(cell, Style::new().add_modifier(Modifier::REVERSED));
    let from = u16::try_from(view.offer_from).unwrap_or_default();
    offers(view, column.saturating_sub(from), row + 1, screen, buffer, shared);
}

fn offers(view: &Query, column: u16, row: u16, screen: Rect, buffer: &mut Buffer, shared: &Shared) {
    let text = view.offers.iter().map(|offer| width(&offer.text)).max().unwrap_or_default();
    let note = view.offers.iter().map(|offer| width(&offer.note)).max().unwrap_or_default().min(36);
    let wide = (text + note + 4).min(screen.width);
    let x = column.saturating_sub(1).min(screen.right().saturating_sub(wide));
    let height = u16::try_from(view.offers.len()).unwrap_or_default();
    let list = Rect { x, y: row, width: wide, height }.intersection(screen);
    Clear.render(list, buffer);
    let ground = shared.theme.style(Role::Popup);
    for (index, (line, offer)) in (list.top()..list.bottom()).zip(&view.offers).enumerate() {
        let is_chosen = index == view.offer;
        let style = if is_chosen { ground.patch(shared.theme.style(Role::Selection)) } else { ground };
        let dim = if is_chosen { style } else { style.patch(shared.theme.style(Role::Dim)) };
        buffer.set_style(Rect { y: line, height: 1, ..list }, style);
        put(buffer, list.x + 1, line, &offer.text, text, style);
        put(buffer, list.x + 3 + text, line, &offer.note, note, dim);
    }
}

fn rule(view: &Query, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let style = theme.style(if view.reads() { Role::BorderFocus } else { Role::Border });
    put(buffer, area.x, area.y, &"─".repeat(usize::from(area.width)), area.width, style);
    let (dim, warn) = (theme.style(Role::Dim), theme.style(Role::Warn));
    let (text, style) = match (&view.failure, view.grid()) {
        _ if view.is_running => ("running; Esc stops it".to_owned(), theme.style(Role::Accent)),
        (Some(_), _) => (format!("{} no answer", shared.symbols.error), theme.style(Role::Error)),
        (None, Some(grid)) => (size(grid), if view.reads() { theme.style(Role::Strong) } else { dim }),
        (None, None) => return,
    };
    let is_cut =
        view.answer.as_ref().is_some_and(|grid| grid.table.is_cut) && view.failure.is_none() && !view.is_running;
    let cut = format!("  cut at {} rows; e exports all ", humane::count(MAX_ROWS));
    let mode = match view.mode {
        Mode::Table => "",
        Mode::Bars => "  bars",
        Mode::Line => "  line",
        Mode::Summary => "  columns of the answer",
    };
    let parts = [(" ", dim), (text.as_str(), style), (mode, dim), (if is_cut { &cut } else { " " }, warn)];
    put_parts(buffer, area.x + 2, area.y, area.width.saturating_sub(4), &parts);
}

fn size(grid: &Grid) -> String {
    let (rows, columns) = (grid.len(), grid.table.columns.len());
    let plural = |number: usize, what: &str| {
        format!("{} {what}{}", humane::count(number as u64), if number == 1 { "" } else { "s" })
    };
    format!("{}, {}", plural(rows, "row"), plural(columns, "column"))
}

fn answer(view: &Query, parts: &Parts, buffer: &mut Buffer, shared: &Shared) {
    if let Some(error) = view.failure.as_ref().filter(|_| !view.is_running) {
        return failure(error, parts, buffer, shared);
    }
    let Some(grid) = view.grid() else { return };
    let whole = Rect { y: parts.header.y, height: parts.rows.height + parts.header.height, ..parts.rows };
    match view.mode {
        Mode::Bars => return chart::bars(grid, whole, buffer, shared),
        Mode::Line => return chart::line(grid, whole, buffer, shared),
        Mode::Table | Mode::Summary => {}
    }
    if parts.detail.x > parts.rows.x || parts.detail.is_empty() {
        table(grid, parts, view.reads(), buffer, shared);
    }
    if !parts.detail.is_empty() {
        let bar = Rect { width: 1, ..parts.detail };
        (bar.top()..bar.bottom()).for_each(|row| {
            put(buffer, bar.x, row, "│", 1, shared.theme.style(Role::Border));
        });
        let inner = Rect { x: bar.x + 2, width: parts.detail.width.saturating_sub(3), ..parts.detail };
        detail::render(grid, view.detail_top, inner, buffer, shared);
    }
}

fn failure(error: &AskError, parts: &Parts, buffer: &mut Buffer, shared: &Shared) {
    let text = error.to_string();
    for (row, line) in (parts.header.y + 1..parts.rows.bottom()).zip(text.lines()) {
        let room = parts.rows.width.saturating_sub(4);
        put(buffer, parts.rows.x + 2, row, line, room, shared.theme.style(Role::Error));
    }
}

fn table(grid: &Grid, parts: &Parts, has_focus: bool, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let seen = grid.scroll.seen(grid.len(), parts.rows.height);
    if let Some(line) = grid.scroll.cursor.checked_sub(seen.start).and_then(|line| u16::try_from(line).ok()) {
        let row = Rect { y: parts.rows.y + line, height: 1, ..parts.rows }.intersection(parts.rows);
        let ground = if has_focus { Role::Selection } else { Role::SelectionIdle };
        buffer.set_style(row, theme.style(ground));
        if has_focus && !row.is_empty() && grid.len() > 0 {
            put(buffer, row.x, row.y, shared.symbols.cursor, 1, theme.style(Role::Accent));
        }
    }
    let mut x = parts.rows.x + 2;
    for index in grid.left..grid.table.columns.len() {
        let room = grid.width(index).min(parts.rows.right().saturating_sub(x + 1));
        if room < 3 {
            break;
        }
        head(grid, index, Rect { x, width: room, ..parts.header }, has_focus, buffer, shared);
        let column = Rect { x, width: room, ..parts.rows };
        cells(grid, index, seen.clone(), column, buffer, shared);
        x = x.saturating_add(room + 2);
    }
}

fn head(grid: &Grid, index: usize, area: Rect, has_focus: bool, buffer: &mut Buffer, shared: &Shared) {
    let Some(column) = grid.table.columns.get(index) else { return };
    let sign = match grid.sorting {
        Some(sorting) if sorting.column == index && sorting.descends => shared.symbols.descending,
        Some(sorting) if sorting.column == index => shared.symbols.ascending,
        _ => "",
    };
    let is_current = index == grid.column && has_focus;
    let style = shared.theme.style(if is_current { Role::Accent } else { Role::Heading });
    if is_number(column) {
        put_right(buffer, area.x, area.y, &format!("{sign}{}", column.name), area.width, style);
    } else {
        put(buffer, area.x, area.y, &format!("{} {sign}", column.name), area.width, style);
    }
}

fn cells(grid: &Grid, index: usize, seen: std::ops::Range<usize>, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(column) = grid.table.columns.get(index) else { return };
    for (line, place) in (area.top()..area.bottom()).zip(seen) {
        let cell = grid.row(place).map_or(Cell::Null, |row| column.values.get(row));
        let ground = if place == grid.scroll.cursor { Role::Selection } else { role(cell) };
        let style = shared.theme.style(ground);
        // The ground of the row is drawn already; here only what stands on it.
        let style = Style { bg: None, ..style };
        match shown(cell, &column.name, shared.zone) {
            None if is_number(column) => {
                put_right(buffer, area.x, line, "null", area.width, shared.theme.style(Role::Null));
            }
            None => drop(put(buffer, area.x, line, "null", area.width, shared.theme.style(Role::Null))),
            Some(text) if is_number(column) => put_right(buffer, area.x, line, &text, area.width, style),
            Some(text) => drop(put(buffer, area.x, line, &text, area.width, style)),
        }
    }
}

fn role(cell: Cell<'_>) -> Role {
    match cell {
        Cell::Time(_) => Role::Time,
        Cell::Int(_) | Cell::UInt(_) | Cell::Double(_) | Cell::Bool(_) => Role::Number,
        Cell::Null => Role::Null,
        Cell::Text(_) | Cell::Json(_) => Role::Text,
    }
}
