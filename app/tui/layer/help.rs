//! The keys that work in this view, and what its signs mean.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Fate, Layer};
use crate::tui::command::{Command, Context};
use crate::tui::state::{Shared, State};
use crate::view::Turn;
use crate::view::help;
use crate::widget::frame::{centred, popup};
use crate::widget::scroll::Scroll;

/// Help, opened over a view.
#[derive(Debug)]
pub struct Help {
    title: String,
    lines: Vec<help::Line>,
    scroll: Scroll,
}

const WIDTH: u16 = 92;

impl Help {
    /// Returns the help of the view that is shown.
    #[must_use]
    pub fn new(state: &State) -> Self {
        let entry = state.shown.entry();
        let title = format!("{} · {}", entry.name, entry.question);
        Self { title, lines: help::lines(state), scroll: Scroll::default() }
    }

    /// Returns the lines as they fit a screen of `area`.
    fn wrapped(&self, area: Rect) -> Vec<help::Line> {
        help::wrapped(&self.lines, WIDTH.min(area.width).saturating_sub(4))
    }

    fn height(area: Rect) -> u16 {
        area.height.saturating_sub(4)
    }
}

impl Layer for Help {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Moving]
    }

    fn wants_text(&self) -> bool {
        false
    }

    fn command(&mut self, command: Command, turn: &mut Turn<'_>) -> Fate {
        let page = Self::height(turn.area).saturating_sub(2);
        let farthest = self.wrapped(turn.area).len().saturating_sub(usize::from(page));
        // The text moves, not a cursor in it.
        let mut scroll = Scroll { cursor: self.scroll.top, top: self.scroll.top };
        scroll.command(command, farthest.saturating_add(1), page);
        self.scroll.top = scroll.cursor.min(farthest);
        Fate::Stay
    }

    fn key(&mut self, _chord: crate::tui::chord::Chord, _turn: &mut Turn<'_>) -> Fate {
        Fate::Close
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let lines = self.wrapped(area);
        let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inner = popup(centred(area, WIDTH, wanted.min(Self::height(area))), buffer, &self.title, shared);
        help::render(&lines, self.scroll.top, inner, buffer, shared);
    }
}
