//! Colours as themes write them, and how many of them the terminal shows.

use ratatui::style::{Color, Modifier, Style};

use super::role::Role;

/// How many colours there are to show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Depth {
    #[default]
    True,
    Indexed,
    Ansi,
    /// `NO_COLOR`: bold, underlined and reversed only.
    None,
}

/// The sixteen colours by number, and how theme files name them.
const ANSI: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What xterm shows for the sixteen colours; used to find the nearest and to draw pictures.
const ANSI_RGB: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

/// The levels of the colour cube of 256-colour terminals.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Depth {
    /// Returns how many colours the terminal shows, by `NO_COLOR` (<https://no-color.org>), `COLORTERM` and `TERM`.
    #[must_use]
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let (colour_term, term) = (value("COLORTERM"), value("TERM"));
        let is_true = colour_term == "truecolor" || colour_term == "24bit" || term.contains("direct");
        match () {
            () if !value("NO_COLOR").is_empty() => Self::None,
            () if is_true || ["kitty", "ghostty", "alacritty", "wezterm"].iter().any(|name| term.contains(name)) => {
                Self::True
            }
            () if term.contains("256") => Self::Indexed,
            () => Self::Ansi,
        }
    }

    /// Returns `style` in the colours of this depth.
    #[must_use]
    pub fn style(self, style: Style, role: &Role) -> Style {
        if self == Self::None {
            let plain = Style { fg: None, bg: None, underline_color: None, ..style };
            return if role.is_selection() { plain.add_modifier(Modifier::REVERSED) } else { plain };
        }
        Style {
            fg: style.fg.map(|colour| self.colour(colour)),
            bg: style.bg.map(|colour| self.colour(colour)),
            ..style
        }
    }

    /// Returns the colour of this depth that is nearest to `colour`.
    #[must_use]
    pub fn colour(self, colour: Color) -> Color {
        let Color::Rgb(red, green, blue) = colour else {
            return if self == Self::None { Color::Reset } else { colour };
        };
        match self {
            Self::True => colour,
            Self::Indexed => Color::Indexed(nearest_indexed([red, green, blue])),
            Self::Ansi => nearest_ansi([red, green, blue]),
            Self::None => Color::Reset,
        }
    }
}

/// Returns the colour that `text` names: `#rrggbb`, a number up to 255, an ANSI name, or `default`.
#[must_use]
pub fn parse(text: &str) -> Option<Color> {
    if let Some(hex) = text.strip_prefix('#') {
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| hex.len() == 6)?;
        let [_, red, green, blue] = number.to_be_bytes();
        return Some(Color::Rgb(red, green, blue));
    }
    if text == "default" {
        return Some(Color::Reset);
    }
    let named = ANSI.iter().find(|(name, _)| *name == text).map(|&(_, colour)| colour);
    named.or_else(|| text.parse().ok().map(Color::Indexed))
}

/// Returns red, green and blue of `colour`; nothing for the terminal's own.
#[must_use]
pub fn rgb(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(index) => Some(indexed_rgb(index)),
        Color::Reset => None,
        named => ANSI.iter().zip(ANSI_RGB).find(|((_, colour), _)| *colour == named).map(|(_, rgb)| rgb),
    }
}

fn indexed_rgb(index: u8) -> [u8; 3] {
    match index {
        0..16 => ANSI_RGB[usize::from(index)],
        16..232 => {
            let (cube, level) = (index - 16, |step: u8| CUBE[usize::from(step % 6)]);
            [level(cube / 36), level(cube / 6), level(cube)]
        }
        232.. => [8 + (index - 232) * 10; 3],
    }
}

fn nearest_indexed(colour: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|&index| distance(colour, indexed_rgb(index))).unwrap_or(15)
}

fn nearest_ansi(colour: [u8; 3]) -> Color {
    let nearest = ANSI.iter().zip(ANSI_RGB).min_by_key(|(_, rgb)| distance(colour, *rgb));
    nearest.map_or(Color::Reset, |((_, colour), _)| *colour)
}

/// Returns how different two colours look: squares weighed by how the eye takes the channels, nearer for mean red
/// (<https://www.compuphase.com/cmetric.htm>).
fn distance(left: [u8; 3], right: [u8; 3]) -> u32 {
    let mean_red = u32::midpoint(u32::from(left[0]), u32::from(right[0]));
    let square = |channel: usize| u32::from(left[channel].abs_diff(right[channel])).pow(2);
    (((512 + mean_red) * square(0)) >> 8) + 4 * square(1) + (((767 - mean_red) * square(2)) >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(pairs: &[(&str, &str)]) -> Depth {
        Depth::detect(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn depth_follows_what_the_terminal_says() {
        assert_eq!(detect(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(detect(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(detect(&[("TERM", "linux")]), Depth::Ansi);
        assert_eq!(detect(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(detect(&[("TERM", "xterm-kitty"), ("NO_COLOR", "")]), Depth::True);
    }

    #[test]
    fn colours_are_read_as_themes_write_them() {
        assert_eq!(parse("#ff8000"), Some(Color::Rgb(255, 128, 0)));
        assert_eq!(parse("bright-black"), Some(Color::DarkGray));
        assert_eq!(parse("214"), Some(Color::Indexed(214)));
        assert_eq!(parse("default"), Some(Color::Reset));
        assert_eq!((parse("#ff80"), parse("256"), parse("mauve")), (None, None, None));
    }

    #[test]
    fn a_colour_becomes_the_nearest_that_can_be_shown() {
        assert_eq!(Depth::Indexed.colour(Color::Rgb(255, 135, 0)), Color::Indexed(208));
        assert_eq!(Depth::Indexed.colour(Color::Rgb(38, 38, 38)), Color::Indexed(235));
        assert_eq!(Depth::Ansi.colour(Color::Rgb(250, 10, 10)), Color::LightRed);
        assert_eq!(Depth::None.colour(Color::Rgb(250, 10, 10)), Color::Reset);
        assert_eq!(Depth::Ansi.colour(Color::Blue), Color::Blue);
    }
}
