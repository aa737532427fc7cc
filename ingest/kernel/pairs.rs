//! Finds `key=value` pairs in a line.
//!
//! ```text
//! line  = { [ text ] key "=" value }
//! key   = ( letter | "_" ) { letter | digit | "_" | "." | "-" }      after a space, "(", "," or at the beginning
//! value = '"' text '"' | what stands before the next key
//! ```
//!
//! A value may hold spaces (`prev_comm=Web Content prev_pid=…`). `==>` and units in brackets (`runtime=5 [ns]`) end it. The
//! head of an HTTP message runs to the end of the line, whatever stands in it.

use crate::kernel::http::is_head;

/// Walks over the pairs of a line.
#[derive(Debug, Clone)]
pub(crate) struct Pairs<'a> {
    line: &'a str,
    /// The next key and where its `=` is.
    next: Option<(usize, usize)>,
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self { line, next: next_key(line, 0) }
    }

    /// Returns what stands before the first pair.
    pub(crate) fn before(&self) -> &'a str {
        let end = self.next.map_or(self.line.len(), |(from, _)| from);
        self.line.get(..end).unwrap_or_default()
    }

    /// Tells whether there is none left.
    pub(crate) fn is_empty(&self) -> bool {
        self.next.is_none()
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (from, equals) = self.next?;
        let key = self.line.get(from..equals)?;
        let rest = self.line.get(equals + 1..)?;
        let (value, end) = value(rest);
        let after = equals + 1 + end;
        self.next = next_key(self.line, after);
        if let (None, Some((next, _))) = (value, self.next) {
            return Some((key, tidy(self.line.get(equals + 1..next)?)));
        }
        Some((key, value.unwrap_or_else(|| tidy(rest))))
    }
}

/// Returns a value whose end is known by itself, and where to look for the next key.
fn value(rest: &str) -> (Option<&str>, usize) {
    let quoted = rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"'));
    if let Some((text, _)) = quoted {
        return (Some(text), text.len() + 2);
    }
    if is_head(rest) { (Some(rest), rest.len()) } else { (None, 0) }
}

/// Takes off what separates a value from the next key.
fn tidy(value: &str) -> &str {
    let end = value.bytes().rposition(|byte| !matches!(byte, b' ' | b'\t' | b',' | b';' | b'(')).map_or(0, |at| at + 1);
    let value = value.get(..end).unwrap_or(value).trim_ascii_start();
    if !value.ends_with(['>', ']']) {
        return value;
    }
    let value = value.strip_suffix("==>").unwrap_or(value).trim_ascii_end();
    for unit in [" [ns]", " [us]", " [ms]", " [bytes]"] {
        if let Some(value) = value.strip_suffix(unit) {
            return value;
        }
    }
    value
}

/// Returns where the next key begins at or after `from`, and where its `=` is.
#[inline]
fn next_key(line: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    memchr::memchr_iter(b'=', bytes.get(from..)?).map(|at| at + from).find_map(|equals| {
        let before = bytes.get(from..equals)?;
        let len = before.iter().rev().take_while(|byte| is_key_byte(**byte)).count();
        let start = equals - len;
        let is_first = start == 0 || matches!(bytes.get(start - 1), Some(b' ' | b'\t' | b'(' | b',' | b'{' | b'|'));
        let is_named = bytes.get(start).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        (is_first && is_named && bytes.get(equals + 1) != Some(&b'=')).then_some((start, equals))
    })
}

#[inline]
fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}
