//! Where the parts of the screen are.
//!
//! ```text
//! header
//! waterfall, flame graph or table of services
//! ─ details ─────────────┬─ logs ──────────
//! /search
//! ```

use ratatui::layout::Rect;

/// Who has the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pane {
    #[default]
    Main,
    Details,
    Logs,
}

/// What decides where the parts are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    pub pane: Pane,
    /// Whether a line is typed into.
    pub has_prompt: bool,
    /// Whether the lower panes have the whole screen.
    pub is_wide: bool,
    /// Whether there are lower panes.
    pub has_lower: bool,
}

/// The parts; what is not shown is empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Panes {
    pub header: Rect,
    pub main: Rect,
    /// The line above the lower panes.
    pub rule: Rect,
    pub details: Rect,
    pub logs: Rect,
    pub prompt: Rect,
}

/// From this width on, details and logs stand side by side.
const SIDE_BY_SIDE: u16 = 110;
/// Below this height there is no room for lower panes.
const SPLIT: u16 = 16;

/// Divides `area`.
#[must_use]
pub fn panes(area: Rect, shape: Shape) -> Panes {
    let header = Rect { height: area.height.min(1), ..area };
    let prompt_height = u16::from(shape.has_prompt).min(area.height - header.height);
    let rest = area.height - header.height - prompt_height;
    let lower_height = match shape {
        Shape { has_lower: false, .. } => 0,
        Shape { is_wide: true, .. } => rest,
        _ if area.height < SPLIT => 0,
        _ => (rest / 3).clamp(7, 22),
    };
    let main = Rect { y: header.bottom(), height: rest - lower_height, ..area };
    let rule = Rect { y: main.bottom(), height: lower_height.min(1), ..area };
    let lower = Rect { y: rule.bottom(), height: lower_height.saturating_sub(1), ..area };
    let prompt = Rect { y: lower.bottom(), height: prompt_height, ..area };
    let (details, logs) = split(lower, shape.pane);
    Panes { header, main, rule, details, logs, prompt }
}

/// Returns the areas of details and logs, with a cell of air at the sides.
fn split(lower: Rect, pane: Pane) -> (Rect, Rect) {
    let inset = |area: Rect| Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
    if lower.width >= SIDE_BY_SIDE {
        let width = lower.width / 2;
        let right = Rect { x: lower.x + width, width: lower.width - width, ..lower };
        return (inset(Rect { width, ..lower }), inset(Rect { x: right.x + 1, width: right.width - 1, ..right }));
    }
    match pane {
        Pane::Logs => (Rect::default(), inset(lower)),
        Pane::Main | Pane::Details => (inset(lower), Rect::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_belongs_to_one_part() {
        for (width, height) in [(80, 22), (160, 46), (200, 58), (80, 10), (80, 1)] {
            for has_prompt in [false, true] {
                let shape = Shape { has_prompt, has_lower: true, ..Shape::default() };
                let panes = panes(Rect::new(0, 1, width, height), shape);
                let lower = panes.details.height;
                let sum = panes.header.height + panes.main.height + panes.rule.height + lower + panes.prompt.height;
                assert_eq!(sum, height, "{width}x{height}");
            }
        }
    }

    #[test]
    fn narrow_screens_show_details_or_logs_and_wide_ones_both() {
        let shape = Shape { has_lower: true, ..Shape::default() };
        let narrow = panes(Rect::new(0, 0, 80, 22), shape);
        assert!(narrow.logs.is_empty() && !narrow.details.is_empty());
        let logs = panes(Rect::new(0, 0, 80, 22), Shape { pane: Pane::Logs, ..shape });
        assert!(!logs.logs.is_empty() && logs.details.is_empty());
        let wide = panes(Rect::new(0, 0, 160, 46), shape);
        assert!(!wide.logs.is_empty() && !wide.details.is_empty());
    }
}
