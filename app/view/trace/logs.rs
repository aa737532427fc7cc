//! What services wrote to their logs while the selected span ran.
//!
//! The lines of a whole trace are asked for once; moving the cursor only picks those of another span.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::desk::Question;
use riftline_queries::table::{Cell, Table};

use crate::humane::{self, Zone};
use crate::theme::Role;
use crate::tui::command::Command;
use crate::tui::state::Shared;
use crate::widget::line::put;
use crate::widget::scroll::Scroll;

/// The log lines of one trace, and which of them belong to the selected span.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    lines: Option<Arc<Table>>,
    failure: String,
    span_id: Option<u64>,
    /// Rows of `lines`.
    picked: Vec<usize>,
    scroll: Scroll,
}

/// More lines of one trace than these are for the Logs view.
const MAX_LINES: u64 = 50_000;

/// Returns the question for the lines of a trace, all its pieces. Ids are hex of our own making, so that they need no quoting.
#[must_use]
pub fn question(trace_ids: &[&str]) -> Question {
    let ids = trace_ids.join("', '");
    let sql = format!("SELECT time, severity, body, span_id FROM logs WHERE trace_id IN ('{ids}') ORDER BY time");
    Question::Sql { sql, max_rows: Some(MAX_LINES) }
}

impl Logs {
    /// Takes the lines of the trace, or why there are none.
    pub fn take(&mut self, answer: Result<Arc<Table>, String>) {
        match answer {
            Ok(lines) => self.lines = Some(lines),
            Err(failure) => self.failure = failure,
        }
        let span_id = self.span_id.take();
        self.pick(span_id);
    }

    /// Picks the lines of one span.
    pub fn pick(&mut self, span_id: Option<u64>) {
        if self.span_id == span_id && span_id.is_some() {
            return;
        }
        self.span_id = span_id;
        let hex = span_id.map(|span_id| format!("{span_id:016x}")).unwrap_or_default();
        let is_of_span = |lines: &Table, line: usize| lines.get(line, "span_id") == Cell::Text(&hex);
        let pick = |lines: &Arc<Table>| (0..lines.num_rows()).filter(|&line| is_of_span(lines, line)).collect();
        self.picked = self.lines.as_ref().map_or_else(Vec::new, pick);
        self.scroll = Scroll::default();
    }

    /// Returns how many lines the span has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.picked.len()
    }

    /// Tells whether the span has no lines.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.picked.is_empty()
    }

    /// Moves the cursor as `command` says. Returns whether it was about moving.
    pub fn go(&mut self, command: Command, area: Rect) -> bool {
        self.scroll.command(command, self.len(), area.height)
    }

    /// Moves the cursor by so many lines, as a wheel does.
    pub fn wheel(&mut self, lines: isize, area: Rect) {
        self.scroll.wheel(lines, self.len(), area.height);
    }

    /// Draws the lines.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared, has_keys: bool) {
        let Some(lines) = self.lines.as_ref().filter(|_| !self.is_empty()) else {
            let (text, role) = match (&self.lines, self.failure.as_str()) {
                (Some(_), _) => ("no log line carries the id of this span", Role::Dim),
                (None, failure) => (failure, Role::Error),
            };
            put(buffer, area, text, shared.theme.style(role));
            return;
        };
        let seen = self.scroll.seen(self.len(), area.height);
        for (y, entry) in (area.y..area.bottom()).zip(seen) {
            let line = Rect { y, height: 1, ..area };
            if has_keys && entry == self.scroll.cursor {
                buffer.set_style(line, shared.theme.style(Role::Selection));
            }
            render_line(lines, self.picked[entry], line, buffer, shared);
        }
    }
}

fn render_line(lines: &Table, entry: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let text = |name: &str| match lines.get(entry, name) {
        Cell::Text(text) | Cell::Json(text) => text,
        _ => "",
    };
    let style = |role: Role| shared.theme.style(role);
    let rest = put(buffer, area, &time(lines.get(entry, "time"), shared.zone), style(Role::Time));
    let level = text("severity");
    let rest = put(buffer, rest, &format!(" {:<5} ", level.to_uppercase()), style(role(level)));
    put(buffer, rest, text("body"), style(Role::Text));
}

fn time(cell: Cell<'_>, zone: Zone) -> String {
    match cell {
        Cell::Time(time_ns) => humane::time_of_day(time_ns, zone),
        _ => String::new(),
    }
}

/// Returns the role of a level as the view `logs` names it.
fn role(level: &str) -> Role {
    match level {
        "fatal" | "error" => Role::Error,
        "warn" => Role::Warn,
        "trace" | "debug" => Role::Dim,
        _ => Role::Info,
    }
}
