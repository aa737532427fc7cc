//! Where attributes go: into the column of their convention, or into a JSON object.

use crate::batch::{ConventionColumn, SpanBatch};
use crate::marks::Mark;
use crate::otlp::key::Key;
use crate::otlp::log::BodyForm;
use crate::otlp::text::{write_bool, write_bytes, write_double, write_int, write_string};

/// An attribute value that is neither array nor list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scalar<'a> {
    Empty,
    /// Valid UTF-8. `is_clean` where it is known to need no escape in JSON.
    Text {
        text: &'a [u8],
        is_clean: bool,
    },
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
}

/// Takes the attributes of one list, one after the other.
pub(crate) trait Sink {
    /// Takes an attribute; returns the marks that it brings.
    fn scalar(&mut self, key: &Key, value: Scalar<'_>, max_bytes: usize) -> u32;

    /// Begins an attribute whose value the caller appends as typed JSON.
    fn member(&mut self, key: &Key) -> &mut Vec<u8>;
}

/// A JSON object under construction; without a member it stays empty text.
#[derive(Debug, Default)]
pub(crate) struct Object {
    pub json: Vec<u8>,
    /// The value of `service.name`, where it is a text.
    pub service: Vec<u8>,
}

impl Object {
    pub(crate) fn clear(&mut self) {
        self.json.clear();
        self.service.clear();
    }

    /// Ends the object and returns it, empty where it has no members.
    pub(crate) fn finish(&mut self) -> &[u8] {
        if !self.json.is_empty() {
            self.json.push(b'}');
        }
        &self.json
    }
}

impl Sink for Object {
    fn scalar(&mut self, key: &Key, value: Scalar<'_>, max_bytes: usize) -> u32 {
        if let (true, Scalar::Text { text, .. }) = (key.is_service, value) {
            self.service.clear();
            self.service.extend_from_slice(text);
        }
        write_scalar(self.member(key), value, max_bytes)
    }

    fn member(&mut self, key: &Key) -> &mut Vec<u8> {
        self.json.push(if self.json.is_empty() { b'{' } else { b',' });
        self.json.extend_from_slice(&key.json);
        &mut self.json
    }
}

/// Attributes of the span that is being read.
pub(crate) struct SpanSink<'a> {
    pub spans: &'a mut SpanBatch,
    pub row: usize,
    pub tail: &'a mut bool,
    pub aliases: &'a mut Vec<(u16, u8)>,
}

impl Sink for SpanSink<'_> {
    #[inline]
    fn scalar(&mut self, key: &Key, value: Scalar<'_>, max_bytes: usize) -> u32 {
        let Some(slot) = key.slot else {
            return write_scalar(self.member(key), value, max_bytes);
        };
        let column = self.spans.conventions.get_mut(usize::from(slot.column));
        match column.and_then(|column| push_value(column, self.row, value, max_bytes)) {
            Some(marks) => {
                if slot.alias != 0 {
                    self.aliases.push((slot.column, slot.alias));
                }
                marks
            }
            None => write_scalar(self.member(key), value, max_bytes),
        }
    }

    #[inline]
    fn member(&mut self, key: &Key) -> &mut Vec<u8> {
        let column = &mut self.spans.attributes;
        if *self.tail {
            column.bytes.push(b',');
        } else {
            *self.tail = true;
            column.pad(self.row);
            column.bytes.push(b'{');
        }
        column.bytes.extend_from_slice(&key.json);
        &mut column.bytes
    }
}

/// Members of a list that is written in place.
pub(crate) struct ListSink<'a> {
    pub out: &'a mut Vec<u8>,
}

impl Sink for ListSink<'_> {
    fn scalar(&mut self, key: &Key, value: Scalar<'_>, max_bytes: usize) -> u32 {
        write_scalar(self.member(key), value, max_bytes)
    }

    fn member(&mut self, key: &Key) -> &mut Vec<u8> {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        self.out.extend_from_slice(&key.json);
        self.out
    }
}

/// A value without a key.
pub(crate) struct ValueSink<'a> {
    pub out: &'a mut Vec<u8>,
}

impl Sink for ValueSink<'_> {
    fn scalar(&mut self, _key: &Key, value: Scalar<'_>, max_bytes: usize) -> u32 {
        write_scalar(self.out, value, max_bytes)
    }

    fn member(&mut self, _key: &Key) -> &mut Vec<u8> {
        self.out
    }
}

/// The body of a log record: a text as it is, anything else as typed JSON, an empty value not at all.
pub(crate) struct BodySink<'a> {
    pub out: &'a mut Vec<u8>,
    pub form: BodyForm,
}

impl Sink for BodySink<'_> {
    fn scalar(&mut self, key: &Key, value: Scalar<'_>, max_bytes: usize) -> u32 {
        match value {
            Scalar::Empty => self.form = BodyForm::Absent,
            Scalar::Text { text, .. } => {
                self.form = BodyForm::Text;
                self.out.extend_from_slice(text);
            }
            _ => return write_scalar(self.member(key), value, max_bytes),
        }
        0
    }

    fn member(&mut self, _key: &Key) -> &mut Vec<u8> {
        self.form = BodyForm::Json;
        self.out
    }
}

/// Puts a value into `row` of the column, unless the row has one already or the type is another; returns its marks.
#[inline]
fn push_value(column: &mut ConventionColumn, row: usize, value: Scalar<'_>, max_bytes: usize) -> Option<u32> {
    match (column, value) {
        (ConventionColumn::Text(column), Scalar::Text { text, .. }) if column.len() <= row => {
            column.pad(row);
            if text.len() <= max_bytes {
                column.push_bytes(text);
                return Some(0);
            }
            column.bytes.extend_from_slice(cut(text, max_bytes));
            column.push_bytes("…".as_bytes());
            return Some(Mark::ValueCut.bit());
        }
        (ConventionColumn::Int(column), Scalar::Int(value)) if column.len() <= row => {
            column.pad(row);
            column.push(value);
        }
        (ConventionColumn::Double(column), Scalar::Double(value)) if column.len() <= row => {
            column.pad(row);
            column.push(value);
        }
        (ConventionColumn::Bool(column), Scalar::Bool(value)) if column.len() <= row => {
            column.pad(row);
            column.push(value);
        }
        _ => return None,
    }
    Some(0)
}

/// Appends a value as typed JSON and returns the marks that it brings.
#[inline]
pub(crate) fn write_scalar(out: &mut Vec<u8>, value: Scalar<'_>, max_bytes: usize) -> u32 {
    match value {
        Scalar::Empty => out.extend_from_slice(b"null"),
        Scalar::Text { text, .. } if text.len() > max_bytes => {
            write_string(out, cut(text, max_bytes));
            out.pop();
            out.extend_from_slice("…\"".as_bytes());
            return Mark::ValueCut.bit();
        }
        Scalar::Text { text, is_clean: true } => {
            out.push(b'"');
            out.extend_from_slice(text);
            out.push(b'"');
        }
        Scalar::Text { text, .. } => write_string(out, text),
        Scalar::Bool(value) => write_bool(out, value),
        Scalar::Int(value) => write_int(out, value),
        Scalar::Double(value) => write_double(out, value),
        Scalar::Bytes(bytes) => {
            let kept = bytes.get(..max_bytes - max_bytes % 3).unwrap_or(bytes);
            write_bytes(out, kept, kept.len() < bytes.len());
            return if kept.len() < bytes.len() { Mark::ValueCut.bit() } else { 0 };
        }
    }
    0
}

/// Returns the beginning of `text` (valid UTF-8) that fits `max_bytes` with the ellipsis after it.
pub(crate) fn cut(text: &[u8], max_bytes: usize) -> &[u8] {
    let mut end = max_bytes.saturating_sub("…".len()).min(text.len());
    while end > 0 && text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
