//! One finding, opened: its words above, an example of it below.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::finding::{Example, Finding};
use super::prose::{self, Line};
use super::render::headline;
use super::sides::{Side, Sides};
use crate::theme::Role;
use crate::tui::command::Command;
use crate::tui::state::Shared;
use crate::view::trace::data::TraceData;
use crate::widget::line::{put, put_right};

/// What is open.
#[derive(Debug, Default)]
pub struct Detail {
    pub finding: Finding,
    pub example: usize,
    pub sides: Sides,
    /// The first line of words on the screen.
    top: usize,
}

/// The parts of the screen.
struct Parts {
    head: Rect,
    words: Rect,
    rule: Rect,
    sides: Rect,
}

impl Detail {
    /// Opens `finding` at its first example.
    #[must_use]
    pub fn new(finding: Finding) -> Self {
        Self { finding, ..Self::default() }
    }

    /// Returns the example that is shown.
    #[must_use]
    pub fn shown(&self) -> Option<&Example> {
        self.finding.examples.get(self.example)
    }

    /// Goes to the next example or the one before. Returns whether there is another.
    pub fn step(&mut self, is_forward: bool) -> bool {
        let len = self.finding.examples.len();
        if len < 2 {
            return false;
        }
        self.example = if is_forward { self.example + 1 } else { self.example + len - 1 } % len;
        self.sides = Sides::default();
        true
    }

    /// Takes a trace of the example, or why it is not there.
    pub fn take(&mut self, is_before: bool, trace: Result<Arc<TraceData>, String>) {
        let side = trace.map_or_else(Side::Failed, Side::There);
        if is_before { self.sides.before = side } else { self.sides.after = side }
    }

    /// Takes the finding as it is now; the example stays.
    pub fn renew(&mut self, finding: &Finding) -> bool {
        let is_same = self.finding.examples == finding.examples;
        self.finding = finding.clone();
        if !is_same {
            self.example = 0;
            self.sides = Sides::default();
        }
        is_same
    }

    /// Scrolls the words as `command` says; returns whether it was about moving.
    pub fn go(&mut self, command: Command, area: Rect, shared: &Shared) -> bool {
        let len = self.lines(area, shared).len();
        let height = usize::from(self.parts(area, len).words.height);
        let last = len.saturating_sub(height);
        self.top = match command {
            Command::Up => self.top.saturating_sub(1),
            Command::Down => self.top + 1,
            Command::PageUp => self.top.saturating_sub(height.max(1)),
            Command::PageDown => self.top + height.max(1),
            Command::First => 0,
            Command::Last => last,
            _ => return false,
        };
        self.top = self.top.min(last);
        true
    }

    /// Draws everything.
    pub fn render(&self, namespace: &str, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let lines = self.lines(area, shared);
        let parts = self.parts(area, lines.len());
        headline(&self.finding, namespace, parts.head, buffer, shared);
        let top = self.top.min(lines.len().saturating_sub(usize::from(parts.words.height)));
        prose::render(&lines, top, parts.words, buffer, shared);
        let hidden = lines.len().saturating_sub(top + usize::from(parts.words.height));
        self.rule(hidden, parts.rule, buffer, shared);
        if let Some(example) = self.shown() {
            self.sides.render(example, parts.sides, buffer, shared);
        }
    }

    fn lines(&self, area: Rect, shared: &Shared) -> Vec<Line> {
        prose::whole(&self.finding, shared, area.width.saturating_sub(2))
    }

    /// Words get what they need, but leave room for the example, which takes no more than it needs.
    fn parts(&self, area: Rect, num_lines: usize) -> Parts {
        let inner = Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        let head = Rect { height: area.height.min(1), ..inner };
        let rest = area.height - head.height;
        let sides =
            if self.finding.examples.is_empty() { 0 } else { (rest * 2 / 5).max(6).min(self.sides.height()).min(rest) };
        let rule = u16::from(sides > 0).min(rest - sides);
        let room = rest - sides - rule;
        let words = Rect { y: head.bottom(), height: room.min(u16::try_from(num_lines).unwrap_or(room)), ..inner };
        let rule = Rect { y: words.bottom(), height: rule, ..area };
        let sides = Rect { y: rule.bottom(), height: area.bottom().saturating_sub(rule.bottom()), ..inner };
        Parts { head, words, rule, sides }
    }

    fn rule(&self, hidden: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let style = |role: Role| shared.theme.style(role);
        put(buffer, area, &"─".repeat(usize::from(area.width)), style(Role::Border));
        let Some(example) = self.shown() else { return };
        let what = if example.before.trace_id == example.after.trace_id {
            "in one trace"
        } else {
            "one request, recorded as two traces"
        };
        let title = format!(" example {} of {}: {what} ", self.example + 1, self.finding.examples.len());
        put(buffer, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, &title, style(Role::Heading));
        if hidden > 0 {
            let room = Rect { width: area.width.saturating_sub(1), ..area };
            put_right(buffer, room, " more ↓ ", style(Role::Accent));
        }
    }
}
