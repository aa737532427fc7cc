//! Lines around panes and layers, with a title in the upper one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::widgets::{Block, Borders, Clear, Widget as _};

use super::text::put;
use crate::theme::Role;
use crate::tui::state::Shared;

/// Draws a frame with `title` and returns the area inside.
pub fn pane(area: Rect, buffer: &mut Buffer, title: &str, has_focus: bool, shared: &Shared) -> Rect {
    let role = if has_focus { Role::BorderFocus } else { Role::Border };
    let inner = lines(area, buffer, shared.theme.style(role));
    let style = if has_focus { Role::Strong } else { Role::Heading };
    headline(area, buffer, title, shared.theme.style(style));
    inner
}

/// Draws the ground and frame of a layer and returns the area inside, with a cell of air at the sides.
pub fn popup(area: Rect, buffer: &mut Buffer, title: &str, shared: &Shared) -> Rect {
    Clear.render(area.intersection(buffer.area), buffer);
    buffer.set_style(area.intersection(buffer.area), shared.theme.style(Role::Popup));
    let inner = lines(area, buffer, shared.theme.style(Role::PopupBorder));
    headline(area, buffer, title, shared.theme.style(Role::Strong).patch(ground(shared)));
    Rect { x: inner.x.saturating_add(1), width: inner.width.saturating_sub(2), ..inner }
}

/// Returns an area of at most `width` and `height` in the middle of `area`, a little above the centre.
#[must_use]
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 3;
    Rect { x, y, width, height }
}

fn ground(shared: &Shared) -> Style {
    Style { fg: None, ..shared.theme.style(Role::Popup) }
}

fn lines(area: Rect, buffer: &mut Buffer, style: Style) -> Rect {
    let area = area.intersection(buffer.area);
    let block = Block::new().borders(Borders::ALL).border_set(border::ROUNDED).border_style(style);
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

fn headline(area: Rect, buffer: &mut Buffer, title: &str, style: Style) {
    if !title.is_empty() && area.width > 4 {
        put(buffer, area.x + 2, area.y, &format!(" {title} "), area.width - 4, style);
    }
}
