//! Draws the flame graph, callers above callees.
//!
//! ```text
//! gateway POST /checkout
//! orders POST /orders                                    │gateway auth
//! orders SELECT stock           │payments charge
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Flame, Frame};
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::view::trace::data::TraceData;
use crate::widget::line::put;

/// A frame and the cells that it takes.
struct Place {
    frame: u32,
    from: f64,
    to: f64,
}

impl Flame {
    /// Draws the graph, and what is known of the selected frame on the last line.
    pub fn render(&self, data: &TraceData, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let [graph, foot] = split(area);
        let graph = Rect { x: graph.x + 1, width: graph.width.saturating_sub(2), ..graph };
        let top = self.top(graph.height);
        let mut places = vec![Place { frame: self.zoomed, from: 0.0, to: f64::from(graph.width) }];
        while let Some(place) = places.pop() {
            let depth = self.line(place.frame);
            if place.frame != 0 {
                self.draw(data, &place, depth - i64::from(top), graph, buffer, shared);
            }
            if depth < i64::from(top) + i64::from(graph.height) {
                self.push_children(&place, &mut places);
            }
        }
        self.foot(data, foot, buffer, shared);
    }

    /// Returns the line of the frame, counted from the frame that fills the width.
    fn line(&self, frame: u32) -> i64 {
        let depth = |frame: u32| if frame == 0 { -1 } else { i64::from(self.frames[frame as usize].depth) };
        depth(frame) - if self.zoomed == 0 { 0 } else { depth(self.zoomed) }
    }

    /// Returns the first line that is drawn: the selected frame is always in sight.
    fn top(&self, height: u16) -> u32 {
        let line = self.line(self.selected);
        u32::try_from(line + 1 - i64::from(height)).unwrap_or_default()
    }

    fn push_children(&self, place: &Place, places: &mut Vec<Place>) {
        let total_ns = self.frames[place.frame as usize].total_ns.max(1) as f64;
        let mut from = place.from;
        for &frame in &self.children[place.frame as usize] {
            let to = from + (place.to - place.from) * self.frames[frame as usize].total_ns as f64 / total_ns;
            if to - from < 0.5 {
                break;
            }
            places.push(Place { frame, from, to });
            from = to;
        }
    }

    fn draw(&self, data: &TraceData, place: &Place, line: i64, graph: Rect, buffer: &mut Buffer, shared: &Shared) {
        let Some(line) = u16::try_from(line).ok().filter(|&line| line < graph.height) else { return };
        let from = (place.from.round() as u16).min(graph.width.saturating_sub(1));
        let to = (place.to.round() as u16).clamp(from + 1, graph.width);
        let cells = Rect { x: graph.x + from, y: graph.y + line, width: to - from, height: 1 };
        let frame = &self.frames[place.frame as usize];
        let service = data.spans.texts.get(frame.service as usize).map_or("", AsRef::as_ref);
        let name = data.spans.texts.get(frame.name as usize).map_or("", AsRef::as_ref);
        let style = shared.theme.service(shared.services.slot(service)).add_modifier(Modifier::REVERSED);
        let style = if place.frame == self.selected { selected(shared) } else { style };
        buffer.set_style(cells, style);
        let text = Rect { width: cells.width.saturating_sub(1), ..cells };
        let cursor = if place.frame == self.selected { "▸" } else { " " };
        let error = if frame.num_errors > 0 { format!("{} ", shared.symbols.error) } else { String::new() };
        if text.width > 3 || place.frame == self.selected {
            put(buffer, text, &format!("{cursor}{error}{name} · {service}"), style);
        }
        if let Some(edge) = buffer.cell_mut((cells.right() - 1, cells.y)) {
            edge.set_symbol("▕");
        }
    }

    fn foot(&self, data: &TraceData, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let Some(frame) = self.selected() else { return };
        let all_ns = self.frames[0].total_ns.max(1);
        let text = |index: u32| data.spans.texts.get(index as usize).map_or("", AsRef::as_ref);
        let style = |role: Role| shared.theme.style(role);
        let rest = put(buffer, area, &format!(" {} ", text(frame.name)), style(Role::Strong));
        let rest = put(buffer, rest, &format!(" {} ", text(frame.service)), style(Role::Text));
        put(buffer, rest, &numbers(frame, all_ns), style(Role::Dim));
    }
}

fn numbers(frame: &Frame, all_ns: i64) -> String {
    let share = |part_ns: i64| humane::percent(part_ns as f64 / all_ns as f64);
    let spans = if frame.num_spans == 1 { "span" } else { "spans" };
    let mut text = format!(
        "  {} {spans}  self {} {}  with callees {} {}",
        humane::count(frame.num_spans),
        humane::duration(frame.self_ns),
        share(frame.self_ns),
        humane::duration(frame.total_ns),
        share(frame.total_ns),
    );
    if frame.num_errors > 0 {
        text.push_str(&format!("  errors {}", humane::count(frame.num_errors)));
    }
    text
}

fn selected(shared: &Shared) -> Style {
    shared.theme.style(Role::Selection).add_modifier(Modifier::BOLD)
}

fn split(area: Rect) -> [Rect; 2] {
    let height = area.height.saturating_sub(1);
    [Rect { height, ..area }, Rect { y: area.y + height, height: area.height.min(1), ..area }]
}
