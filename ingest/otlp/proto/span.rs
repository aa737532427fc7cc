//! The messages `Span`, `Span.Event`, `Span.Link` and `Status`.

use crate::batch::SpanBatch;
use crate::otlp::draft::{IdField, Recorded};
use crate::otlp::proto::value::Values;
use crate::otlp::proto::wire::{Fault, Wire};
use crate::otlp::span::{EventDraft, LinkDraft, SpanDraft, set_text};
use crate::otlp::text::replace;

/// Reads spans into rows.
#[derive(Debug, Default)]
pub(crate) struct SpanReader {
    draft: SpanDraft,
    event: EventDraft,
    link: LinkDraft,
}

impl SpanReader {
    /// Reads a span and appends the row.
    pub(crate) fn read(&mut self, bytes: &[u8], values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        self.draft.clear();
        values.marks = 0;
        let (row, max_bytes) = (spans.len(), values.limits.value_bytes);
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, draft) = (field.value, &mut self.draft);
            match field.number {
                1 => draft.set_id(IdField::Trace, Recorded::Bytes(value.bytes(&field)?)),
                2 => draft.set_id(IdField::Span, Recorded::Bytes(value.bytes(&field)?)),
                3 => {
                    let text = values.text(&field)?;
                    draft.notes.marks |= set_text(&mut spans.trace_state, row, text, max_bytes);
                }
                4 => draft.set_id(IdField::Parent, Recorded::Bytes(value.bytes(&field)?)),
                5 => {
                    let text = values.text(&field)?;
                    draft.notes.marks |= set_text(&mut spans.name, row, text, max_bytes);
                }
                6 => draft.set_kind(value.varint(&field)?),
                7 => draft.start = value.fixed64(&field)?,
                8 => draft.end = value.fixed64(&field)?,
                9 => values.attribute(value.bytes(&field)?, &mut draft.attributes(spans), 0)?,
                10 => draft.dropped_attributes = value.varint32(&field)?,
                11 => self.event(value.bytes(&field)?, values, spans)?,
                12 => draft.dropped_events = value.varint32(&field)?,
                13 => self.link(value.bytes(&field)?, values, spans)?,
                14 => draft.dropped_links = value.varint32(&field)?,
                15 => self.status(value.bytes(&field)?, values, spans)?,
                16 => draft.flags = value.fixed32(&field)?,
                _ => {}
            }
        }
        self.draft.notes.marks |= values.marks;
        self.draft.commit(spans);
        Ok(())
    }

    fn event(&mut self, bytes: &[u8], values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        self.event.clear();
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            match field.number {
                1 => self.event.time = field.value.fixed64(&field)?,
                2 => replace(&mut self.event.name, values.text(&field)?),
                3 => values.attribute(field.value.bytes(&field)?, &mut self.event.attributes, 0)?,
                4 => self.event.dropped_attributes = field.value.varint32(&field)?,
                _ => {}
            }
        }
        self.draft.push_event(spans, &mut self.event);
        Ok(())
    }

    fn link(&mut self, bytes: &[u8], values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        self.link.clear();
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (link, notes) = (&mut self.link, &mut self.draft.notes);
            match field.number {
                1 => link.trace = notes.inner_id("link_trace_id", Recorded::Bytes(field.value.bytes(&field)?), 16),
                2 => link.span_id = notes.inner_id("link_span_id", Recorded::Bytes(field.value.bytes(&field)?), 8).1,
                3 => replace(&mut link.trace_state, values.text(&field)?),
                4 => values.attribute(field.value.bytes(&field)?, &mut link.attributes, 0)?,
                5 => link.dropped_attributes = field.value.varint32(&field)?,
                6 => link.flags = field.value.fixed32(&field)?,
                _ => {}
            }
        }
        self.draft.push_link(spans, &mut self.link);
        Ok(())
    }

    fn status(&mut self, bytes: &[u8], values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        let (row, max_bytes) = (spans.len(), values.limits.value_bytes);
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            match field.number {
                2 => {
                    let text = values.text(&field)?;
                    self.draft.notes.marks |= set_text(&mut spans.status_message, row, text, max_bytes);
                }
                3 => self.draft.set_status(field.value.varint(&field)?),
                _ => {}
            }
        }
        Ok(())
    }
}
