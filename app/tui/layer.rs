//! What lies over a view while it is there: command line, pickers, help. The uppermost gets the keys.

pub mod help;
pub mod note;
pub mod palette;
pub mod picker;

use std::fmt::Debug;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::chord::Chord;
use super::command::{Command, Context};
use super::effect::{Answer, Slot};
use super::state::Shared;
use crate::view::{Mouse, Turn};

/// What becomes of a layer after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Stay,
    Close,
}

/// Something over the view.
pub trait Layer: Debug {
    /// Returns the contexts whose keys work now, nearest first.
    fn contexts(&self) -> &'static [Context];

    /// Tells whether letters are typed into the layer.
    fn wants_text(&self) -> bool;

    /// Does what a command says.
    fn command(&mut self, command: Command, turn: &mut Turn<'_>) -> Fate;

    /// Takes a key that gives no command.
    fn key(&mut self, chord: Chord, turn: &mut Turn<'_>) -> Fate {
        let _ = (chord, turn);
        Fate::Stay
    }

    /// Takes pasted text.
    fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        let _ = (text, turn);
    }

    /// Takes what the mouse did.
    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) -> Fate {
        let _ = (mouse, turn);
        Fate::Stay
    }

    /// Takes the answer to a question of its own.
    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        let _ = (slot, answer, turn);
    }

    /// Draws the layer over the view; `area` is the whole screen.
    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared);
}
