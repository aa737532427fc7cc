//! Text in an area of one line; what is left of the area goes to the next text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text;

/// Writes `text`, inert and cut to fit, into the first line of `area`; returns what of the line is left behind it.
pub fn put(buffer: &mut Buffer, area: Rect, text: &str, style: Style) -> Rect {
    if area.is_empty() {
        return area;
    }
    let used = text::put(buffer, area.x, area.y, text, area.width, style);
    Rect { x: area.x + used, width: area.width.saturating_sub(used), ..area }
}

/// Writes `text`, inert and cut to fit, against the right end of the first line of `area`.
pub fn put_right(buffer: &mut Buffer, area: Rect, text: &str, style: Style) {
    if !area.is_empty() {
        text::put_right(buffer, area.x, area.y, text, area.width, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_one_behind_the_other_and_stay_in_their_area() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        let rest = put(&mut buffer, Rect::new(1, 0, 8, 1), "GET ", Style::new());
        assert_eq!(rest, Rect::new(5, 0, 4, 1));
        assert_eq!(put(&mut buffer, rest, "/users", Style::new()).width, 0);
        put_right(&mut buffer, Rect::new(9, 0, 3, 1), "7", Style::new());
        assert_eq!(buffer, Buffer::with_lines([" GET /us…  7"]));
    }
}
