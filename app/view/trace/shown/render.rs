//! Draws a trace that is shown: the header, the picture, the lower panes and the line to search with.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Picture, Shown};
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::view::trace::header;
use crate::view::trace::layout::{Pane, Panes};
use crate::view::trace::waterfall::rows::{self, Scene};
use crate::widget::line::{put, put_right};

impl Shown {
    /// Draws everything.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let panes = self.panes(area);
        header::render(&self.data, &self.note(), panes.header, buffer, shared);
        match &self.picture {
            Picture::Waterfall => self.waterfall(panes, buffer, shared),
            Picture::Flame(flame) => flame.render(&self.data, panes.main, buffer, shared),
            Picture::Services(services) => services.render(&self.data, panes.main, buffer, shared),
        }
        self.search_line(panes.prompt, buffer, shared);
    }

    fn waterfall(&self, panes: Panes, buffer: &mut Buffer, shared: &Shared) {
        let (waterfall, data, search) = (&self.waterfall, self.data.as_ref(), &self.search);
        let has_keys = self.pane == Pane::Main && self.prompt.is_none();
        rows::render(Scene { waterfall, data, search, shared, has_keys }, panes.main, buffer);
        if !panes.rule.is_empty() {
            self.rule(panes, buffer, shared);
            self.details.render(panes.details, buffer, shared, self.pane == Pane::Details);
            self.logs.render(panes.logs, buffer, shared, self.pane == Pane::Logs);
        }
    }

    /// Returns what the picture shows that cannot be seen otherwise.
    fn note(&self) -> String {
        let mut notes = Vec::new();
        let (window, whole) = (self.waterfall.window(), self.data.summary.window);
        match &self.picture {
            Picture::Waterfall if window != whole => {
                notes.push(format!("zoom {}", humane::percent(window.len_ns() as f64 / whole.len_ns() as f64)));
            }
            Picture::Waterfall => {}
            Picture::Flame(_) => notes.push("flame graph".to_owned()),
            Picture::Services(_) => notes.push("by service".to_owned()),
        }
        if self.waterfall.shows_critical_path && matches!(self.picture, Picture::Waterfall) {
            notes.push("critical path █".to_owned());
        }
        notes.join("  ")
    }

    /// Draws the line above the lower panes, with their titles.
    fn rule(&self, panes: Panes, buffer: &mut Buffer, shared: &Shared) {
        let border = shared.theme.style(Role::Border);
        let line = panes.rule;
        put(buffer, line, &"─".repeat(usize::from(line.width)), border);
        let are_both = !panes.details.is_empty() && !panes.logs.is_empty();
        let logs_x = if are_both { panes.logs.x - 1 } else { line.x + 10 };
        if are_both {
            put(buffer, Rect { x: panes.logs.x - 2, ..line }, "┬", border);
            for y in panes.logs.y..panes.logs.bottom() {
                put(buffer, Rect { x: panes.logs.x - 2, y, width: 1, height: 1 }, "│", border);
            }
        }
        let logs = match self.logs.len() {
            0 => "logs".to_owned(),
            lines => format!("logs {}", humane::count(lines as u64)),
        };
        for (pane, x, title) in [(Pane::Details, line.x, "details"), (Pane::Logs, logs_x, logs.as_str())] {
            let role = if self.pane == pane { Role::Accent } else { Role::Heading };
            let room = Rect { x, width: line.right().saturating_sub(x), ..line };
            put(buffer, room, &format!(" {title} "), shared.theme.style(role));
        }
    }

    fn search_line(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        if area.is_empty() {
            return;
        }
        let style = |role: Role| shared.theme.style(role);
        let rest = put(buffer, area, " / ", style(Role::Prompt));
        if let Some(prompt) = &self.prompt {
            let column = prompt.render(buffer, rest.x, rest.y, rest.width, style(Role::Text));
            let caret = Rect { x: column.min(rest.right().saturating_sub(1)), width: 1, ..rest };
            buffer.set_style(caret, style(Role::Selection));
            return;
        }
        put(buffer, rest, self.search.text(), style(Role::Match));
        let matches = match self.search.len() {
            0 => "nothing found  Esc clears".to_owned(),
            1 => "1 span  Esc clears".to_owned(),
            spans => format!("{} spans  n next  N previous  Esc clears", humane::count(spans as u64)),
        };
        put_right(buffer, Rect { width: area.width.saturating_sub(1), ..area }, &matches, style(Role::Dim));
    }
}
