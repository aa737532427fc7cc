//! OTLP as JSON: a scanner that reads requests in any layout, record by record, straight into columns.
//!
//! ```text
//! stream   = { request | "[" | "]" | "," | white space }       requests a line, pretty-printed, in an array, or in a row
//! request  = { "resourceSpans": [ resource… ] } | { "resourceLogs": … } | { "resourceMetrics": … }
//! resource = { "resource": {…}, "scopeSpans": [ scope… ], "schemaUrl": … }                        in any order
//! scope    = { "scope": {…}, "spans": [ record… ], "schemaUrl": … }                               in any order
//! ```
//!
//! The levels above a record are kept on a stack, so that a request may be larger than the window; a record is read in
//! one go, and read again from its beginning where the window ended inside it. See <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

pub(crate) mod cursor;
pub(crate) mod field;
mod level;
mod log;
mod machine;
mod metric;
pub(crate) mod number;
pub(crate) mod recover;
mod span;
pub(crate) mod unescape;
pub(crate) mod value;

use crate::format::{Decoder, Format, Opening};
use crate::otlp::Settings;
use crate::otlp::json::cursor::Skeleton;
use crate::otlp::json::machine::JsonDecoder;

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Spans,
    Logs,
    Metrics,
}

/// The keys that a request can have. The last one is what Tempo's API answers with.
pub(crate) const REQUEST_KEYS: [(&str, Signal); 7] = [
    ("resourceSpans", Signal::Spans),
    ("resource_spans", Signal::Spans),
    ("resourceLogs", Signal::Logs),
    ("resource_logs", Signal::Logs),
    ("resourceMetrics", Signal::Metrics),
    ("resource_metrics", Signal::Metrics),
    ("batches", Signal::Spans),
];

/// The format `otlp-json`.
#[derive(Debug)]
pub struct OtlpJson;

impl Format for OtlpJson {
    fn name(&self) -> &'static str {
        "otlp-json"
    }

    fn description(&self) -> &'static str {
        "OTLP requests as JSON: the Collector's file exporter, Tempo, SDKs"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../../sample-traces/formats/otlp.jsonl")
    }

    fn recognises(&self, head: &[u8], _is_whole: bool) -> bool {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace() && **byte != 0);
        matches!(first, Some(b'{' | b'[')) && recover::has_request_key(head)
    }

    /// Between `}` and `{` stands a comma or nothing but white space; a line end among it cannot be inside a text (JSON has
    /// no raw line ends there) nor inside an object or array (there would be the comma). So it is between two requests.
    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        let target = target.min(bytes.len());
        let (before, after) = bytes.split_at(target);
        let is_cut = |at: &usize| is_between_objects(bytes, *at);
        let last = memchr::memrchr_iter(b'\n', before).find(is_cut);
        last.or_else(|| memchr::memchr_iter(b'\n', after).map(|at| at + target).find(is_cut)).map(|at| at + 1)
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(object) = memchr::memchr(b'{', bytes.get(at..).unwrap_or_default()) {
            let Some(len) = Skeleton::default().advance(bytes.get(at + object..).unwrap_or_default()) else { break };
            at += object + len;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    }

    fn decoder(&self, settings: &Settings, _opening: &Opening) -> Box<dyn Decoder> {
        Box::new(JsonDecoder::new(settings))
    }
}

/// Tells whether the line end at `at` has a closing brace before it and an opening one after it.
fn is_between_objects(bytes: &[u8], at: usize) -> bool {
    const MAX_SPACE: usize = 64;
    let is_solid = |byte: &&u8| !byte.is_ascii_whitespace();
    let (before, after) = (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default());
    before.iter().rev().take(MAX_SPACE).find(is_solid) == Some(&b'}')
        && after.iter().take(MAX_SPACE).find(is_solid) == Some(&b'{')
}
