//! What services wrote to their logs while the selected span ran.

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

/// The log lines of one span.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    pub rank: Option<u32>,
    lines: Option<Arc<Table>>,
    failure: String,
    scroll: Scroll,
}

/// More lines than these are for the Logs view.
const MAX_LINES: u64 = 1_000;

/// Returns the question for the lines of one span. The ids are hex of our own making, so that they need no quoting.
#[must_use]
pub fn question(trace_id: &str, span_id: u64) -> Question {
    let sql = format!(
        "SELECT time, severity, body FROM logs WHERE trace_id = '{trace_id}' AND span_id = '{span_id:016x}' ORDER BY time"
    );
    Question::Sql { sql, max_rows: Some(MAX_LINES) }
}

impl Logs {
    /// Returns the answer for the span at `rank`.
    #[must_use]
    pub fn new(rank: u32, answer: Result<Arc<Table>, String>) -> Self {
        let (lines, failure) = match answer {
            Ok(lines) => (Some(lines), String::new()),
            Err(failure) => (None, failure),
        };
        Self { rank: Some(rank), lines, failure, scroll: Scroll::default() }
    }

    /// Returns how many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.as_ref().map_or(0, |lines| lines.num_rows())
    }

    /// Tells whether there are no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        let Some(lines) = self.lines.as_ref().filter(|lines| lines.num_rows() > 0) else {
            let nothing = if self.rank.is_some() { "no log line carries the id of this span" } else { "" };
            let (text, role) =
                if self.failure.is_empty() { (nothing, Role::Dim) } else { (self.failure.as_str(), Role::Error) };
            put(buffer, area, text, shared.theme.style(role));
            return;
        };
        let seen = self.scroll.seen(lines.num_rows(), area.height);
        for (y, entry) in (area.y..area.bottom()).zip(seen) {
            let line = Rect { y, height: 1, ..area };
            if has_keys && entry == self.scroll.cursor {
                buffer.set_style(line, shared.theme.style(Role::Selection));
            }
            render_line(lines, entry, line, buffer, shared);
        }
    }
}

fn render_line(lines: &Table, entry: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    let rest = put(buffer, area, &time(lines.get(entry, "time"), shared.zone), style(Role::Time));
    let (level, role) = level(lines.get(entry, "severity"));
    let rest = put(buffer, rest, &format!(" {level:<5} "), style(role));
    let body = match lines.get(entry, "body") {
        Cell::Text(body) | Cell::Json(body) => body,
        _ => "",
    };
    put(buffer, rest, body, style(Role::Text));
}

fn time(cell: Cell<'_>, zone: Zone) -> String {
    match cell {
        Cell::Time(time_ns) => humane::time_of_day(time_ns, zone),
        _ => String::new(),
    }
}

/// Returns the level by OTLP's severity numbers (data model of logs, "Field: `SeverityNumber`"), or as it was written.
fn level(cell: Cell<'_>) -> (String, Role) {
    let number = match cell {
        Cell::Int(number) => number,
        Cell::UInt(number) => i64::try_from(number).unwrap_or_default(),
        Cell::Text(text) => return (text.to_uppercase(), role_of(text)),
        _ => 0,
    };
    let name = match number {
        1..=4 => "TRACE",
        5..=8 => "DEBUG",
        9..=12 => "INFO",
        13..=16 => "WARN",
        17..=20 => "ERROR",
        21..=24 => "FATAL",
        _ => "",
    };
    (name.to_owned(), role_of(name))
}

fn role_of(level: &str) -> Role {
    match level.to_ascii_lowercase().as_str() {
        "fatal" | "error" | "critical" => Role::Error,
        "warn" | "warning" => Role::Warn,
        "trace" | "debug" => Role::Dim,
        _ => Role::Info,
    }
}
