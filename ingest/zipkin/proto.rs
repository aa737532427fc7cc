//! Zipkin's protobuf: one `ListOfSpans`, as clients post it.
//!
//! ```text
//! list     = { 0a length span }
//! span     = trace_id 1, parent_id 2, id 3 (bytes), kind 4, name 5, timestamp 6 (fixed64, µs), duration 7, local_endpoint 8,
//!            remote_endpoint 9, annotations 10, tags 11 (map), debug 12, shared 13
//! endpoint = service_name 1, ipv4 2, ipv6 3 (bytes), port 4
//! ```
//!
//! <https://github.com/openzipkin/zipkin-api/blob/master/zipkin.proto>

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::batch::Batch;
use crate::format::{Decoder, End, Format, Opening, Window};
use crate::id::Written;
use crate::json::{Text, verbatim};
use crate::otlp::Settings;
use crate::otlp::proto::wire::{Fault, Field, Value, Why, Wire};
use crate::rejects::{EXCERPT_BYTES, Reject};
use crate::span_writer::SpanWriter;
use crate::text::digits;
use crate::zipkin::share::Shares;
use crate::zipkin::span::{Endpoint, ZipkinSpan};

/// The format `zipkin-proto`.
#[derive(Debug)]
pub struct ZipkinProto;

/// Decodes what a client posted to `/api/v2/spans` as protobuf.
#[must_use]
pub fn decode_proto(bytes: &[u8], settings: &Settings) -> Vec<Batch> {
    let mut decoder = ProtoDecoder { writer: SpanWriter::new(settings), shares: Shares::default() };
    decoder.decode(&Window { bytes, offset: 0, line: 0, line_offset: 0, end: End::Last });
    decoder.take(true)
}

impl Format for ZipkinProto {
    fn name(&self) -> &'static str {
        "zipkin-proto"
    }

    fn description(&self) -> &'static str {
        "Zipkin spans as protobuf, as clients post them"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../../sample-traces/formats/zipkin.pb")
    }

    fn recognises(&self, head: &[u8], is_whole: bool) -> bool {
        let mut wire = Wire::new(head);
        let mut num_spans = 0;
        loop {
            match wire.next() {
                Ok(Some(Field { number: 1, value: Value::Bytes(bytes), .. })) if is_span(bytes) => num_spans += 1,
                Ok(None) => return num_spans > 0,
                // A span that is cut off by the end of the head.
                Err(_) => return num_spans > 0 && !is_whole,
                Ok(Some(_)) => return false,
            }
        }
    }

    fn cut(&self, _bytes: &[u8], _target: usize) -> Option<usize> {
        None
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        let mut wire = Wire::new(bytes);
        let mut whole = 0;
        while let Ok(Some(_)) = wire.next() {
            whole = wire.at;
        }
        whole
    }

    fn decoder(&self, settings: &Settings, _opening: &Opening) -> Box<dyn Decoder> {
        Box::new(ProtoDecoder { writer: SpanWriter::new(settings), shares: Shares::default() })
    }
}

/// Tells whether all fields are those of a span, with ids of the right lengths.
fn is_span(bytes: &[u8]) -> bool {
    let (mut wire, mut has_trace, mut has_id) = (Wire::new(bytes), false, false);
    loop {
        let field = match wire.next() {
            Ok(Some(field)) => field,
            Ok(None) => return has_trace && has_id,
            Err(_) => return false,
        };
        let is_known = match (field.number, field.value) {
            (1, Value::Bytes(id)) => {
                has_trace = matches!(id.len(), 8 | 16);
                has_trace
            }
            (3, Value::Bytes(id)) => {
                has_id = id.len() == 8;
                has_id
            }
            (2, Value::Bytes(id)) => id.len() == 8,
            (5 | 8..=11, Value::Bytes(_)) | (4 | 7 | 12 | 13, Value::Varint(_)) | (6, Value::Fixed64(_)) => true,
            _ => false,
        };
        if !is_known {
            return false;
        }
    }
}

/// The decoder of `zipkin-proto`: all spans of a window at once.
#[derive(Debug)]
struct ProtoDecoder {
    writer: SpanWriter,
    shares: Shares,
}

impl ProtoDecoder {
    /// Reads the spans of a window up to where it cannot be read on, and returns where that is.
    fn read(&mut self, window: &Window<'_>) -> (usize, Option<Why>) {
        self.shares.clear();
        let (mut spans, mut wire) = (Vec::new(), Wire::new(window.bytes));
        let stop = loop {
            let from = wire.at;
            match wire.next() {
                Ok(Some(Field { number: 1, value: Value::Bytes(bytes), .. })) => {
                    spans.push((from, bytes.len(), span(bytes)));
                }
                Ok(Some(_)) => {}
                Ok(None) => break (from, None),
                Err(fault) => break (from, Some(fault.why)),
            }
        };
        spans.iter().filter_map(|(_, _, span)| span.as_ref().ok()).for_each(|span| self.shares.note(span));
        for (at, len, span) in &spans {
            match span {
                Ok(span) => span.write(self.shares.place(span), &mut self.writer, *len),
                Err(fault) => self.reject(window, *at, &format!("{} in a span", fault.why.text())),
            }
        }
        stop
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, reason: &str) {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let excerpt = digits(rest.get(..EXCERPT_BYTES / 4).unwrap_or(rest), " ");
        let (offset, reason) = (window.offset.saturating_add(at as u64), format!("{reason}; left out"));
        self.writer.builder.reject(Reject { offset, line: 0, column: 0, reason, excerpt });
    }
}

impl Decoder for ProtoDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        if window.end == End::More {
            return 0;
        }
        match (self.read(window), window.end) {
            ((_, None), _) => window.bytes.len(),
            ((at, Some(Why::LongLength | Why::Cut)), End::Full) if at > 0 => at,
            ((at, Some(why)), _) => {
                self.reject(window, at, &format!("{} in the list of spans; the rest of it", why.text()));
                window.bytes.len()
            }
        }
    }

    fn is_between_units(&self) -> bool {
        true
    }

    fn set_batch_records(&mut self, max_records: usize) {
        self.writer.builder.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.writer.builder.take(flush)
    }
}

fn span(bytes: &[u8]) -> Result<ZipkinSpan<'_>, Fault> {
    const KINDS: [&[u8]; 5] = [b"", b"CLIENT", b"SERVER", b"PRODUCER", b"CONSUMER"];
    let (mut span, mut wire) = (ZipkinSpan::default(), Wire::new(bytes));
    while let Some(field) = wire.next()? {
        let value = field.value;
        match field.number {
            1 => span.trace_id = Written::Bytes(value.bytes(&field)?),
            2 => span.parent_id = Written::Bytes(value.bytes(&field)?),
            3 => span.id = Written::Bytes(value.bytes(&field)?),
            4 => {
                let number = value.varint(&field)?;
                let kind = usize::try_from(number).ok().and_then(|number| KINDS.get(number));
                let unknown = || Text::Owned(number.to_string().into_bytes());
                span.kind = kind.map_or_else(unknown, |kind| Text::Borrowed(kind));
            }
            5 => span.name = verbatim(value.bytes(&field)?, &mut span.marks),
            6 => span.timestamp = value.fixed64(&field)?,
            7 => span.duration = Some(value.varint(&field)?),
            8 => span.local = endpoint(value.bytes(&field)?, &mut span.marks)?,
            9 => span.remote = endpoint(value.bytes(&field)?, &mut span.marks)?,
            10 => {
                let annotation = annotation(value.bytes(&field)?, &mut span.marks)?;
                span.annotations.push(annotation);
            }
            11 => {
                let tag = tag(value.bytes(&field)?, &mut span.marks)?;
                span.tags.push(tag);
            }
            12 => span.is_debug = value.varint(&field)? != 0,
            13 => span.is_shared = value.varint(&field)? != 0,
            _ => {}
        }
    }
    Ok(span)
}

fn endpoint<'a>(bytes: &'a [u8], marks: &mut u32) -> Result<Endpoint<'a>, Fault> {
    let (mut endpoint, mut wire) = (Endpoint::default(), Wire::new(bytes));
    let owned = |text: String| Text::Owned(text.into_bytes());
    while let Some(field) = wire.next()? {
        let value = field.value;
        match field.number {
            1 => endpoint.service = verbatim(value.bytes(&field)?, marks),
            2 => {
                if let Ok(ip) = <[u8; 4]>::try_from(value.bytes(&field)?) {
                    endpoint.ipv4 = owned(Ipv4Addr::from(ip).to_string());
                }
            }
            3 => {
                if let Ok(ip) = <[u8; 16]>::try_from(value.bytes(&field)?) {
                    endpoint.ipv6 = owned(Ipv6Addr::from(ip).to_string());
                }
            }
            4 => endpoint.port = value.varint(&field)?,
            _ => {}
        }
    }
    Ok(endpoint)
}

fn annotation<'a>(bytes: &'a [u8], marks: &mut u32) -> Result<(u64, Text<'a>), Fault> {
    let (mut time, mut text, mut wire) = (0, Text::default(), Wire::new(bytes));
    while let Some(field) = wire.next()? {
        match field.number {
            1 => time = field.value.fixed64(&field)?,
            2 => text = verbatim(field.value.bytes(&field)?, marks),
            _ => {}
        }
    }
    Ok((time, text))
}

fn tag<'a>(bytes: &'a [u8], marks: &mut u32) -> Result<(Text<'a>, Text<'a>), Fault> {
    let (mut tag, mut wire) = ((Text::default(), Text::default()), Wire::new(bytes));
    while let Some(field) = wire.next()? {
        match field.number {
            1 => tag.0 = verbatim(field.value.bytes(&field)?, marks),
            2 => tag.1 = verbatim(field.value.bytes(&field)?, marks),
            _ => {}
        }
    }
    Ok(tag)
}
