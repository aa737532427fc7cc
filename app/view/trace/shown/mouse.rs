//! What the mouse does to a trace that is shown: click selects, double click enters, wheel scrolls, drag on the bars zooms.

use ratatui::layout::{Position, Rect};

use super::keys::Outcome;
use super::{Picture, Shown};
use crate::tui::command::Command;
use crate::view::trace::layout::Pane;
use crate::view::trace::waterfall::rows::{Columns, rows_area};
use crate::view::{Gesture, Mouse};

/// How many lines one notch of the wheel scrolls.
const WHEEL: isize = 3;

impl Shown {
    /// Takes what the mouse did; `area` is that of the whole view.
    pub fn mouse(&mut self, mouse: Mouse, area: Rect) -> Outcome {
        match mouse.gesture {
            Gesture::Click => self.press(mouse.at, area),
            Gesture::DoubleClick => {
                self.press(mouse.at, area);
                return self.command(Command::Enter, "", area);
            }
            Gesture::WheelUp => self.wheel(-WHEEL, mouse.at, area),
            Gesture::WheelDown => self.wheel(WHEEL, mouse.at, area),
            Gesture::Release => self.release(mouse.at, area),
            Gesture::Drag => {}
        }
        Outcome::Done
    }

    fn press(&mut self, at: Position, area: Rect) {
        let panes = self.panes(area);
        self.pressed = None;
        if panes.details.contains(at) {
            self.pane = Pane::Details;
        } else if panes.logs.contains(at) {
            self.pane = Pane::Logs;
        } else if panes.main.contains(at) && matches!(self.picture, Picture::Waterfall) {
            self.pane = Pane::Main;
            let (rows, bars) = (rows_area(panes.main), self.bars(panes.main));
            if rows.contains(at) {
                self.waterfall.point(at.y - rows.y, rows.height);
            }
            let is_on_bars = (bars.x..bars.right()).contains(&at.x);
            self.pressed = is_on_bars.then_some(at.x.saturating_sub(bars.x));
        }
    }

    /// Zooms where the mouse was dragged over at least two cells of the bars.
    fn release(&mut self, at: Position, area: Rect) {
        let bars = self.bars(self.panes(area).main);
        let to = at.x.saturating_sub(bars.x).min(bars.width.saturating_sub(1));
        if let Some(from) = self.pressed.take().filter(|from| from.abs_diff(to) >= 2) {
            let window = self.waterfall.window();
            let times = [from.min(to), from.max(to)].map(|cell| window.time_ns(cell, bars.width));
            self.waterfall.show_window(&self.data, times[0], times[1]);
        }
    }

    fn wheel(&mut self, lines: isize, at: Position, area: Rect) {
        let panes = self.panes(area);
        let command = if lines < 0 { Command::Up } else { Command::Down };
        match &mut self.picture {
            _ if panes.details.contains(at) => self.details.wheel(lines, panes.details),
            _ if panes.logs.contains(at) => self.logs.wheel(lines, panes.logs),
            Picture::Waterfall => self.waterfall.wheel(lines, rows_area(panes.main).height),
            Picture::Flame(flame) => _ = flame.go(command),
            Picture::Services(services) => _ = services.go(command, panes.main),
        }
    }

    fn bars(&self, main: Rect) -> Rect {
        Columns::new(main, self.data.summary.service_width).bars
    }
}
