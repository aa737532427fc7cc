//! The span object.

use crate::batch::SpanBatch;
use crate::otlp::draft::{IdField, Recorded};
use crate::otlp::json::cursor::{Cursor, Fault, Why};
use crate::otlp::json::field::Fields;
use crate::otlp::json::metric::each;
use crate::otlp::json::number::{enumeration, integer};
use crate::otlp::json::value::Values;
use crate::otlp::span::{EventDraft, LinkDraft, SpanDraft, set_text};
use crate::otlp::text::replace;

const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const STATUS_CODES: [&str; 3] = ["UNSET", "OK", "ERROR"];

/// Reads span objects into rows.
#[derive(Debug)]
pub(crate) struct SpanReader {
    fields: Fields,
    event_fields: Fields,
    link_fields: Fields,
    status_fields: Fields,
    draft: SpanDraft,
    event: EventDraft,
    link: LinkDraft,
}

fn span_field(name: &[u8]) -> u8 {
    match name {
        b"traceId" | b"trace_id" => 1,
        b"spanId" | b"span_id" => 2,
        b"traceState" | b"trace_state" => 3,
        b"parentSpanId" | b"parent_span_id" => 4,
        b"name" => 5,
        b"kind" => 6,
        b"startTimeUnixNano" | b"start_time_unix_nano" => 7,
        b"endTimeUnixNano" | b"end_time_unix_nano" => 8,
        b"attributes" => 9,
        b"droppedAttributesCount" | b"dropped_attributes_count" => 10,
        b"events" => 11,
        b"droppedEventsCount" | b"dropped_events_count" => 12,
        b"links" => 13,
        b"droppedLinksCount" | b"dropped_links_count" => 14,
        b"status" => 15,
        b"flags" => 16,
        _ => 0,
    }
}

fn event_field(name: &[u8]) -> u8 {
    match name {
        b"timeUnixNano" | b"time_unix_nano" => 1,
        b"name" => 2,
        b"attributes" => 3,
        b"droppedAttributesCount" | b"dropped_attributes_count" => 4,
        _ => 0,
    }
}

fn link_field(name: &[u8]) -> u8 {
    match name {
        b"traceId" | b"trace_id" => 1,
        b"spanId" | b"span_id" => 2,
        b"traceState" | b"trace_state" => 3,
        b"attributes" => 4,
        b"droppedAttributesCount" | b"dropped_attributes_count" => 5,
        b"flags" => 6,
        _ => 0,
    }
}

fn status_field(name: &[u8]) -> u8 {
    match name {
        b"message" => 2,
        b"code" => 3,
        _ => 0,
    }
}

impl SpanReader {
    pub(crate) fn new() -> Self {
        Self {
            fields: Fields::new(span_field),
            event_fields: Fields::new(event_field),
            link_fields: Fields::new(link_field),
            status_fields: Fields::new(status_field),
            draft: SpanDraft::default(),
            event: EventDraft::default(),
            link: LinkDraft::default(),
        }
    }

    /// Reads the fields of one span after its brace, and appends the row.
    pub(crate) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        values: &mut Values,
        spans: &mut SpanBatch,
    ) -> Result<(), Fault> {
        self.draft.clear();
        values.marks = 0;
        let (row, max_bytes) = (spans.len(), values.limits.value_bytes);
        let mut field = 0;
        while let Some(next) = self.fields.next(cursor, field)? {
            field = next;
            match field {
                1 => self.draft.set_id(IdField::Trace, id_text(cursor)?),
                2 => self.draft.set_id(IdField::Span, id_text(cursor)?),
                3 => values.marks |= set_text(&mut spans.trace_state, row, values.text(cursor)?, max_bytes),
                4 => self.draft.set_id(IdField::Parent, id_text(cursor)?),
                5 => {
                    let text = values.text(cursor)?;
                    self.draft.notes.marks |= set_text(&mut spans.name, row, text, max_bytes);
                }
                6 => self.draft.set_kind(enumeration(cursor, "SPAN_KIND_", &KINDS)?),
                7 => self.draft.start = integer(cursor)?.unsigned(),
                8 => self.draft.end = integer(cursor)?.unsigned(),
                9 => values.attributes(cursor, &mut self.draft.attributes(spans))?,
                10 => self.draft.dropped_attributes = integer(cursor)?.unsigned32(),
                11 => each(cursor, |cursor| self.event(cursor, values, spans))?,
                12 => self.draft.dropped_events = integer(cursor)?.unsigned32(),
                13 => each(cursor, |cursor| self.link(cursor, values, spans))?,
                14 => self.draft.dropped_links = integer(cursor)?.unsigned32(),
                15 => self.status(cursor, values, spans)?,
                16 => self.draft.flags = integer(cursor)?.unsigned32(),
                _ => cursor.skip_value()?,
            }
        }
        self.draft.notes.marks |= values.marks;
        self.draft.commit(spans);
        Ok(())
    }

    fn event(&mut self, cursor: &mut Cursor<'_>, values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        cursor.expect(b'{', Why::NoObject)?;
        self.event.clear();
        let mut field = 0;
        while let Some(next) = self.event_fields.next(cursor, field)? {
            field = next;
            match field {
                1 => self.event.time = integer(cursor)?.unsigned(),
                2 => replace(&mut self.event.name, values.text(cursor)?),
                3 => values.attributes(cursor, &mut self.event.attributes)?,
                4 => self.event.dropped_attributes = integer(cursor)?.unsigned32(),
                _ => cursor.skip_value()?,
            }
        }
        self.draft.push_event(spans, &mut self.event);
        Ok(())
    }

    fn link(&mut self, cursor: &mut Cursor<'_>, values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        cursor.expect(b'{', Why::NoObject)?;
        self.link.clear();
        let mut field = 0;
        while let Some(next) = self.link_fields.next(cursor, field)? {
            field = next;
            match field {
                1 => self.link.trace = self.draft.notes.inner_id("link_trace_id", id_text(cursor)?, 16),
                2 => self.link.span_id = self.draft.notes.inner_id("link_span_id", id_text(cursor)?, 8).1,
                3 => replace(&mut self.link.trace_state, values.text(cursor)?),
                4 => values.attributes(cursor, &mut self.link.attributes)?,
                5 => self.link.dropped_attributes = integer(cursor)?.unsigned32(),
                6 => self.link.flags = integer(cursor)?.unsigned32(),
                _ => cursor.skip_value()?,
            }
        }
        self.draft.push_link(spans, &mut self.link);
        Ok(())
    }

    fn status(&mut self, cursor: &mut Cursor<'_>, values: &mut Values, spans: &mut SpanBatch) -> Result<(), Fault> {
        if cursor.take_null() {
            return Ok(());
        }
        cursor.expect(b'{', Why::NoObject)?;
        let (row, max_bytes) = (spans.len(), values.limits.value_bytes);
        let mut field = 0;
        while let Some(next) = self.status_fields.next(cursor, field)? {
            field = next;
            match field {
                2 => {
                    let text = values.text(cursor)?;
                    self.draft.notes.marks |= set_text(&mut spans.status_message, row, text, max_bytes);
                }
                3 => self.draft.set_status(enumeration(cursor, "STATUS_CODE_", &STATUS_CODES)?),
                _ => cursor.skip_value()?,
            }
        }
        Ok(())
    }
}

/// Reads an id as it is written; `null` is an empty one, a number is taken as one.
#[inline]
pub(crate) fn id_text<'a>(cursor: &mut Cursor<'a>) -> Result<Recorded<'a>, Fault> {
    if cursor.peek() == Some(b'"') {
        return Ok(Recorded::Text(cursor.text()?.bytes));
    }
    if cursor.take_null() {
        return Ok(Recorded::Text(b""));
    }
    let at = cursor.at;
    let number =
        integer(cursor).map_err(|fault| if fault.why == Why::End { fault } else { Fault { at, why: Why::BadId } })?;
    Ok(Recorded::Number(number.unsigned()))
}
