//! Attribute lists and values.
//!
//! ```text
//! attributes = [ { "key": text, "value": value }, … ]
//! value      = { "stringValue": text } | { "intValue": integer } | { "arrayValue": { "values": [ value, … ] } } | …
//! ```

use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hashbrown::HashMap;

use crate::convention::Conventions;
use crate::marks::Mark;
use crate::otlp::attribute::{ListSink, Scalar, Sink, ValueSink};
use crate::otlp::json::cursor::{Cursor, Fault, RawText, Why};
use crate::otlp::json::field::{is_request_key, next_key};
use crate::otlp::json::number::{boolean, double, signed};
use crate::otlp::json::unescape::unescape;
use crate::otlp::key::KeyTable;
use crate::read::Limits;

/// Nesting beyond this is cut whatever the limits say: values are read recursively, and a thread's stack may be small.
const MAX_DEPTH: usize = 100;

/// How many beginnings of attributes are remembered.
const MAX_SHAPES: usize = 4_096;
const MAX_SHAPE_BYTES: usize = 256;

/// What a value object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bool,
    Int,
    Double,
    Array,
    List,
    Bytes,
}

/// The bytes of an attribute from its brace up to its value, such as `{"key":"http.route","value":{"stringValue":`.
#[derive(Debug)]
struct Shape {
    raw: Box<[u8]>,
    key: usize,
    kind: Kind,
    next: usize,
}

/// What reading values needs and remembers.
#[derive(Debug)]
pub(crate) struct Values {
    pub conventions: Arc<Conventions>,
    pub limits: Limits,
    /// Marks of the values read since this was cleared.
    pub marks: u32,
    keys: KeyTable,
    shapes: Vec<Shape>,
    numbers: HashMap<Box<[u8]>, usize>,
    last: usize,
    scratch: Vec<u8>,
    key_scratch: Vec<u8>,
}

static BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);
static BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING);
const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

fn kind(name: &[u8]) -> Option<Kind> {
    Some(match name {
        b"stringValue" | b"string_value" => Kind::Text,
        b"boolValue" | b"bool_value" => Kind::Bool,
        b"intValue" | b"int_value" => Kind::Int,
        b"doubleValue" | b"double_value" => Kind::Double,
        b"arrayValue" | b"array_value" => Kind::Array,
        b"kvlistValue" | b"kvlist_value" => Kind::List,
        b"bytesValue" | b"bytes_value" => Kind::Bytes,
        _ => return None,
    })
}

impl Values {
    pub(crate) fn new(conventions: Arc<Conventions>, limits: Limits) -> Self {
        let nothing = Shape { raw: Box::default(), key: 0, kind: Kind::Text, next: 0 };
        Self {
            conventions,
            limits: Limits { depth: limits.depth.min(MAX_DEPTH), ..limits },
            marks: 0,
            keys: KeyTable::new(),
            shapes: vec![nothing],
            numbers: HashMap::new(),
            last: 0,
            scratch: Vec::new(),
            key_scratch: Vec::new(),
        }
    }

    /// Reads a list of attributes into `sink`; `null` is an empty one.
    #[inline]
    pub(crate) fn attributes(&mut self, cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> Result<(), Fault> {
        if !cursor.take(b'[') {
            return if cursor.take_null() { Ok(()) } else { cursor.fault(Why::NoArray) };
        }
        while !cursor.take(b']') {
            self.attribute(cursor, sink, 0)?;
        }
        Ok(())
    }

    #[inline]
    fn attribute(&mut self, cursor: &mut Cursor<'_>, sink: &mut impl Sink, depth: usize) -> Result<(), Fault> {
        let guess = self.shapes.get(self.last).map_or(0, |shape| shape.next);
        if let Some(shape) = self.shapes.get(guess) {
            let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
            if guess != 0 && rest.starts_with(&shape.raw) {
                let (key, kind) = (shape.key, shape.kind);
                cursor.at = cursor.at.wrapping_add(shape.raw.len());
                self.last = guess;
                self.value(cursor, kind, key, sink, depth)?;
                // The value's object, then the attribute's.
                skip_members(cursor)?;
                return skip_members(cursor);
            }
        }
        self.unusual_attribute(cursor, sink, depth)
    }

    /// Reads an attribute field by field, and remembers its beginning.
    fn unusual_attribute(&mut self, cursor: &mut Cursor<'_>, sink: &mut impl Sink, depth: usize) -> Result<(), Fault> {
        cursor.skip_space();
        let from = cursor.at;
        if cursor.take_null() {
            return Ok(());
        }
        cursor.expect(b'{', Why::NoObject)?;
        let (mut key, mut skipped, mut is_read) = (None, None, false);
        loop {
            let at = cursor.at;
            match (next_key(cursor)?, key) {
                (None, _) => break,
                (Some(b"key"), None) => key = Some(cursor.text()?),
                (Some(b"value"), Some(key)) if !is_read && skipped.is_none() => {
                    is_read = true;
                    self.value_object(cursor, key, Some(from), sink, depth)?;
                }
                (Some(name), _) if is_request_key(name) => return Err(Fault { at, why: Why::RequestInside }),
                (Some(name), _) => {
                    skipped = if name == b"value" { Some(*cursor) } else { skipped };
                    cursor.skip_value()?;
                }
            }
        }
        if is_read {
            return Ok(());
        }
        let key = key.unwrap_or(NO_KEY);
        if let Some(mut value) = skipped {
            return self.value_object(&mut value, key, None, sink, depth);
        }
        self.empty(key, sink);
        Ok(())
    }

    /// Reads the object that holds a value. `from` is where the attribute begins that may be remembered.
    fn value_object(
        &mut self,
        cursor: &mut Cursor<'_>,
        key: RawText<'_>,
        from: Option<usize>,
        sink: &mut impl Sink,
        depth: usize,
    ) -> Result<(), Fault> {
        if cursor.take_null() {
            self.empty(key, sink);
            return Ok(());
        }
        cursor.expect(b'{', Why::NoObject)?;
        let at = cursor.at;
        while let Some(name) = next_key(cursor)? {
            if let Some(kind) = kind(name) {
                let number = self.key_number(key);
                self.remember(from.and_then(|from| cursor.bytes.get(from..cursor.at)), number, kind);
                self.value(cursor, kind, number, sink, depth)?;
                return skip_members(cursor);
            }
            if is_request_key(name) {
                return Err(Fault { at, why: Why::RequestInside });
            }
            cursor.skip_value()?;
        }
        self.empty(key, sink);
        Ok(())
    }

    fn empty(&mut self, key: RawText<'_>, sink: &mut impl Sink) {
        let number = self.key_number(key);
        self.marks |= sink.scalar(self.keys.get(number), Scalar::Empty, self.limits.value_bytes);
    }

    fn key_number(&mut self, key: RawText<'_>) -> usize {
        let (text, _) = plain(key, &mut self.key_scratch, &mut self.marks);
        self.keys.number(text, &self.conventions)
    }

    /// Reads a value after its name and hands it to `sink`.
    #[inline]
    fn value(
        &mut self,
        cursor: &mut Cursor<'_>,
        kind: Kind,
        key: usize,
        sink: &mut impl Sink,
        depth: usize,
    ) -> Result<(), Fault> {
        let key = self.keys.get(key);
        let value = match kind {
            Kind::Text => {
                if cursor.peek() != Some(b'"') && cursor.take_null() {
                    Scalar::Empty
                } else {
                    let (text, is_clean) = plain(cursor.text()?, &mut self.scratch, &mut self.marks);
                    Scalar::Text { text, is_clean }
                }
            }
            Kind::Int => Scalar::Int(signed(cursor)?),
            Kind::Double => Scalar::Double(double(cursor)?),
            Kind::Bool => Scalar::Bool(boolean(cursor)?),
            Kind::Bytes if base64(cursor.text()?, &mut self.scratch) => Scalar::Bytes(&self.scratch),
            Kind::Bytes => {
                self.marks |= Mark::TextReplaced.bit();
                Scalar::Text { text: &self.scratch, is_clean: false }
            }
            Kind::Array | Kind::List => {
                let out = sink.member(key);
                return self.write_nested(cursor, kind, out, depth);
            }
        };
        self.marks |= sink.scalar(key, value, self.limits.value_bytes);
        Ok(())
    }

    /// Appends an array or a list of keys and values as typed JSON.
    fn write_nested(
        &mut self,
        cursor: &mut Cursor<'_>,
        kind: Kind,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Fault> {
        if depth >= self.limits.depth {
            self.marks |= Mark::DepthCut.bit();
            out.extend_from_slice(b"null");
            return cursor.skip_value();
        }
        out.extend_from_slice(if kind == Kind::Array { b"[" } else { b"{" });
        if !cursor.take_null() {
            cursor.expect(b'{', Why::NoObject)?;
            while let Some(name) = next_key(cursor)? {
                match (name, kind) {
                    (b"values", Kind::Array) => self.write_array(cursor, out, depth + 1)?,
                    (b"values", _) => self.write_list(cursor, out, depth + 1)?,
                    _ => cursor.skip_value()?,
                }
            }
        }
        out.extend_from_slice(if kind == Kind::Array { b"]" } else { b"}" });
        Ok(())
    }

    fn write_array(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
        if cursor.take_null() {
            return Ok(());
        }
        cursor.expect(b'[', Why::NoArray)?;
        while !cursor.take(b']') {
            if out.last() != Some(&b'[') {
                out.push(b',');
            }
            self.value_object(cursor, NO_KEY, None, &mut ValueSink { out }, depth)?;
        }
        Ok(())
    }

    fn write_list(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
        if cursor.take_null() {
            return Ok(());
        }
        cursor.expect(b'[', Why::NoArray)?;
        let mut sink = ListSink { out };
        while !cursor.take(b']') {
            self.attribute(cursor, &mut sink, depth)?;
        }
        Ok(())
    }

    /// Reads a value that stands for itself, such as the body of a log record.
    pub(crate) fn write_into(&mut self, cursor: &mut Cursor<'_>, sink: &mut impl Sink) -> Result<(), Fault> {
        self.value_object(cursor, NO_KEY, None, sink, 0)
    }

    /// Reads a text into UTF-8 without escapes.
    #[inline]
    pub(crate) fn text<'t, 'a: 't>(&'t mut self, cursor: &mut Cursor<'a>) -> Result<&'t [u8], Fault> {
        if cursor.peek() != Some(b'"') && cursor.take_null() {
            return Ok(b"");
        }
        Ok(plain(cursor.text()?, &mut self.scratch, &mut self.marks).0)
    }

    fn remember(&mut self, raw: Option<&[u8]>, key: usize, kind: Kind) {
        let Some(raw) = raw.filter(|raw| raw.len() <= MAX_SHAPE_BYTES && self.keys.is_kept(key)) else {
            return;
        };
        let number = match self.numbers.get(raw) {
            Some(&number) => number,
            None if self.shapes.len() > MAX_SHAPES => return,
            None => {
                self.shapes.push(Shape { raw: raw.into(), key, kind, next: 0 });
                self.numbers.insert(raw.into(), self.shapes.len() - 1);
                self.shapes.len() - 1
            }
        };
        if let Some(last) = self.shapes.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
    }
}

const NO_KEY: RawText<'static> = RawText { bytes: b"", has_escapes: false, is_ascii: true };

/// Skips what is left of an object.
#[inline]
pub(crate) fn skip_members(cursor: &mut Cursor<'_>) -> Result<(), Fault> {
    if cursor.peek() == Some(b'}') {
        cursor.at = cursor.at.wrapping_add(1);
        return Ok(());
    }
    while next_key(cursor)?.is_some() {
        cursor.skip_value()?;
    }
    Ok(())
}

/// Returns a text as UTF-8 without escapes, and whether it needs none in JSON.
#[inline]
fn plain<'t>(raw: RawText<'t>, scratch: &'t mut Vec<u8>, marks: &mut u32) -> (&'t [u8], bool) {
    if !raw.has_escapes && (raw.is_ascii || simdutf8::basic::from_utf8(raw.bytes).is_ok()) {
        return (raw.bytes, true);
    }
    if unescape(raw.bytes, scratch) {
        *marks |= Mark::TextReplaced.bit();
    }
    (scratch, false)
}

/// Decodes base64 of either alphabet, padded or not; where it is neither, leaves the text itself and returns false.
fn base64(raw: RawText<'_>, out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut text = Vec::new();
    unescape(raw.bytes, &mut text);
    let is_decoded = BASE64.decode_vec(&text, out).is_ok() || {
        out.clear();
        BASE64_URL.decode_vec(&text, out).is_ok()
    };
    if !is_decoded {
        *out = text;
    }
    is_decoded
}
