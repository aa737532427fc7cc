//! Draws the whole screen: a pure function of the state and the area.
//!
//! ```text
//!  riftline  2 Traces  3 Trace  7 Query                       incident.rift  10:41:00-10:56:00 UTC  reading 43 %
//!  the view …
//!  Enter open  / filter  s sort  : command  ? keys                                    wrote slow.csv
//! ```

mod chrome;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::state::State;
use crate::theme::Role;
use crate::view::{Mouse, ViewId};
use crate::widget::text::{put, width};

/// The smallest screen that is drawn.
pub const SMALLEST: (u16, u16) = (80, 24);

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    pub top: Rect,
    pub body: Rect,
    pub bottom: Rect,
}

/// Returns the parts of a screen of `area`.
#[must_use]
pub fn areas(area: Rect) -> Areas {
    let body = Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(2), ..area };
    let top = Rect { height: area.height.min(1), ..area };
    let bottom = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
    Areas { top, body, bottom }
}

/// Draws `state`.
pub fn render(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = &state.shared.theme;
    buffer.set_style(area, theme.style(Role::Background));
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        return too_small(state, area, buffer);
    }
    let areas = areas(area);
    chrome::top(state, areas.top, buffer);
    if let Some(view) = state.view() {
        view.render(areas.body, buffer, &state.shared);
    }
    chrome::bottom(state, areas.bottom, buffer);
    for layer in &state.layers {
        layer.render(area, buffer, &state.shared);
    }
}

/// Returns the view whose tab the mouse clicked.
#[must_use]
pub fn tab_at(state: &State, mouse: Mouse) -> Option<ViewId> {
    let Position { x, y } = mouse.at;
    let tabs = chrome::tabs(areas(state.area).top);
    tabs.into_iter().find(|(_, area)| area.contains(Position { x, y })).map(|(view, _)| view)
}

fn too_small(state: &State, area: Rect, buffer: &mut Buffer) {
    let (columns, rows) = SMALLEST;
    let text = format!("riftline needs {columns}x{rows} cells; this is {}x{}", area.width, area.height);
    let column = area.x + area.width.saturating_sub(width(&text)) / 2;
    put(buffer, column, area.y + area.height / 2, &text, area.width, state.shared.theme.style(Role::Text));
}
