//! What must not be overlooked: a fault that may be armed, and faults that were left behind.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::chaos::undo::{Orphan, manual};
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::line::put;
use crate::widget::prose::wrap;

/// Cells of the sign in front.
const SIGN: u16 = 2;

/// Lines in red on top of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Banner {
    /// Each with whether a sign stands in front.
    lines: Vec<(bool, String)>,
}

impl Banner {
    /// Says that `armed` may have a fault armed, and what `left` has left, for a screen of `room` cells.
    #[must_use]
    pub fn new(armed: Option<&str>, left: &[Orphan], room: u16) -> Self {
        let mut banner = Self::default();
        let room = room.saturating_sub(SIGN + 2);
        if let Some(run) = armed {
            banner.say(&format!("a fault may be armed by run {run}; s stops the run and undoes it"), true, room);
        }
        for orphan in left {
            banner.say(&format!("run {} left a fault; U undoes it, or by hand:", orphan.run), true, room);
            orphan.open.iter().for_each(|(_, undo)| banner.say(&manual(undo), false, room));
        }
        banner
    }

    fn say(&mut self, text: &str, has_sign: bool, room: u16) {
        let lines = wrap(text, room).into_iter().enumerate();
        self.lines.extend(lines.map(|(at, line)| (has_sign && at == 0, line)));
    }

    /// Returns how many lines it takes.
    #[must_use]
    pub fn height(&self) -> u16 {
        u16::try_from(self.lines.len()).unwrap_or(u16::MAX)
    }

    /// Draws it.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let style = shared.theme.style(Role::Error).add_modifier(ratatui::style::Modifier::BOLD);
        for (y, (has_sign, text)) in (area.y..area.bottom()).zip(&self.lines) {
            let line = Rect { x: area.x + 1.min(area.width), y, height: 1, width: area.width.saturating_sub(2) };
            put(buffer, line, if *has_sign { shared.symbols.error } else { "" }, style);
            let line = Rect { x: line.x + SIGN.min(line.width), width: line.width.saturating_sub(SIGN), ..line };
            put(buffer, line, text, style);
        }
    }
}
