//! What readers of JSON other than OTLP's share: whole values, objects and arrays under a cursor.

use std::borrow::Cow;

use crate::format::Window;
use crate::id::Written;
use crate::marks::Mark;
use crate::otlp::json::cursor::{Cursor, Fault, RawText, Why};
use crate::otlp::json::field::next_key;
use crate::otlp::json::recover::excerpt;
use crate::otlp::json::unescape::unescape;
use crate::rejects::{KEPT_PER_BATCH, Reject, Rejects};

/// UTF-8 without escapes.
pub(crate) type Text<'a> = Cow<'a, [u8]>;

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a [u8]),
    Text(RawText<'a>),
    /// An object or array, as written.
    Nested(&'a [u8]),
}

/// Reads a value of any form; what is inside of it is not looked at.
pub(crate) fn value<'a>(cursor: &mut Cursor<'a>) -> Result<Json<'a>, Fault> {
    cursor.skip_space();
    let from = cursor.at;
    match cursor.peek() {
        Some(b'"') => cursor.text().map(Json::Text),
        Some(b'{' | b'[') => {
            cursor.skip_value()?;
            Ok(Json::Nested(cursor.bytes.get(from..cursor.at).unwrap_or_default()))
        }
        Some(b'}' | b']' | b':') | None => cursor.fault(Why::NoValue),
        Some(_) => match cursor.word()? {
            b"null" => Ok(Json::Null),
            b"true" => Ok(Json::Bool(true)),
            b"false" => Ok(Json::Bool(false)),
            number if number.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) => {
                Ok(Json::Number(number))
            }
            _ => Err(Fault { at: from, why: Why::NoValue }),
        },
    }
}

/// Reads an object, member by member: `read` stands before the value and must read it. `null` is an empty object.
pub(crate) fn object<'a>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>, &'a [u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if cursor.take_null() {
        return Ok(());
    }
    cursor.expect(b'{', Why::NoObject)?;
    while let Some(key) = next_key(cursor)? {
        read(cursor, key)?;
    }
    Ok(())
}

/// Reads an array, element by element: `read` stands before the element and must read it. `null` is an empty array, and
/// elements that are `null` are left out.
pub(crate) fn array<'a>(
    cursor: &mut Cursor<'a>,
    mut read: impl FnMut(&mut Cursor<'a>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if cursor.take_null() {
        return Ok(());
    }
    cursor.expect(b'[', Why::NoArray)?;
    while !cursor.take(b']') {
        if !cursor.take_null() {
            read(cursor)?;
        }
    }
    Ok(())
}

/// Returns a text as UTF-8 without escapes, and adds its marks.
pub(crate) fn plain<'a>(raw: RawText<'a>, marks: &mut u32) -> Text<'a> {
    if !raw.has_escapes && (raw.is_ascii || simdutf8::basic::from_utf8(raw.bytes).is_ok()) {
        return Cow::Borrowed(raw.bytes);
    }
    let mut text = Vec::new();
    if unescape(raw.bytes, &mut text) {
        *marks |= Mark::TextReplaced.bit();
    }
    Cow::Owned(text)
}

/// Returns a key or other text between quotes as UTF-8 without escapes, and adds its marks.
pub(crate) fn plain_key<'a>(bytes: &'a [u8], marks: &mut u32) -> Text<'a> {
    let has_escapes = bytes.iter().any(|&byte| byte == b'\\' || byte < 0x20);
    plain(RawText { bytes, has_escapes, is_ascii: bytes.is_ascii() }, marks)
}

/// Reads a text; a number or truth value is taken as it is written, anything else as its JSON.
pub(crate) fn text<'a>(cursor: &mut Cursor<'a>, marks: &mut u32) -> Result<Text<'a>, Fault> {
    Ok(match value(cursor)? {
        Json::Null => Cow::Borrowed(b""),
        Json::Bool(true) => Cow::Borrowed(b"true"),
        Json::Bool(false) => Cow::Borrowed(b"false"),
        Json::Text(raw) => plain(raw, marks),
        Json::Number(raw) => Cow::Borrowed(raw),
        Json::Nested(raw) => verbatim(raw, marks),
    })
}

/// Returns JSON as it is written, as UTF-8.
pub(crate) fn verbatim<'a>(raw: &'a [u8], marks: &mut u32) -> Text<'a> {
    if simdutf8::basic::from_utf8(raw).is_ok() {
        return Cow::Borrowed(raw);
    }
    *marks |= Mark::TextReplaced.bit();
    Cow::Owned(String::from_utf8_lossy(raw).into_owned().into_bytes())
}

/// Reads an amount such as a time: a number, in quotes or not, with or without fraction; `null` and negative ones are 0.
pub(crate) fn amount(cursor: &mut Cursor<'_>) -> Result<u64, Fault> {
    let at = cursor.at;
    let bytes = match value(cursor)? {
        Json::Null => return Ok(0),
        Json::Number(bytes) => bytes,
        Json::Text(raw) => raw.bytes,
        _ => return Err(Fault { at, why: Why::BadNumber }),
    };
    number(bytes).ok_or(Fault { at, why: Why::BadNumber })
}

/// Returns the amount that a text stands for.
pub(crate) fn number(bytes: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if let Ok(number) = text.parse::<u64>() {
        return Some(number);
    }
    let is_number =
        !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    // Saturates at both ends.
    text.parse::<f64>().ok().filter(|_| is_number).map(|number| number as u64)
}

/// Reads `true` or `false`, also in quotes or as a number; `null` is false.
pub(crate) fn flag(cursor: &mut Cursor<'_>) -> Result<bool, Fault> {
    let at = cursor.at;
    Ok(match value(cursor)? {
        Json::Null => false,
        Json::Bool(value) => value,
        Json::Text(raw) => raw.bytes.eq_ignore_ascii_case(b"true") || raw.bytes == b"1",
        Json::Number(number) => number != b"0",
        Json::Nested(_) => return Err(Fault { at, why: Why::BadBool }),
    })
}

/// Reads an id as it is written.
pub(crate) fn id<'a>(cursor: &mut Cursor<'a>) -> Result<Written<'a>, Fault> {
    let at = cursor.at;
    match value(cursor)? {
        Json::Null => Ok(Written::Absent),
        Json::Text(raw) if raw.bytes.is_empty() => Ok(Written::Absent),
        Json::Text(raw) => Ok(Written::Text(raw.bytes)),
        Json::Number(bytes) => {
            let text = std::str::from_utf8(bytes).unwrap_or_default();
            let signed = text.parse::<i64>().map(|number| number as u64);
            text.parse().or(signed).map(Written::Number).map_err(|_| Fault { at, why: Why::BadId })
        }
        _ => Err(Fault { at, why: Why::BadId }),
    }
}

/// Counts a reject; those that are kept are told where in the window they begin, and how.
pub(crate) fn reject(rejects: &mut Rejects, window: &Window<'_>, at: usize, reason: impl FnOnce() -> String) {
    if rejects.kept.len() >= KEPT_PER_BATCH {
        rejects.count = rejects.count.saturating_add(1);
        return;
    }
    let (offset, line, column) = window.place(at);
    rejects.push(Reject { offset, line, column, reason: reason(), excerpt: excerpt(window.bytes, at) });
}

/// Hands the keys of the first object of a stream to `is_fine`, in any number of brackets; stops and returns false where
/// it is not fine, or where the stream begins otherwise. What is cut off by the end of `head` is not looked at.
///
/// The object that is the value of `_source` is the one that counts.
pub(crate) fn keys_of_first(head: &[u8], mut is_fine: impl FnMut(&[u8]) -> bool) -> bool {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = text.iter().take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'[' | 0)).count();
    let mut cursor = Cursor { bytes: text, at: start };
    if !cursor.take(b'{') {
        return false;
    }
    loop {
        match next_key(&mut cursor) {
            Ok(Some(b"_source")) if cursor.take(b'{') => {}
            Ok(Some(key)) if !is_fine(key) => return false,
            Ok(Some(_)) => match cursor.skip_value() {
                Ok(()) => {}
                Err(fault) => return fault.why == Why::End,
            },
            Ok(None) => return true,
            Err(fault) => return fault.why == Why::End,
        }
    }
}
