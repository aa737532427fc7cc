//! Draws a picker.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::{Item, Picker};
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::frame::{centred, popup};
use crate::widget::text::{put, put_parts, put_right, width};

const WIDTH: u16 = 76;
const LONGEST: u16 = 18;
const KIND_WIDTH: u16 = 12;

/// Returns where a picker of `len` items is drawn.
#[must_use]
pub fn area(screen: Rect, len: usize) -> Rect {
    let rows = u16::try_from(len).unwrap_or(u16::MAX).clamp(1, LONGEST);
    centred(
        screen,
        WIDTH.min(screen.width.saturating_sub(4)),
        rows.saturating_add(4).min(screen.height.saturating_sub(2)),
    )
}

/// Returns how many items are seen at once.
#[must_use]
pub fn list_height(screen: Rect, len: usize) -> u16 {
    area(screen, len).height.saturating_sub(4)
}

/// Returns which line of the list is at `position`.
#[must_use]
pub fn row_at(area: Rect, position: Position) -> Option<usize> {
    let first = area.y.saturating_add(3);
    let is_inside = position.y >= first && position.y < area.bottom().saturating_sub(1);
    is_inside.then(|| usize::from(position.y - first))
}

/// Draws the picker over the screen.
pub fn render(picker: &Picker, screen: Rect, buffer: &mut Buffer, shared: &Shared) {
    let area = area(screen, picker.items.len());
    let inner = popup(area, buffer, picker.title, shared);
    let theme = &shared.theme;
    let ground = theme.style(Role::Popup);
    put(buffer, inner.x, inner.y, "› ", 2, ground.patch(theme.style(Role::Prompt)));
    let room = inner.width.saturating_sub(12);
    let caret = picker.input.render(buffer, inner.x + 2, inner.y, room, ground.patch(theme.style(Role::Text)));
    buffer.set_style(
        Rect::new(caret, inner.y, 1, 1).intersection(buffer.area),
        Style::new().add_modifier(Modifier::REVERSED),
    );
    let count = format!("{}/{}", picker.found.len(), picker.items.len());
    put_right(buffer, inner.x, inner.y, &count, inner.width, ground.patch(theme.style(Role::Dim)));
    let rule = "─".repeat(usize::from(inner.width));
    put(buffer, inner.x, inner.y + 1, &rule, inner.width, theme.style(Role::PopupBorder));
    let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    if picker.found.is_empty() {
        put(buffer, list.x, list.y, "nothing fits", list.width, ground.patch(theme.style(Role::Dim)));
    }
    let seen = picker.found.iter().enumerate().skip(picker.scroll.top);
    for (row, (place, &index)) in (list.top()..list.bottom()).zip(seen) {
        if let Some(item) = picker.items.get(index) {
            line(item, Rect { y: row, height: 1, ..list }, buffer, shared, place == picker.scroll.cursor);
        }
    }
}

fn line(item: &Item, area: Rect, buffer: &mut Buffer, shared: &Shared, is_selected: bool) {
    let theme = &shared.theme;
    let mut ground = theme.style(Role::Popup);
    if is_selected {
        ground = ground.patch(theme.style(Role::Selection));
        buffer.set_style(area, ground);
    }
    let kind = if item.kind.is_empty() { 0 } else { KIND_WIDTH };
    put(buffer, area.x, area.y, item.kind, kind, ground.patch(dim(shared, is_selected)));
    let room = area.width.saturating_sub(kind);
    let note = width(&item.note).min(room / 2);
    let label = room.saturating_sub(note).saturating_sub(1);
    put_parts(buffer, area.x + kind, area.y, label, &[(&item.label, ground)]);
    put_right(buffer, area.right() - note, area.y, &item.note, note, ground.patch(dim(shared, is_selected)));
}

/// Returns the style of what is read last; on the selection it only has to be readable.
fn dim(shared: &Shared, is_selected: bool) -> Style {
    if is_selected { Style::new() } else { shared.theme.style(Role::Dim) }
}
