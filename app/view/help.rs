//! The text of help: keys by context and the signs of a view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::theme::Role;
use crate::tui::command::{COMMANDS, Context};
use crate::tui::state::{Shared, State};
use crate::widget::text::{put, put_parts, width};

/// One line of help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Heading(String),
    /// Keys or a sign, and what it means; the third part is the name to type after `:`.
    Entry(String, String, &'static str),
    /// What had no room on the line before.
    More(String),
    Empty,
}

const KEYS_WIDTH: u16 = 24;

/// Returns the help of the view that is shown.
#[must_use]
pub fn lines(state: &State) -> Vec<Line> {
    let mut lines = Vec::new();
    let contexts = state.view().map(crate::view::View::contexts).unwrap_or_default();
    let legend = state.view().map(|view| view.legend(&state.shared)).unwrap_or_default();
    for (index, context) in contexts.iter().chain(&[Context::Everywhere]).enumerate() {
        section(*context, &state.shared, &mut lines);
        if index == 0 && !legend.is_empty() {
            lines.extend(signs(&legend));
        }
    }
    lines.pop();
    lines
}

fn signs(legend: &[(String, &'static str)]) -> Vec<Line> {
    let mut lines = vec![Line::Heading("signs".to_owned())];
    lines.extend(legend.iter().map(|(sign, meaning)| Line::Entry(sign.clone(), (*meaning).to_owned(), "")));
    lines.push(Line::Empty);
    lines
}

fn section(context: Context, shared: &Shared, lines: &mut Vec<Line>) {
    lines.push(Line::Heading(context.name().to_owned()));
    for info in COMMANDS.iter().filter(|info| info.context == context) {
        let keys: Vec<String> = shared.keymap.keys(info.command).iter().map(ToString::to_string).collect();
        lines.push(Line::Entry(keys.join(" "), info.doc.to_owned(), info.name));
    }
    lines.push(Line::Empty);
}

/// Returns the lines with texts that are wider than a help of `room` cells broken into several.
#[must_use]
pub fn wrapped(lines: &[Line], room: u16) -> Vec<Line> {
    let room = room.saturating_sub(KEYS_WIDTH).max(8);
    let wrap = |line: &Line| match line {
        Line::Entry(keys, doc, name) => {
            let start = if keys.is_empty() { width(name).saturating_add(3) } else { 0 };
            let texts = break_words(doc, start, room).into_iter().enumerate();
            let entry =
                |(index, text)| if index == 0 { Line::Entry(keys.clone(), text, name) } else { Line::More(text) };
            texts.map(entry).collect()
        }
        other => vec![other.clone()],
    };
    lines.iter().flat_map(wrap).collect()
}

/// Returns `text` broken between words; `start` cells of the first line are taken.
fn break_words(text: &str, start: u16, room: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = start;
    for word in text.split(' ') {
        let needed = width(word).saturating_add(1);
        if let Some(line) = lines.last_mut().filter(|_| used == 0 || used.saturating_add(needed) <= room + 1) {
            line.push_str(if used > start || !line.is_empty() { " " } else { "" });
            line.push_str(word);
            used = used.saturating_add(needed);
        } else {
            lines.push(word.to_owned());
            used = needed;
        }
    }
    lines
}

/// Draws the lines from `top` on.
pub fn render(lines: &[Line], top: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let ground = theme.style(Role::Popup);
    for (row, line) in (area.top()..area.bottom()).zip(lines.iter().skip(top)) {
        match line {
            Line::Empty => {}
            Line::More(text) => {
                put(buffer, area.x + KEYS_WIDTH, row, text, area.width.saturating_sub(KEYS_WIDTH), ground);
            }
            Line::Heading(text) => {
                put(buffer, area.x, row, text, area.width, ground.patch(theme.style(Role::Heading)));
            }
            Line::Entry(keys, doc, name) => {
                put(buffer, area.x, row, keys, KEYS_WIDTH - 2, ground.patch(theme.style(Role::Key)));
                let name = if keys.is_empty() { format!(":{name}  ") } else { String::new() };
                let parts = [(name.as_str(), ground.patch(theme.style(Role::Dim))), (doc.as_str(), ground)];
                put_parts(buffer, area.x + KEYS_WIDTH, row, area.width.saturating_sub(KEYS_WIDTH), &parts);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(break_words("Moves up one page.", 0, 8), ["Moves up", "one", "page."]);
        assert_eq!(break_words("Moves up", 5, 8), ["", "Moves up"]);
        assert_eq!(break_words("Incomprehensibilities", 0, 8), ["Incomprehensibilities"]);
    }
}
