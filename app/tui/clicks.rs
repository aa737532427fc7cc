//! Tells single from double clicks.

use std::time::{Duration, Instant};

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::view::{Gesture, Mouse};

/// Two clicks on one cell within this time are a double click.
const DOUBLE: Duration = Duration::from_millis(400);

/// Remembers the last click.
#[derive(Debug, Default)]
pub struct Clicks {
    last: Option<(Instant, Position)>,
}

impl Clicks {
    /// Returns what `event`, seen at `now`, means; nothing where it means nothing to riftline.
    pub fn gesture(&mut self, event: MouseEvent, now: Instant) -> Option<Mouse> {
        let at = Position::new(event.column, event.row);
        let gesture = match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.click(at, now),
            MouseEventKind::Drag(MouseButton::Left) => Gesture::Drag,
            MouseEventKind::Up(MouseButton::Left) => Gesture::Release,
            MouseEventKind::ScrollUp => Gesture::WheelUp,
            MouseEventKind::ScrollDown => Gesture::WheelDown,
            _ => return None,
        };
        Some(Mouse { at, gesture })
    }

    fn click(&mut self, at: Position, now: Instant) -> Gesture {
        let is_double = self.last.is_some_and(|(then, place)| place == at && now.duration_since(then) <= DOUBLE);
        self.last = (!is_double).then_some((now, at));
        if is_double { Gesture::DoubleClick } else { Gesture::Click }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;

    use super::*;

    #[test]
    fn two_quick_clicks_on_one_cell_are_a_double_click_and_a_third_begins_anew() {
        let mut clicks = Clicks::default();
        let start = Instant::now();
        let mut click = |column: u16, millis: u64| {
            let kind = MouseEventKind::Down(MouseButton::Left);
            let event = MouseEvent { kind, column, row: 3, modifiers: KeyModifiers::NONE };
            clicks.gesture(event, start + Duration::from_millis(millis)).map(|mouse| mouse.gesture)
        };
        assert_eq!(click(1, 0), Some(Gesture::Click));
        assert_eq!(click(1, 300), Some(Gesture::DoubleClick));
        assert_eq!(click(1, 400), Some(Gesture::Click));
        assert_eq!(click(2, 500), Some(Gesture::Click));
        assert_eq!(click(2, 2_000), Some(Gesture::Click));
    }
}
