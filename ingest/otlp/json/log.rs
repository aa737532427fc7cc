//! The log record object.

use crate::batch::LogBatch;
use crate::otlp::attribute::BodySink;
use crate::otlp::draft::IdField;
use crate::otlp::json::cursor::{Cursor, Fault};
use crate::otlp::json::field::Fields;
use crate::otlp::json::number::{enumeration, integer};
use crate::otlp::json::span::id_text;
use crate::otlp::json::value::Values;
use crate::otlp::log::{BodyForm, LogDraft};
use crate::otlp::text::replace;

/// `SEVERITY_NUMBER_INFO2` and the like, in the order of their numbers.
const SEVERITIES: [&str; 25] = [
    "UNSPECIFIED",
    "TRACE",
    "TRACE2",
    "TRACE3",
    "TRACE4",
    "DEBUG",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "INFO",
    "INFO2",
    "INFO3",
    "INFO4",
    "WARN",
    "WARN2",
    "WARN3",
    "WARN4",
    "ERROR",
    "ERROR2",
    "ERROR3",
    "ERROR4",
    "FATAL",
    "FATAL2",
    "FATAL3",
    "FATAL4",
];

/// Reads log records into rows.
#[derive(Debug)]
pub(crate) struct LogReader {
    fields: Fields,
    draft: LogDraft,
}

fn log_field(name: &[u8]) -> u8 {
    match name {
        b"timeUnixNano" | b"time_unix_nano" => 1,
        b"observedTimeUnixNano" | b"observed_time_unix_nano" => 2,
        b"severityNumber" | b"severity_number" => 3,
        b"severityText" | b"severity_text" => 4,
        b"body" => 5,
        b"attributes" => 6,
        b"droppedAttributesCount" | b"dropped_attributes_count" => 7,
        b"flags" => 8,
        b"traceId" | b"trace_id" => 9,
        b"spanId" | b"span_id" => 10,
        b"eventName" | b"event_name" => 11,
        _ => 0,
    }
}

impl LogReader {
    pub(crate) fn new() -> Self {
        Self { fields: Fields::new(log_field), draft: LogDraft::default() }
    }

    /// Reads the fields of one record after its brace, and appends the row.
    pub(crate) fn read(
        &mut self,
        cursor: &mut Cursor<'_>,
        values: &mut Values,
        logs: &mut LogBatch,
    ) -> Result<(), Fault> {
        self.draft.clear();
        values.marks = 0;
        let mut field = 0;
        while let Some(next) = self.fields.next(cursor, field)? {
            field = next;
            match field {
                1 => self.draft.time = integer(cursor)?.unsigned(),
                2 => self.draft.observed = integer(cursor)?.unsigned(),
                3 => self.draft.set_severity(enumeration(cursor, "SEVERITY_NUMBER_", &SEVERITIES)?),
                4 => replace(&mut self.draft.severity_text, values.text(cursor)?),
                5 => self.body(cursor, values)?,
                6 => values.attributes(cursor, &mut self.draft.attributes)?,
                7 => self.draft.dropped_attributes = integer(cursor)?.unsigned32(),
                8 => self.draft.flags = integer(cursor)?.unsigned32(),
                9 => self.draft.set_id(IdField::Trace, id_text(cursor)?),
                10 => self.draft.set_id(IdField::Span, id_text(cursor)?),
                11 => replace(&mut self.draft.event_name, values.text(cursor)?),
                _ => cursor.skip_value()?,
            }
        }
        self.draft.notes.marks |= values.marks;
        self.draft.commit(logs, values.limits.value_bytes);
        Ok(())
    }

    fn body(&mut self, cursor: &mut Cursor<'_>, values: &mut Values) -> Result<(), Fault> {
        self.draft.body.clear();
        self.draft.body_form = values.body(cursor, &mut self.draft.body)?;
        Ok(())
    }
}

impl Values {
    /// Reads a value that stands for itself: a text as it is, anything else as typed JSON; an empty one is absent.
    fn body(&mut self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<BodyForm, Fault> {
        let mut sink = BodySink { out, form: BodyForm::Json };
        self.write_into(cursor, &mut sink)?;
        Ok(sink.form)
    }
}
