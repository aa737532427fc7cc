//! Jaeger: traces as JSON, from its API, its UI and its storages, and batches as Thrift.
//!
//! | file | what |
//! | --- | --- |
//! | `decoder` | walks down to the spans in a stream of JSON |
//! | `json` | reads a span in each of the dialects |
//! | `thrift` | reads the batches that Jaeger's clients post |
//! | `span` | writes the row |

mod decoder;
mod json;
mod span;
mod thrift;

pub use crate::jaeger::thrift::{JaegerThrift, decode_thrift};

use crate::format::{Decoder, Format, Opening};
use crate::jaeger::decoder::JaegerDecoder;
use crate::otlp::Settings;
use crate::otlp::json::OtlpJson;
use crate::otlp::json::cursor::{Cursor, Fault, Why};
use crate::otlp::json::field::next_key;

/// The format `jaeger-json`.
#[derive(Debug)]
pub struct JaegerJson;

impl Format for JaegerJson {
    fn name(&self) -> &'static str {
        "jaeger-json"
    }

    fn description(&self) -> &'static str {
        "Jaeger traces as JSON: its API, the UI's download, Elasticsearch and Kafka"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../sample-traces/formats/jaeger.json")
    }

    fn recognises(&self, head: &[u8], _is_whole: bool) -> bool {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let mut seen = Seen::default();
        // What the head cuts off is judged by what is there.
        let _ = seen.look(&mut Cursor { bytes: text, at: 0 }, 0);
        seen.is_jaeger()
    }

    /// As in OTLP: an object ends and another begins, with a line end between them and no comma.
    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        OtlpJson.cut(bytes, target)
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        OtlpJson.whole_units(bytes)
    }

    fn decoder(&self, settings: &Settings, _opening: &Opening) -> Box<dyn Decoder> {
        Box::new(JaegerDecoder::new(settings))
    }
}

/// Which keys were seen in the first objects of a stream.
#[derive(Debug, Default)]
struct Seen {
    own: u8,
    trace: bool,
    span: bool,
    answer: u8,
    foreign: bool,
}

impl Seen {
    /// Looks at the keys of the object that begins at the cursor, in any number of brackets, and of the first one inside.
    fn look(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<(), Fault> {
        const MAX_DEPTH: usize = 4;
        while let Some(b' ' | b'\n' | b'\r' | b'\t' | b'[' | 0) = cursor.peek() {
            cursor.at += 1;
        }
        if cursor.peek() == Some(b']') {
            return Ok(());
        }
        cursor.expect(b'{', Why::NoObject)?;
        while let Some(key) = next_key(cursor)? {
            match key {
                b"traceID" | b"traceIdLow" => (self.trace, self.own) = (true, self.own + 1),
                b"traceId" => self.trace = true,
                b"spanID" => (self.span, self.own) = (true, self.own.saturating_add(1)),
                b"spanId" | b"span_id" => self.span = true,
                b"operationName" | b"processes" | b"processID" | b"startTimeMillis" | b"references" => {
                    self.own = self.own.saturating_add(2);
                }
                b"duration" | b"startTime" | b"flags" => self.own = self.own.saturating_add(1),
                b"total" | b"limit" | b"offset" | b"errors" => self.answer += 1,
                b"level" | b"severity" | b"msg" | b"message" | b"localEndpoint" | b"resourceSpans" | b"scopeSpans"
                | b"startTimeUnixNano" => self.foreign = true,
                _ => {}
            }
            if matches!(key, b"data" | b"traces" | b"spans" | b"hits" | b"_source") && depth < MAX_DEPTH {
                self.answer = self.answer.saturating_add(u8::from(key == b"data"));
                let mut inside = *cursor;
                self.look(&mut inside, depth + 1)?;
            }
            cursor.skip_value()?;
        }
        Ok(())
    }

    fn is_jaeger(&self) -> bool {
        !self.foreign && ((self.trace && self.span && self.own >= 3) || self.answer >= 5)
    }
}

#[cfg(test)]
mod tests;
