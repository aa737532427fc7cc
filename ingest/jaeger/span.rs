//! A Jaeger span, read from JSON or Thrift, and what becomes of it.
//!
//! | Jaeger | here |
//! | --- | --- |
//! | first `CHILD_OF` of the same trace, else first `FOLLOWS_FROM` of it | the parent |
//! | other references | links with `opentracing.ref_type` |
//! | tags `span.kind`, `error`, `otel.status_*`, `otel.scope.*`, `otel.library.*`, `w3c.tracestate` | the columns for them |
//! | logs | events; the field `event` is the name |
//! | warnings | attribute `jaeger.warnings` |
//! | flags: bit 0 sampled, 1 debug, 3 firehose | the flag `sampled`; attributes `jaeger.debug`, `jaeger.firehose` |
//! | process | the resource, with `service.name` |

use crate::batch::Resource;
use crate::id::Written;
use crate::json::Text;
use crate::otlp::attribute::Scalar;
use crate::otlp::draft::IdField;
use crate::span_writer::{SpanWriter, text};

/// The value of a tag.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Empty,
    Text(Text<'a>),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(Vec<u8>),
}

/// A key and its value: of a span, a process or a log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tag<'a> {
    pub key: Text<'a>,
    pub value: Value<'a>,
}

/// What a span says of another one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reference<'a> {
    pub follows: bool,
    pub trace_id: Written<'a>,
    pub span_id: Written<'a>,
}

/// Something that happened within a span.
#[derive(Debug, Default)]
pub(crate) struct Log<'a> {
    /// Nanoseconds since 1970.
    pub time: u64,
    pub fields: Vec<Tag<'a>>,
}

/// Who made a span.
#[derive(Debug, Default)]
pub(crate) struct Process<'a> {
    pub service: Text<'a>,
    pub tags: Vec<Tag<'a>>,
}

/// The fields of a span.
#[derive(Debug, Default)]
pub(crate) struct JaegerSpan<'a> {
    pub trace_id: Written<'a>,
    pub span_id: Written<'a>,
    pub parent_span_id: Written<'a>,
    pub name: Text<'a>,
    pub references: Vec<Reference<'a>>,
    pub flags: u64,
    /// Nanoseconds since 1970; 0 where it is missing.
    pub start: u64,
    /// Nanoseconds.
    pub duration: Option<u64>,
    pub tags: Vec<Tag<'a>>,
    pub logs: Vec<Log<'a>>,
    pub warnings: Vec<Text<'a>>,
    /// Marks of its texts.
    pub marks: u32,
}

const SAMPLED: u64 = 1;
const DEBUG: u64 = 1 << 1;
const FIREHOSE: u64 = 1 << 3;
const REF_TYPE: &[u8] = b"opentracing.ref_type";

impl Value<'_> {
    pub(crate) fn scalar(&self) -> Scalar<'_> {
        match self {
            Self::Empty => Scalar::Empty,
            Self::Text(value) => text(value),
            Self::Bool(value) => Scalar::Bool(*value),
            Self::Int(value) => Scalar::Int(*value),
            Self::Double(value) => Scalar::Double(*value),
            Self::Bytes(value) => Scalar::Bytes(value),
        }
    }

    fn text(&self) -> Option<&[u8]> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    fn is(&self, wanted: bool) -> bool {
        let name: &[u8] = if wanted { b"true" } else { b"false" };
        *self == Self::Bool(wanted) || self.text().is_some_and(|text| text.eq_ignore_ascii_case(name))
    }
}

impl Process<'_> {
    pub(crate) fn resource(&self, out: &mut SpanWriter) -> Resource {
        let service = (!self.service.is_empty()).then(|| (&b"service.name"[..], text(&self.service)));
        let others = self.tags.iter().filter(|tag| service.is_none() || &*tag.key != b"service.name");
        out.resource(service.into_iter().chain(others.map(|tag| (&*tag.key, tag.value.scalar()))))
    }
}

impl JaegerSpan<'_> {
    /// Writes the row; its resource is told later. `num_bytes` is what it was read from.
    pub(crate) fn write(&self, out: &mut SpanWriter, num_bytes: usize) {
        out.begin();
        out.mark(self.marks);
        out.id(IdField::Trace, self.trace_id);
        out.id(IdField::Span, self.span_id);
        out.name(&self.name);
        out.times(self.start, self.duration.map_or(0, |duration| self.start.saturating_add(duration)));
        self.write_references(out);
        self.write_columns(out);
        self.tags.iter().filter(|tag| !has_column(tag)).for_each(|tag| out.attribute(&tag.key, tag.value.scalar()));
        self.logs.iter().for_each(|log| log.write(out));
        self.write_flags(out);
        if !self.warnings.is_empty() {
            let warnings: Vec<&[u8]> = self.warnings.iter().map(|warning| &**warning).collect();
            out.texts(b"jaeger.warnings", &warnings);
        }
        out.commit_open(num_bytes);
    }

    fn write_references(&self, out: &mut SpanWriter) {
        let parent = self.parent();
        match parent.and_then(|index| self.references.get(index)) {
            Some(reference) => {
                out.id(IdField::Parent, reference.span_id);
                if reference.follows {
                    out.attribute(REF_TYPE, text(b"follows_from"));
                }
            }
            None => out.id(IdField::Parent, self.parent_span_id),
        }
        for (_, reference) in self.references.iter().enumerate().filter(|(index, _)| Some(*index) != parent) {
            let kind: &[u8] = if reference.follows { b"follows_from" } else { b"child_of" };
            out.link(reference.trace_id, reference.span_id, REF_TYPE, kind);
        }
    }

    /// As Jaeger itself finds it. A parent that is told twice, as a field of its own too, is the one of that field.
    fn parent(&self) -> Option<usize> {
        let trace = self.trace_id.normal(16);
        let is_own = |reference: &Reference<'_>| {
            let other = reference.trace_id.normal(16);
            (other.hi, other.lo) == (trace.hi, trace.lo) && reference.span_id.normal(8).lo != 0
        };
        let find = |follows: bool| {
            self.references.iter().position(|reference| reference.follows == follows && is_own(reference))
        };
        let told = self.parent_span_id.normal(8).lo;
        let is_told = |reference: &Reference<'_>| is_own(reference) && reference.span_id.normal(8).lo == told;
        if told != 0 {
            return self.references.iter().position(is_told);
        }
        find(false).or_else(|| find(true))
    }

    fn write_columns(&self, out: &mut SpanWriter) {
        let tag = |key: &[u8]| self.tags.iter().find(|tag| &*tag.key == key).map(|tag| &tag.value);
        let name = |key: &[u8]| tag(key).and_then(Value::text);
        if let Some(kind) = name(b"span.kind") {
            out.kind(kind);
        }
        if let Some(state) = name(b"w3c.tracestate") {
            out.trace_state(state);
        }
        let scope = |one: &[u8], other: &[u8]| name(one).or_else(|| name(other)).unwrap_or_default();
        out.scope(
            scope(b"otel.scope.name", b"otel.library.name"),
            scope(b"otel.scope.version", b"otel.library.version"),
        );
        let is_error = tag(b"error").is_some_and(|error| !error.is(false) && *error != Value::Empty);
        let message = name(b"otel.status_description").unwrap_or_default();
        match name(b"otel.status_code") {
            Some(code) if code.eq_ignore_ascii_case(b"ok") => out.status(1, message),
            Some(code) if code.eq_ignore_ascii_case(b"error") => out.status(2, message),
            _ if is_error => out.status(2, message),
            _ => out.status(0, message),
        }
    }

    fn write_flags(&self, out: &mut SpanWriter) {
        out.flags((self.flags & SAMPLED) as u32);
        for (bit, key) in [(DEBUG, &b"jaeger.debug"[..]), (FIREHOSE, b"jaeger.firehose")] {
            if self.flags & bit != 0 {
                out.attribute(key, Scalar::Bool(true));
            }
        }
    }
}

/// Tells whether a column holds all that the tag says.
fn has_column(tag: &Tag<'_>) -> bool {
    match &*tag.key {
        b"error" => tag.value.is(true),
        b"otel.status_code" => tag
            .value
            .text()
            .is_some_and(|code| [&b"ok"[..], b"error"].iter().any(|known| code.eq_ignore_ascii_case(known))),
        b"span.kind"
        | b"w3c.tracestate"
        | b"otel.scope.name"
        | b"otel.scope.version"
        | b"otel.library.name"
        | b"otel.library.version"
        | b"otel.status_description" => tag.value.text().is_some(),
        _ => false,
    }
}

impl Log<'_> {
    fn write(&self, out: &mut SpanWriter) {
        let event = self.fields.iter().position(|field| &*field.key == b"event" && field.value.text().is_some());
        for (_, field) in self.fields.iter().enumerate().filter(|(index, _)| Some(*index) != event) {
            out.event_attribute(&field.key, field.value.scalar());
        }
        let name = event.and_then(|index| self.fields.get(index)).and_then(|field| field.value.text());
        out.event(self.time, name.unwrap_or_default());
    }
}
