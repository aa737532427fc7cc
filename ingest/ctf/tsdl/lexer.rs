//! Cuts TSDL, the language of CTF 1.8 metadata, into words.

use super::{Error, at_line};

/// A word of TSDL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Name(String),
    Number(u64),
    Text(String),
    /// `:=`, `...`, `->` or one character.
    Sign(&'static str),
}

const SIGNS: [&str; 19] =
    [":=", "...", "->", "{", "}", "[", "]", "<", ">", "(", ")", ";", ":", "=", ",", ".", "*", "-", "+"];

/// Returns the words of `text`, each with its 1-based line.
pub(crate) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Error> {
    let mut lexer = Lexer { rest: text, line: 1 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push((token, lexer.line));
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, Error> {
        self.skip_blank()?;
        let Some(first) = self.rest.bytes().next() else { return Ok(None) };
        let second = self.rest.as_bytes().get(1).copied();
        Ok(Some(match first {
            b'"' => self.text()?,
            b'L' if second == Some(b'"') => {
                self.pass(1);
                self.text()?
            }
            b'\'' => self.character()?,
            b'0'..=b'9' => self.number()?,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name(),
            _ => self.sign()?,
        }))
    }

    fn pass(&mut self, len: usize) {
        let (passed, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.line += memchr::memchr_iter(b'\n', passed.as_bytes()).count();
        self.rest = rest;
    }

    fn skip_blank(&mut self) -> Result<(), Error> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{c}', '\0']).len();
            self.pass(blank);
            if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or_else(|| at_line(self.line, "comment does not end"))?;
                self.pass(end + 2);
            } else if self.rest.starts_with("//") || self.rest.starts_with('#') {
                self.pass(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if blank == 0 {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Token {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let len = self.rest.bytes().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let name = self.rest.get(..len).unwrap_or_default().to_owned();
        self.pass(len);
        Token::Name(name)
    }

    fn number(&mut self) -> Result<Token, Error> {
        let len = self.rest.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let digits = self.rest.get(..len).unwrap_or_default().trim_end_matches(['u', 'U', 'l', 'L']);
        let (digits, radix) = match digits.as_bytes() {
            [b'0', b'x' | b'X', ..] => (digits.get(2..), 16),
            [b'0', b'b' | b'B', ..] => (digits.get(2..), 2),
            [b'0', _, ..] => (digits.get(1..), 8),
            _ => (Some(digits), 10),
        };
        let number = digits.and_then(|digits| u64::from_str_radix(digits, radix).ok());
        let number = number.ok_or_else(|| at_line(self.line, "bad number"))?;
        self.pass(len);
        Ok(Token::Number(number))
    }

    fn text(&mut self) -> Result<Token, Error> {
        let text = self.quoted('"')?;
        Ok(Token::Text(text))
    }

    fn character(&mut self) -> Result<Token, Error> {
        let text = self.quoted('\'')?;
        Ok(Token::Number(text.chars().next().map_or(0, |character| u64::from(u32::from(character)))))
    }

    fn quoted(&mut self, quote: char) -> Result<String, Error> {
        let (mut text, mut len) = (Vec::new(), 1);
        let mut rest = self.rest.get(1..).unwrap_or_default().chars();
        loop {
            let Some(character) = rest.next() else { return Err(at_line(self.line, "text does not end")) };
            len += character.len_utf8();
            if character == quote {
                break;
            }
            if character == '\\' {
                let (byte, used) = escaped(rest.as_str().as_bytes());
                text.extend(byte);
                len += used;
                rest = rest.as_str().get(used..).unwrap_or_default().chars();
            } else {
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        self.pass(len);
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn sign(&mut self) -> Result<Token, Error> {
        let Some(sign) = SIGNS.into_iter().find(|sign| self.rest.starts_with(sign)) else {
            let found = self.rest.chars().next().unwrap_or_default();
            return Err(at_line(
                self.line,
                &format!("unexpected character {}", crate::text::inert(&found.to_string())),
            ));
        };
        self.pass(sign.len());
        Ok(Token::Sign(sign))
    }
}

/// Returns the byte that an escape stands for, and how long it is behind the backslash.
fn escaped(rest: &[u8]) -> (Option<u8>, usize) {
    let Some(&first) = rest.first() else { return (None, 0) };
    let digits = |from: usize, most: usize, radix: u32| {
        let digits = rest.iter().skip(from).take(most).map_while(|&byte| char::from(byte).to_digit(radix));
        digits.fold((0_u32, from), |(value, len), digit| (value.wrapping_mul(radix) + digit, len + 1))
    };
    match first {
        b'0'..=b'7' => {
            let (value, len) = digits(0, 3, 8);
            (Some(value as u8), len)
        }
        b'x' => {
            let (value, len) = digits(1, 2, 16);
            (Some(value as u8), len)
        }
        b'n' => (Some(b'\n'), 1),
        b't' => (Some(b'\t'), 1),
        b'r' => (Some(b'\r'), 1),
        b'a' => (Some(7), 1),
        b'b' => (Some(8), 1),
        b'f' => (Some(12), 1),
        b'v' => (Some(11), 1),
        128.. => (None, 0),
        _ => (Some(first), 1),
    }
}
