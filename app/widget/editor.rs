//! Text of several lines that is typed into.

use crossterm::event::{KeyCode, KeyModifiers};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::text::width;
use crate::tui::chord::Chord;

/// A text with a cursor, kept between graphemes. There is always a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    lines: Vec<String>,
    line: usize,
    /// Byte in the line.
    byte: usize,
    /// The first line on the screen.
    top: usize,
}

impl Default for Editor {
    fn default() -> Self {
        Self::new("")
    }
}

impl Editor {
    /// Returns an editor that holds `text`, with the cursor at its end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lines: Vec<String> =
            text.split('\n').map(|line| line.trim_end_matches('\r').replace('\t', "    ")).collect();
        let line = lines.len().saturating_sub(1);
        let byte = lines.last().map_or(0, String::len);
        Self { lines, line, byte, top: 0 }
    }

    /// Returns the whole text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// Returns the lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Returns the line of the cursor and the cells before it.
    #[must_use]
    pub fn cursor(&self) -> (usize, u16) {
        (self.line, width(self.before()))
    }

    /// Returns the first line on a screen of `height` lines.
    #[must_use]
    pub fn top(&self, height: u16) -> usize {
        let lowest = self.line.saturating_sub(usize::from(height).saturating_sub(1));
        self.top.clamp(lowest, self.line)
    }

    /// Returns what stands before the cursor in its line.
    #[must_use]
    pub fn before(&self) -> &str {
        self.current().get(..self.byte).unwrap_or_default()
    }

    /// Returns the line and the cells before the byte `offset` of the whole text.
    #[must_use]
    pub fn place(&self, offset: usize) -> (usize, u16) {
        let mut left = offset;
        for (index, line) in self.lines.iter().enumerate() {
            if left <= line.len() {
                return (index, width(line.get(..left).unwrap_or(line)));
            }
            left -= line.len() + 1;
        }
        (self.lines.len().saturating_sub(1), self.lines.last().map_or(0, |line| width(line)))
    }

    /// Replaces the last `bytes` before the cursor, within its line.
    pub fn replace_before(&mut self, bytes: usize, with: &str) {
        let from = self.byte.saturating_sub(bytes);
        if self.current().get(from..self.byte).is_some() {
            let to = self.byte;
            self.current_mut().replace_range(from..to, "");
            self.byte = from;
            self.insert(with);
        }
    }

    /// Types `text`, which may have several lines.
    pub fn insert(&mut self, text: &str) {
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.newline();
            }
            let part = part.trim_end_matches('\r').replace('\t', "    ");
            let at = self.byte;
            self.current_mut().insert_str(at, &part);
            self.byte += part.len();
        }
    }

    /// Takes a key; returns whether it was one for a text.
    pub fn key(&mut self, chord: Chord) -> bool {
        let is_ctrl = chord.modifiers == KeyModifiers::CONTROL;
        match chord.code {
            KeyCode::Char(letter) if chord.modifiers.is_empty() => self.insert(letter.encode_utf8(&mut [0; 4])),
            KeyCode::Enter => self.newline_indented(),
            KeyCode::Char('a') if is_ctrl => self.byte = 0,
            KeyCode::Char('e') if is_ctrl => self.byte = self.current().len(),
            KeyCode::Char('u') if is_ctrl => self.replace_before(self.byte, ""),
            KeyCode::Char('w') if is_ctrl => self.replace_before(self.byte - self.word_start(), ""),
            KeyCode::Backspace => self.backspace(),
            KeyCode::Delete => self.delete(),
            _ => return self.move_cursor(chord.code, is_ctrl),
        }
        true
    }

    fn move_cursor(&mut self, code: KeyCode, is_ctrl: bool) -> bool {
        match code {
            KeyCode::Left if is_ctrl => self.byte = self.word_start(),
            KeyCode::Right if is_ctrl => self.byte = self.word_end(),
            KeyCode::Home if is_ctrl => (self.line, self.byte) = (0, 0),
            KeyCode::End if is_ctrl => {
                self.line = self.lines.len() - 1;
                self.byte = self.current().len();
            }
            KeyCode::Left if self.byte == 0 && self.line > 0 => {
                self.line -= 1;
                self.byte = self.current().len();
            }
            KeyCode::Left => self.byte = self.previous(),
            KeyCode::Right if self.byte == self.current().len() && self.line + 1 < self.lines.len() => {
                self.line += 1;
                self.byte = 0;
            }
            KeyCode::Right => self.byte = self.next(),
            KeyCode::Home => self.byte = 0,
            KeyCode::End => self.byte = self.current().len(),
            KeyCode::Up if self.line > 0 => self.go(self.line - 1),
            KeyCode::Down if self.line + 1 < self.lines.len() => self.go(self.line + 1),
            KeyCode::Up | KeyCode::Down => {}
            _ => return false,
        }
        true
    }

    /// Puts the cursor into another line, as near below or above as it goes.
    fn go(&mut self, line: usize) {
        let wanted = width(self.before());
        self.line = line;
        let mut used = 0_u16;
        let mut byte = 0;
        for grapheme in self.current().graphemes(true) {
            if used >= wanted {
                break;
            }
            used = used.saturating_add(width(grapheme));
            byte += grapheme.len();
        }
        self.byte = byte;
    }

    fn newline(&mut self) {
        let at = self.byte;
        let rest = self.current_mut().split_off(at);
        self.line += 1;
        self.lines.insert(self.line, rest);
        self.byte = 0;
    }

    fn newline_indented(&mut self) {
        let indent: String = self.before().chars().take_while(|letter| *letter == ' ').collect();
        self.newline();
        self.insert(&indent);
    }

    fn backspace(&mut self) {
        if self.byte > 0 {
            self.replace_before(self.byte - self.previous(), "");
        } else if self.line > 0 {
            let rest = self.lines.remove(self.line);
            self.line -= 1;
            self.byte = self.current().len();
            self.current_mut().push_str(&rest);
        }
    }

    fn delete(&mut self) {
        if self.byte < self.current().len() {
            let (from, to) = (self.byte, self.next());
            self.current_mut().replace_range(from..to, "");
        } else if self.line + 1 < self.lines.len() {
            let rest = self.lines.remove(self.line + 1);
            self.current_mut().push_str(&rest);
        }
    }

    fn current(&self) -> &str {
        self.lines.get(self.line).map_or("", String::as_str)
    }

    fn current_mut(&mut self) -> &mut String {
        if self.lines.len() <= self.line {
            self.lines.resize(self.line + 1, String::new());
        }
        &mut self.lines[self.line]
    }

    fn previous(&self) -> usize {
        let text = self.current();
        GraphemeCursor::new(self.byte, text.len(), true).prev_boundary(text, 0).ok().flatten().unwrap_or(0)
    }

    fn next(&self) -> usize {
        let text = self.current();
        GraphemeCursor::new(self.byte, text.len(), true).next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
    }

    fn word_start(&self) -> usize {
        self.before().unicode_word_indices().next_back().map_or(0, |(start, _)| start)
    }

    fn word_end(&self) -> usize {
        let after = self.current().get(self.byte..).unwrap_or_default();
        let end = after.unicode_word_indices().next().map_or(after.len(), |(start, word)| start + word.len());
        self.byte + end
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn press(editor: &mut Editor, keys: &str) {
        keys.split(' ').for_each(|key| assert!(editor.key(key.parse().unwrap())));
    }

    #[test]
    fn lines_are_split_joined_and_indented() {
        let mut editor = Editor::new("  select 1");
        press(&mut editor, "enter x");
        assert_eq!(editor.text(), "  select 1\n  x");
        press(&mut editor, "home backspace");
        assert_eq!(editor.text(), "  select 1  x");
        assert_eq!(editor.cursor(), (0, 10));
        press(&mut editor, "delete delete ctrl-w");
        assert_eq!(editor.text(), "  select x");
    }

    #[test]
    fn the_cursor_keeps_its_column_between_lines() {
        let mut editor = Editor::new("日本語\nabc\nlonger");
        press(&mut editor, "up");
        assert_eq!(editor.cursor(), (1, 3));
        press(&mut editor, "up");
        assert_eq!(editor.cursor(), (0, 4));
    }

    #[test]
    fn a_place_is_found_by_its_offset() {
        let editor = Editor::new("select\n  frm spans");
        assert_eq!(editor.place(9), (1, 2));
        assert_eq!(editor.place(6), (0, 6));
        assert_eq!(editor.place(900), (1, 11));
    }

    proptest! {
        #[test]
        fn no_order_of_keys_breaks_the_text(
            text in "[a-zé日\\n \\t]{0,20}",
            keys in prop::collection::vec(prop::sample::select(vec![
                "left", "right", "up", "down", "home", "end", "enter", "backspace", "delete", "ctrl-w", "ctrl-u", "ctrl-left",
                "ctrl-right", "ctrl-home", "ctrl-end", "x", "é",
            ]), 0..60),
        ) {
            let mut editor = Editor::new(&text);
            for key in keys {
                editor.key(key.parse().unwrap());
                prop_assert!(editor.current().is_char_boundary(editor.byte));
                prop_assert!(editor.line < editor.lines.len());
            }
            prop_assert_eq!(Editor::new(&editor.text()).text(), editor.text());
        }
    }
}
