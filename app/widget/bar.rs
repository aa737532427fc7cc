//! A horizontal bar as a heavy line, with half a cell as its smallest step: rows of bars stay apart and leave the text its weight.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::text::put;
use crate::tui::state::Symbols;

/// Draws `share` (0 to 1) of `room` cells; whatever is not nothing shows at least the shortest bar.
pub fn put_bar(buffer: &mut Buffer, column: u16, row: u16, room: u16, share: f64, symbols: &Symbols, style: Style) {
    let wanted = (share.clamp(0.0, 1.0) * f64::from(room) * 2.0).round() as u16;
    let halves = if share > 0.0 { wanted.max(1) } else { 0 };
    let mut bar = symbols.bar.repeat(usize::from(halves / 2));
    if halves % 2 == 1 {
        bar.push_str(symbols.half_bar);
    }
    put(buffer, column, row, &bar, room, style);
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;

    fn bar(share: f64) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
        put_bar(&mut buffer, 0, 0, 4, share, &Symbols::UNICODE, Style::new());
        buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_vanishes() {
        assert_eq!(bar(1.0), "━━━━");
        assert_eq!(bar(0.5), "━━");
        assert_eq!(bar(0.6), "━━╸");
        assert_eq!(bar(0.000_1), "╸");
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(7.0), "━━━━");
        assert_eq!(bar(f64::NAN), "");
    }
}
