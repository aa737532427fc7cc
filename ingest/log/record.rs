//! A log record between its line and its row.

use crate::batch::LogBatch;
use crate::log::ids::Context;
use crate::log::time::{Stamp, Times};
use crate::marks::Mark;
use crate::otlp::attribute::{Scalar, cut, write_scalar};
use crate::otlp::draft::{Notes, Recorded};
use crate::otlp::span::set_text;
use crate::otlp::text::{replace, write_string};

/// The log record that is being read.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub times: Times,
    /// Longest text that is kept whole.
    pub max_bytes: usize,
    pub notes: Notes,
    pub time_ns: Option<i64>,
    pub severity: u8,
    pub severity_text: Vec<u8>,
    pub context: Context,
    /// Members of the attributes, with the opening brace, without the closing one.
    pub attributes: Vec<u8>,
    pub body: Vec<u8>,
    pub body_is_json: bool,
    pub service: Vec<u8>,
    pub host: Vec<u8>,
}

impl Record {
    pub(crate) fn clear(&mut self) {
        self.notes.clear();
        (self.time_ns, self.severity, self.context, self.body_is_json) = (None, 0, Context::default(), false);
        for text in [&mut self.severity_text, &mut self.attributes, &mut self.body, &mut self.service, &mut self.host] {
            text.clear();
        }
    }

    #[inline]
    pub(crate) fn set_stamp(&mut self, stamp: Stamp) {
        self.time_ns = Some(stamp.ns);
        if stamp.is_assumed {
            self.notes.mark(Mark::DateAssumed);
        }
    }

    #[inline]
    pub(crate) fn set_level(&mut self, name: &[u8], severity: u8) {
        self.severity = severity;
        replace(&mut self.severity_text, name);
    }

    pub(crate) fn has_trace(&self) -> bool {
        self.context.trace != (0, 0)
    }

    /// Takes what the field of a trace says, unless a better id is known. Tells whether it says something.
    pub(crate) fn set_trace(&mut self, recorded: &[u8]) -> bool {
        let Some(found) = crate::log::ids::trace(recorded) else { return false };
        if self.has_trace() && (found.is_converted || !self.context.is_converted) {
            return found.trace == self.context.trace;
        }
        self.context = Context {
            span_id: if found.span_id == 0 { self.context.span_id } else { found.span_id },
            flags: found.flags.or(self.context.flags),
            ..found
        };
        if found.is_converted {
            self.notes.mark(Mark::IdConverted);
            self.notes.keep("trace_id", Recorded::Text(recorded));
        }
        true
    }

    /// Takes what the field of a span says. Tells whether it says something.
    pub(crate) fn set_span(&mut self, recorded: &[u8]) -> bool {
        let Some((span_id, is_converted)) = crate::log::ids::span(recorded) else { return false };
        if self.context.span_id != 0 {
            return self.context.span_id == span_id;
        }
        self.context.span_id = span_id;
        if is_converted {
            self.notes.mark(Mark::IdConverted);
            self.notes.keep("span_id", Recorded::Text(recorded));
        }
        true
    }

    /// Begins an attribute: the caller appends its value as typed JSON.
    #[inline]
    pub(crate) fn member(&mut self, key: &[u8]) -> &mut Vec<u8> {
        self.attributes.push(if self.attributes.is_empty() { b'{' } else { b',' });
        write_string(&mut self.attributes, key);
        self.attributes.push(b':');
        &mut self.attributes
    }

    /// As [`Record::member`], with a key that is written as JSON with its colon already.
    #[inline]
    pub(crate) fn member_json(&mut self, key: &[u8]) -> &mut Vec<u8> {
        self.attributes.push(if self.attributes.is_empty() { b'{' } else { b',' });
        self.attributes.extend_from_slice(key);
        &mut self.attributes
    }

    /// Appends an attribute that is a text (valid UTF-8); the key needs no escapes.
    #[inline]
    pub(crate) fn text(&mut self, key: &str, text: &[u8]) {
        self.attributes.extend_from_slice(if self.attributes.is_empty() { b"{\"" } else { b",\"" });
        self.attributes.extend_from_slice(key.as_bytes());
        self.attributes.extend_from_slice(b"\":");
        let value = Scalar::Text { text, is_clean: false };
        self.notes.marks |= write_scalar(&mut self.attributes, value, self.max_bytes);
    }

    /// Appends an attribute that is a number or a word, typed by how it looks: an integer, a double, a truth value, a text.
    #[inline]
    pub(crate) fn typed(&mut self, key: &[u8], text: &[u8]) {
        let max_bytes = self.max_bytes;
        let out = self.member(key);
        if is_number(text) || matches!(text, b"true" | b"false") {
            out.extend_from_slice(text);
        } else {
            self.notes.marks |= write_scalar(out, Scalar::Text { text, is_clean: false }, max_bytes);
        }
    }

    /// Appends the row but for its resource and scope. `fallback_ns` is the time of a record that has none.
    pub(crate) fn commit(&mut self, logs: &mut LogBatch, fallback_ns: i64) {
        let row = logs.len();
        if self.time_ns.is_none() {
            self.notes.mark(Mark::TimeMissing);
        }
        self.commit_body(logs, row);
        self.notes.marks |= set_text(&mut logs.severity_text, row, &self.severity_text, self.max_bytes);
        if !self.attributes.is_empty() {
            self.attributes.push(b'}');
            set_text(&mut logs.attributes, row, &self.attributes, usize::MAX);
        }
        if let Some(original) = self.notes.original() {
            set_text(&mut logs.original, row, original, usize::MAX);
        }
        logs.observed_ns.push(0);
        logs.severity.push(self.severity);
        logs.trace_hi.push(self.context.trace.0);
        logs.trace_lo.push(self.context.trace.1);
        logs.span_id.push(self.context.span_id);
        logs.flags.push(self.context.flags.unwrap_or(0));
        logs.marks.push(self.notes.marks);
        logs.body_is_json.push(self.body_is_json);
        logs.time_ns.push(self.time_ns.unwrap_or(fallback_ns));
    }

    fn commit_body(&mut self, logs: &mut LogBatch, row: usize) {
        if self.body.is_empty() {
            return;
        }
        logs.body.pad(row);
        if self.body.len() <= self.max_bytes || self.body_is_json {
            logs.body.push_bytes(&self.body);
            return;
        }
        logs.body.bytes.extend_from_slice(cut(&self.body, self.max_bytes));
        logs.body.push_bytes("…".as_bytes());
        self.notes.mark(Mark::ValueCut);
    }
}

/// Tells whether a text is a number as JSON writes it, short enough to fit, and written in the usual way.
#[inline]
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_whole = (1..=18).contains(&whole) && (whole == 1 || digits.first() != Some(&b'0'));
    match digits.get(whole..) {
        Some([]) => is_whole && text != b"-0",
        Some([b'.', fraction @ ..]) => {
            is_whole && (1..=18).contains(&fraction.len()) && fraction.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}
