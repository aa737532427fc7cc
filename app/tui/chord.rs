//! Keys as people write them: `q`, `ctrl-p`, `shift-tab`, `alt-enter`, `f5`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with what is held beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

/// The text names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a key: `{0}`; write for example q, G, ctrl-p, alt-enter, shift-tab, f5, space")]
pub struct ParseChordError(String);

/// Keys with names, first as they are shown.
const NAMED: [(&str, KeyCode); 19] = [
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("page-up", KeyCode::PageUp),
    ("page-down", KeyCode::PageDown),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("return", KeyCode::Enter),
];

const HELD: [(&str, KeyModifiers); 3] =
    [("ctrl-", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("shift-", KeyModifiers::SHIFT)];

impl Chord {
    /// Returns the key without anything held.
    #[must_use]
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    /// Returns the letter that the key types, where it types one.
    #[must_use]
    pub fn letter(self) -> Option<char> {
        match self.code {
            KeyCode::Char(letter) if self.modifiers.is_empty() => Some(letter),
            _ => None,
        }
    }

    /// Returns the key in the one form that keymaps use: shift is part of a letter, and of back tab.
    fn canonical(self) -> Self {
        match self.code {
            KeyCode::Char(letter) if self.modifiers.contains(KeyModifiers::SHIFT) => {
                let upper = letter.to_uppercase().next().unwrap_or(letter);
                Self { code: KeyCode::Char(upper), modifiers: self.modifiers - KeyModifiers::SHIFT }
            }
            KeyCode::Tab if self.modifiers.contains(KeyModifiers::SHIFT) => {
                Self { code: KeyCode::BackTab, modifiers: self.modifiers - KeyModifiers::SHIFT }
            }
            KeyCode::BackTab => Self { modifiers: self.modifiers - KeyModifiers::SHIFT, ..self },
            _ => self,
        }
    }
}

impl From<KeyEvent> for Chord {
    fn from(event: KeyEvent) -> Self {
        let held = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        Self { code: event.code, modifiers: event.modifiers & held }.canonical()
    }
}

impl FromStr for Chord {
    type Err = ParseChordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((name, modifier)) =
            HELD.iter().find(|(name, _)| rest.len() > name.len() && rest.starts_with(name))
        {
            rest = &rest[name.len()..];
            modifiers |= *modifier;
        }
        let code = code(rest).ok_or_else(|| ParseChordError(text.to_owned()))?;
        Ok(Self { code, modifiers }.canonical())
    }
}

fn code(text: &str) -> Option<KeyCode> {
    if let Some(&(_, code)) = NAMED.iter().find(|(name, _)| *name == text) {
        return Some(code);
    }
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some(letter), "") => Some(KeyCode::Char(letter)),
        (Some('f'), number) => number.parse().ok().filter(|number| (1..=12).contains(number)).map(KeyCode::F),
        _ => None,
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, modifier) in HELD {
            if self.modifiers.contains(modifier) {
                formatter.write_str(name)?;
            }
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => formatter.write_str(name),
            (None, KeyCode::Char(letter)) => write!(formatter, "{letter}"),
            (None, KeyCode::F(number)) => write!(formatter, "f{number}"),
            (None, other) => write!(formatter, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_they_are_read() {
        for text in
            ["q", "G", "ctrl-p", "alt-enter", "shift-tab", "f5", "space", "-", "ctrl--", "?", "[", "'", "page-down"]
        {
            assert_eq!(text.parse::<Chord>().map(|chord| chord.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("pgdn".parse::<Chord>().unwrap().to_string(), "page-down");
        assert_eq!("shift-g".parse::<Chord>().unwrap().to_string(), "G");
    }

    #[test]
    fn what_names_no_key_is_refused() {
        for text in ["", "f13", "hyper-x", "ctrl-", "qq"] {
            assert!(text.parse::<Chord>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_terminal_that_sends_shift_with_letters_means_the_same() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Chord::from(event), "G".parse().unwrap());
        let event = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Chord::from(event), "shift-tab".parse().unwrap());
    }
}
