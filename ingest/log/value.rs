//! Copies JSON values as typed JSON: without white space, with every number in the form of its type.

use crate::log::record::is_number;
use crate::marks::Mark;
use crate::otlp::attribute::{Scalar, write_scalar};
use crate::otlp::json::cursor::{Cursor, Fault, RawText, Why};
use crate::otlp::json::field::next_key;
use crate::otlp::json::unescape::unescape;
use crate::otlp::text::{write_double, write_int, write_string};
use crate::read::Limits;

/// Values are copied recursively, and a thread's stack may be small.
const MAX_DEPTH: usize = 100;

/// Copies values and notes what had to be changed.
#[derive(Debug)]
pub(crate) struct Copier {
    max_bytes: usize,
    max_depth: usize,
    marks: u32,
    scratch: Vec<u8>,
}

impl Copier {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { max_bytes: limits.value_bytes, max_depth: limits.depth.min(MAX_DEPTH), marks: 0, scratch: Vec::new() }
    }

    /// Returns the marks of what was copied since the last call.
    pub(crate) fn take_marks(&mut self) -> u32 {
        std::mem::take(&mut self.marks)
    }

    /// Returns a text without escapes, and its marks. The bytes that it was read from are UTF-8.
    #[inline]
    pub(crate) fn text<'t>(&'t mut self, raw: RawText<'t>) -> (&'t [u8], u32) {
        if !raw.has_escapes {
            return (raw.bytes, 0);
        }
        let is_replaced = unescape(raw.bytes, &mut self.scratch);
        (&self.scratch, if is_replaced { Mark::TextReplaced.bit() } else { 0 })
    }

    /// Copies the value at the cursor.
    #[inline]
    pub(crate) fn value(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
        cursor.skip_space();
        match cursor.peek() {
            Some(b'"') => {
                let raw = cursor.text()?;
                let (max_bytes, is_clean) = (self.max_bytes, !raw.has_escapes);
                let (text, marks) = self.text(raw);
                let marks = marks | write_scalar(out, Scalar::Text { text, is_clean }, max_bytes);
                self.marks |= marks;
                Ok(())
            }
            Some(b'{' | b'[') if depth >= self.max_depth => {
                self.marks |= Mark::DepthCut.bit();
                out.extend_from_slice(b"null");
                cursor.skip_value()
            }
            Some(b'{') => self.object(cursor, out, depth),
            Some(b'[') => self.array(cursor, out, depth),
            _ => word(cursor, out),
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
        cursor.at += 1;
        out.push(b'{');
        while let Some(name) = next_key(cursor)? {
            if out.last() != Some(&b'{') {
                out.push(b',');
            }
            if memchr::memchr(b'\\', name).is_some() {
                self.marks |= if unescape(name, &mut self.scratch) { Mark::TextReplaced.bit() } else { 0 };
                write_string(out, &self.scratch);
            } else {
                write_string(out, name);
            }
            out.push(b':');
            self.value(cursor, out, depth + 1)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
        cursor.at += 1;
        out.push(b'[');
        while !cursor.take(b']') {
            if out.last() != Some(&b'[') {
                out.push(b',');
            }
            self.value(cursor, out, depth + 1)?;
        }
        out.push(b']');
        Ok(())
    }
}

/// Copies a number, `true`, `false` or `null`. What is no JSON but written by some (`NaN`) is kept.
#[inline]
fn word(cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let at = cursor.at;
    let word = cursor.word()?;
    if is_number(word) || matches!(word, b"true" | b"false" | b"null") {
        out.extend_from_slice(word);
        return Ok(());
    }
    let text = std::str::from_utf8(word).unwrap_or_default();
    let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let is_whole = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-'));
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(value), _) if is_number => write_int(out, value),
        // More digits than 64 bits hold: as text, with all of them.
        (_, Ok(_)) if is_whole => write_string(out, word),
        (_, Ok(value)) if is_number || matches!(text, "NaN" | "Infinity" | "-Infinity") => write_double(out, value),
        _ => return Err(Fault { at, why: Why::BadNumber }),
    }
    Ok(())
}
