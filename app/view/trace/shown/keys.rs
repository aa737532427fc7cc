//! What commands do to a trace that is shown.

use std::collections::HashSet;

use ratatui::layout::Rect;

use super::{Picture, PictureKind, Shown};
use crate::tui::command::Command;
use crate::view::trace::layout::Pane;
use crate::view::trace::torn::Sight;
use crate::view::trace::waterfall::rows::rows_area;
use crate::widget::input::Input;

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Done, and this is to be said.
    Said(String),
    /// Another trace is to be shown, with the cursor on one of its spans.
    Follow {
        trace_id: String,
        span_id: String,
    },
    /// The spans whose attributes hold this text are to be found.
    Find(String),
    /// The trace is to be looked at in another way.
    Look(Sight),
    /// A picture is to be drawn by a worker.
    Draw(PictureKind),
    /// It was not about the trace.
    NotMine,
}

impl Shown {
    /// Does what `command` says; `area` is that of the whole view.
    pub fn command(&mut self, command: Command, argument: &str, area: Rect) -> Outcome {
        match command {
            Command::Waterfall => self.picture = Picture::Waterfall,
            Command::Flame => return Outcome::Draw(PictureKind::Flame),
            Command::ByService => return Outcome::Draw(PictureKind::Services),
            Command::Healed => return self.turn_healed(),
            Command::Clock => return self.turn_clock(),
            Command::NextPane => self.turn_pane(true, area),
            Command::PreviousPane => self.turn_pane(false, area),
            Command::SpanLogs => self.show_logs(),
            Command::Enter => return self.enter(area),
            Command::Back => return self.back(),
            Command::Filter if argument.is_empty() => self.prompt = Some(Input::new(self.search.text())),
            Command::Filter => return self.find(argument, area),
            Command::Accept => return self.accept(area),
            Command::Cancel => self.prompt = None,
            Command::NextMatch | Command::PreviousMatch => {
                return Outcome::Said(self.walk(command == Command::NextMatch, area));
            }
            _ => return self.move_or_change(command, area),
        }
        Outcome::Done
    }

    /// Does what is about the pane that has the keys.
    fn move_or_change(&mut self, command: Command, area: Rect) -> Outcome {
        let panes = self.panes(area);
        let is_mine = match (self.pane, &mut self.picture) {
            (Pane::Details, Picture::Waterfall) => self.details.go(command, panes.details),
            (Pane::Logs, Picture::Waterfall) => self.logs.go(command, panes.logs),
            (_, Picture::Flame(flame)) => flame.go(command),
            (_, Picture::Services(services)) => services.go(command, panes.main),
            (Pane::Main, Picture::Waterfall) => self.move_in_tree(command, rows_area(panes.main).height),
        };
        if is_mine || self.change_waterfall(command, area) { Outcome::Done } else { Outcome::NotMine }
    }

    fn move_in_tree(&mut self, command: Command, height: u16) -> bool {
        match command {
            Command::Left => self.waterfall.leave(&self.data, height),
            Command::Right => self.waterfall.enter(&self.data, height),
            _ => return self.waterfall.go(command, height),
        }
        true
    }

    fn change_waterfall(&mut self, command: Command, area: Rect) -> bool {
        let height = self.num_lines(area);
        let (waterfall, data) = (&mut self.waterfall, &self.data);
        match command {
            Command::CriticalPath => waterfall.shows_critical_path = !waterfall.shows_critical_path,
            Command::Fold => waterfall.toggle_fold(data, height),
            Command::FoldAll => waterfall.toggle_all(data, height),
            Command::Focus => waterfall.toggle_focus(data),
            Command::NarrowTime => waterfall.zoom_in(data),
            Command::WidenTime => waterfall.zoom_out(data),
            Command::Earlier => waterfall.pan(data, -1),
            Command::Later => waterfall.pan(data, 1),
            _ => return false,
        }
        self.picture = Picture::Waterfall;
        true
    }

    fn turn_pane(&mut self, is_forward: bool, area: Rect) {
        self.picture = Picture::Waterfall;
        self.pane = match (self.pane, is_forward) {
            (Pane::Main, true) | (Pane::Logs, false) => Pane::Details,
            (Pane::Details, true) | (Pane::Main, false) => Pane::Logs,
            (Pane::Logs, true) | (Pane::Details, false) => Pane::Main,
        };
        let panes = self.panes(area);
        if self.pane == Pane::Main || panes.details.is_empty() && panes.logs.is_empty() {
            self.is_wide = self.pane != Pane::Main;
        }
    }

    fn turn_healed(&self) -> Outcome {
        let torn = &self.data.torn;
        if !torn.is_torn() {
            return Outcome::Said("nothing was joined to this trace: it is shown as it was recorded".to_owned());
        }
        Outcome::Look(Sight { is_healed: !torn.sight.is_healed, ..torn.sight })
    }

    fn turn_clock(&self) -> Outcome {
        let torn = &self.data.torn;
        match torn.sight {
            _ if !torn.is_skewed => Outcome::Said("no clock is known to be off in this trace".to_owned()),
            Sight { is_healed: false, .. } => {
                Outcome::Said("raw times are those that were recorded; H shows the healed trace".to_owned())
            }
            sight => Outcome::Look(Sight { on_one_clock: !sight.on_one_clock, ..sight }),
        }
    }

    fn show_logs(&mut self) {
        self.picture = Picture::Waterfall;
        self.pane = if self.pane == Pane::Logs { Pane::Main } else { Pane::Logs };
        self.is_wide &= self.pane == Pane::Logs;
    }

    fn enter(&mut self, area: Rect) -> Outcome {
        let link = self.details.link(self.panes(area).details);
        let is_span = self.selected().is_some();
        match (&mut self.picture, self.pane) {
            (Picture::Flame(flame), _) => flame.zoom(),
            (Picture::Services(services), _) => {
                let service = services.selected(&self.data).unwrap_or_default().to_owned();
                return self.find(&service, area);
            }
            (Picture::Waterfall, Pane::Details) if link.is_some() => {
                let (trace_id, span_id) = link.unwrap_or_default();
                return Outcome::Follow { trace_id, span_id };
            }
            (Picture::Waterfall, Pane::Details | Pane::Logs) => self.is_wide = !self.is_wide,
            (Picture::Waterfall, Pane::Main) if is_span => {
                self.pane = Pane::Details;
                self.is_wide = true;
            }
            (Picture::Waterfall, Pane::Main) => {
                let height = self.num_lines(area);
                self.waterfall.toggle_fold(&self.data, height);
            }
        }
        Outcome::Done
    }

    /// Takes the last step back within the view: from wide to narrow, from a pane to the tree, from a picture to the waterfall.
    fn back(&mut self) -> Outcome {
        match &mut self.picture {
            Picture::Flame(flame) if flame.is_zoomed() => flame.unzoom(),
            Picture::Flame(_) | Picture::Services(_) => self.picture = Picture::Waterfall,
            Picture::Waterfall if self.is_wide || self.pane != Pane::Main => {
                self.is_wide = false;
                self.pane = Pane::Main;
            }
            Picture::Waterfall if !self.search.text().is_empty() => self.search = super::Search::default(),
            Picture::Waterfall => return Outcome::NotMine,
        }
        Outcome::Done
    }

    fn accept(&mut self, area: Rect) -> Outcome {
        let text = self.prompt.take().map(|prompt| prompt.text().trim().to_owned()).unwrap_or_default();
        self.find(&text, area)
    }

    fn find(&mut self, text: &str, area: Rect) -> Outcome {
        self.search_for(text, &HashSet::new(), area);
        if text.is_empty() { Outcome::Done } else { Outcome::Find(text.to_owned()) }
    }
}
