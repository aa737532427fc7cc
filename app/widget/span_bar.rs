//! Bars on a time axis, finer than cells: half cells where a bar begins, eighths where it ends.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::time_axis::TimeWindow;

/// How strong a bar is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A line: what is there.
    Line,
    /// Shaded: many in one.
    Shade,
    /// A block: what matters.
    Block,
}

/// The signs of one weight.
struct Signs {
    full: &'static str,
    /// The cell's right part.
    from_half: &'static str,
    from_last_eighth: &'static str,
    /// The cell's left part, by eighths, from one eighth to seven.
    to: [&'static str; 7],
}

const LINE: Signs = Signs {
    full: "━", from_half: "╺", from_last_eighth: "╺", to: ["╸", "╸", "╸", "╸", "╸", "━", "━"]
};
const SHADE: Signs =
    Signs {
        full: "▒", from_half: "▒", from_last_eighth: "▒", to: ["▒", "▒", "▒", "▒", "▒", "▒", "▒"]
    };
const BLOCK: Signs =
    Signs {
        full: "█", from_half: "▐", from_last_eighth: "▕", to: ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    };

/// Draws the bar of one interval into the first line of `area`, at least one sign of it where it touches the window, and an arrow
/// where it lies outside.
pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    window: TimeWindow,
    interval_ns: (i64, i64),
    weight: Weight,
    style: Style,
) {
    let (from, to) = (window.cell(interval_ns.0, area.width), window.cell(interval_ns.1, area.width));
    let width = f64::from(area.width);
    if area.is_empty() {
        return;
    }
    match () {
        () if to < 0.0 => put(buffer, area, 0, "‹", style),
        () if from > width => put(buffer, area, area.width - 1, "›", style),
        () => {
            cells(from.max(0.0), to.min(width), area.width, weight, |cell, sign| put(buffer, area, cell, sign, style));
        }
    }
}

fn put(buffer: &mut Buffer, area: Rect, cell: u16, sign: &str, style: Style) {
    if let Some(target) = buffer.cell_mut((area.x + cell, area.y)) {
        target.set_symbol(sign).set_style(style);
    }
}

/// Gives `put` the signs of a bar between two places within `width` cells.
fn cells(from: f64, to: f64, width: u16, weight: Weight, mut put: impl FnMut(u16, &'static str)) {
    let signs = match weight {
        Weight::Line => LINE,
        Weight::Shade => SHADE,
        Weight::Block => BLOCK,
    };
    let halves = (from * 2.0).round() as u32;
    let eighths = (to * 8.0).round() as u32;
    if eighths <= halves * 4 + 1 || eighths / 8 == halves / 2 {
        let (cell, sign) = speck(from, to, width, &signs);
        return put(cell, sign);
    }
    let (mut cell, end) = (halves / 2, eighths / 8);
    if halves % 2 == 1 {
        put(cell as u16, signs.from_half);
        cell += 1;
    }
    (cell..end).for_each(|full| put(full as u16, signs.full));
    if let Some(sign) = (eighths % 8).checked_sub(1).and_then(|part| signs.to.get(part as usize)) {
        put(end as u16, sign);
    }
}

/// Returns the sign of a bar that lies within one cell, and the cell.
fn speck(from: f64, to: f64, width: u16, signs: &Signs) -> (u16, &'static str) {
    let middle = f64::midpoint(from, to);
    let cell = (middle as u16).min(width.saturating_sub(1));
    let eighths = ((to - from) * 8.0).round();
    let is_right = middle - f64::from(cell) >= 0.5;
    let sign = match (is_right, eighths >= 3.0) {
        (true, true) => signs.from_half,
        (true, false) => signs.from_last_eighth,
        (false, _) => signs.to[(eighths.max(1.0) as usize - 1).min(6)],
    };
    (cell, sign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bar(from: i64, to: i64, weight: Weight) -> String {
        let area = Rect::new(0, 0, 10, 1);
        let mut buffer = Buffer::empty(area);
        draw(&mut buffer, area, TimeWindow::new(0, 80_000), (from * 1_000, to * 1_000), weight, Style::new());
        buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect()
    }

    #[test]
    fn ends_are_exact_to_the_eighth() {
        assert_eq!(bar(0, 80, Weight::Block), "██████████");
        assert_eq!(bar(0, 19, Weight::Block), "██▍       ");
        assert_eq!(bar(12, 32, Weight::Block), " ▐██      ");
        assert_eq!(bar(12, 36, Weight::Line), " ╺━━╸     ");
    }

    #[test]
    fn the_shortest_span_leaves_a_mark_inside_the_window() {
        assert_eq!(bar(0, 0, Weight::Block), "▏         ");
        assert_eq!(bar(46, 46, Weight::Block), "     ▕    ");
        assert_eq!(bar(80, 80, Weight::Block), "         ▕");
        assert_eq!(bar(44, 47, Weight::Block), "     ▐    ");
    }

    #[test]
    fn what_lies_outside_is_pointed_at() {
        assert_eq!(bar(-20, -10, Weight::Block), "‹         ");
        assert_eq!(bar(90, 95, Weight::Block), "         ›");
        assert_eq!(bar(-20, 8, Weight::Block), "█         ");
    }

    proptest! {
        #[test]
        fn every_bar_leaves_a_mark(from in -200_i64..200, len in 0_i64..200) {
            prop_assert!(bar(from, from + len, Weight::Block).chars().any(|sign| sign != ' '));
        }
    }
}
