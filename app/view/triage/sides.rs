//! An example of a finding: the trace before the break and the one behind it, side by side on one time axis.
//!
//! ```text
//! ▶ gateway  trace 68bf7890              │ ▶ stock  trace 747ec639
//!   gateway GET /products       12.3 ms  │ ▶ stock Check            4.1 ms
//! ▶   gateway Check              6.2 ms  │     stock SELECT         1.2 ms
//! ```

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::finding::{Example, Place};
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::view::trace::data::TraceData;
use crate::widget::line::{put, put_right};
use crate::widget::span_bar::{self, Weight};
use crate::widget::time_axis::TimeWindow;

/// One trace of an example.
#[derive(Debug, Clone, Default)]
pub enum Side {
    #[default]
    Reading,
    There(Arc<TraceData>),
    Failed(String),
}

/// Both traces of an example; the second is left out where it is the same.
#[derive(Debug, Clone, Default)]
pub struct Sides {
    pub before: Side,
    pub after: Side,
}

const DURATION_WIDTH: u16 = 9;
/// Columns at least so wide get bars.
const WITH_BARS: u16 = 56;
const MAX_INDENT: u16 = 12;

impl Sides {
    /// Returns how many lines they need.
    #[must_use]
    pub fn height(&self) -> u16 {
        let num_spans = [&self.before, &self.after].map(|side| match side {
            Side::There(data) => data.forest.len(),
            Side::Reading | Side::Failed(_) => 0,
        });
        u16::try_from(num_spans[0].max(num_spans[1])).unwrap_or(u16::MAX).saturating_add(1).max(6)
    }

    /// Draws the traces of `example`.
    pub fn render(&self, example: &Example, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        if example.before.trace_id == example.after.trace_id {
            return column(&self.before, &example.before, self.window(), area, buffer, shared);
        }
        let half = area.width / 2;
        let left = Rect { width: half.saturating_sub(1), ..area };
        let right = Rect { x: area.x + half + 1, width: area.width.saturating_sub(half + 1), ..area };
        column(&self.before, &example.before, self.window(), left, buffer, shared);
        for y in area.y..area.bottom() {
            let seam = Rect { x: area.x + half.saturating_sub(1), y, width: 1, height: 1 };
            put(buffer, seam, "┆", shared.theme.style(Role::Mark));
        }
        column(&self.after, &example.after, self.window(), right, buffer, shared);
    }

    /// Returns the stretch of time that both fill: what lies inside what is to be seen.
    fn window(&self) -> Option<TimeWindow> {
        let windows = [&self.before, &self.after].into_iter().filter_map(|side| match side {
            Side::There(data) => Some(data.summary.window),
            _ => None,
        });
        let join = |left: TimeWindow, right: TimeWindow| {
            TimeWindow::new(left.from_ns().min(right.from_ns()), left.to_ns().max(right.to_ns()))
        };
        windows.reduce(join)
    }
}

fn column(side: &Side, place: &Place, window: Option<TimeWindow>, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let head = Rect { height: area.height.min(1), ..area };
    let id = place.trace_id.get(..8).unwrap_or(&place.trace_id);
    let rest = put(buffer, head, "trace ", shared.theme.style(Role::Dim));
    put(buffer, rest, id, shared.theme.style(Role::Id));
    let rows = Rect { y: head.bottom(), height: area.height.saturating_sub(1), ..area };
    match (side, window) {
        (Side::There(data), Some(window)) => trace(data, place, window, rows, buffer, shared),
        (Side::Failed(error), _) => drop(put(buffer, rows, error, shared.theme.style(Role::Error))),
        _ => drop(put(buffer, rows, "reading", shared.theme.style(Role::Dim))),
    }
}

/// Draws the rows around the span that is meant.
fn trace(data: &TraceData, place: &Place, window: TimeWindow, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let meant = u64::from_str_radix(&place.span_id, 16).ok().and_then(|span_id| data.find(span_id));
    let height = u32::from(area.height);
    let last_top = data.forest.len().saturating_sub(height);
    let top = meant.map_or(0, |rank| rank.saturating_sub(height.saturating_sub(3).max(height / 2))).min(last_top);
    for (y, rank) in (area.y..area.bottom()).zip(top..data.forest.len()) {
        let line = Rect { y, height: 1, ..area };
        row(data, rank, Some(rank) == meant, window, line, buffer, shared);
    }
}

fn row(
    data: &TraceData,
    rank: u32,
    is_meant: bool,
    window: TimeWindow,
    line: Rect,
    buffer: &mut Buffer,
    shared: &Shared,
) {
    let span = data.forest.span(rank);
    let style = |role: Role| if is_meant { shared.theme.style(Role::Strong) } else { shared.theme.style(role) };
    let bars = if line.width >= WITH_BARS { line.width / 3 } else { 0 };
    let text = Rect { width: line.width.saturating_sub(bars + DURATION_WIDTH + 1), ..line };
    let mark = if is_meant { "▶ " } else { "  " };
    let rest = put(buffer, text, mark, shared.theme.style(Role::Accent));
    let indent = (data.forest.depth(rank) as u16).saturating_mul(2).min(MAX_INDENT).min(rest.width);
    let rest = Rect { x: rest.x + indent, width: rest.width - indent, ..rest };
    let colour = service_style(data, span, shared);
    let rest = put(buffer, rest, data.spans.service(span), colour);
    let rest = put(buffer, rest, " ", Style::new());
    put(buffer, rest, data.spans.name(span), style(Role::Text));
    let bar = Rect { x: text.right() + 1, width: bars.saturating_sub(1), ..line };
    if !bar.is_empty() {
        span_bar::draw(buffer, bar, window, data.interval(span), Weight::Block, colour);
    }
    let is_error = data.spans.status[span] == 2;
    let role = if is_error { Role::Error } else { Role::Number };
    put_right(buffer, line, &humane::duration(data.spans.duration_ns[span]), shared.theme.style(role));
}

fn service_style(data: &TraceData, span: usize, shared: &Shared) -> Style {
    shared.theme.service(shared.services.slot(data.spans.service(span)))
}
