//! Zipkin's JSON, version 2.
//!
//! ```text
//! span     = { "traceId": hex, "parentId": hex, "id": hex, "kind": …, "name": …, "timestamp": µs, "duration": µs,
//!              "localEndpoint": endpoint, "remoteEndpoint": endpoint, "annotations": [ {"timestamp": µs, "value": …} ],
//!              "tags": { key: text }, "shared": bool, "debug": bool }                             any of them may be missing
//! endpoint = { "serviceName": …, "ipv4": …, "ipv6": …, "port": … }
//! ```
//!
//! Documents of Elasticsearch, whose `_source` is a span, are read too. <https://zipkin.io/zipkin-api/#/default/post_spans>

use crate::json::{Text, amount, array, flag, id, object, plain_key, text};
use crate::otlp::json::cursor::{Cursor, Fault, Why};
use crate::zipkin::span::{Endpoint, ZipkinSpan};

/// Reads the span that `bytes` are.
pub(crate) fn read<'a>(bytes: &'a [u8], span: &mut ZipkinSpan<'a>) -> Result<(), Fault> {
    let mut cursor = Cursor { bytes, at: 0 };
    let is_span = fields(&mut cursor, span, true)?;
    if is_span { Ok(()) } else { Err(Fault { at: 0, why: Why::BadId }) }
}

/// Reads the members of a span; tells whether there was an id among them.
fn fields<'a>(cursor: &mut Cursor<'a>, span: &mut ZipkinSpan<'a>, may_wrap: bool) -> Result<bool, Fault> {
    let mut is_span = false;
    object(cursor, |cursor, key| {
        match key {
            b"traceId" => span.trace_id = id(cursor)?,
            b"id" => {
                span.id = id(cursor)?;
                is_span = true;
            }
            b"parentId" => span.parent_id = id(cursor)?,
            b"kind" => span.kind = text(cursor, &mut span.marks)?,
            b"name" => span.name = text(cursor, &mut span.marks)?,
            b"timestamp" => span.timestamp = amount(cursor)?,
            b"duration" => span.duration = if cursor.take_null() { None } else { Some(amount(cursor)?) },
            b"localEndpoint" => endpoint(cursor, &mut span.local, &mut span.marks)?,
            b"remoteEndpoint" => endpoint(cursor, &mut span.remote, &mut span.marks)?,
            b"annotations" => annotations(cursor, span)?,
            b"tags" => tags(cursor, span)?,
            b"shared" => span.is_shared = flag(cursor)?,
            b"debug" => span.is_debug = flag(cursor)?,
            b"_source" if may_wrap => is_span |= fields(cursor, span, false)?,
            _ => cursor.skip_value()?,
        }
        Ok(())
    })?;
    Ok(is_span)
}

fn endpoint<'a>(cursor: &mut Cursor<'a>, endpoint: &mut Endpoint<'a>, marks: &mut u32) -> Result<(), Fault> {
    object(cursor, |cursor, key| {
        match key {
            b"serviceName" => endpoint.service = text(cursor, marks)?,
            b"ipv4" => endpoint.ipv4 = text(cursor, marks)?,
            b"ipv6" => endpoint.ipv6 = text(cursor, marks)?,
            b"port" => endpoint.port = amount(cursor)?,
            _ => cursor.skip_value()?,
        }
        Ok(())
    })
}

fn annotations<'a>(cursor: &mut Cursor<'a>, span: &mut ZipkinSpan<'a>) -> Result<(), Fault> {
    array(cursor, |cursor| {
        let (mut time, mut value) = (0, Text::default());
        object(cursor, |cursor, key| {
            match key {
                b"timestamp" => time = amount(cursor)?,
                b"value" => value = text(cursor, &mut span.marks)?,
                _ => cursor.skip_value()?,
            }
            Ok(())
        })?;
        span.annotations.push((time, value));
        Ok(())
    })
}

fn tags<'a>(cursor: &mut Cursor<'a>, span: &mut ZipkinSpan<'a>) -> Result<(), Fault> {
    object(cursor, |cursor, key| {
        let key = plain_key(key, &mut span.marks);
        let value = text(cursor, &mut span.marks)?;
        span.tags.push((key, value));
        Ok(())
    })
}
