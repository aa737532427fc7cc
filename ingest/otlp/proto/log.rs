//! The message `LogRecord`.

use crate::batch::LogBatch;
use crate::otlp::attribute::BodySink;
use crate::otlp::draft::{IdField, Recorded};
use crate::otlp::log::{BodyForm, LogDraft};
use crate::otlp::proto::value::Values;
use crate::otlp::proto::wire::{Fault, Wire};
use crate::otlp::text::replace;

/// Reads log records into rows.
#[derive(Debug, Default)]
pub(crate) struct LogReader {
    draft: LogDraft,
}

impl LogReader {
    /// Reads a log record and appends the row.
    pub(crate) fn read(&mut self, bytes: &[u8], values: &mut Values, logs: &mut LogBatch) -> Result<(), Fault> {
        self.draft.clear();
        values.marks = 0;
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            let (value, draft) = (field.value, &mut self.draft);
            match field.number {
                1 => draft.time = value.fixed64(&field)?,
                2 => draft.set_severity(value.varint(&field)?),
                3 => replace(&mut draft.severity_text, values.text(&field)?),
                5 => {
                    draft.body.clear();
                    let mut sink = BodySink { out: &mut draft.body, form: BodyForm::Absent };
                    values.value_into(value.bytes(&field)?, &mut sink, 0)?;
                    draft.body_form = sink.form;
                }
                6 => values.attribute(value.bytes(&field)?, &mut draft.attributes, 0)?,
                7 => draft.dropped_attributes = value.varint32(&field)?,
                8 => draft.flags = value.fixed32(&field)?,
                9 => draft.set_id(IdField::Trace, Recorded::Bytes(value.bytes(&field)?)),
                10 => draft.set_id(IdField::Span, Recorded::Bytes(value.bytes(&field)?)),
                11 => draft.observed = value.fixed64(&field)?,
                12 => replace(&mut draft.event_name, values.text(&field)?),
                _ => {}
            }
        }
        self.draft.notes.marks |= values.marks;
        self.draft.commit(logs, values.limits.value_bytes);
        Ok(())
    }
}
