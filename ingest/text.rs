//! The one place that makes text from files inert for a terminal.
//!
//! Whatever a file, a span or a file name holds, what leaves here moves no cursor, switches no colour, hides nothing and
//! turns no reading direction: control characters become the glyphs of the block Control Pictures (`␛`), everything else
//! that a terminal would act on or not show becomes its code point in `⟨⟩`. Text that needs none of it is borrowed.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// What becomes of line ends and tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// They are shown as glyphs: the text stays on one line.
    Show,
    /// Line ends (also `\r\n`) stay line ends and tabs become four spaces: for panes of several lines.
    Keep,
}

/// Returns `text` on one line with nothing in it that a terminal acts on.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    inert_as(text, Lines::Show)
}

/// Returns `text` with nothing in it that a terminal acts on, except for line ends under [`Lines::Keep`].
#[must_use]
pub fn inert_as(text: &str, lines: Lines) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    match first_active(text) {
        None => Cow::Borrowed(text),
        Some(at) => Cow::Owned(rewrite(text, at, lines)),
    }
}

/// Returns bytes that may not be UTF-8 as inert text on one line; a byte that is not UTF-8 becomes `⟨xFF⟩`.
#[must_use]
pub fn inert_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(&inert(chunk.valid()));
        for byte in chunk.invalid() {
            push_formatted(&mut out, format_args!("⟨x{byte:02X}⟩"));
        }
    }
    out
}

/// Returns bytes as lower-case hexadecimal digits, two a byte, with `separator` between the bytes.
#[must_use]
pub fn digits(bytes: &[u8], separator: &str) -> String {
    let mut out = String::with_capacity(bytes.len() * (2 + separator.len()));
    for (index, byte) in bytes.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { separator });
        push_formatted(&mut out, format_args!("{byte:02x}"));
    }
    out
}

/// Returns a name that the operating system gave as inert text on one line.
#[must_use]
pub fn inert_os(name: &OsStr) -> String {
    inert_bytes(name.as_encoded_bytes())
}

/// Returns where the first character stands that has to be rewritten.
fn first_active(text: &str) -> Option<usize> {
    let mut has_base = false;
    for (at, character) in text.char_indices() {
        match class(character) {
            Class::Plain => has_base = true,
            Class::Combining if has_base => {}
            _ => return Some(at),
        }
    }
    None
}

fn rewrite(text: &str, from: usize, lines: Lines) -> String {
    let (clean, rest) = text.split_at(from);
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(clean);
    let mut has_base = !clean.is_empty();
    let mut characters = rest.chars().peekable();
    while let Some(character) = characters.next() {
        let class = class(character);
        match (character, lines) {
            ('\r', Lines::Keep) if characters.peek() == Some(&'\n') => {}
            ('\n', Lines::Keep) => out.push('\n'),
            ('\t', Lines::Keep) => out.push_str("    "),
            _ if class == Class::Plain || (class == Class::Combining && has_base) => out.push(character),
            _ => push_visible(&mut out, character),
        }
        has_base = class == Class::Plain || (class == Class::Combining && has_base);
    }
    out
}

/// What a terminal does with a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Takes one or two cells.
    Plain,
    /// Goes onto the character before it.
    Combining,
    /// Acts on the terminal, is not shown, or turns the direction of what follows.
    Active,
}

fn class(character: char) -> Class {
    if matches!(character, ' '..='~') {
        return Class::Plain;
    }
    if is_active(character) {
        return Class::Active;
    }
    match character.width() {
        Some(0) => Class::Combining,
        Some(_) => Class::Plain,
        None => Class::Active,
    }
}

/// Controls, format characters, default-ignorable characters, separators of lines, non-characters.
///
/// See Unicode 16, `DerivedCoreProperties.txt` (`Default_Ignorable_Code_Point`) and UAX #9 for the directional ones.
fn is_active(character: char) -> bool {
    matches!(u32::from(character),
        0..=0x1f | 0x7f..=0x9f | 0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
        | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfe00..=0xfe0f | 0xfeff
        | 0xffa0 | 0xfff0..=0xfffb | 0x1_3430..=0x1_343f | 0x1_bca0..=0x1_bca3 | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0xe_0fff)
        || u32::from(character) & 0xfffe == 0xfffe
}

fn push_visible(out: &mut String, character: char) {
    match u32::from(character) {
        code @ 0..=0x1f => out.extend(char::from_u32(0x2400 + code)),
        0x7f => out.push('\u{2421}'),
        code => push_formatted(out, format_args!("⟨{code:04X}⟩")),
    }
}

fn push_formatted(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_what_a_terminal_would_act_on() {
        let cases = [
            ("plain text, with: punctuation", "plain text, with: punctuation"),
            ("GET /köln/東京 👍", "GET /köln/東京 👍"),
            ("\u{1b}[31mred\u{1b}[0m", "␛[31mred␛[0m"),
            ("a\r\nb\tc", "a␍␊b␉c"),
            ("\u{7}bell\u{7f}\0", "␇bell␡␀"),
            ("\u{9b}31m\u{85}", "⟨009B⟩31m⟨0085⟩"),
            ("abc\u{202e}cba", "abc⟨202E⟩cba"),
            ("\u{2066}x\u{2069}\u{200f}\u{61c}", "⟨2066⟩x⟨2069⟩⟨200F⟩⟨061C⟩"),
            ("pay\u{200b}pal\u{feff}\u{ad}", "pay⟨200B⟩pal⟨FEFF⟩⟨00AD⟩"),
            ("\u{301}a", "⟨0301⟩a"),
            ("e\u{301}a", "e\u{301}a"),
            ("\n\u{301}a", "␊⟨0301⟩a"),
            ("a\u{2028}b\u{2029}", "a⟨2028⟩b⟨2029⟩"),
            ("\u{e0041}", "⟨E0041⟩"),
            ("\u{ffff}", "⟨FFFF⟩"),
        ];
        for (text, shown) in cases {
            assert_eq!(inert(text), shown, "{text:?}");
        }
    }

    #[test]
    fn keeps_lines_where_asked() {
        assert_eq!(inert_as("a\r\n\tat b\rc\n", Lines::Keep), "a\n    at b␍c\n");
    }

    #[test]
    fn shows_bytes_that_are_no_text() {
        assert_eq!(inert_bytes(b"ab\xff\x1bc\xc3"), "ab⟨xFF⟩␛c⟨xC3⟩");
        assert_eq!(inert_os(OsStr::new("x\u{1b}.json")), "x␛.json");
    }

    #[test]
    fn borrows_what_is_inert_already() {
        assert!(matches!(inert("GET /köln"), Cow::Borrowed(_)));
    }

    fn is_inert(text: &str) -> bool {
        text.chars().all(|character| !character.is_control() && !is_active(character))
    }

    proptest! {
        #[test]
        fn lets_no_control_character_through(characters in prop::collection::vec(any::<char>(), 0..40), low in "[\u{0}-\u{9f}\u{200b}-\u{206f}\u{300}a]{0,20}") {
            let text = characters.into_iter().collect::<String>() + &low;
            prop_assert!(is_inert(&inert(&text)));
            prop_assert!(is_inert(&inert_as(&text, Lines::Keep).replace('\n', "")));
            prop_assert!(matches!(inert(&inert(&text)), Cow::Borrowed(_)));
        }

        #[test]
        fn makes_any_bytes_inert(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(is_inert(&inert_bytes(&bytes)));
        }
    }
}
