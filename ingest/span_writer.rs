//! Writes spans of formats other than OTLP into batches, each with its own resource and scope.
//!
//! Their decoders say what they have read; where it goes, and what is noted of what had to be changed, is decided here and
//! in [`crate::otlp`], so that the same span gives the same row whatever it was recorded in.

use crate::batch::Resource;
use crate::id::{Form, Written};
use crate::marks::Mark;
use crate::otlp::Settings;
use crate::otlp::attribute::{Object, Scalar, Sink};
use crate::otlp::builder::Builder;
use crate::otlp::draft::{IdField, Recorded};
use crate::otlp::key::KeyTable;
use crate::otlp::span::{EventDraft, LinkDraft, SpanDraft, set_text};
use crate::otlp::text::{replace, write_list, write_string};

/// Writes one span after the other.
#[derive(Debug)]
pub(crate) struct SpanWriter {
    pub builder: Builder,
    draft: SpanDraft,
    event: EventDraft,
    link: LinkDraft,
    keys: KeyTable,
}

/// A text attribute.
pub(crate) const fn text(text: &[u8]) -> Scalar<'_> {
    Scalar::Text { text, is_clean: false }
}

impl SpanWriter {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            builder: Builder::new(settings.clone()),
            draft: SpanDraft::default(),
            event: EventDraft::default(),
            link: LinkDraft::default(),
            keys: KeyTable::new(),
        }
    }

    /// Begins a span, with an empty scope.
    pub(crate) fn begin(&mut self) {
        self.draft.clear();
        self.builder.open_scope();
    }

    /// Adds marks to the span.
    pub(crate) fn mark(&mut self, marks: u32) {
        self.draft.notes.marks |= marks;
    }

    /// Sets an id, and notes where it was not in the usual form.
    pub(crate) fn id(&mut self, field: IdField, written: Written<'_>) {
        let normal = written.normal(len(field));
        match normal.form {
            Form::Usual => {}
            Form::Converted => self.keep_id(field, written, Mark::IdConverted),
            Form::Unreadable => return self.draft.set_id(field, recorded(written)),
        }
        self.put_id(field, normal.hi, normal.lo);
    }

    /// Sets an id of the span or its parent that is not the recorded one, which is kept.
    pub(crate) fn split_id(&mut self, field: IdField, id: u64, written: Written<'_>) {
        self.keep_id(field, written, Mark::IdSplit);
        self.put_id(field, 0, id);
    }

    fn keep_id(&mut self, field: IdField, written: Written<'_>, mark: Mark) {
        self.draft.notes.mark(mark);
        if written != Written::Absent {
            self.draft.notes.keep(name(field), recorded(written));
        }
    }

    fn put_id(&mut self, field: IdField, hi: u64, lo: u64) {
        let bytes = (u128::from(hi) << 64 | u128::from(lo)).to_be_bytes();
        let skipped = bytes.len() - len(field);
        self.draft.set_id(field, Recorded::Bytes(bytes.get(skipped..).unwrap_or_default()));
    }

    /// Keeps a number that went into no column.
    pub(crate) fn keep(&mut self, name: &'static str, recorded: Recorded<'_>) {
        self.draft.notes.keep(name, recorded);
    }

    pub(crate) fn name(&mut self, name: &[u8]) {
        let (spans, max_bytes) = (&mut self.builder.batch.spans, self.builder.settings.limits.value_bytes);
        self.draft.notes.marks |= set_text(&mut spans.name, spans.span_id.len(), name, max_bytes);
    }

    pub(crate) fn trace_state(&mut self, text: &[u8]) {
        let (spans, max_bytes) = (&mut self.builder.batch.spans, self.builder.settings.limits.value_bytes);
        self.draft.notes.marks |= set_text(&mut spans.trace_state, spans.span_id.len(), text, max_bytes);
    }

    /// Sets kind and flags; a kind that OTLP does not know is kept as it was recorded.
    pub(crate) fn kind(&mut self, kind: &[u8]) {
        let known: [&[u8]; 6] = [b"", b"INTERNAL", b"SERVER", b"CLIENT", b"PRODUCER", b"CONSUMER"];
        let number = known.iter().position(|known| known.eq_ignore_ascii_case(kind));
        if number.is_none() {
            self.draft.notes.mark(Mark::EnumUnknown);
            self.draft.notes.keep("kind", Recorded::Text(kind));
        }
        self.draft.set_kind(number.unwrap_or_default() as u64);
    }

    pub(crate) fn flags(&mut self, flags: u32) {
        self.draft.flags = flags;
    }

    /// Sets 0 unset, 1 ok or 2 error, and what is said of it.
    pub(crate) fn status(&mut self, code: u8, message: &[u8]) {
        self.draft.set_status(u64::from(code));
        let (spans, max_bytes) = (&mut self.builder.batch.spans, self.builder.settings.limits.value_bytes);
        self.draft.notes.marks |= set_text(&mut spans.status_message, spans.span_id.len(), message, max_bytes);
    }

    /// Sets the times in nanoseconds; 0 where one is missing.
    pub(crate) fn times(&mut self, start: u64, end: u64) {
        (self.draft.start, self.draft.end) = (start, end);
    }

    /// Adds an attribute of the span.
    pub(crate) fn attribute(&mut self, key: &[u8], value: Scalar<'_>) {
        let settings = &self.builder.settings;
        let (max_bytes, number) = (settings.limits.value_bytes, self.keys.number(key, &settings.conventions));
        let mut sink = self.draft.attributes(&mut self.builder.batch.spans);
        let marks = sink.scalar(self.keys.get(number), value, max_bytes);
        self.draft.notes.marks |= marks;
    }

    /// Adds an attribute of the span that is a list of texts.
    pub(crate) fn texts(&mut self, key: &[u8], texts: &[&[u8]]) {
        let number = self.keys.number(key, &self.builder.settings.conventions);
        let mut sink = self.draft.attributes(&mut self.builder.batch.spans);
        write_list(sink.member(self.keys.get(number)), texts, write_string);
    }

    /// Adds an event. Its attributes are what was added with [`SpanWriter::event_attribute`] since the last one.
    pub(crate) fn event(&mut self, time: u64, name: &[u8]) {
        self.event.time = time;
        replace(&mut self.event.name, name);
        self.draft.push_event(&mut self.builder.batch.spans, &mut self.event);
        self.event.clear();
    }

    pub(crate) fn event_attribute(&mut self, key: &[u8], value: Scalar<'_>) {
        let settings = &self.builder.settings;
        let (max_bytes, number) = (settings.limits.value_bytes, self.keys.number(key, &settings.conventions));
        self.draft.notes.marks |= self.event.attributes.scalar(self.keys.get(number), value, max_bytes);
    }

    /// Adds a link with one attribute.
    pub(crate) fn link(&mut self, trace: Written<'_>, span: Written<'_>, key: &[u8], value: &[u8]) {
        self.link.clear();
        let (of_trace, of_span) = (trace.normal(16), span.normal(8));
        for (normal, written, name) in [(of_trace, trace, "link_trace_id"), (of_span, span, "link_span_id")] {
            if normal.form != Form::Usual {
                self.draft.notes.mark(Mark::IdConverted);
                self.draft.notes.keep(name, recorded(written));
            }
        }
        (self.link.trace, self.link.span_id) = ((of_trace.hi, of_trace.lo), of_span.lo);
        let settings = &self.builder.settings;
        let (max_bytes, number) = (settings.limits.value_bytes, self.keys.number(key, &settings.conventions));
        self.link.attributes.scalar(self.keys.get(number), text(value), max_bytes);
        self.draft.push_link(&mut self.builder.batch.spans, &mut self.link);
    }

    /// Returns a resource of these attributes.
    pub(crate) fn resource<'a>(&mut self, attributes: impl Iterator<Item = (&'a [u8], Scalar<'a>)>) -> Resource {
        let (mut object, settings) = (Object::default(), &self.builder.settings);
        for (key, value) in attributes {
            let number = self.keys.number(key, &settings.conventions);
            object.scalar(self.keys.get(number), value, settings.limits.value_bytes);
        }
        let service = String::from_utf8_lossy(&object.service).into_owned();
        let attributes = String::from_utf8_lossy(object.finish()).into_owned();
        Resource {
            service: if service.is_empty() { "unknown_service".to_owned() } else { service },
            attributes: if attributes.is_empty() { "{}".to_owned() } else { attributes },
            ..Resource::default()
        }
    }

    /// Adds an attribute of the open resource.
    pub(crate) fn resource_attribute(&mut self, key: &[u8], value: Scalar<'_>) {
        let settings = &self.builder.settings;
        let (max_bytes, number) = (settings.limits.value_bytes, self.keys.number(key, &settings.conventions));
        let marks = self.builder.resource.attributes.scalar(self.keys.get(number), value, max_bytes);
        self.draft.notes.marks |= marks;
    }

    pub(crate) fn scope(&mut self, name: &[u8], version: &[u8]) {
        replace(&mut self.builder.scope.name, name);
        replace(&mut self.builder.scope.version, version);
    }

    /// Ends the span, which came from so many bytes, and its resource.
    pub(crate) fn commit(&mut self, num_bytes: usize) {
        self.draft.commit(&mut self.builder.batch.spans);
        self.builder.close_scope();
        self.builder.close_resource();
        self.builder.end_record(num_bytes);
    }

    /// Ends the span, which came from so many bytes; its resource is told later.
    pub(crate) fn commit_open(&mut self, num_bytes: usize) {
        self.draft.commit(&mut self.builder.batch.spans);
        self.builder.close_scope();
        self.builder.end_record(num_bytes);
    }
}

const fn len(field: IdField) -> usize {
    if matches!(field, IdField::Trace) { 16 } else { 8 }
}

const fn name(field: IdField) -> &'static str {
    match field {
        IdField::Trace => "trace_id",
        IdField::Span => "span_id",
        IdField::Parent => "parent_span_id",
    }
}

const fn recorded(written: Written<'_>) -> Recorded<'_> {
    match written {
        Written::Absent => Recorded::Text(b""),
        Written::Text(text) => Recorded::Text(text),
        Written::Bytes(bytes) => Recorded::Bytes(bytes),
        Written::Number(number) | Written::Halves(_, number) => Recorded::Number(number),
    }
}
