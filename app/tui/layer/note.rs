//! Something to be read that is too long for the bottom line; any key takes it away.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Fate, Layer};
use crate::theme::Role;
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::state::Shared;
use crate::view::Turn;
use crate::widget::frame::{centred, popup};
use crate::widget::line::put;
use crate::widget::prose::wrap;

const WIDTH: u16 = 76;

/// A text with a title.
#[derive(Debug)]
pub struct Note {
    title: &'static str,
    text: String,
}

impl Note {
    #[must_use]
    pub fn new(title: &'static str, text: String) -> Self {
        Self { title, text }
    }
}

impl Layer for Note {
    fn contexts(&self) -> &'static [Context] {
        &[]
    }

    fn wants_text(&self) -> bool {
        false
    }

    fn command(&mut self, _command: Command, _turn: &mut Turn<'_>) -> Fate {
        Fate::Close
    }

    fn key(&mut self, _chord: Chord, _turn: &mut Turn<'_>) -> Fate {
        Fate::Close
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let lines = wrap(&self.text, WIDTH.min(area.width).saturating_sub(4));
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inner = popup(centred(area, WIDTH, height.min(area.height)), buffer, self.title, shared);
        for (y, line) in (inner.y..inner.bottom()).zip(&lines) {
            put(buffer, Rect { y, height: 1, ..inner }, line, shared.theme.style(Role::Popup));
        }
    }
}
