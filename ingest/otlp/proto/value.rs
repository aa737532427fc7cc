//! Attribute lists and values.
//!
//! ```text
//! KeyValue = { 1 key | 2 AnyValue }
//! AnyValue = { 1 text | 2 bool | 3 int | 4 double | 5 ArrayValue | 6 KeyValueList | 7 bytes }     one of them
//! ArrayValue, KeyValueList = { 1 element }
//! ```

use std::sync::Arc;

use crate::convention::Conventions;
use crate::marks::Mark;
use crate::otlp::attribute::{ListSink, Scalar, Sink, ValueSink};
use crate::otlp::key::KeyTable;
use crate::otlp::proto::wire::{Fault, Field, Wire};
use crate::read::Limits;

/// As in JSON: values are read recursively.
const MAX_DEPTH: usize = 100;

/// What reading values needs and remembers.
#[derive(Debug)]
pub(crate) struct Values {
    pub limits: Limits,
    /// Marks of the values read since this was cleared.
    pub marks: u32,
    conventions: Arc<Conventions>,
    keys: KeyTable,
    scratch: Vec<u8>,
    key_scratch: Vec<u8>,
}

impl Values {
    pub(crate) fn new(conventions: Arc<Conventions>, limits: Limits) -> Self {
        Self {
            limits: Limits { depth: limits.depth.min(MAX_DEPTH), ..limits },
            marks: 0,
            conventions,
            keys: KeyTable::new(),
            scratch: Vec::new(),
            key_scratch: Vec::new(),
        }
    }

    /// Reads a `KeyValue` into `sink`.
    #[inline]
    pub(crate) fn attribute(&mut self, bytes: &[u8], sink: &mut impl Sink, depth: usize) -> Result<(), Fault> {
        let (mut key, mut value): (&[u8], Option<Field<'_>>) = (b"", None);
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            match field.number {
                1 => key = field.value.bytes(&field)?,
                2 => value = one_of(field.value.bytes(&field)?)?,
                _ => {}
            }
        }
        let number = self.keys.number(utf8(key, &mut self.key_scratch, &mut self.marks), &self.conventions);
        self.value(value, number, sink, depth)
    }

    /// Reads an `AnyValue` that stands for itself into `sink`.
    pub(crate) fn value_into(&mut self, bytes: &[u8], sink: &mut impl Sink, depth: usize) -> Result<(), Fault> {
        let value = one_of(bytes)?;
        let number = self.keys.number(b"", &self.conventions);
        self.value(value, number, sink, depth)
    }

    #[inline]
    fn value(&mut self, value: Option<Field<'_>>, key: usize, sink: &mut impl Sink, depth: usize) -> Result<(), Fault> {
        let key = self.keys.get(key);
        let scalar = match value {
            None => Scalar::Empty,
            Some(field) => match field.number {
                1 => {
                    let text = field.value.bytes(&field)?;
                    Scalar::Text { text: utf8(text, &mut self.scratch, &mut self.marks), is_clean: false }
                }
                2 => Scalar::Bool(field.value.varint(&field)? != 0),
                3 => Scalar::Int(field.value.varint(&field)? as i64),
                4 => Scalar::Double(field.value.double(&field)?),
                7 => Scalar::Bytes(field.value.bytes(&field)?),
                _ => {
                    let bytes = field.value.bytes(&field)?;
                    let out = sink.member(key);
                    return self.write_nested(bytes, field.number == 5, out, depth);
                }
            },
        };
        self.marks |= sink.scalar(key, scalar, self.limits.value_bytes);
        Ok(())
    }

    /// Appends an array or a list of keys and values as typed JSON.
    fn write_nested(&mut self, bytes: &[u8], is_array: bool, out: &mut Vec<u8>, depth: usize) -> Result<(), Fault> {
        if depth >= self.limits.depth {
            self.marks |= Mark::DepthCut.bit();
            out.extend_from_slice(b"null");
            return Ok(());
        }
        out.push(if is_array { b'[' } else { b'{' });
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            if field.number != 1 {
                continue;
            }
            let element = field.value.bytes(&field)?;
            if is_array {
                if out.last() != Some(&b'[') {
                    out.push(b',');
                }
                self.value_into(element, &mut ValueSink { out }, depth + 1)?;
            } else {
                self.attribute(element, &mut ListSink { out }, depth + 1)?;
            }
        }
        out.push(if is_array { b']' } else { b'}' });
        Ok(())
    }

    /// Returns a text as UTF-8.
    #[inline]
    pub(crate) fn text<'t>(&'t mut self, field: &Field<'t>) -> Result<&'t [u8], Fault> {
        Ok(utf8(field.value.bytes(field)?, &mut self.scratch, &mut self.marks))
    }
}

/// Returns the last known field of an `AnyValue`.
#[inline]
fn one_of(bytes: &[u8]) -> Result<Option<Field<'_>>, Fault> {
    let (mut wire, mut value) = (Wire::new(bytes), None);
    while let Some(field) = wire.next()? {
        if (1..=7).contains(&field.number) {
            value = Some(field);
        }
    }
    Ok(value)
}

#[inline]
fn utf8<'t>(text: &'t [u8], scratch: &'t mut Vec<u8>, marks: &mut u32) -> &'t [u8] {
    if text.is_ascii() || simdutf8::basic::from_utf8(text).is_ok() {
        return text;
    }
    *marks |= Mark::TextReplaced.bit();
    *scratch = String::from_utf8_lossy(text).into_owned().into_bytes();
    scratch
}
