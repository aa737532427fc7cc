//! Draws the waterfall: the axis, and one line a row.
//!
//! ```text
//! service    operation                 0 ms        500 ms      1.0 s       1.5 s
//! gateway    POST /checkout            ████████████████████████████████████████████    2.31 s
//! gateway    ├ auth                    ██▍                                            61.4 ms
//! ≠ 0.97     ┆ b3-not-extracted  begins 4.01 ms after the parent, as 70 other calls do; no other fits
//! orders     └ POST /orders            ··┆▐███████████████████████████████████████▌    2.19 s →
//! orders       ├ ▸ × 512 SELECT stock  ·····▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒  p50 1.2 ms  p99 3.1 ms      812 ms
//! payments     └ charge                ·······████████████████                         500 ms ✖
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::Waterfall;
use super::indentation::Indentation;
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::view::trace::data::TraceData;
use crate::view::trace::forest::Orphanage;
use crate::view::trace::joints;
use crate::view::trace::marks::{self, SpanMark};
use crate::view::trace::outline::Row;
use crate::view::trace::runs::Run;
use crate::view::trace::search::Search;
use crate::widget::line::{put, put_right};
use crate::widget::span_bar::{self, Weight};
use crate::widget::text::width;

/// What the rows are drawn from.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub waterfall: &'a Waterfall,
    pub data: &'a TraceData,
    pub search: &'a Search,
    pub shared: &'a Shared,
    /// Whether the waterfall has the keys.
    pub has_keys: bool,
}

/// Where the parts of a row are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    pub service: Rect,
    pub tree: Rect,
    pub bars: Rect,
    pub duration: Rect,
    pub marks: Rect,
}

const DURATION_WIDTH: u16 = 10;

impl Columns {
    /// Divides `area` between the parts of a row.
    #[must_use]
    pub fn new(area: Rect, service_width: u16) -> Self {
        let (widest_service, num_marks, tree_share) = match area.width {
            0..100 => (10, 2, 47),
            100..150 => (14, 2, 42),
            _ => (20, 3, 38),
        };
        let service = service_width.clamp(7, widest_service);
        let rest = area.width.saturating_sub(service + DURATION_WIDTH + num_marks + 6);
        let tree = (rest * tree_share / 100).min(64);
        let mut x = area.x + 1;
        let mut column = |width: u16, gap: u16| {
            let left = area.right().saturating_sub(x);
            let column = Rect { x: x.min(area.right()), width: width.min(left), ..area };
            x = x.saturating_add(width + gap);
            column
        };
        Self {
            service: column(service, 1),
            tree: column(tree, 1),
            bars: column(rest - tree, 1),
            duration: column(DURATION_WIDTH, 1),
            marks: column(num_marks, 0),
        }
    }

    /// Returns the columns on the line `y`.
    fn line(self, y: u16) -> Self {
        let on = |area: Rect| Rect { y, height: 1, ..area };
        Self {
            service: on(self.service),
            tree: on(self.tree),
            bars: on(self.bars),
            duration: on(self.duration),
            marks: on(self.marks),
        }
    }
}

/// Returns the part of `area` that holds rows: what is below the axis.
#[must_use]
pub fn rows_area(area: Rect) -> Rect {
    Rect { y: area.y.saturating_add(1), height: area.height.saturating_sub(1), ..area }
}

/// Draws the axis and the rows.
pub fn render(scene: Scene<'_>, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let columns = Columns::new(area, scene.data.summary.service_width);
    scene.axis(columns.line(area.y), buffer);
    let rows = rows_area(area);
    let seen = scene.waterfall.scroll.seen(scene.waterfall.outline.len(), rows.height);
    for (y, entry) in (rows.y..rows.bottom()).zip(seen) {
        let line = columns.line(y);
        if entry == scene.waterfall.scroll.cursor {
            scene.cursor(line, Rect { y, height: 1, ..area }, buffer);
        }
        if let Some(row) = scene.waterfall.outline.row(entry) {
            scene.row(row, line, buffer);
        }
    }
}

impl Scene<'_> {
    fn style(&self, role: Role) -> Style {
        self.shared.theme.style(role)
    }

    fn axis(&self, line: Columns, buffer: &mut Buffer) {
        put(buffer, line.service, "service", self.style(Role::Heading));
        put(buffer, line.tree, "operation", self.style(Role::Heading));
        put_right(buffer, line.duration, "duration", self.style(Role::Heading));
        let ticks = self.waterfall.window.ticks(self.data.summary.window.from_ns(), line.bars.width);
        for (index, &(cell, offset)) in ticks.at.iter().enumerate() {
            let end = ticks.at.get(index + 1).map_or(line.bars.width, |&(next, _)| next);
            let room = Rect { x: line.bars.x + cell, width: end - cell, ..line.bars };
            let label = humane::tick(offset, ticks.step_ns);
            if label.chars().count() < usize::from(room.width) {
                put(buffer, room, &label, self.style(Role::Dim));
            }
        }
    }

    /// Marks the line under the cursor. Bars keep their look: a reversed block would read as a hole.
    fn cursor(&self, line: Columns, whole: Rect, buffer: &mut Buffer) {
        let role = if self.has_keys { Role::Selection } else { Role::SelectionIdle };
        let style = self.style(role);
        let left = Rect { width: line.tree.right().saturating_sub(whole.x), ..whole };
        let right = Rect { x: line.duration.x, width: whole.right().saturating_sub(line.duration.x), ..whole };
        buffer.set_style(left, style);
        buffer.set_style(right, style);
        buffer.set_style(whole, Style { bg: style.bg, ..Style::new() });
        let role = if self.has_keys { Role::Accent } else { Role::Faint };
        put(buffer, Rect { width: 1, ..whole }, self.shared.symbols.cursor, self.style(role));
    }

    fn row(&self, row: Row, line: Columns, buffer: &mut Buffer) {
        match row {
            Row::Span(rank) => self.span(row, rank, line, buffer),
            Row::Run(run) => self.run(row, &self.data.forest.runs()[run as usize], line, buffer),
            Row::Joint(rank) => self.joint(row, rank, line, buffer),
            Row::Missing(missing) => {
                self.missing(row, self.data.forest.orphanages()[missing as usize], line, buffer);
            }
        }
    }

    fn span(&self, row: Row, rank: u32, line: Columns, buffer: &mut Buffer) {
        let (spans, span) = (&self.data.spans, self.data.forest.span(rank));
        let is_critical = !self.waterfall.critical_stretches(self.data, span).is_empty();
        self.service(span, line.service, buffer);
        let rest = self.guides(row, line.tree, buffer);
        let rest = if self.waterfall.outline.is_folded(row) {
            put(buffer, rest, "▸ ", self.style(Role::Accent))
        } else {
            rest
        };
        let role = if is_critical { Role::Strong } else { Role::Text };
        let rest = self.name(spans.name(span), role, rest, buffer);
        if self.waterfall.outline.is_folded(row) {
            let hidden = humane::short_count(u64::from(self.data.forest.descendants(rank)));
            put(buffer, rest, &format!(" +{hidden}"), self.style(Role::Dim));
        }
        self.bar(rank, line.bars, buffer);
        self.duration(spans.duration_ns[span], spans.status[span] == 2, line.duration, buffer);
        self.marks(rank, line.marks, buffer);
    }

    fn run(&self, row: Row, run: &Run, line: Columns, buffer: &mut Buffer) {
        let span = self.data.forest.span(run.first);
        self.service(span, line.service, buffer);
        let rest = self.guides(row, line.tree, buffer);
        let sign = if self.waterfall.outline.is_folded(row) { "▸ " } else { "▾ " };
        let rest = put(buffer, rest, sign, self.style(Role::Accent));
        let rest = put(buffer, rest, &format!("× {} ", humane::count(u64::from(run.len))), self.style(Role::Strong));
        self.name(self.data.spans.name(span), Role::Text, rest, buffer);
        self.run_bar(run, span, line.bars, buffer);
        let length_ns = run.extent_ns.1.saturating_sub(run.extent_ns.0);
        self.duration(length_ns, false, line.duration, buffer);
        if run.num_errors > 0 {
            put(buffer, line.marks, self.shared.symbols.error, self.style(Role::Error));
        }
    }

    fn missing(&self, row: Row, orphanage: Orphanage, line: Columns, buffer: &mut Buffer) {
        let sign = if self.waterfall.outline.is_folded(row) { "▸ " } else { "" };
        let text = format!("{sign}{} parent {:016x} missing", SpanMark::Orphan.sign(), orphanage.parent_id);
        let width = line.tree.right().saturating_sub(line.service.x);
        put(buffer, Rect { width, ..line.service }, &text, self.style(Role::Warn));
        let spans = if orphanage.num_orphans == 1 { "span names" } else { "spans name" };
        let text = format!("{} {spans} it", humane::count(u64::from(orphanage.num_orphans)));
        put(buffer, line.bars, &text, self.style(Role::Dim));
    }

    /// Says why the span below stands where it does.
    fn joint(&self, row: Row, rank: u32, line: Columns, buffer: &mut Buffer) {
        let Some(join) = self.data.torn.join(self.data.forest.span(rank)) else { return };
        let sure = if join.is_accepted { "" } else { "?" };
        let role = if join.is_accepted { Role::Mark } else { Role::Dim };
        let text = format!("{}{sure} {}", self.shared.symbols.stitched, humane::sureness(join.confidence));
        put(buffer, line.service, &text, self.style(role));
        let room = Rect { width: line.marks.right().saturating_sub(line.tree.x), ..line.tree };
        // Guides are as wide as in other rows, so that lines meet.
        let behind = self.guides(row, line.tree, buffer);
        let rest = Rect { x: behind.x, width: room.right().saturating_sub(behind.x), ..room };
        let rest = match joints::named(self.data, rank) {
            Some(finding) => put(buffer, rest, &format!("{}  ", finding.rule), self.style(Role::Warn)),
            None => put(buffer, rest, &format!("{}  ", join.rule), self.style(role)),
        };
        put(buffer, rest, &join.why, self.style(Role::Dim));
    }

    fn service(&self, span: usize, area: Rect, buffer: &mut Buffer) {
        let service = self.data.spans.service(span);
        put(buffer, area, service, self.service_style(span));
    }

    fn service_style(&self, span: usize) -> Style {
        self.shared.theme.service(self.shared.services.slot(self.data.spans.service(span)))
    }

    /// Writes a name with what the search found in it marked; returns the room behind it.
    fn name(&self, name: &str, role: Role, area: Rect, buffer: &mut Buffer) -> Rect {
        let Some(found) = self.search.find_in(name) else {
            return put(buffer, area, name, self.style(role));
        };
        let parts = [(0..found.start, role), (found.clone(), Role::Match), (found.end..name.len(), role)];
        parts.into_iter().fold(area, |rest, (part, role)| put(buffer, rest, &name[part], self.style(role)))
    }

    fn duration(&self, duration_ns: i64, is_error: bool, area: Rect, buffer: &mut Buffer) {
        let role = if is_error { Role::Error } else { Role::Number };
        put_right(buffer, area, &humane::duration(duration_ns), self.style(role));
    }

    fn marks(&self, rank: u32, area: Rect, buffer: &mut Buffer) {
        let marks = marks::marks(self.data, rank);
        let shown = marks.into_iter().filter(|&mark| mark != SpanMark::Orphan).take(usize::from(area.width));
        shown.fold(area, |rest, mark| {
            let (sign, role) = match mark {
                SpanMark::Error => (self.shared.symbols.error, Role::Error),
                SpanMark::BeforeParent | SpanMark::AfterParent => (mark.sign(), Role::Dim),
                _ => (mark.sign(), Role::Mark),
            };
            // Half a sign would say something else.
            if width(sign) <= rest.width { put(buffer, rest, sign, self.style(role)) } else { rest }
        });
    }

    fn bar(&self, rank: u32, area: Rect, buffer: &mut Buffer) {
        let span = self.data.forest.span(rank);
        let (interval, window) = (self.data.interval(span), self.waterfall.window);
        self.gap(rank, interval.0, area, buffer);
        let style = self.service_style(span);
        let is_maybe = self.data.torn.join(span).is_some_and(|join| !join.is_accepted);
        let weight = match () {
            () if self.waterfall.shows_critical_path => Weight::Line,
            () if is_maybe => Weight::Shade,
            () => Weight::Block,
        };
        span_bar::draw(buffer, area, window, interval, weight, style);
        if self.data.torn.join(span).is_some() {
            self.seam(interval.0, area, buffer);
        }
        let critical = self.style(Role::CriticalPath);
        for segment in self.waterfall.critical_stretches(self.data, span) {
            let stretch = (segment.start_ns, segment.end_ns);
            if stretch.1 >= window.from_ns() && stretch.0 <= window.to_ns() {
                span_bar::draw(buffer, area, window, stretch, Weight::Block, critical);
            }
        }
    }

    /// Draws a dashed line before the bar of a joined span.
    fn seam(&self, start_ns: i64, area: Rect, buffer: &mut Buffer) {
        let cell = self.waterfall.window.cell(start_ns, area.width);
        if cell >= 0.0 && cell < f64::from(area.width) {
            let before = (cell as u16).saturating_sub(1);
            buffer[(area.x + before, area.y)].set_symbol("┆").set_style(self.style(Role::Mark));
        }
    }

    /// Draws dots from the parent's start to the span's.
    fn gap(&self, rank: u32, start_ns: i64, area: Rect, buffer: &mut Buffer) {
        let Some(parent) = self.data.forest.parent(rank) else { return };
        let parent_start_ns = self.data.spans.start_ns[self.data.forest.span(parent)];
        let window = self.waterfall.window;
        let cell = |time_ns: i64| window.cell(time_ns, area.width).clamp(0.0, f64::from(area.width));
        for cell in cell(parent_start_ns) as u16..cell(start_ns).ceil() as u16 {
            buffer[(area.x + cell, area.y)].set_symbol("·").set_style(self.style(Role::Gap));
        }
    }

    /// Draws the stretch of a run, and how long its spans took where that finds room beside it.
    fn run_bar(&self, run: &Run, span: usize, area: Rect, buffer: &mut Buffer) {
        let window = self.waterfall.window;
        span_bar::draw(buffer, area, window, run.extent_ns, Weight::Shade, self.service_style(span));
        let (p50, p99) = (humane::duration(run.p50_ns), humane::duration(run.p99_ns));
        let mut text = format!(" p50 {p50}  p99 {p99} ");
        if run.num_errors > 0 {
            text.push_str(&format!(" {} {} ", self.shared.symbols.error, humane::count(u64::from(run.num_errors))));
        }
        let length = text.chars().count() as u16;
        let cell = |time_ns: i64| window.cell(time_ns, area.width).clamp(0.0, f64::from(area.width)).ceil() as u16;
        let (from, to) = (cell(run.extent_ns.0), cell(run.extent_ns.1));
        let at = match () {
            () if to + length <= area.width => to,
            () if length < from => from - 1 - length,
            () => area.width.saturating_sub(length),
        };
        let room = Rect { x: area.x + at, width: area.width - at, ..area };
        put(buffer, room, &text, self.style(Role::Dim));
        let covered =
            Rect { x: area.x + at.max(from), width: to.min(at + length).saturating_sub(at.max(from)), ..area };
        buffer.set_style(covered, self.service_style(span).add_modifier(Modifier::REVERSED));
    }

    /// Draws the depth and the guides of a row; returns the room behind them.
    fn guides(&self, row: Row, area: Rect, buffer: &mut Buffer) -> Rect {
        let (forest, waterfall) = (&self.data.forest, self.waterfall);
        let cursor_depth = waterfall.row().map_or(0, |row| row.depth(forest));
        let indentation = Indentation::new(forest.max_depth(), cursor_depth, area.width);
        let rest = put(buffer, area, &indentation.number(row.depth(forest)), self.style(Role::Dim));
        put(buffer, rest, &indentation.guides(forest, &waterfall.outline, row), self.style(Role::Faint))
    }
}
