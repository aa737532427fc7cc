//! Draws the command line over the bottom line, with its completions above.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Clear, Widget as _};

use super::{LONGEST, Palette};
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::text::{put, put_right, width};

/// Draws the command line.
pub fn render(palette: &Palette, screen: Rect, buffer: &mut Buffer, shared: &Shared) {
    let theme = &shared.theme;
    let ground = theme.style(Role::Popup);
    let line = Rect { y: screen.bottom().saturating_sub(1), height: 1, ..screen };
    Clear.render(line, buffer);
    buffer.set_style(line, ground);
    put(buffer, line.x + 1, line.y, ":", 1, ground.patch(theme.style(Role::Prompt)));
    let room = line.width.saturating_sub(4);
    let caret = palette.input.render(buffer, line.x + 2, line.y, room, ground);
    buffer.set_style(Rect::new(caret, line.y, 1, 1).intersection(line), Style::new().add_modifier(Modifier::REVERSED));
    if let Some(mistake) = &palette.mistake {
        let text = format!("{} {mistake}", shared.symbols.error);
        put_right(buffer, line.x, line.y, &text, line.width.saturating_sub(1), ground.patch(theme.style(Role::Error)));
    }
    completions(palette, line, buffer, shared);
}

fn completions(palette: &Palette, line: Rect, buffer: &mut Buffer, shared: &Shared) {
    let rows = u16::try_from(palette.completions.len()).unwrap_or(u16::MAX).min(LONGEST).min(line.y);
    let list = Rect { y: line.y - rows, height: rows, ..line };
    Clear.render(list, buffer);
    let ground = shared.theme.style(Role::Popup);
    let widest = palette.completions.iter().map(|completion| width(&completion.text)).max().unwrap_or_default();
    let seen = palette.completions.iter().enumerate().skip(palette.scroll.top);
    for (row, (place, completion)) in (list.top()..list.bottom()).zip(seen) {
        let is_selected = place == palette.scroll.cursor;
        let style = if is_selected { ground.patch(shared.theme.style(Role::Selection)) } else { ground };
        let dim = if is_selected { style } else { style.patch(shared.theme.style(Role::Dim)) };
        buffer.set_style(Rect { y: row, height: 1, ..list }, style);
        put(buffer, list.x + 2, row, &completion.text, widest, style);
        let column = list.x + 4 + widest;
        put(buffer, column, row, &completion.doc, list.right().saturating_sub(column + 1), dim);
    }
}
