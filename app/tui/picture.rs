//! Turns a drawn screen into an SVG: the README's picture is the real screen.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use crate::theme::colour::rgb;
use crate::theme::{Role, Theme};

/// Size of a cell in pixels, for a monospaced font of 14 pixels.
const CELL: (u32, u32) = (8, 18);
const FONT_SIZE: u32 = 14;
/// Where letters stand in their cell.
const BASELINE: u32 = 14;
/// Air around the screen, and the corner that it is drawn with.
const MARGIN: u32 = 14;
const CORNER: u32 = 10;
const FONTS: &str = "'JetBrains Mono','Cascadia Mono','DejaVu Sans Mono',Menlo,Consolas,monospace";

/// Ground and text of cells that have the terminal's own colours.
const GROUND: [u8; 3] = [0x12, 0x14, 0x18];
const TEXT: [u8; 3] = [0xd0, 0xd4, 0xda];

/// Returns `buffer`, drawn in `theme`, as an SVG document.
#[must_use]
pub fn svg(buffer: &Buffer, theme: &Theme) -> String {
    let (columns, rows) = (u32::from(buffer.area.width), u32::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
    let background = theme.style(Role::Background);
    let ground = background.bg.and_then(rgb).unwrap_or(GROUND);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"{FONTS}\" font-size=\"{FONT_SIZE}\" xml:space=\"preserve\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"{CORNER}\" fill=\"{}\"/>\n",
        hex(ground)
    );
    for row in 0..buffer.area.height {
        let line = Line { buffer, row, ground, text: background.fg.and_then(rgb).unwrap_or(TEXT) };
        line.grounds(&mut out);
        line.letters(&mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// One line of cells.
struct Line<'a> {
    buffer: &'a Buffer,
    row: u16,
    ground: [u8; 3],
    text: [u8; 3],
}

/// What a run of cells has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    fill: [u8; 3],
    modifier: Modifier,
}

impl Line<'_> {
    fn cells(&self) -> impl Iterator<Item = (u32, &Cell)> {
        let area = self.buffer.area;
        (0..area.width).filter_map(move |x| Some((u32::from(x), self.buffer.cell((area.x + x, area.y + self.row))?)))
    }

    /// Returns ground and text of a cell.
    fn colours(&self, cell: &Cell) -> ([u8; 3], [u8; 3]) {
        let or = |colour: Color, own: [u8; 3]| rgb(colour).unwrap_or(own);
        let (ground, text) = (or(cell.bg, self.ground), or(cell.fg, self.text));
        let (ground, text) = if cell.modifier.contains(Modifier::REVERSED) { (text, ground) } else { (ground, text) };
        let is_dim = cell.modifier.contains(Modifier::DIM);
        (ground, if is_dim { blend(text, ground) } else { text })
    }

    fn y(&self) -> u32 {
        u32::from(self.row) * CELL.1 + MARGIN
    }

    fn grounds(&self, out: &mut String) {
        let mut runs: Vec<(u32, u32, [u8; 3])> = Vec::new();
        for (x, cell) in self.cells() {
            let (ground, _) = self.colours(cell);
            match runs.last_mut() {
                Some((_, len, last)) if *last == ground => *len += 1,
                _ => runs.push((x, 1, ground)),
            }
        }
        for (x, len, ground) in runs.into_iter().filter(|(.., ground)| *ground != self.ground) {
            let (x, y, width) = (x * CELL.0 + MARGIN, self.y(), len * CELL.0);
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{}\"/>",
                CELL.1,
                hex(ground)
            );
        }
    }

    /// Writes runs of letters; blocks and lines are shapes, so that they join whatever the font.
    fn letters(&self, out: &mut String) {
        let mut run: Option<(u32, Look, String)> = None;
        let mut covered = 0;
        for (x, cell) in self.cells() {
            let (_, fill) = self.colours(cell);
            let look = Look { fill, modifier: cell.modifier - Modifier::REVERSED - Modifier::DIM };
            let symbol = cell.symbol();
            let is_shape = self.shape(x, symbol, fill, out);
            let is_wide = symbol.width() > 1;
            if is_shape || symbol == " " || is_wide || x < covered {
                self.flush(run.take(), out);
                if is_wide {
                    covered = x + 2;
                    self.flush(Some((x, look, symbol.to_owned())), out);
                }
                continue;
            }
            match &mut run {
                Some((_, last, text)) if *last == look => text.push_str(symbol),
                _ => self.flush(run.replace((x, look, symbol.to_owned())), out),
            }
        }
        self.flush(run, out);
    }

    fn flush(&self, run: Option<(u32, Look, String)>, out: &mut String) {
        let Some((x, look, text)) = run else { return };
        let cells = u32::try_from(text.width()).unwrap_or_default();
        let (x, y, length) = (x * CELL.0 + MARGIN, self.y() + BASELINE, cells * CELL.0);
        let weight = if look.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        let slant = if look.modifier.contains(Modifier::ITALIC) { " font-style=\"italic\"" } else { "" };
        let line = if look.modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{weight}{slant}{line}>{}</text>",
            hex(look.fill),
            escaped(&text)
        );
    }

    /// Draws blocks and lines of boxes; returns whether `symbol` is one.
    fn shape(&self, x: u32, symbol: &str, fill: [u8; 3], out: &mut String) -> bool {
        let (x, y) = (x * CELL.0 + MARGIN, self.y());
        let (width, height) = CELL;
        let mut letters = symbol.chars();
        let Some(letter) = letters.next().filter(|_| letters.as_str().is_empty()) else { return false };
        let number = u32::from(letter);
        let fill = hex(fill);
        let mut rect = |x: u32, y: u32, width: u32, height: u32| {
            let _ = writeln!(out, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>");
        };
        match letter {
            '█' => rect(x, y, width, height),
            // Left blocks, from seven eighths to one.
            '▉'..='▏' => rect(x, y, width * (0x2590 - number) / 8, height),
            // Lower blocks, from one eighth to seven.
            '▁'..='▇' => {
                let filled = height * (number - 0x2580) / 8;
                rect(x, y + height - filled, width, filled);
            }
            '─' => rect(x, y + height / 2, width, 1),
            '━' => rect(x, y + height / 2 - 1, width, 2),
            '╸' => rect(x, y + height / 2 - 1, width / 2, 2),
            '│' => rect(x + width / 2, y, 1, height),
            _ => return corner(letter, x, y, &fill, out),
        }
        true
    }
}

/// Draws corners and crossings of boxes.
fn corner(letter: char, x: u32, y: u32, fill: &str, out: &mut String) -> bool {
    let (left, right, top, bottom) = (x, x + CELL.0, y, y + CELL.1);
    let (middle, centre) = (x + CELL.0 / 2, y + CELL.1 / 2);
    let path = match letter {
        '╭' => format!("M{right} {centre}Q{middle} {centre} {middle} {bottom}"),
        '╮' => format!("M{left} {centre}Q{middle} {centre} {middle} {bottom}"),
        '╰' => format!("M{right} {centre}Q{middle} {centre} {middle} {top}"),
        '╯' => format!("M{left} {centre}Q{middle} {centre} {middle} {top}"),
        '┌' => format!("M{right} {centre}H{middle}V{bottom}"),
        '┐' => format!("M{left} {centre}H{middle}V{bottom}"),
        '└' => format!("M{right} {centre}H{middle}V{top}"),
        '┘' => format!("M{left} {centre}H{middle}V{top}"),
        '├' => format!("M{middle} {top}V{bottom}M{middle} {centre}H{right}"),
        '┤' => format!("M{middle} {top}V{bottom}M{middle} {centre}H{left}"),
        '┬' => format!("M{left} {centre}H{right}M{middle} {centre}V{bottom}"),
        '┴' => format!("M{left} {centre}H{right}M{middle} {centre}V{top}"),
        '┼' => format!("M{left} {centre}H{right}M{middle} {top}V{bottom}"),
        '╱' => format!("M{left} {bottom}L{right} {top}"),
        _ => return false,
    };
    let _ = writeln!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{fill}\"/>");
    true
}

fn blend(left: [u8; 3], right: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|channel: usize| u8::midpoint(left[channel], right[channel]))
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn text_colours_and_shapes_are_drawn() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
        buffer.set_string(0, 0, "a<b", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD));
        buffer.set_string(0, 1, "█▌╭日", Style::new().fg(Color::Rgb(255, 0, 0)));
        let svg = svg(&buffer, &Theme::default());
        assert!(svg.contains("fill=\"#010203\" font-weight=\"bold\">a&lt;b</text>"), "{svg}");
        assert!(svg.contains("width=\"8\" height=\"18\" fill=\"#ff0000\""), "{svg}");
        assert!(svg.contains("width=\"4\" height=\"18\" fill=\"#ff0000\""), "{svg}");
        assert!(svg.contains("<path") && svg.contains("textLength=\"16\""), "{svg}");
    }

    #[test]
    fn what_is_reversed_changes_places() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        buffer.set_string(0, 0, "x", Style::new().fg(Color::Rgb(9, 9, 9)).add_modifier(Modifier::REVERSED));
        assert!(
            svg(&buffer, &Theme::default())
                .contains("<rect x=\"14\" y=\"14\" width=\"8\" height=\"18\" fill=\"#090909\"/>")
        );
    }
}
