//! Jaeger's Thrift: one `Batch` in the binary protocol, as clients post it to the collector.
//!
//! ```text
//! struct = { type, id (2 bytes), value } 00              integers are big-endian
//! list   = element type, length (4 bytes), elements      text = length (4 bytes), bytes
//! Batch  = 1 Process, 2 list<Span>                       Process = 1 serviceName, 2 list<Tag>
//! Span   = 1 traceIdLow, 2 traceIdHigh, 3 spanId, 4 parentSpanId, 5 operationName, 6 list<SpanRef>, 7 flags, 8 startTime (µs),
//!          9 duration, 10 list<Tag>, 11 list<Log>
//! SpanRef = 1 refType, 2 traceIdLow, 3 traceIdHigh, 4 spanId             Log = 1 timestamp, 2 list<Tag>
//! Tag    = 1 key, 2 vType, 3 vStr, 4 vDouble, 5 vBool, 6 vLong, 7 vBinary
//! ```
//!
//! <https://github.com/jaegertracing/jaeger-idl/blob/main/thrift/jaeger.thrift>

use crate::batch::Batch;
use crate::format::{Decoder, End, Format, Opening, Window};
use crate::id::Written;
use crate::jaeger::span::{JaegerSpan, Log, Process, Reference, Tag, Value};
use crate::json::{Text, verbatim};
use crate::otlp::Settings;
use crate::rejects::{EXCERPT_BYTES, Reject};
use crate::span_writer::SpanWriter;
use crate::text::digits;

/// The format `jaeger-thrift`.
#[derive(Debug)]
pub struct JaegerThrift;

/// Decodes what a client posted to the collector's `/api/traces`.
#[must_use]
pub fn decode_thrift(bytes: &[u8], settings: &Settings) -> Vec<Batch> {
    let mut decoder = ThriftDecoder { writer: SpanWriter::new(settings) };
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let window = Window { bytes: rest, offset: at as u64, line: 0, line_offset: 0, end: End::Last };
        at += decoder.decode(&window).max(1);
    }
    decoder.take(true)
}

impl Format for JaegerThrift {
    fn name(&self) -> &'static str {
        "jaeger-thrift"
    }

    fn description(&self) -> &'static str {
        "Jaeger batches in Thrift's binary protocol, as clients post them"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../../sample-traces/formats/jaeger.thrift")
    }

    fn recognises(&self, head: &[u8], is_whole: bool) -> bool {
        // A process whose first field is its name.
        if !head.starts_with(&[STRUCT, 0, 1, TEXT, 0, 1]) {
            return false;
        }
        let mut reader = Reader { bytes: head, at: 0 };
        let mut seen = (false, false);
        let read = batch(&mut reader, |part| match part {
            Part::Process(process) => {
                seen.0 = !process.service.is_empty() && std::str::from_utf8(&process.service).is_ok();
            }
            Part::Span(..) => seen.1 = true,
        });
        seen.0 && (read.is_ok() || (seen.1 && !is_whole && read == Err(Why::Cut)))
    }

    fn cut(&self, _bytes: &[u8], _target: usize) -> Option<usize> {
        None
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        let mut reader = Reader { bytes, at: 0 };
        let mut whole = 0;
        while reader.at < bytes.len() && batch(&mut reader, |_| {}).is_ok() {
            whole = reader.at;
        }
        whole
    }

    fn decoder(&self, settings: &Settings, _opening: &Opening) -> Box<dyn Decoder> {
        Box::new(ThriftDecoder { writer: SpanWriter::new(settings) })
    }
}

/// The decoder of `jaeger-thrift`: one batch after the other, each in one window.
#[derive(Debug)]
struct ThriftDecoder {
    writer: SpanWriter,
}

impl ThriftDecoder {
    /// Writes the spans of the batch that `reader` stands before, with its process, wherever that stands.
    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), Why> {
        let (mut process, mut num_spans) = (Process::default(), 0);
        self.writer.builder.open_resource();
        let writer = &mut self.writer;
        let result = batch(reader, |part| match part {
            Part::Process(one) => process = one,
            Part::Span(span, len) => {
                span.write(writer, len);
                num_spans += 1;
            }
        });
        let resource = process.resource(&mut self.writer);
        self.writer.builder.close_resources(&vec![0; num_spans], &[resource]);
        result
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, reason: String) {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let excerpt = digits(rest.get(..EXCERPT_BYTES / 4).unwrap_or(rest), " ");
        let offset = window.offset.saturating_add(at as u64);
        self.writer.builder.reject(Reject { offset, line: 0, column: 0, reason, excerpt });
    }
}

impl Decoder for ThriftDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        if window.end == End::More && JaegerThrift.whole_units(window.bytes) == 0 {
            return 0;
        }
        let mut reader = Reader { bytes: window.bytes, at: 0 };
        match self.read(&mut reader) {
            Ok(()) => reader.at,
            Err(why) => {
                self.reject(window, reader.at, format!("{} in a batch; the rest of it is left out", why.text()));
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

/// Which field holds the value of a tag of each `vType`: string, double, bool, long, binary.
const VALUE_FIELDS: [u16; 5] = [3, 4, 5, 6, 7];

const BOOL: u8 = 2;
const BYTE: u8 = 3;
const DOUBLE: u8 = 4;
const INT16: u8 = 6;
const INT32: u8 = 8;
const INT64: u8 = 10;
const TEXT: u8 = 11;
const STRUCT: u8 = 12;
const MAP: u8 = 13;
const SET: u8 = 14;
const LIST: u8 = 15;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Cut,
    Type,
    Deep,
}

impl Why {
    const fn text(self) -> &'static str {
        match self {
            Self::Cut => "cut off",
            Self::Type => "field of a type that it should not have",
            Self::Deep => "nested too deep",
        }
    }
}

/// The bytes of a batch.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Why> {
        let end = self.at.checked_add(len).ok_or(Why::Cut)?;
        let taken = self.bytes.get(self.at..end).ok_or(Why::Cut)?;
        self.at = end;
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Why> {
        self.take(N)?.try_into().map_err(|_| Why::Cut)
    }

    fn int64(&mut self) -> Result<u64, Why> {
        self.chunk().map(u64::from_be_bytes)
    }

    fn int32(&mut self) -> Result<u32, Why> {
        self.chunk().map(u32::from_be_bytes)
    }

    fn text(&mut self) -> Result<&'a [u8], Why> {
        let len = self.int32()?;
        self.take(len as usize)
    }

    /// Reads the fields of a struct: `read` stands before the value of a field, whose id and type it is told, and says whether
    /// it knows it.
    fn fields(&mut self, mut read: impl FnMut(&mut Self, u16, u8) -> Result<bool, Why>) -> Result<(), Why> {
        loop {
            let [kind] = self.chunk()?;
            if kind == 0 {
                return Ok(());
            }
            let id = self.chunk().map(u16::from_be_bytes)?;
            if !read(self, id, kind)? {
                self.skip(kind, 0)?;
            }
        }
    }

    /// Reads a list of structs.
    fn list(&mut self, mut read: impl FnMut(&mut Self) -> Result<(), Why>) -> Result<(), Why> {
        let [kind] = self.chunk()?;
        let len = self.int32()?;
        if kind != STRUCT && len > 0 {
            return Err(Why::Type);
        }
        (0..len).try_for_each(|_| read(self))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Result<(), Why> {
        const MAX_DEPTH: usize = 32;
        if depth > MAX_DEPTH {
            return Err(Why::Deep);
        }
        match kind {
            BOOL | BYTE => self.take(1).map(drop),
            INT16 => self.take(2).map(drop),
            INT32 => self.take(4).map(drop),
            INT64 | DOUBLE => self.take(8).map(drop),
            TEXT => self.text().map(drop),
            LIST | SET => {
                let [inside] = self.chunk()?;
                let len = self.int32()?;
                (0..len).try_for_each(|_| self.skip(inside, depth + 1))
            }
            MAP => {
                let [key, value] = self.chunk()?;
                let len = self.int32()?;
                (0..len).try_for_each(|_| self.skip(key, depth + 1).and_then(|()| self.skip(value, depth + 1)))
            }
            STRUCT => loop {
                let [inside] = self.chunk()?;
                if inside == 0 {
                    return Ok(());
                }
                self.take(2)?;
                self.skip(inside, depth + 1)?;
            },
            _ => Err(Why::Type),
        }
    }
}

/// What a batch is made of.
enum Part<'a> {
    Process(Process<'a>),
    /// With how many bytes it took.
    Span(JaegerSpan<'a>, usize),
}

/// Reads a batch and hands over its parts; `reader` stays before a part that could not be read.
fn batch<'a>(reader: &mut Reader<'a>, mut take: impl FnMut(Part<'a>)) -> Result<(), Why> {
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, STRUCT) => take(Part::Process(process(reader)?)),
            (2, LIST) => reader.list(|reader| {
                let from = reader.at;
                let span = span(reader).inspect_err(|_| reader.at = from)?;
                take(Part::Span(span, reader.at - from));
                Ok(())
            })?,
            (1 | 2, _) => return Err(Why::Type),
            _ => return Ok(false),
        }
        Ok(true)
    })
}

fn process<'a>(reader: &mut Reader<'a>) -> Result<Process<'a>, Why> {
    let mut process = Process::default();
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, TEXT) => process.service = verbatim(reader.text()?, &mut 0),
            (2, LIST) => tags(reader, &mut process.tags, &mut 0)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(process)
}

fn span<'a>(reader: &mut Reader<'a>) -> Result<JaegerSpan<'a>, Why> {
    let (mut span, mut trace) = (JaegerSpan::default(), (0, 0));
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, INT64) => trace.1 = reader.int64()?,
            (2, INT64) => trace.0 = reader.int64()?,
            (3, INT64) => span.span_id = Written::Halves(0, reader.int64()?),
            (4, INT64) => span.parent_span_id = Written::Halves(0, reader.int64()?),
            (5, TEXT) => span.name = verbatim(reader.text()?, &mut span.marks),
            (6, LIST) => reader.list(|reader| reference(reader).map(|one| span.references.push(one)))?,
            (7, INT32) => span.flags = u64::from(reader.int32()?),
            (8, INT64) => span.start = micros(reader)?,
            (9, INT64) => span.duration = Some(micros(reader)?),
            (10, LIST) => tags(reader, &mut span.tags, &mut span.marks)?,
            (11, LIST) => {
                let (logs, marks) = (&mut span.logs, &mut span.marks);
                reader.list(|reader| log(reader, marks).map(|one| logs.push(one)))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    span.trace_id = Written::Halves(trace.0, trace.1);
    Ok(span)
}

/// Reads a time or duration as nanoseconds; a negative one is 0.
fn micros(reader: &mut Reader<'_>) -> Result<u64, Why> {
    reader.int64().map(|micros| if micros > i64::MAX as u64 { 0 } else { micros.saturating_mul(1_000) })
}

fn reference<'a>(reader: &mut Reader<'a>) -> Result<Reference<'a>, Why> {
    let (mut reference, mut trace) = (Reference::default(), (0, 0));
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, INT32) => reference.follows = reader.int32()? == 1,
            (2, INT64) => trace.1 = reader.int64()?,
            (3, INT64) => trace.0 = reader.int64()?,
            (4, INT64) => reference.span_id = Written::Halves(0, reader.int64()?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    reference.trace_id = Written::Halves(trace.0, trace.1);
    Ok(reference)
}

fn log<'a>(reader: &mut Reader<'a>, marks: &mut u32) -> Result<Log<'a>, Why> {
    let mut log = Log::default();
    reader.fields(|reader, id, kind| {
        match (id, kind) {
            (1, INT64) => log.time = micros(reader)?,
            (2, LIST) => tags(reader, &mut log.fields, marks)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(log)
}

fn tags<'a>(reader: &mut Reader<'a>, tags: &mut Vec<Tag<'a>>, marks: &mut u32) -> Result<(), Why> {
    reader.list(|reader| tag(reader, marks).map(|tag| tags.push(tag)))
}

fn tag<'a>(reader: &mut Reader<'a>, marks: &mut u32) -> Result<Tag<'a>, Why> {
    let (mut tag, mut told) = (Tag { key: Text::default(), value: Value::Empty }, None);
    reader.fields(|reader, id, kind| {
        // Some clients write the fields of all types: the one that `vType` tells counts.
        let is_told = told.is_none_or(|told| VALUE_FIELDS.get(told as usize).is_none_or(|field| *field == id));
        match (id, kind) {
            (1, TEXT) => tag.key = verbatim(reader.text()?, marks),
            (2, INT32) => told = Some(reader.int32()?),
            (3, TEXT) if is_told => tag.value = Value::Text(verbatim(reader.text()?, marks)),
            (4, DOUBLE) if is_told => tag.value = Value::Double(f64::from_bits(reader.int64()?)),
            (5, BOOL) if is_told => tag.value = Value::Bool(reader.chunk()? != [0]),
            (6, INT64) if is_told => tag.value = Value::Int(reader.int64()? as i64),
            (7, TEXT) if is_told => tag.value = Value::Bytes(reader.text()?.to_vec()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(tag)
}
