//! Draws the list of traces.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use riftline_queries::error::AskError;
use serde_json::json;

use super::Traces;
use super::column::COLUMNS;
use super::page::Row;
use crate::humane;
use crate::theme::Role;
use crate::tui::effect::Target;
use crate::tui::state::Shared;
use crate::widget::bar::put_bar;
use crate::widget::text::{put, put_parts, put_right, width};

/// The parts of the view.
pub struct Parts {
    /// How many, in which order, filtered by what; also where filters are typed.
    pub summary: Rect,
    pub header: Rect,
    pub rows: Rect,
    /// More about the trace under the cursor.
    pub detail: Rect,
}

/// Returns the parts of a view in `area`.
pub fn parts(area: Rect) -> Parts {
    let line =
        |row: u16| Rect { y: area.y + row.min(area.height.saturating_sub(1)), height: area.height.min(1), ..area };
    let rows = Rect { y: area.y.saturating_add(2), height: area.height.saturating_sub(3), ..area };
    Parts { summary: line(0), header: line(1), rows, detail: line(area.height.saturating_sub(1)) }
}

/// Where each column is drawn.
#[derive(Debug, Clone, Copy, Default)]
struct Columns {
    start: Rect,
    id: Rect,
    service: Rect,
    name: Rect,
    bar: Rect,
    duration: Rect,
    spans: Rect,
    services: Rect,
    errors: Rect,
    marks: Rect,
    has_date: bool,
}

const MARGIN: u16 = 2;
const WIDE: u16 = 130;

impl Columns {
    /// Lays the columns out: the fixed ones first, then as much as services and operations need, and the rest for bars.
    fn new(area: Rect, (service, name): (u16, u16), has_date: bool) -> Self {
        let is_wide = area.width >= WIDE;
        let gap = if is_wide { 2 } else { 1 };
        let (start, id) = (if has_date { 14 } else { 12 }, if is_wide { 8 } else { 0 });
        let numbers = [8 + gap, 6 + gap, 3 + gap, 3 + gap];
        let marks = 5;
        let id_gap = if is_wide { gap } else { 0 };
        let fixed = MARGIN + start + gap + id + id_gap + gap + numbers.iter().sum::<u16>() + gap + marks;
        let free = area.width.saturating_sub(fixed);
        let least_bar = (free / 4).clamp(6, 24);
        let service = service.min(free.saturating_sub(least_bar) / 3);
        let name = name.min(free.saturating_sub(least_bar + service + 2)).max(8);
        let bar = free.saturating_sub(service + 2 + name).min(60);
        let mut column = area.x + MARGIN;
        let mut next = |width: u16, gap: u16| {
            let place = Rect { x: column, width, height: 1, y: area.y };
            column = column.saturating_add(width).saturating_add(gap);
            place
        };
        Self {
            start: next(start, gap),
            id: next(id, id_gap),
            service: next(service, 2),
            name: next(name, gap),
            bar: next(bar, 0),
            duration: next(numbers[0], 0),
            spans: next(numbers[1], 0),
            services: next(numbers[2], 0),
            errors: next(numbers[3], gap),
            marks: next(marks, 0),
            has_date,
        }
    }
}

/// Draws the view.
pub fn render(view: &Traces, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let parts = parts(area);
    summary(view, parts.summary, parts.rows, buffer, shared);
    if view.len() == 0 {
        empty(view, parts.rows, buffer, shared);
    } else {
        let columns = Columns::new(area, view.root_width, has_date(shared));
        header(view, &columns, parts.header, buffer, shared);
        for line in 0..parts.rows.height {
            let place = Rect { y: parts.rows.y + line, height: 1, ..parts.rows };
            row(view, view.scroll.top + usize::from(line), &columns, place, buffer, shared);
        }
        detail(view, parts.detail, buffer, shared);
    }
    if let Some(line) = &view.editing {
        line.render(area, buffer, shared);
    }
}

fn summary(view: &Traces, area: Rect, rows: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let (text, dim, accent) = (theme.style(Role::Text), theme.style(Role::Dim), theme.style(Role::Accent));
    if let Some(error) = &view.failure {
        let message = format!("{} {error}", shared.symbols.error);
        put(buffer, area.x + MARGIN, area.y, &message, area.width.saturating_sub(4), theme.style(Role::Error));
        return;
    }
    let noted = findings_note(area, buffer, shared);
    let area = Rect { width: area.width.saturating_sub(noted), ..area };
    let last = (view.scroll.top + usize::from(rows.height)).min(view.len());
    let position = format!("{}–{} of {}", count(view.scroll.top + 1), count(last), count(view.len()));
    let position = if view.len() > usize::from(rows.height) { position } else { String::new() };
    let room = area.width.saturating_sub(width(&position)).saturating_sub(2 * MARGIN + 2);
    let number = count(view.len());
    let order = view.choice.order.words();
    let (filter, errors) = (view.choice.filter.as_deref().unwrap_or_default(), view.choice.errors_only);
    let what = if view.len() == 1 { " trace" } else { " traces" };
    let line = [
        (number.as_str(), text),
        (what, text),
        (if errors { " with errors" } else { "" }, accent),
        (", ", dim),
        (order.as_str(), dim),
        ("   ", dim),
        (filter, accent),
    ];
    if view.len() > 0 || view.is_narrowed() {
        put_parts(buffer, area.x + MARGIN, area.y, room, &line);
    }
    put_right(buffer, area.x, area.y, &position, area.width.saturating_sub(MARGIN), dim);
}

/// Says at the right end that something is broken and where that is shown; returns how many cells it took.
fn findings_note(area: Rect, buffer: &mut Buffer, shared: &Shared) -> u16 {
    let number = shared.analysis.num_findings(&shared.memory);
    if number == 0 {
        return 0;
    }
    let what = if number == 1 { "finding" } else { "findings" };
    let text = format!("{} {} {what}: press 1", shared.symbols.findings, count(number));
    put_right(buffer, area.x, area.y, &text, area.width.saturating_sub(MARGIN), shared.theme.style(Role::Error));
    width(&text) + MARGIN
}

fn count(number: usize) -> String {
    humane::count(number as u64)
}

fn header(view: &Traces, columns: &Columns, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = shared.theme.style(Role::Heading);
    let places = [
        ("start", columns.start, false),
        ("duration", columns.duration, true),
        ("errors", columns.errors, true),
        ("spans", columns.spans, true),
        ("services", columns.services, true),
        ("root", columns.service, false),
        ("marks", columns.marks, false),
    ];
    for (name, place, is_right) in places {
        let Some(column) = COLUMNS.iter().find(|column| column.name == name) else { continue };
        let is_sorted = view.choice.order.info().name == name;
        let sign = if view.choice.order.descends { shared.symbols.descending } else { shared.symbols.ascending };
        let style = if is_sorted { shared.theme.style(Role::Accent) } else { style };
        let title = match (is_sorted, is_right) {
            (false, _) => column.title.to_owned(),
            (true, true) => format!("{sign}{}", column.title),
            (true, false) => format!("{} {sign}", column.title),
        };
        if is_right {
            put_right(buffer, place.x, area.y, &title, place.width, style);
        } else {
            put(buffer, place.x, area.y, &title, place.width.max(width(&title)), style);
        }
    }
    put(buffer, columns.id.x, area.y, "id", columns.id.width, style);
}

fn row(view: &Traces, index: usize, columns: &Columns, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    if index >= view.len() {
        return;
    }
    let is_selected = index == view.scroll.cursor;
    if is_selected {
        buffer.set_style(area, shared.theme.style(Role::Selection));
        put(buffer, area.x, area.y, shared.symbols.cursor, 1, shared.theme.style(Role::Accent));
    }
    match view.row(index) {
        Some(row) => cells(row, view.page.whole.longest_ns, columns, area.y, is_selected, buffer, shared),
        // The window that holds it is on its way.
        None => drop(put(buffer, columns.start.x, area.y, "·", 1, shared.theme.style(Role::Faint))),
    }
}

fn cells(
    row: &Row,
    longest_ns: i64,
    columns: &Columns,
    line: u16,
    is_selected: bool,
    buffer: &mut Buffer,
    shared: &Shared,
) {
    let theme = &shared.theme;
    // On the selection everything has to be readable.
    let quiet = |role: Role| if is_selected { theme.style(Role::Selection) } else { theme.style(role) };
    let number = |buffer: &mut Buffer, place: Rect, number: u64, style: Style| {
        put_right(buffer, place.x, line, &humane::short_count(number), place.width, style);
    };
    if shared.memory.is_bookmarked(&Target::Trace { id: row.trace_id.clone(), span_id: None }) {
        put(buffer, columns.start.x - 1, line, shared.symbols.bookmark, 1, theme.style(Role::Warn));
    }
    put(buffer, columns.start.x, line, &start(row, columns.has_date, shared), columns.start.width, quiet(Role::Time));
    let id = row.trace_id.get(..usize::from(columns.id.width)).unwrap_or(&row.trace_id);
    put(buffer, columns.id.x, line, id, columns.id.width, quiet(Role::Id));
    let colour = theme.service(shared.services.slot(&row.root_service));
    put(buffer, columns.service.x, line, &row.root_service, columns.service.width, colour);
    put(buffer, columns.name.x, line, root_name(row), columns.name.width, quiet(Role::Text));
    let bar = if row.num_errors > 0 { theme.style(Role::Error) } else { theme.style(Role::Bar) };
    let share = if longest_ns > 0 { row.duration_ns as f64 / longest_ns as f64 } else { 0.0 };
    put_bar(buffer, columns.bar.x, line, columns.bar.width, share, &shared.symbols, bar);
    let duration = humane::duration(row.duration_ns);
    put_right(buffer, columns.duration.x, line, &duration, columns.duration.width, quiet(Role::Number));
    number(buffer, columns.spans, row.num_spans, quiet(Role::Number));
    number(buffer, columns.services, row.num_services, quiet(Role::Dim));
    if row.num_errors > 0 {
        number(buffer, columns.errors, row.num_errors, theme.style(Role::Error));
    }
    put_parts(buffer, columns.marks.x, line, columns.marks.width, &marks(row, shared));
}

fn start(row: &Row, has_date: bool, shared: &Shared) -> String {
    if has_date {
        let text = humane::date_time(row.start_ns, shared.zone);
        return text.get(5..19).unwrap_or(&text).to_owned();
    }
    humane::time_of_day(row.start_ns, shared.zone)
}

fn root_name(row: &Row) -> &str {
    if row.root_name.is_empty() { "(no root)" } else { &row.root_name }
}

fn marks(row: &Row, shared: &Shared) -> Vec<(&'static str, Style)> {
    let (symbols, style) = (&shared.symbols, shared.theme.style(Role::Mark));
    let warn = shared.theme.style(Role::Warn);
    let all = [
        (row.is_stitched, symbols.stitched, style),
        (!row.is_complete, symbols.incomplete, warn),
        (row.num_findings > 0, symbols.findings, shared.theme.style(Role::Error)),
    ];
    all.into_iter().filter(|(is_set, ..)| *is_set).map(|(_, sign, style)| (sign, style)).collect()
}

fn detail(view: &Traces, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(row) = view.current() else { return };
    let theme = &shared.theme;
    let (dim, text) = (theme.style(Role::Dim), theme.style(Role::Text));
    let when = humane::date_time(row.start_ns, shared.zone);
    let when = when.get(..10).unwrap_or(&when);
    let age = shared.extent.map(|(_, newest)| newest.saturating_sub(row.start_ns)).filter(|age| *age > 0);
    let age = age.map(|age| format!(", {} before the newest", humane::duration(age))).unwrap_or_default();
    let mut meaning = Vec::new();
    if row.is_stitched {
        meaning.push("stitched");
    }
    if !row.is_complete {
        meaning.push("incomplete");
    }
    if row.num_findings > 0 {
        meaning.push("findings");
    }
    let meaning = meaning.join(", ");
    let line = [
        (row.trace_id.as_str(), text),
        ("   ", dim),
        (when, dim),
        (age.as_str(), dim),
        ("   ", dim),
        (meaning.as_str(), theme.style(Role::Mark)),
    ];
    put_parts(buffer, area.x + MARGIN, area.y, area.width.saturating_sub(2 * MARGIN), &line);
}

fn empty(view: &Traces, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let (strong, dim, key) = (theme.style(Role::Strong), theme.style(Role::Dim), theme.style(Role::Key));
    let lines: Vec<Vec<(&str, Style)>> = match () {
        () if matches!(view.failure, Some(AskError::Bad { .. })) => {
            vec![vec![("the filter is not understood", strong)]]
        }
        () if view.failure.is_some() => vec![vec![("the store did not answer", strong)], vec![], retry(shared)],
        () if !view.has_answer => Vec::new(),
        () if view.is_narrowed() => vec![
            vec![("no trace fits", strong)],
            vec![],
            vec![("X", key), (" shows all again, ", dim), ("/", key), (" changes the filter", dim)],
        ],
        () if shared.loading.is_some() => {
            vec![vec![("reading", strong)], vec![], vec![("the first traces appear here at once", dim)]]
        }
        () => vec![
            vec![("────────╱ ╱────────", theme.style(Role::Accent))],
            vec![],
            vec![("this store holds no traces yet", strong)],
            vec![],
            vec![("riftline FILE…            ", key), ("opens trace files and folders      ", dim)],
            vec![("riftline ingest FILE…     ", key), ("reads them into the default store  ", dim)],
            vec![("cat spans.json | riftline -", key), (" reads a pipe                     ", dim)],
        ],
    };
    let top = area.y + area.height.saturating_sub(lines.len() as u16) / 3;
    for (row, line) in (top..area.bottom()).zip(&lines) {
        let cells: u16 = line.iter().map(|(text, _)| width(text)).sum();
        put_parts(buffer, area.x + area.width.saturating_sub(cells) / 2, row, area.width, line);
    }
}

fn retry(shared: &Shared) -> Vec<(&'static str, Style)> {
    let theme = &shared.theme;
    vec![("Ctrl-L", theme.style(Role::Key)), (" asks again", theme.style(Role::Dim))]
}

/// Returns how many cells the widest service and the widest operation of `rows` take.
pub fn root_width(rows: &[Row]) -> (u16, u16) {
    let widest = |text: &dyn Fn(&Row) -> u16| rows.iter().map(text).max().unwrap_or_default();
    (widest(&|row| width(&row.root_service)).clamp(4, 24), widest(&|row| width(root_name(row))))
}

/// Tells whether the store spans more than a day, so that a time of day says too little.
fn has_date(shared: &Shared) -> bool {
    const DAY_NS: i64 = 86_400_000_000_000;
    shared.range.or(shared.extent).is_some_and(|(first, last)| last.saturating_sub(first) >= DAY_NS)
}

/// Returns the trace as JSON, under the names of the view `traces`.
pub fn json(row: &Row) -> String {
    json!({
        "trace_id": row.trace_id,
        "start": humane::rfc3339(row.start_ns, humane::Zone::Utc),
        "duration_ns": row.duration_ns,
        "root_service": row.root_service,
        "root_name": row.root_name,
        "num_spans": row.num_spans,
        "num_services": row.num_services,
        "num_errors": row.num_errors,
        "is_complete": row.is_complete,
        "is_stitched": row.is_stitched,
        "num_findings": row.num_findings,
    })
    .to_string()
}

/// Returns what the signs of the list mean.
pub fn legend(shared: &Shared) -> Vec<(String, &'static str)> {
    let symbols = &shared.symbols;
    vec![
        (symbols.stitched.to_owned(), "Stitched: parts without a recorded connection were joined."),
        (symbols.incomplete.to_owned(), "Incomplete: spans name a parent that is not in the store."),
        (symbols.findings.to_owned(), "Findings: something is wrong in this trace."),
        (symbols.kernel.to_owned(), "Kernel data: what the machine did meanwhile is known."),
        (symbols.bookmark.to_owned(), "Bookmarked."),
        (symbols.bar.repeat(4), "Duration on the scale of the list: the longest trace fills the column."),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_the_smallest_screen() {
        let columns = Columns::new(Rect::new(0, 1, 80, 22), (14, 30), false);
        assert!(columns.marks.right() <= 80, "{columns:?}");
        assert!(columns.name.width >= 12, "{columns:?}");
    }
}
