//! Reads characters: spaces, symbols, words and attribute keys.

use super::TraceqlError;

/// A place in the query.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes `symbol` if it comes next.
    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        let is_next = self.rest().starts_with(symbol);
        if is_next {
            self.at += symbol.len();
        }
        is_next
    }

    /// Takes characters while `is_part` holds.
    pub(super) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.find(|next| !is_part(next)).map_or(rest, |end| &rest[..end]);
        self.at += taken.len();
        taken
    }

    /// Takes an attribute key, parts of which may stand in quotes: `http."odd key".x`.
    pub(super) fn attribute_key(&mut self) -> Result<String, TraceqlError> {
        let start = self.at;
        let mut key = String::new();
        loop {
            if self.eat("\"") {
                self.quoted_part(&mut key)?;
                continue;
            }
            let part = self.take_while(|next| next != '"' && is_attribute_char(next));
            if part.is_empty() {
                break;
            }
            key.push_str(part);
        }
        if self.at == start {
            return Err(self.error("expected an attribute name"));
        }
        Ok(key)
    }

    fn quoted_part(&mut self, key: &mut String) -> Result<(), TraceqlError> {
        let start = self.at - 1;
        loop {
            match self.bump() {
                Some('"') => return Ok(()),
                Some('\\') => match self.bump() {
                    Some(escaped @ ('"' | '\\')) => key.push(escaped),
                    _ => return Err(error(self.at, "in a quoted attribute name only \\\" and \\\\ are escapes")),
                },
                Some('\0') => return Err(error(self.at - 1, "a NUL character cannot be searched")),
                Some(next) => key.push(next),
                None => return Err(error(start, "this quote is not closed")),
            }
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> TraceqlError {
        error(self.at, message)
    }
}

pub(super) fn error(at: usize, message: impl Into<String>) -> TraceqlError {
    TraceqlError { at, message: message.into() }
}

/// Tells whether `next` can stand in an attribute key without quotes.
pub(super) fn is_attribute_char(next: char) -> bool {
    !next.is_whitespace() && !"{}()=~!<>&|^,`\0".contains(next)
}

/// Tells whether `next` can stand in the name of an intrinsic, an enum value or a scope.
pub(super) fn is_word_char(next: char) -> bool {
    next.is_ascii_alphanumeric() || next == '_' || next == ':'
}
