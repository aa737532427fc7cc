//! A trace that is there: its waterfall and other pictures, the pane that has the keys, what is searched for.

pub mod keys;
pub mod mouse;
pub mod render;

use std::collections::HashSet;
use std::sync::Arc;

use ratatui::layout::Rect;

use super::data::TraceData;
use super::details::Details;
use super::flame::Flame;
use super::layout::{Pane, Panes, Shape, panes};
use super::logs::Logs;
use super::search::{self, Search};
use super::services::Services;
use super::waterfall::Waterfall;
use super::waterfall::rows::rows_area;
use crate::widget::input::Input;

/// How the trace is drawn.
#[derive(Debug, Clone, Default)]
pub enum Picture {
    #[default]
    Waterfall,
    Flame(Flame),
    Services(Services),
}

/// A picture that takes a walk over all spans: a worker draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    Flame,
    Services,
}

impl PictureKind {
    /// Returns the picture of `data`.
    #[must_use]
    pub fn draw(self, data: &TraceData) -> Picture {
        match self {
            Self::Flame => Picture::Flame(Flame::new(data)),
            Self::Services => Picture::Services(Services::new(data)),
        }
    }
}

/// One trace on the screen.
#[derive(Debug, Clone)]
pub struct Shown {
    pub data: Arc<TraceData>,
    pub waterfall: Waterfall,
    pub picture: Picture,
    pub pane: Pane,
    pub details: Details,
    pub logs: Logs,
    pub search: Search,
    /// What is typed to search for.
    pub prompt: Option<Input>,
    /// Whether the lower panes have the whole screen.
    pub is_wide: bool,
    /// The cell of the time axis on which the mouse was pressed.
    pub pressed: Option<u16>,
}

impl Shown {
    /// Returns the screen of `data` with the cursor on its first row.
    #[must_use]
    pub fn new(data: Arc<TraceData>) -> Self {
        let waterfall = Waterfall::new(&data);
        Self {
            data,
            waterfall,
            picture: Picture::default(),
            pane: Pane::default(),
            details: Details::default(),
            logs: Logs::default(),
            search: Search::default(),
            prompt: None,
            is_wide: false,
            pressed: None,
        }
    }

    /// Takes newer spans of the same trace; the cursor stays on its span.
    pub fn update(&mut self, data: Arc<TraceData>, area: Rect) {
        if data.spans == self.data.spans && data.torn == self.data.torn {
            return;
        }
        let span_id = self.selected_ids().map(|(_, span_id)| span_id);
        let shows_critical_path = self.waterfall.shows_critical_path;
        let (text, prompt) = (self.search.text().to_owned(), self.prompt.take());
        *self = Self { pane: self.pane, is_wide: self.is_wide, prompt, ..Self::new(data) };
        self.waterfall.shows_critical_path = shows_critical_path;
        self.search = Search::new(&self.data, &text, &HashSet::new());
        if let Some(rank) = span_id.and_then(|span_id| self.data.find(span_id)) {
            self.reveal(rank, area);
        }
    }

    /// Returns where everything is when the whole view is `area`.
    #[must_use]
    pub fn panes(&self, area: Rect) -> Panes {
        let is_waterfall = matches!(self.picture, Picture::Waterfall);
        let has_prompt = self.prompt.is_some() || !self.search.text().is_empty();
        let (pane, is_wide) = (self.pane, self.is_wide);
        panes(area, Shape { pane, is_wide, has_prompt, has_lower: is_waterfall })
    }

    /// Returns how many rows of the waterfall fit.
    #[must_use]
    pub fn num_lines(&self, area: Rect) -> u16 {
        rows_area(self.panes(area).main).height
    }

    /// Returns the rank of the selected span; nothing on headings.
    #[must_use]
    pub fn selected(&self) -> Option<u32> {
        self.waterfall.selected()
    }

    /// Returns the row in the store and the id of the selected span.
    #[must_use]
    pub fn selected_ids(&self) -> Option<(i64, u64)> {
        let span = self.data.forest.span(self.selected()?);
        Some((self.data.spans.row[span], self.data.spans.span_id[span]))
    }

    /// Puts the cursor on the span at `rank` and shows the waterfall.
    pub fn reveal(&mut self, rank: u32, area: Rect) {
        self.picture = Picture::Waterfall;
        let height = self.num_lines(area);
        self.waterfall.reveal(&self.data, rank, height);
    }

    /// Puts the cursor on the span with this id (hex), where there is one.
    pub fn go_to(&mut self, span_id: Option<&str>, area: Rect) {
        let span_id = span_id.and_then(|hex| u64::from_str_radix(hex, 16).ok());
        if let Some(rank) = span_id.and_then(|span_id| self.data.find(span_id)) {
            self.reveal(rank, area);
        }
    }

    /// Searches for `text`; `span_ids` are the spans whose attributes hold it. Goes to the first match from the cursor on.
    pub fn search_for(&mut self, text: &str, span_ids: &HashSet<u64>, area: Rect) {
        self.search = Search::new(&self.data, text, span_ids);
        if let Some((rank, _)) = self.search.next(self.waterfall.rank(&self.data)) {
            self.reveal(rank, area);
        }
    }

    /// Goes to the next match, or to the one before; to errors where nothing is searched for. Returns what to say about it.
    pub fn walk(&mut self, is_forward: bool, area: Rect) -> String {
        let errors;
        let (walked, what) = if self.search.text().is_empty() {
            errors = search::errors(&self.data);
            (&errors, "error")
        } else {
            (&self.search, "match")
        };
        let rank = self.waterfall.rank(&self.data);
        let behind = rank + u32::from(self.selected().is_some());
        let found = if is_forward { walked.next(behind) } else { walked.previous(rank) };
        let Some((rank, number)) = found else { return format!("no {what} in this trace") };
        let said = format!("{what} {number} of {}", walked.len());
        self.reveal(rank, area);
        said
    }
}
