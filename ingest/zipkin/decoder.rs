//! The decoder of `zipkin-json`: run after run, each span looked at twice, once for its ids and once for its row.

use crate::batch::Batch;
use crate::format::{Decoder, End, Window};
use crate::json::reject;
use crate::otlp::Settings;
use crate::otlp::json::cursor::{Fault, Skeleton, Why};
use crate::span_writer::SpanWriter;
use crate::zipkin::json;
use crate::zipkin::run::{Object, Run, noise_len, object, run};
use crate::zipkin::share::Shares;
use crate::zipkin::span::ZipkinSpan;

/// The decoder of `zipkin-json`.
#[derive(Debug)]
pub(crate) struct ZipkinDecoder {
    writer: SpanWriter,
    shares: Shares,
    /// Inside a span that is longer than a window.
    skipping: Option<Skeleton>,
}

impl ZipkinDecoder {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { writer: SpanWriter::new(settings), shares: Shares::default(), skipping: None }
    }

    /// Reads the spans of a run: the bytes of the window from `from` to `to`.
    fn read_run(&mut self, window: &Window<'_>, from: usize, to: usize) {
        self.shares.clear();
        for (_, bytes) in objects(window.bytes, from, to) {
            let mut span = ZipkinSpan::default();
            if bytes.is_some_and(|bytes| json::read(bytes, &mut span).is_ok()) {
                self.shares.note(&span);
            }
        }
        for (at, bytes) in objects(window.bytes, from, to) {
            match bytes {
                Some(bytes) => self.read_span(window, at, bytes),
                None => self.reject(window, at, "no span: neither brace nor bracket"),
            }
        }
    }

    fn read_span(&mut self, window: &Window<'_>, at: usize, bytes: &[u8]) {
        let mut span = ZipkinSpan::default();
        let reason = match json::read(bytes, &mut span) {
            Ok(()) => return span.write(self.shares.place(&span), &mut self.writer, bytes.len()),
            Err(Fault { at: 0, why: Why::BadId }) => "no span: it has no id".to_owned(),
            Err(Fault { why: Why::End, .. }) => "cut off: another span begins inside a span".to_owned(),
            Err(fault) => format!("{} at byte {} of a span", fault.why.text(), fault.at),
        };
        self.reject(window, at, &reason);
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, reason: &str) {
        reject(&mut self.writer.builder.batch.rejects, window, at, || format!("{reason}; left out"));
    }

    /// Goes on in a span that is left out; returns where it ends in the window.
    fn skip(&mut self, bytes: &[u8]) -> usize {
        let Some(mut skeleton) = self.skipping.take() else { return 0 };
        let len = skeleton.advance(bytes);
        if len.is_none() && !skeleton.is_broken {
            self.skipping = Some(skeleton);
        }
        // Where a text is broken, the spans behind it are found by their beginnings.
        len.unwrap_or(if skeleton.is_broken { 1 } else { bytes.len() }).min(bytes.len())
    }

    /// Deals with what is open at the end of a window that is as large as it may be, or the last one.
    fn leave_out(&mut self, window: &Window<'_>, at: usize) -> usize {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let solid = at + noise_len(rest);
        if solid >= window.bytes.len() {
            return window.bytes.len();
        }
        if window.end == End::Last {
            self.reject(window, solid, "cut off: the input ends inside a span");
        } else {
            let limit = window.bytes.len();
            self.reject(window, solid, &format!("longer than {limit} bytes"));
            self.skipping = Some(Skeleton::default());
            self.skip(window.bytes.get(solid..).unwrap_or_default());
        }
        window.bytes.len()
    }
}

/// The objects between two places of a window, and what stands between them that should not.
fn objects(bytes: &[u8], from: usize, to: usize) -> impl Iterator<Item = (usize, Option<&[u8]>)> {
    let (mut at, bytes) = (from, bytes.get(..to).unwrap_or(bytes));
    std::iter::from_fn(move || {
        at += noise_len(bytes.get(at..)?);
        if bytes.get(at..)?.starts_with(b"\xef\xbb\xbf") {
            at += 3 + noise_len(bytes.get(at + 3..)?);
        }
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let start = at;
        if rest.first() != Some(&b'{') {
            at += memchr::memchr(b'{', rest).unwrap_or(rest.len());
            return Some((start, None));
        }
        let len = match object(rest) {
            Object::Whole(len) | Object::Cut(len) => len.max(1),
            Object::Open => rest.len(),
        };
        at += len;
        Some((start, rest.get(..len)))
    })
}

impl Decoder for ZipkinDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        let mut at = self.skip(window.bytes);
        loop {
            let rest = window.bytes.get(at..).unwrap_or_default();
            if rest.is_empty() || (self.skipping.is_none() && self.writer.builder.is_full()) {
                return at;
            }
            match (run(rest), window.end) {
                (Run::Whole(len), _) => {
                    self.read_run(window, at, at + len);
                    at += len;
                }
                (Run::Open(_), End::More) => return at,
                (Run::Open(len), _) => {
                    self.read_run(window, at, at + len);
                    return self.leave_out(window, at + len);
                }
            }
        }
    }

    fn is_between_units(&self) -> bool {
        self.skipping.is_none()
    }

    fn set_batch_records(&mut self, max_records: usize) {
        self.writer.builder.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.writer.builder.take(flush)
    }
}
