//! What else do you want to know?

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Handled, Selected, Turn, View};
use crate::theme::Role;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Slot, Target};
use crate::tui::state::Shared;

/// The console.
#[derive(Debug, Default)]
pub struct Query;

impl View for Query {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Query, Context::Moving]
    }

    fn show(&mut self, _target: Target, _turn: &mut Turn<'_>) {}

    fn command(&mut self, _call: &Call, _turn: &mut Turn<'_>) -> Handled {
        Handled::No
    }

    fn answer(&mut self, _slot: Slot, _answer: Answer, _turn: &mut Turn<'_>) {}

    fn refresh(&mut self, _turn: &mut Turn<'_>) {}

    fn hints(&self) -> Vec<Command> {
        vec![Command::Enter, Command::Filter, Command::Sort]
    }

    fn selected(&self, _shared: &Shared) -> Selected {
        Selected::default()
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        buffer.set_style(area, shared.theme.style(Role::Text));
    }
}
