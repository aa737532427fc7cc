//! Lines of the pane that is read: a word in front, a text behind it, broken to fit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::line::put;
use crate::widget::prose::wrap;
use crate::widget::text::{fit, width};

/// Cells of the words in front, the mark of the cursor before them.
const KEY_WIDTH: u16 = 14;
const MARGIN: u16 = 1;

/// Columns of a verdict's lines, and those of their figures at the end (`queries::replay::judge::report`).
const REPORT_WIDTH: usize = 100;
const FIGURES_WIDTH: usize = 38;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub key: String,
    pub text: String,
    pub role: Role,
    /// The trace that Enter shows.
    pub trace: Option<String>,
}

/// Lines as they fit a pane.
#[derive(Debug)]
pub struct Lines {
    pub lines: Vec<Line>,
    room: u16,
}

impl Lines {
    /// Returns no lines, for a pane of `room` cells.
    #[must_use]
    pub fn new(room: u16) -> Self {
        Self { lines: Vec::new(), room: room.saturating_sub(MARGIN) }
    }

    /// Says `text` behind the word `key`; nothing where the text is empty.
    pub fn say(&mut self, key: &str, text: &str, role: Role) {
        if text.is_empty() {
            return;
        }
        for (at, text) in wrap(text, self.room.saturating_sub(KEY_WIDTH)).into_iter().enumerate() {
            let key = if at == 0 { key.to_owned() } else { String::new() };
            self.lines.push(Line { key, text, role, trace: None });
        }
    }

    /// Says several texts behind one word.
    pub fn say_all(&mut self, key: &str, texts: &[String], role: Role) {
        for (at, text) in texts.iter().enumerate() {
            self.say(if at == 0 { key } else { "" }, text, role);
        }
    }

    /// Names a trace that Enter shows.
    pub fn trace(&mut self, key: &str, id: &str) {
        let line = Line { key: key.to_owned(), text: id.to_owned(), role: Role::Id, trace: Some(id.to_owned()) };
        self.lines.push(line);
    }

    /// Leaves a line empty, and writes what the next ones are about.
    pub fn head(&mut self, text: &str) {
        self.empty();
        self.lines.push(Line { key: text.to_owned(), text: String::new(), role: Role::Heading, trace: None });
    }

    pub fn empty(&mut self) {
        self.lines.push(Line { key: String::new(), text: String::new(), role: Role::Text, trace: None });
    }

    /// Writes text that was laid out before: figures stay at the right end, other lines are broken where they are too long.
    pub fn laid_out(&mut self, text: &str, role: Role) {
        let room = self.room;
        let lines = text.lines().flat_map(|line| squeezed(line, room));
        self.lines.extend(lines.map(|text| Line { key: text, text: String::new(), role, trace: None }));
    }
}

/// Returns a line of a verdict in at most `room` cells: what it is about is cut, its figures are not.
fn squeezed(line: &str, room: u16) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    let head = letters.len().saturating_sub(FIGURES_WIDTH);
    let has_figures = letters.len() == REPORT_WIDTH && letters.get(head) == Some(&' ');
    let left = usize::from(room).saturating_sub(FIGURES_WIDTH);
    if width(line) <= room || !has_figures || left < FIGURES_WIDTH / 2 {
        return wrap(line, room);
    }
    let (head, figures) = letters.split_at(head);
    let head: String = head.iter().collect();
    let left = u16::try_from(left).unwrap_or(u16::MAX);
    let head = fit(head.trim_end(), left);
    let gap = " ".repeat(usize::from(left.saturating_sub(width(&head))));
    vec![format!("{head}{gap}{}", figures.iter().collect::<String>())]
}

/// Draws lines from `top` on; the line `cursor` is marked.
pub fn render(lines: &[Line], top: usize, cursor: Option<usize>, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    for (y, (index, line)) in (area.y..area.bottom()).zip(lines.iter().enumerate().skip(top)) {
        let place = Rect { y, height: 1, ..area };
        if cursor == Some(index) {
            put(
                buffer,
                Rect { width: MARGIN.min(area.width), ..place },
                shared.symbols.cursor,
                shared.theme.style(Role::Accent),
            );
        }
        let place = Rect { x: place.x + MARGIN.min(place.width), width: place.width.saturating_sub(MARGIN), ..place };
        let style = shared.theme.style(line.role);
        if line.text.is_empty() {
            put(buffer, place, &line.key, style);
            continue;
        }
        let keys = Rect { width: KEY_WIDTH.min(place.width), ..place };
        put(buffer, keys, &line.key, shared.theme.style(Role::Heading));
        put(buffer, Rect { x: keys.right(), width: place.width - keys.width, ..place }, &line.text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_verdict_stay_at_the_right_end() {
        let what = "  p50 / p90 / p99 of an operation with a long name of its own ";
        let line = format!("{what:<62}{:>19}{:>19}", "1 / 2 / 3", "4 / 5 / 6");
        let squeezed = squeezed(&line, 78);
        assert_eq!(squeezed.len(), 1);
        assert_eq!(width(&squeezed[0]), 78);
        assert!(squeezed[0].ends_with(&format!("{:>19}", "4 / 5 / 6")), "{squeezed:?}");
        assert!(squeezed[0].contains('…'));
    }

    #[test]
    fn other_lines_are_broken_between_words() {
        let line = "a sentence that somebody wrote ".repeat(4);
        assert!(squeezed(&line, 40).iter().all(|line| width(line) <= 40));
        assert_eq!(squeezed("short", 40), ["short"]);
    }
}
