//! Everything recorded of the selected span, as lines to read.
//!
//! ```text
//! charge  client · orders
//! status                  error: context deadline exceeded
//! start                   10:52:03.112 (+12.3 ms)
//! attributes
//! rpc.system              grpc
//! rpc.grpc.status_code    4
//! events
//! +12.3 ms                exception
//!   exception.type        DeadlineExceeded
//! ```

mod facts;
mod values;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::trace::details::SpanDetails;
use unicode_segmentation::UnicodeSegmentation;

use super::data::TraceData;
use super::outline::Row;
use crate::humane::Zone;
use crate::theme::Role;
use crate::tui::command::Command;
use crate::tui::state::Shared;
use crate::widget::line::put;
use crate::widget::scroll::Scroll;
use crate::widget::text::width;

/// Where a link leads: trace and span, as hex.
pub type Link = (String, String);

/// One thing to say about a span; wrapped when it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// A heading where `value` is empty.
    pub key: String,
    pub value: String,
    pub role: Role,
    pub link: Option<Link>,
}

/// The details of one span.
#[derive(Debug, Clone, Default)]
pub struct Details {
    pub rank: Option<u32>,
    facts: Vec<Fact>,
    scroll: Scroll,
    recorded: Option<Box<SpanDetails>>,
}

/// One line on the screen.
struct ScreenLine<'a> {
    fact: &'a Fact,
    key: &'a str,
    value: &'a str,
}

/// Keys get this share of the width, within these bounds.
const KEY_SHARE: u16 = 3;
const KEY_WIDTH: (u16, u16) = (14, 34);

impl Details {
    /// Returns the details of the span at `rank`.
    #[must_use]
    pub fn new(data: &TraceData, rank: u32, recorded: Box<SpanDetails>, zone: Zone) -> Self {
        let facts = facts::facts(data, rank, &recorded, zone);
        Self { rank: Some(rank), facts, scroll: Scroll::default(), recorded: Some(recorded) }
    }

    /// Returns what is to say about a heading: it stands for spans, but is none.
    #[must_use]
    pub fn of_heading(data: &TraceData, row: Row) -> Self {
        Self { facts: facts::of_heading(data, row), ..Self::default() }
    }

    /// Returns what the store holds of the span.
    #[must_use]
    pub fn recorded(&self) -> Option<&SpanDetails> {
        self.recorded.as_deref()
    }

    /// Returns what is said, in order.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Moves the cursor as `command` says. Returns whether it was about moving.
    pub fn go(&mut self, command: Command, area: Rect) -> bool {
        let len = self.lines(area.width).len();
        self.scroll.command(command, len, area.height)
    }

    /// Moves the cursor by so many lines, as a wheel does.
    pub fn wheel(&mut self, lines: isize, area: Rect) {
        let len = self.lines(area.width).len();
        self.scroll.wheel(lines, len, area.height);
    }

    /// Returns where the line under the cursor leads.
    #[must_use]
    pub fn link(&self, area: Rect) -> Option<Link> {
        self.lines(area.width).get(self.scroll.cursor)?.fact.link.clone()
    }

    /// Draws the lines.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared, has_keys: bool) {
        let lines = self.lines(area.width);
        let seen = self.scroll.seen(lines.len(), area.height);
        for (y, entry) in (area.y..area.bottom()).zip(seen) {
            let line = Rect { y, height: 1, ..area };
            if has_keys && entry == self.scroll.cursor {
                buffer.set_style(line, shared.theme.style(Role::Selection));
            }
            render_line(&lines[entry], line, buffer, shared);
        }
    }

    fn lines(&self, room: u16) -> Vec<ScreenLine<'_>> {
        let value_room = usize::from(room.saturating_sub(key_width(room) + 1).max(8));
        self.facts.iter().flat_map(|fact| wrapped(fact, value_room)).collect()
    }
}

fn key_width(room: u16) -> u16 {
    (room / KEY_SHARE).clamp(KEY_WIDTH.0, KEY_WIDTH.1)
}

/// Returns the lines of a fact; the key stands on the first.
fn wrapped(fact: &Fact, room: usize) -> Vec<ScreenLine<'_>> {
    let pieces = fact.value.split('\n').flat_map(|line| pieces(line, room));
    let mut lines: Vec<ScreenLine<'_>> = pieces.map(|value| ScreenLine { fact, key: "", value }).collect();
    if let Some(first) = lines.first_mut() {
        first.key = &fact.key;
    }
    lines
}

/// Cuts a line into pieces of at most `room` cells, between words where that leaves no piece half empty.
fn pieces(line: &str, room: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut used) = (0, 0);
    // The last place between words, and how many cells lie behind it.
    let mut gap = (0, 0);
    for (at, grapheme) in line.grapheme_indices(true) {
        let cells = usize::from(width(grapheme));
        if used + cells > room && at > start {
            let is_late = gap.0 > start && (at - gap.0) * 2 < at - start;
            (start, used) = if is_late {
                pieces.push(&line[start..gap.0]);
                (gap.0, used - gap.1)
            } else {
                pieces.push(&line[start..at]);
                (at, 0)
            };
        }
        used += cells;
        if grapheme == " " {
            gap = (at + 1, used);
        }
    }
    pieces.push(&line[start..]);
    pieces
}

fn render_line(line: &ScreenLine<'_>, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    if line.fact.value.is_empty() {
        put(buffer, area, line.key, style(Role::Heading));
        return;
    }
    let keys = Rect { width: key_width(area.width).min(area.width), ..area };
    let values = Rect { x: keys.right() + 1, width: area.width.saturating_sub(keys.width + 1), ..area };
    put(buffer, keys, line.key, style(Role::Dim));
    put(buffer, values, line.value, style(line.fact.role));
}
