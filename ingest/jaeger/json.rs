//! Jaeger's JSON of a span, in its dialects.
//!
//! | dialect | told by |
//! | --- | --- |
//! | query API, UI download | `traceID`, times as µs, tags `{"key","type","value"}`, `processID` |
//! | Elasticsearch | the same with `process` inside, values as texts, and `tag` maps with `@` for `.` |
//! | protobuf's JSON (Kafka) | `traceId` as base64, times as RFC 3339, durations as `0.5s`, tags `{"key","vType","vStr"}` |
//! | Thrift's JSON | `traceIdLow`, `traceIdHigh`, `parentSpanId` as numbers |

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;

use crate::id::Written;
use crate::jaeger::span::{JaegerSpan, Log, Process, Reference, Tag, Value};
use crate::json::{Json, Text, amount, array, id, number, object, plain, plain_key, text, value, verbatim};
use crate::otlp::json::cursor::{Cursor, Fault, Why};

/// What a span says of its process.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// The name of a process of the trace.
    pub id: &'a [u8],
    /// The process itself, as JSON.
    pub process: Option<&'a [u8]>,
}

/// Reads a span.
pub(crate) fn span<'a>(cursor: &mut Cursor<'a>) -> Result<(JaegerSpan<'a>, Origin<'a>), Fault> {
    let (mut span, mut origin, mut halves, mut millis) = (JaegerSpan::default(), Origin::default(), (None, None), 0);
    object(cursor, |cursor, key| {
        match key {
            b"traceID" | b"traceId" | b"trace_id" => span.trace_id = id(cursor)?,
            b"traceIdLow" => halves.1 = Some(id(cursor)?.normal(8).lo),
            b"traceIdHigh" => halves.0 = Some(id(cursor)?.normal(8).lo),
            b"spanID" | b"spanId" | b"span_id" => span.span_id = id(cursor)?,
            b"parentSpanID" | b"parentSpanId" => span.parent_span_id = id(cursor)?,
            b"operationName" | b"operation_name" => span.name = text(cursor, &mut span.marks)?,
            b"references" => references(cursor, &mut span)?,
            b"flags" => span.flags = amount(cursor)?,
            b"startTime" | b"start_time" => span.start = time(cursor)?,
            b"startTimeMillis" => millis = amount(cursor)?.saturating_mul(1_000_000),
            b"duration" => span.duration = duration(cursor)?,
            b"tags" => tags(cursor, &mut span.tags, &mut span.marks)?,
            b"tag" => tag_map(cursor, &mut span.tags, &mut span.marks)?,
            b"logs" => logs(cursor, &mut span)?,
            b"warnings" => warnings(cursor, &mut span)?,
            b"processID" | b"processId" | b"process_id" => origin.id = raw_text(cursor)?,
            b"process" => {
                let Json::Nested(raw) = value(cursor)? else { return Ok(()) };
                origin.process = Some(raw);
            }
            _ => other(cursor, key)?,
        }
        Ok(())
    })?;
    if let (Written::Absent, Some(low)) = (span.trace_id, halves.1) {
        span.trace_id = Written::Halves(halves.0.unwrap_or_default(), low);
        let number = |id| if let Written::Number(number) = id { Written::Halves(0, number) } else { id };
        (span.span_id, span.parent_span_id) = (number(span.span_id), number(span.parent_span_id));
    }
    span.start = if span.start == 0 { millis } else { span.start };
    if span.span_id == Written::Absent && span.trace_id == Written::Absent {
        return Err(Fault { at: cursor.at, why: Why::BadId });
    }
    Ok((span, origin))
}

/// Reads the process that `bytes` are.
pub(crate) fn process(bytes: &[u8]) -> Result<Process<'_>, Fault> {
    let (mut process, mut marks) = (Process::default(), 0);
    object(&mut Cursor { bytes, at: 0 }, |cursor, key| {
        match key {
            b"serviceName" | b"service_name" => process.service = text(cursor, &mut marks)?,
            b"tags" => tags(cursor, &mut process.tags, &mut marks)?,
            b"tag" => tag_map(cursor, &mut process.tags, &mut marks)?,
            _ => other(cursor, key)?,
        }
        Ok(())
    })?;
    Ok(process)
}

/// Skips a member that is not known, unless it says that another trace begins: what was open was cut off then.
fn other(cursor: &mut Cursor<'_>, key: &[u8]) -> Result<(), Fault> {
    if matches!(key, b"spans" | b"traceID" | b"operationName" | b"processes") {
        return cursor.fault(Why::RequestInside);
    }
    cursor.skip_value()
}

fn raw_text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Fault> {
    Ok(match value(cursor)? {
        Json::Text(raw) => raw.bytes,
        Json::Number(raw) => raw,
        _ => b"",
    })
}

fn references<'a>(cursor: &mut Cursor<'a>, span: &mut JaegerSpan<'a>) -> Result<(), Fault> {
    array(cursor, |cursor| {
        let (mut reference, mut halves) = (Reference::default(), (0, None));
        object(cursor, |cursor, key| {
            match key {
                b"refType" | b"ref_type" => {
                    reference.follows = matches!(raw_text(cursor)?, b"FOLLOWS_FROM" | b"1" | b"follows_from");
                }
                b"traceID" | b"traceId" | b"trace_id" => reference.trace_id = id(cursor)?,
                b"traceIdLow" => halves.1 = Some(id(cursor)?.normal(8).lo),
                b"traceIdHigh" => halves.0 = id(cursor)?.normal(8).lo,
                b"spanID" | b"spanId" | b"span_id" => reference.span_id = id(cursor)?,
                _ => other(cursor, key)?,
            }
            Ok(())
        })?;
        if let Some(low) = halves.1 {
            reference.trace_id = Written::Halves(halves.0, low);
        }
        span.references.push(reference);
        Ok(())
    })
}

fn logs<'a>(cursor: &mut Cursor<'a>, span: &mut JaegerSpan<'a>) -> Result<(), Fault> {
    array(cursor, |cursor| {
        let mut log = Log::default();
        object(cursor, |cursor, key| {
            match key {
                b"timestamp" => log.time = time(cursor)?,
                b"fields" => tags(cursor, &mut log.fields, &mut span.marks)?,
                _ => other(cursor, key)?,
            }
            Ok(())
        })?;
        span.logs.push(log);
        Ok(())
    })
}

fn warnings<'a>(cursor: &mut Cursor<'a>, span: &mut JaegerSpan<'a>) -> Result<(), Fault> {
    array(cursor, |cursor| {
        if matches!(cursor.peek(), Some(b'{' | b'[')) {
            return cursor.fault(Why::NoText);
        }
        span.warnings.push(text(cursor, &mut span.marks)?);
        Ok(())
    })
}

/// Reads a list of tags.
fn tags<'a>(cursor: &mut Cursor<'a>, tags: &mut Vec<Tag<'a>>, marks: &mut u32) -> Result<(), Fault> {
    array(cursor, |cursor| {
        let (mut key, mut kind, mut json, mut is_proto) = (Text::default(), &b""[..], Json::Null, false);
        object(cursor, |cursor, name| {
            match name {
                b"key" => key = text(cursor, marks)?,
                b"type" => kind = raw_text(cursor)?,
                b"vType" | b"v_type" => (kind, is_proto) = (raw_text(cursor)?, true),
                b"value" | b"vBool" | b"vLong" | b"vInt64" | b"vDouble" | b"vFloat64" | b"v_bool" | b"v_int64"
                | b"v_float64" => json = value(cursor)?,
                b"vStr" | b"v_str" => (kind, json) = (b"string", value(cursor)?),
                b"vBinary" | b"v_binary" => (kind, json) = (b"binary", value(cursor)?),
                _ => other(cursor, name)?,
            }
            Ok(())
        })?;
        let value = if is_proto && json == Json::Null { zero(kind) } else { typed(&json, kind, marks) };
        tags.push(Tag { key, value });
        Ok(())
    })
}

/// Reads tags that are members of an object, with `@` where their keys have dots.
fn tag_map<'a>(cursor: &mut Cursor<'a>, tags: &mut Vec<Tag<'a>>, marks: &mut u32) -> Result<(), Fault> {
    object(cursor, |cursor, key| {
        let mut key = plain_key(key, marks);
        if key.contains(&b'@') {
            key.to_mut().iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = b'.');
        }
        let value = typed(&value(cursor)?, b"", marks);
        tags.push(Tag { key, value });
        Ok(())
    })
}

/// Returns a value as the type that is told; where it is none of that type, as what it is.
fn typed<'a>(json: &Json<'a>, kind: &[u8], marks: &mut u32) -> Value<'a> {
    let written = match json {
        Json::Number(raw) => *raw,
        Json::Text(raw) => raw.bytes,
        Json::Bool(true) => b"true",
        Json::Bool(false) => b"false",
        Json::Null | Json::Nested(_) => b"",
    };
    let written = std::str::from_utf8(written).unwrap_or_default().trim();
    let told = match kind.to_ascii_lowercase().as_slice() {
        b"bool" => written.to_ascii_lowercase().parse().ok().map(Value::Bool),
        b"int64" | b"long" | b"int" => written.parse().ok().map(Value::Int),
        b"float64" | b"double" | b"float" => written.parse().ok().map(Value::Double),
        b"binary" | b"bytes" => STANDARD.decode(written).ok().map(Value::Bytes),
        _ => None,
    };
    told.unwrap_or_else(|| natural(json, kind, marks))
}

fn natural<'a>(json: &Json<'a>, kind: &[u8], marks: &mut u32) -> Value<'a> {
    match json {
        Json::Null => Value::Empty,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(raw) if kind.eq_ignore_ascii_case(b"string") => Value::Text(Text::Borrowed(raw)),
        Json::Number(raw) => {
            let text = std::str::from_utf8(raw).unwrap_or_default();
            text.parse()
                .map(Value::Int)
                .or_else(|_| text.parse().map(Value::Double))
                .unwrap_or(Value::Text(Text::Borrowed(raw)))
        }
        Json::Text(raw) => Value::Text(plain(*raw, marks)),
        Json::Nested(raw) => Value::Text(verbatim(raw, marks)),
    }
}

/// The value that protobuf's JSON leaves out.
fn zero(kind: &[u8]) -> Value<'static> {
    match kind.to_ascii_lowercase().as_slice() {
        b"bool" => Value::Bool(false),
        b"int64" | b"long" => Value::Int(0),
        b"float64" | b"double" => Value::Double(0.0),
        b"binary" => Value::Bytes(Vec::new()),
        _ => Value::Text(Text::Borrowed(b"")),
    }
}

/// Reads a time as nanoseconds: written as microseconds, or as RFC 3339.
fn time(cursor: &mut Cursor<'_>) -> Result<u64, Fault> {
    let at = cursor.at;
    let bytes = match value(cursor)? {
        Json::Null => return Ok(0),
        Json::Number(bytes) => bytes,
        Json::Text(raw) => raw.bytes,
        _ => return Err(Fault { at, why: Why::BadNumber }),
    };
    if let Some(micros) = number(bytes) {
        return Ok(micros.saturating_mul(1_000));
    }
    let date = std::str::from_utf8(bytes).ok().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let nanos = date.and_then(|date| date.timestamp_nanos_opt()).and_then(|nanos| u64::try_from(nanos).ok());
    nanos.ok_or(Fault { at, why: Why::BadNumber })
}

/// Reads a duration as nanoseconds: written as microseconds, or as a text with a unit.
fn duration(cursor: &mut Cursor<'_>) -> Result<Option<u64>, Fault> {
    const UNITS: [(&str, f64); 7] =
        [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3_600e9)];
    let at = cursor.at;
    let bytes = match value(cursor)? {
        Json::Null => return Ok(None),
        Json::Number(bytes) => bytes,
        Json::Text(raw) => raw.bytes,
        _ => return Err(Fault { at, why: Why::BadNumber }),
    };
    if let Some(micros) = number(bytes) {
        return Ok(Some(micros.saturating_mul(1_000)));
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let of_unit = |&(unit, factor): &(&str, f64)| {
        let amount = text.strip_suffix(unit)?.parse::<f64>().ok().filter(|amount| amount.is_finite())?;
        // Saturates at both ends.
        Some((amount * factor).round() as u64)
    };
    UNITS.iter().find_map(of_unit).map(Some).ok_or(Fault { at, why: Why::BadNumber })
}
