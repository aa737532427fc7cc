//! A log record between its fields and its row.

use crate::batch::LogBatch;
use crate::marks::Mark;
use crate::otlp::attribute::Object;
use crate::otlp::draft::{IdField, Notes, Recorded};
use crate::otlp::span::set_text;

/// Highest severity number that OTLP knows.
const MAX_SEVERITY: u8 = 24;

/// The log record that is being read.
#[derive(Debug, Default)]
pub(crate) struct LogDraft {
    pub notes: Notes,
    trace: (u64, u64),
    span_id: u64,
    pub time: u64,
    pub observed: u64,
    severity: u8,
    pub flags: u32,
    pub dropped_attributes: u32,
    pub attributes: Object,
    /// Text, or typed JSON.
    pub body: Vec<u8>,
    pub body_form: BodyForm,
    pub severity_text: Vec<u8>,
    pub event_name: Vec<u8>,
}

/// What the body is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum BodyForm {
    #[default]
    Absent,
    Text,
    Json,
}

impl LogDraft {
    pub(crate) fn clear(&mut self) {
        self.notes.clear();
        self.attributes.clear();
        for text in [&mut self.body, &mut self.severity_text, &mut self.event_name] {
            text.clear();
        }
        (self.trace, self.span_id, self.time, self.observed) = ((0, 0), 0, 0, 0);
        (self.severity, self.flags, self.dropped_attributes) = (0, 0, 0);
        self.body_form = BodyForm::Absent;
    }

    pub(crate) fn set_id(&mut self, field: IdField, recorded: Recorded<'_>) {
        let id = self.notes.id(field, recorded);
        match field {
            IdField::Trace => self.trace = (id.hi, id.lo),
            IdField::Span | IdField::Parent => self.span_id = id.lo,
        }
    }

    pub(crate) fn set_severity(&mut self, number: u64) {
        self.severity = self.notes.enumeration("severity_number", number, MAX_SEVERITY);
    }

    /// Appends the row.
    pub(crate) fn commit(&mut self, logs: &mut LogBatch, max_bytes: usize) {
        let row = logs.len();
        let observed_ns = self.notes.time("observed_time_unix_nano", self.observed);
        let time_ns = if self.time == 0 { observed_ns } else { self.notes.time("time_unix_nano", self.time) };
        if time_ns == 0 {
            self.notes.mark(Mark::TimeMissing);
        }
        for (column, text) in [(&mut logs.severity_text, &self.severity_text), (&mut logs.event_name, &self.event_name)]
        {
            self.notes.marks |= set_text(column, row, text, max_bytes);
        }
        self.commit_body(logs, row, max_bytes);
        set_text(&mut logs.attributes, row, self.attributes.finish(), usize::MAX);
        if self.dropped_attributes != 0 {
            logs.dropped_attributes.pad(row);
            logs.dropped_attributes.push(i64::from(self.dropped_attributes));
        }
        set_text(&mut logs.original, row, self.notes.original().unwrap_or_default(), usize::MAX);
        logs.observed_ns.push(observed_ns);
        logs.severity.push(self.severity);
        logs.trace_hi.push(self.trace.0);
        logs.trace_lo.push(self.trace.1);
        logs.span_id.push(self.span_id);
        logs.flags.push(self.flags);
        logs.marks.push(self.notes.marks);
        logs.time_ns.push(time_ns);
    }

    fn commit_body(&mut self, logs: &mut LogBatch, row: usize, max_bytes: usize) {
        match self.body_form {
            BodyForm::Absent => {}
            BodyForm::Text if self.body.is_empty() => {
                logs.body.pad(row);
                logs.body.push("");
            }
            BodyForm::Text => self.notes.marks |= set_text(&mut logs.body, row, &self.body, max_bytes),
            BodyForm::Json => {
                set_text(&mut logs.body, row, &self.body, usize::MAX);
            }
        }
        logs.body_is_json.push(self.body_form == BodyForm::Json);
    }
}
