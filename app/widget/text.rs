//! Puts text into cells: measured as terminals show it, cut with an ellipsis, and inert.
//!
//! This is the only place where text from data reaches the screen.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Returns how many cells `text` takes.
#[must_use]
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// Returns `text` without anything that a terminal would act on; control characters become symbols.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    riftline_ingest::text::inert(text)
}

/// Returns `text`, inert, in at most `room` cells; what was cut is shown by `…`.
#[must_use]
pub fn fit(text: &str, room: u16) -> String {
    // A grapheme takes a few bytes; what cannot be seen need not be made inert.
    let text = inert(head(text, usize::from(room).saturating_mul(16)));
    if width(&text) <= room {
        return text.into_owned();
    }
    let mut kept = String::new();
    let mut used = 0_u16;
    for grapheme in text.graphemes(true) {
        let next = used.saturating_add(width(grapheme));
        if next >= room {
            break;
        }
        kept.push_str(grapheme);
        used = next;
    }
    if room > 0 {
        kept.push('…');
    }
    kept
}

/// Returns `text` with every run of white space as one space.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the beginning of `text`, at most `bytes` long and cut between letters.
fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let end = (0..=bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

/// Writes `text`, inert and cut to `room` cells, at a place of the buffer. Returns how many cells it took.
pub fn put(buffer: &mut Buffer, column: u16, row: u16, text: &str, room: u16, style: Style) -> u16 {
    let area = buffer.area;
    if row < area.top() || row >= area.bottom() || column < area.left() || column >= area.right() {
        return 0;
    }
    let room = room.min(area.right() - column);
    let fitted = fit(text, room);
    let (end, _) = buffer.set_stringn(column, row, &fitted, usize::from(room), style);
    end.saturating_sub(column)
}

/// Writes `text` so that it ends where the room ends.
pub fn put_right(buffer: &mut Buffer, column: u16, row: u16, text: &str, room: u16, style: Style) {
    let fitted = fit(text, room);
    let start = column.saturating_add(room.saturating_sub(width(&fitted)));
    put(buffer, start, row, &fitted, room, style);
}

/// Writes parts with their styles, one after the other. Returns how many cells they took.
pub fn put_parts(buffer: &mut Buffer, column: u16, row: u16, room: u16, parts: &[(&str, Style)]) -> u16 {
    let mut used = 0_u16;
    for (text, style) in parts {
        let left = room.saturating_sub(used);
        if left == 0 {
            break;
        }
        used += put(buffer, column.saturating_add(used), row, text, left, *style);
    }
    used
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;

    use super::*;

    #[test]
    fn what_is_too_wide_ends_in_an_ellipsis_between_graphemes() {
        assert_eq!(fit("checkout", 8), "checkout");
        assert_eq!(fit("checkout", 5), "chec…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(fit("x", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_is_written_outside_its_room_and_nothing_that_a_terminal_acts_on(text in any::<String>(), room in 0_u16..40) {
            let fitted = fit(&text, room);
            prop_assert!(width(&fitted) <= room);
            prop_assert!(!fitted.chars().any(char::is_control), "{fitted:?}");
            let mut buffer = Buffer::empty(Rect::new(0, 0, 30, 1));
            put(&mut buffer, 5, 0, &text, room, Style::new());
            put_right(&mut buffer, 25, 0, &text, room, Style::new());
        }
    }
}
