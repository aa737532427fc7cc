//! Where the cursor of a list is, and which rows are on the screen.

use std::ops::Range;

use crate::tui::command::Command;

/// A cursor in a list of any length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scroll {
    /// The row under the cursor.
    pub cursor: usize,
    /// The first row on the screen.
    pub top: usize,
}

impl Scroll {
    /// Moves the cursor as `command` says, in a list of `len` rows of which `height` are seen. Returns whether it was about moving.
    pub fn command(&mut self, command: Command, len: usize, height: u16) -> bool {
        let page = usize::from(height).saturating_sub(1).max(1);
        self.cursor = match command {
            Command::Up | Command::PromptUp => self.cursor.saturating_sub(1),
            Command::Down | Command::PromptDown => self.cursor.saturating_add(1),
            Command::PageUp => self.cursor.saturating_sub(page),
            Command::PageDown => self.cursor.saturating_add(page),
            Command::First => 0,
            Command::Last => len,
            _ => return false,
        };
        self.follow(len, height);
        true
    }

    /// Moves by `rows` (negative: up), as a wheel does.
    pub fn wheel(&mut self, rows: isize, len: usize, height: u16) {
        self.cursor = self.cursor.saturating_add_signed(rows);
        self.follow(len, height);
    }

    /// Moves the cursor to `row`; where that is off the screen, it comes to stand in the middle.
    pub fn jump(&mut self, row: usize, len: usize, height: u16) {
        self.cursor = row;
        if !(self.top..self.top + usize::from(height)).contains(&row) {
            self.top = row.saturating_sub(usize::from(height) / 2);
        }
        self.follow(len, height);
    }

    /// Returns the rows on a screen of `height` lines.
    #[must_use]
    pub fn seen(self, len: usize, height: u16) -> Range<usize> {
        let mut followed = self;
        followed.follow(len, height);
        followed.top..len.min(followed.top + usize::from(height))
    }

    /// Keeps the cursor in the list and on the screen.
    pub fn follow(&mut self, len: usize, height: u16) {
        let height = usize::from(height).max(1);
        self.cursor = self.cursor.min(len.saturating_sub(1));
        let lowest = self.cursor.saturating_sub(height - 1);
        self.top = self.top.clamp(lowest, self.cursor).min(len.saturating_sub(height));
        self.top = self.top.max(lowest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_list_and_on_the_screen() {
        let mut scroll = Scroll::default();
        assert!(scroll.command(Command::Last, 100, 10));
        assert_eq!(scroll, Scroll { cursor: 99, top: 90 });
        scroll.command(Command::Up, 100, 10);
        assert_eq!(scroll, Scroll { cursor: 98, top: 90 });
        scroll.command(Command::PageUp, 100, 10);
        assert_eq!(scroll, Scroll { cursor: 89, top: 89 });
        scroll.command(Command::First, 100, 10);
        assert_eq!(scroll, Scroll::default());
        assert!(!scroll.command(Command::Quit, 100, 10));
    }

    #[test]
    fn a_jump_off_the_screen_ends_in_its_middle() {
        let mut scroll = Scroll { cursor: 2, top: 0 };
        scroll.jump(7, 100, 10);
        assert_eq!((scroll, scroll.seen(100, 10)), (Scroll { cursor: 7, top: 0 }, 0..10));
        scroll.jump(60, 100, 10);
        assert_eq!((scroll, scroll.seen(100, 4)), (Scroll { cursor: 60, top: 55 }, 57..61));
    }

    #[test]
    fn a_list_that_shrinks_takes_the_cursor_along() {
        let mut scroll = Scroll { cursor: 99, top: 90 };
        scroll.follow(5, 10);
        assert_eq!(scroll, Scroll { cursor: 4, top: 0 });
        scroll.follow(0, 0);
        assert_eq!(scroll, Scroll::default());
    }
}
