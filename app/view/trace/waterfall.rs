//! The waterfall's state: rows, cursor, and the stretch of time that is shown.

pub mod indentation;
pub mod rows;

use riftline_queries::trace::critical_path::Segment;

use super::data::TraceData;
use super::outline::{Outline, Row};
use crate::tui::command::Command;
use crate::widget::scroll::Scroll;
use crate::widget::time_axis::TimeWindow;

/// How far one press zooms and pans.
const ZOOM: f64 = 0.5;
const PAN: f64 = 0.25;

/// Room on both sides of a span that fills the axis, as a share of its length.
const FOCUS: f64 = 1.05;

/// What is folded, selected and shown of one trace.
#[derive(Debug, Clone, Default)]
pub struct Waterfall {
    outline: Outline,
    scroll: Scroll,
    window: TimeWindow,
    /// Whether the critical path is drawn.
    pub shows_critical_path: bool,
}

impl Waterfall {
    /// Returns the waterfall of `data` with the cursor on its first row.
    #[must_use]
    pub fn new(data: &TraceData) -> Self {
        Self {
            outline: Outline::with_joints(&data.forest, data.joints()),
            scroll: Scroll::default(),
            window: data.summary.window,
            shows_critical_path: false,
        }
    }

    /// Returns the row under the cursor.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        self.outline.row(self.scroll.cursor)
    }

    /// Returns the rank of the span under the cursor; nothing on headings.
    #[must_use]
    pub fn selected(&self) -> Option<u32> {
        match self.row()? {
            Row::Span(rank) | Row::Joint(rank) => Some(rank),
            Row::Run(_) | Row::Missing(_) => None,
        }
    }

    /// Returns the rank from which searching goes on.
    #[must_use]
    pub fn rank(&self, data: &TraceData) -> u32 {
        self.row().map_or(0, |row| row.first(&data.forest))
    }

    /// Moves the cursor as `command` says; `height` is how many rows fit. Returns whether it was about moving.
    pub fn go(&mut self, command: Command, height: u16) -> bool {
        self.scroll.command(command, self.outline.len(), height)
    }

    /// Moves the cursor by so many rows, as a wheel does.
    pub fn wheel(&mut self, rows: isize, height: u16) {
        self.scroll.wheel(rows, self.outline.len(), height);
    }

    /// Puts the cursor on the row that is drawn on line `line` of `height`. Returns false where there is none.
    pub fn point(&mut self, line: u16, height: u16) -> bool {
        let entry = self.scroll.seen(self.outline.len(), height).nth(usize::from(line));
        self.scroll.cursor = entry.unwrap_or(self.scroll.cursor);
        entry.is_some()
    }

    /// Puts the cursor on the span at `rank`, whatever it is folded into.
    pub fn reveal(&mut self, data: &TraceData, rank: u32, height: u16) {
        let position = self.outline.reveal(&data.forest, rank);
        self.scroll.jump(position, self.outline.len(), height);
    }

    /// Folds the row under the cursor or opens it; a row with nothing to fold folds what it stands in.
    pub fn toggle_fold(&mut self, data: &TraceData, height: u16) {
        let Some(row) = self.row() else { return };
        let folded = !self.outline.is_folded(row);
        if !self.outline.set_folded(&data.forest, row, folded) {
            self.fold_around(data, row, height);
        }
    }

    /// Folds everything, or opens everything where all is folded. The cursor stays on its span, or on what hides it.
    pub fn toggle_all(&mut self, data: &TraceData, height: u16) {
        let rank = self.rank(data);
        self.outline.toggle_all(&data.forest);
        self.scroll.jump(self.outline.position(&data.forest, rank), self.outline.len(), height);
    }

    /// Goes left in the tree: folds what is open, else goes to what the row stands in.
    pub fn leave(&mut self, data: &TraceData, height: u16) {
        let Some(row) = self.row() else { return };
        if self.outline.set_folded(&data.forest, row, true) {
            return;
        }
        if let Some(position) = self.enclosing(data, row) {
            self.scroll.jump(position, self.outline.len(), height);
        }
    }

    /// Goes right in the tree: opens what is folded, else goes to the first row in it.
    pub fn enter(&mut self, data: &TraceData, height: u16) {
        let Some(row) = self.row() else { return };
        if !self.outline.set_folded(&data.forest, row, false) && row.can_fold(&data.forest) {
            self.go(Command::Down, height);
        }
    }

    fn fold_around(&mut self, data: &TraceData, row: Row, height: u16) {
        let Some(position) = self.enclosing(data, row) else { return };
        if let Some(around) = self.outline.row(position) {
            self.outline.set_folded(&data.forest, around, true);
            self.scroll.jump(position, self.outline.len(), height);
        }
    }

    /// Returns where the row is that `row` stands in: its run, its parent, or the heading of its missing parent.
    fn enclosing(&self, data: &TraceData, row: Row) -> Option<usize> {
        let (forest, first) = (&data.forest, row.first(&data.forest));
        let run = forest.run_of(first).filter(|_| matches!(row, Row::Span(_)));
        let parent = forest.parent(first);
        let heading = |row: Row| {
            let position = self.outline.position(forest, row.first(forest));
            (0..=position).rev().take(3).find(|&near| self.outline.row(near) == Some(row))
        };
        match (run, parent) {
            (Some(run), parent) if parent.is_none_or(|parent| parent < forest.runs()[run].first) => {
                heading(Row::Run(run as u32))
            }
            (_, Some(parent)) => heading(Row::Span(parent)),
            (_, None) if row.depth(forest) > 0 => heading(Row::Missing(forest.orphanage_at(first)? as u32)),
            _ => None,
        }
    }

    /// Shows half as long a stretch of time, around the span under the cursor.
    pub fn zoom_in(&mut self, data: &TraceData) {
        self.scale(data, ZOOM);
    }

    /// Shows twice as long a stretch of time, but never more than the trace.
    pub fn zoom_out(&mut self, data: &TraceData) {
        self.scale(data, ZOOM.recip());
    }

    /// Shows what is before or behind, a quarter of the window a step.
    pub fn pan(&mut self, data: &TraceData, steps: i32) {
        self.window = self.window.panned(PAN * f64::from(steps), data.summary.window);
    }

    /// Lays the axis over the row under the cursor, or over the whole trace where it is so already.
    pub fn toggle_focus(&mut self, data: &TraceData) {
        let Some((from_ns, to_ns)) = self.interval(data) else { return };
        let whole = data.summary.window;
        let span = TimeWindow::new(from_ns, to_ns);
        let middle_ns = from_ns.saturating_add(span.len_ns() / 2);
        let focus = span.scaled(FOCUS, middle_ns, TimeWindow::new(i64::MIN, i64::MAX)).within(whole);
        self.window = if self.window == focus { whole } else { focus };
    }

    /// Shows the stretch of time between two times.
    pub fn show_window(&mut self, data: &TraceData, from_ns: i64, to_ns: i64) {
        self.window = TimeWindow::new(from_ns, to_ns).within(data.summary.window);
    }

    /// Returns the stretch of time that is shown.
    #[must_use]
    pub const fn window(&self) -> TimeWindow {
        self.window
    }

    /// Returns how many rows there are.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.outline.len()
    }

    fn scale(&mut self, data: &TraceData, share: f64) {
        let (from_ns, to_ns) = self.interval(data).unwrap_or_default();
        let seen = (from_ns.max(self.window.from_ns()), to_ns.min(self.window.to_ns()));
        let (from_ns, to_ns) = if seen.0 <= seen.1 { seen } else { (self.window.from_ns(), self.window.to_ns()) };
        let middle_ns = from_ns.saturating_add(to_ns.saturating_sub(from_ns) / 2);
        self.window = self.window.scaled(share, middle_ns, data.summary.window);
    }

    fn interval(&self, data: &TraceData) -> Option<(i64, i64)> {
        match self.row()? {
            Row::Span(rank) | Row::Joint(rank) => Some(data.interval(data.forest.span(rank))),
            Row::Run(run) => Some(data.forest.runs()[run as usize].extent_ns),
            Row::Missing(missing) => {
                Some(data.interval(data.forest.span(data.forest.orphanages()[missing as usize].first)))
            }
        }
    }

    fn critical_stretches<'a>(&self, data: &'a TraceData, span: usize) -> &'a [Segment] {
        if self.shows_critical_path { data.critical_stretches(span) } else { &[] }
    }
}
