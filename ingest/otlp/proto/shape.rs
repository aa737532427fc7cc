//! Recognises requests by their shape, and their records by their fields.

use crate::otlp::json::Signal;
use crate::otlp::proto::OtlpProto;
use crate::otlp::proto::wire::{Field, Value, Wire};

/// How deep a message is below its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    Request,
    Resource,
    Scope,
}

/// Tells whether `bytes` are a request, or its beginning where `len` (if known) or what comes later is more.
pub(super) fn is_request(bytes: &[u8], len: Option<u64>, is_whole: bool) -> bool {
    let len = len.unwrap_or(if is_whole { bytes.len() as u64 } else { u64::MAX });
    is_message(bytes, len, Depth::Request)
}

/// Tells whether `head` begins with requests after their lengths.
pub(super) fn is_framed(head: &[u8], format: OtlpProto, is_whole: bool) -> bool {
    const MAX_EMPTY: usize = 64;
    let mut rest = head;
    for _ in 0..MAX_EMPTY {
        let Ok(Some(unit)) = format.unit(rest) else { return false };
        let content = rest.get(unit.header..).unwrap_or_default();
        if unit.len > 0 {
            let is_there = !content.is_empty() && (!is_whole || unit.len <= content.len() as u64 || head.len() > 64);
            let part = usize::try_from(unit.len).ok().and_then(|len| content.get(..len)).unwrap_or(content);
            return is_there && is_request(part, Some(unit.len), is_whole);
        }
        rest = content;
    }
    false
}

/// Tells whether the fields of a message of `len` bytes, of which `bytes` are there, are those of its depth.
fn is_message(bytes: &[u8], len: u64, depth: Depth) -> bool {
    let mut wire = Wire::new(bytes);
    while wire.at < bytes.len() {
        let Ok(Some(tag)) = wire.header_varint() else { return wire.at > 0 };
        let is_known = tag == 0x0a || (depth != Depth::Request && matches!(tag, 0x12 | 0x1a));
        if !is_known {
            return false;
        }
        let Ok(Some(child_len)) = wire.header_varint() else { return (bytes.len() as u64) < len };
        if child_len > len.saturating_sub(wire.at as u64) {
            return false;
        }
        let rest = bytes.get(wire.at..).unwrap_or_default();
        let child = usize::try_from(child_len).ok().and_then(|len| rest.get(..len));
        if !is_child(child.unwrap_or(rest), child_len, depth, tag) {
            return false;
        }
        let Some(child) = child else { return true };
        wire.at += child.len();
    }
    true
}

fn is_child(bytes: &[u8], len: u64, depth: Depth, tag: u64) -> bool {
    match (depth, tag) {
        (Depth::Request, _) => is_message(bytes, len, Depth::Resource),
        (Depth::Resource, 0x12) => is_message(bytes, len, Depth::Scope),
        (Depth::Scope, 0x12) => (bytes.len() as u64) < len || fits(bytes).contains(&true),
        _ => true,
    }
}

/// Returns which kind of record has such fields; nothing where none or more than one has.
pub(super) fn signal_of(record: &[u8]) -> Option<Signal> {
    match fits(record) {
        [true, false, _] => Some(Signal::Spans),
        [false, true, false] => Some(Signal::Logs),
        [false, false, true] => Some(Signal::Metrics),
        _ => None,
    }
}

/// Which kinds of records have all the fields of `record`: span, log record, metric.
fn fits(record: &[u8]) -> [bool; 3] {
    let (mut wire, mut fits) = (Wire::new(record), [true; 3]);
    while let Ok(Some(field)) = wire.next() {
        let (is_span, is_log, is_metric) = kinds(&field);
        fits = [fits[0] && is_span, fits[1] && is_log, fits[2] && is_metric];
    }
    fits
}

/// Which kinds of records can have the field: span, log record, metric. A number that is not known may be a new field.
fn kinds(field: &Field<'_>) -> (bool, bool, bool) {
    match (field.number, field.value) {
        (1, Value::Bytes(bytes)) => (bytes.len() == 16 || bytes.is_empty(), false, true),
        (2, Value::Bytes(bytes)) => (bytes.len() == 8 || bytes.is_empty(), false, true),
        (3 | 5 | 9, Value::Bytes(_)) | (17.., _) => (true, true, true),
        (4 | 13 | 15, Value::Bytes(_))
        | (6 | 10 | 12 | 14, Value::Varint(_))
        | (7 | 8, Value::Fixed64(_))
        | (16, Value::Fixed32(_)) => (true, false, false),
        (6, Value::Bytes(_)) | (2 | 7, Value::Varint(_)) | (1 | 11, Value::Fixed64(_)) | (8, Value::Fixed32(_)) => {
            (false, true, false)
        }
        (11, Value::Bytes(_)) => (true, false, true),
        (7, Value::Bytes(_)) => (false, false, true),
        (10 | 12, Value::Bytes(_)) => (false, true, true),
        _ => (false, false, false),
    }
}
