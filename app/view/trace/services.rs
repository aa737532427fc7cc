//! Which service took the time: one line a service, the one with the most time of its own first.
//!
//! ```text
//! service      self                              share    total   spans  errors
//! orders       ████████████████████▍    1.21 s   52.3 %   2.19 s     31       2
//! gateway      ██████                  340 ms   14.7 %   2.31 s      9
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::data::TraceData;
use crate::humane;
use crate::theme::Role;
use crate::tui::command::Command;
use crate::tui::state::Shared;
use crate::widget::line::{put, put_right};
use crate::widget::scroll::Scroll;
use crate::widget::span_bar::{self, Weight};
use crate::widget::time_axis::TimeWindow;

/// What one service did in the trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ServiceTime {
    /// The service's text in the spans of the trace.
    pub service: u32,
    pub num_spans: u64,
    pub num_errors: u64,
    /// Sum of what spans did not spend waiting for their children.
    pub self_ns: i64,
    /// Sum of the durations of spans whose parent belongs to another service.
    pub total_ns: i64,
}

/// The table of services.
#[derive(Debug, Clone, Default)]
pub struct Services {
    times: Vec<ServiceTime>,
    scroll: Scroll,
}

/// Widths of the columns of numbers: time, share, total, spans, errors.
const WIDTHS: [u16; 5] = [11, 9, 11, 9, 8];

impl Services {
    /// Sums up `data` by service.
    #[must_use]
    pub fn new(data: &TraceData) -> Self {
        let mut times = vec![ServiceTime::default(); data.spans.texts.len()];
        for rank in 0..data.forest.len() {
            let span = data.forest.span(rank);
            let service = data.spans.service[span];
            let time = &mut times[service as usize];
            time.service = service;
            time.num_spans += 1;
            time.num_errors += u64::from(data.spans.status[span] == 2);
            time.self_ns = time.self_ns.saturating_add(data.self_ns(rank));
            let parent = data.forest.parent(rank).map(|parent| data.spans.service[data.forest.span(parent)]);
            if parent != Some(service) {
                time.total_ns = time.total_ns.saturating_add(data.spans.duration_ns[span].max(0));
            }
        }
        times.retain(|time| time.num_spans > 0);
        times.sort_by_key(|time| (std::cmp::Reverse(time.self_ns), time.service));
        Self { times, scroll: Scroll::default() }
    }

    /// Returns the services, the one with the most time of its own first.
    #[must_use]
    pub fn times(&self) -> &[ServiceTime] {
        &self.times
    }

    /// Moves the cursor as `command` says. Returns whether it was about moving.
    pub fn go(&mut self, command: Command, area: Rect) -> bool {
        self.scroll.command(command, self.times.len(), area.height.saturating_sub(1))
    }

    /// Returns the service under the cursor.
    #[must_use]
    pub fn selected<'a>(&self, data: &'a TraceData) -> Option<&'a str> {
        let time = self.times.get(self.scroll.cursor)?;
        data.spans.texts.get(time.service as usize).map(AsRef::as_ref)
    }

    /// Draws the table.
    pub fn render(&self, data: &TraceData, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let heading = shared.theme.style(Role::Heading);
        let (names, bars, numbers) = columns(area, data.summary.service_width);
        put(buffer, names, "service", heading);
        put(buffer, bars, "time of its own", heading);
        for (column, title) in numbers.into_iter().zip(["self", "share", "total", "spans", "errors"]) {
            put_right(buffer, column, title, heading);
        }
        let rows = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let seen = self.scroll.seen(self.times.len(), rows.height);
        for (y, entry) in (rows.y..rows.bottom()).zip(seen) {
            if entry == self.scroll.cursor {
                buffer.set_style(Rect { y, height: 1, ..area }, shared.theme.style(Role::Selection));
                put(
                    buffer,
                    Rect { y, height: 1, width: 1, ..area },
                    shared.symbols.cursor,
                    shared.theme.style(Role::Accent),
                );
            }
            self.row(data, entry, Rect { y, height: 1, ..area }, buffer, shared);
        }
    }

    fn row(&self, data: &TraceData, entry: usize, line: Rect, buffer: &mut Buffer, shared: &Shared) {
        let time = self.times[entry];
        let service = &data.spans.texts[time.service as usize];
        let style = shared.theme.service(shared.services.slot(service));
        let (names, bars, numbers) = columns(line, data.summary.service_width);
        let most_ns = self.times.first().map_or(0, |time| time.self_ns);
        let all_ns = self.times.iter().fold(0_i64, |sum, time| sum.saturating_add(time.self_ns)).max(1);
        put(buffer, names, service, style);
        span_bar::draw(buffer, bars, TimeWindow::new(0, most_ns), (0, time.self_ns), Weight::Block, style);
        let texts = [
            humane::duration(time.self_ns),
            humane::percent(time.self_ns as f64 / all_ns as f64),
            humane::duration(time.total_ns),
            humane::count(time.num_spans),
            if time.num_errors > 0 { humane::count(time.num_errors) } else { String::new() },
        ];
        let roles = [Role::Strong, Role::Number, Role::Number, Role::Number, Role::Error];
        for ((column, text), role) in numbers.into_iter().zip(texts).zip(roles) {
            put_right(buffer, column, &text, shared.theme.style(role));
        }
    }
}

/// Returns where names, bars and numbers stand on the first line of `area`.
fn columns(area: Rect, service_width: u16) -> (Rect, Rect, [Rect; 5]) {
    let line = Rect { height: area.height.min(1), ..area };
    let names = Rect { x: line.x + 1, width: service_width.clamp(8, 28).min(line.width.saturating_sub(1)), ..line };
    let mut x = line.right().saturating_sub(WIDTHS.iter().sum::<u16>() + 1).max(names.right());
    let numbers = WIDTHS.map(|width| {
        let column = Rect { x, width: width.min(line.right().saturating_sub(x)), ..line };
        x += column.width;
        column
    });
    let bars = Rect { x: names.right() + 2, width: numbers[0].x.saturating_sub(names.right() + 2), ..line };
    (names, bars, numbers)
}
