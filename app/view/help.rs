//! The text of help: keys by context and the signs of a view.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::theme::Role;
use crate::tui::command::{COMMANDS, Context};
use crate::tui::state::{Shared, State};
use crate::widget::text::{put, put_parts};

/// One line of help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Heading(String),
    /// Keys or a sign, and what it means; the third part is the name to type after `:`.
    Entry(String, String, &'static str),
    Empty,
}

const KEYS_WIDTH: u16 = 22;

/// Returns the help of the view that is shown.
#[must_use]
pub fn lines(state: &State) -> Vec<Line> {
    let mut lines = Vec::new();
    let contexts = state.view().map(crate::view::View::contexts).unwrap_or_default();
    for context in contexts.iter().chain(&[Context::Everywhere]) {
        section(*context, &state.shared, &mut lines);
    }
    let legend = state.view().map(|view| view.legend(&state.shared)).unwrap_or_default();
    if !legend.is_empty() {
        lines.splice(0..0, signs(legend));
    }
    lines.pop();
    lines
}

fn signs(legend: Vec<(String, &'static str)>) -> Vec<Line> {
    let mut lines = vec![Line::Heading("signs".to_owned())];
    lines.extend(legend.into_iter().map(|(sign, meaning)| Line::Entry(sign, meaning.to_owned(), "")));
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

/// Draws the lines from `top` on.
pub fn render(lines: &[Line], top: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let ground = theme.style(Role::Popup);
    for (row, line) in (area.top()..area.bottom()).zip(lines.iter().skip(top)) {
        match line {
            Line::Empty => {}
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
