//! A line that is typed into.

use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::text::{put, width};
use crate::tui::chord::Chord;

/// A line of text with a cursor, kept between graphemes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    /// Byte offset, between graphemes.
    cursor: usize,
}

impl Input {
    /// Returns a line that holds `text`, with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), cursor: text.len() }
    }

    /// Returns what is typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the byte offset of the cursor.
    #[must_use]
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Returns what stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Replaces what stands between the byte `from` and the cursor.
    pub fn replace(&mut self, from: usize, with: &str) {
        if self.text.get(from..self.cursor).is_some() {
            self.text.replace_range(from..self.cursor, with);
            self.cursor = from + with.len();
        }
    }

    /// Types `text` at the cursor; line ends become spaces.
    pub fn insert(&mut self, text: &str) {
        let line = text.replace(['\n', '\r', '\t'], " ");
        self.text.insert_str(self.cursor, &line);
        self.cursor += line.len();
    }

    /// Takes a key; returns whether it was one for a line.
    pub fn key(&mut self, chord: Chord) -> bool {
        let is_ctrl = chord.modifiers == KeyModifiers::CONTROL;
        match chord.code {
            KeyCode::Char(letter) if chord.modifiers.is_empty() => self.insert(letter.encode_utf8(&mut [0; 4])),
            KeyCode::Char('a') if is_ctrl => self.cursor = 0,
            KeyCode::Char('e') if is_ctrl => self.cursor = self.text.len(),
            KeyCode::Char('u') if is_ctrl => self.replace(0, ""),
            KeyCode::Char('w') if is_ctrl => self.replace(self.word_start(), ""),
            KeyCode::Left if is_ctrl => self.cursor = self.word_start(),
            KeyCode::Left => self.cursor = self.previous(),
            KeyCode::Right => self.cursor = self.next(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Backspace => self.replace(self.previous(), ""),
            KeyCode::Delete => {
                let from = self.cursor;
                self.cursor = self.next();
                self.replace(from, "");
            }
            _ => return false,
        }
        true
    }

    /// Draws the line, scrolled so that the cursor is in sight. Returns the column of the cursor.
    pub fn render(&self, buffer: &mut Buffer, column: u16, row: u16, room: u16, style: Style) -> u16 {
        let before = width(self.before());
        let hidden = before.saturating_sub(room.saturating_sub(1));
        put(buffer, column, row, skip(&self.text, hidden), room, style);
        column.saturating_add(before - hidden)
    }

    fn previous(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.cursor, self.text.len(), true);
        cursor.prev_boundary(&self.text, 0).ok().flatten().unwrap_or(0)
    }

    fn next(&self) -> usize {
        let mut cursor = GraphemeCursor::new(self.cursor, self.text.len(), true);
        cursor.next_boundary(&self.text, 0).ok().flatten().unwrap_or(self.text.len())
    }

    fn word_start(&self) -> usize {
        self.before().unicode_word_indices().next_back().map_or(0, |(start, _)| start)
    }
}

/// Returns `text` without the graphemes of its first `cells` cells.
fn skip(text: &str, cells: u16) -> &str {
    let mut passed = 0_u16;
    for (start, grapheme) in text.grapheme_indices(true) {
        if passed >= cells {
            return &text[start..];
        }
        passed = passed.saturating_add(width(grapheme));
    }
    if cells == 0 { text } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[&str]) -> Input {
        let mut input = Input::default();
        for key in keys {
            assert!(input.key(key.parse().unwrap()));
        }
        input
    }

    #[test]
    fn letters_are_typed_where_the_cursor_is() {
        let input = typed(&["a", "c", "left", "b", "end", "d"]);
        assert_eq!((input.text(), input.cursor()), ("abcd", 4));
    }

    #[test]
    fn words_and_graphemes_go_whole() {
        let mut input = Input::new("select e\u{301}");
        input.key("backspace".parse().unwrap());
        assert_eq!(input.text(), "select ");
        input.key("ctrl-w".parse().unwrap());
        assert_eq!(input.text(), "");
    }

    #[test]
    fn the_cursor_is_in_sight_in_a_long_line() {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 6, 1));
        let column = Input::new("abcdefghij").render(&mut buffer, 0, 0, 6, Style::new());
        let line: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!((column, line.as_str()), (5, "fghij "));
    }
}
