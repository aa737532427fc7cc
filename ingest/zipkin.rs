//! Zipkin: spans as JSON and protobuf, from its API, its libraries and OpenTelemetry's exporters.
//!
//! | file | what |
//! | --- | --- |
//! | `run` | finds spans and runs of spans in a stream |
//! | `json`, `proto` | read a span |
//! | `share` | takes apart ids that client and server share |
//! | `span` | writes the row |

mod decoder;
mod json;
mod proto;
mod run;
mod share;
mod span;

pub use crate::zipkin::proto::{ZipkinProto, decode_proto};

use crate::batch::Batch;
use crate::format::{Decoder, End, Format, Opening, Window};
use crate::json::keys_of_first;
use crate::otlp::Settings;
use crate::zipkin::decoder::ZipkinDecoder;
use crate::zipkin::run::{Object, Run, is_noise, object, run};

/// The format `zipkin-json`.
#[derive(Debug)]
pub struct ZipkinJson;

/// Decodes what a client posted to `/api/v2/spans` as JSON.
#[must_use]
pub fn decode_json(bytes: &[u8], settings: &Settings) -> Vec<Batch> {
    let mut decoder = ZipkinDecoder::new(settings);
    decoder.decode(&Window { bytes, offset: 0, line: 1, line_offset: 0, end: End::Last });
    decoder.take(true)
}

impl Format for ZipkinJson {
    fn name(&self) -> &'static str {
        "zipkin-json"
    }

    fn description(&self) -> &'static str {
        "Zipkin spans as JSON: its API and storage, Brave, zipkin-js, OpenTelemetry's exporters"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../sample-traces/formats/zipkin.json")
    }

    fn recognises(&self, head: &[u8], _is_whole: bool) -> bool {
        let mut seen = [false; 3];
        let is_known = keys_of_first(head, |key| {
            match key {
                b"traceId" => seen[0] = true,
                b"id" => seen[1] = true,
                b"localEndpoint" | b"remoteEndpoint" | b"annotations" | b"binaryAnnotations" | b"kind"
                | b"parentId" | b"duration" | b"name" | b"tags" | b"shared" | b"timestamp" => seen[2] = true,
                b"spanId" | b"spanID" | b"span_id" | b"level" | b"severity" | b"msg" | b"message" => return false,
                _ => {}
            }
            true
        });
        is_known && seen == [true; 3]
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        let (mut at, mut last) = (0, None);
        while let Run::Whole(len) = run(bytes.get(at..)?) {
            at += len;
            if at > target {
                return last.or(Some(at));
            }
            last = Some(at);
        }
        last
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            at += rest.iter().take_while(|byte| is_noise(**byte)).count();
            match bytes.get(at..).map(object) {
                Some(Object::Whole(len)) if bytes.get(at) == Some(&b'{') => at += len,
                _ => return at,
            }
        }
    }

    fn decoder(&self, settings: &Settings, _opening: &Opening) -> Box<dyn Decoder> {
        Box::new(ZipkinDecoder::new(settings))
    }
}

#[cfg(test)]
pub(crate) mod tests;
