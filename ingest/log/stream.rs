//! Decodes logs record by record: a line, or a line and those after it that begin no record of their own.
//!
//! Whether a line begins a record can be told from the line alone, so that a stream may be cut before any that does.

use std::sync::Arc;

use crate::batch::Batch;
use crate::format::{Decoder, End, Opening, Settings, Window};
use crate::lines;
use crate::log::ansi;
use crate::log::origin::Origins;
use crate::log::record::Record;
use crate::log::text::TextReader;
use crate::log::time::Times;
use crate::log::{json, seek, text};
use crate::marks::Mark;
use crate::otlp::builder::Builder;
use crate::rejects::{EXCERPT_BYTES, Reject};
use crate::text::inert_bytes;

/// How many lines of the head are looked at for the first time of a stream.
const HEAD_LINES: usize = 200;

/// How the records of one format are read.
pub(crate) trait Grammar: Send {
    /// Tells whether a line begins a record.
    fn begins(&self, line: &[u8]) -> bool;

    /// Tells whether lines that begin no record belong to the one before them; else they are records without a time.
    fn continues(&self) -> bool;

    /// Tells whether a record goes on behind its first line up to the next one, though others of the format do not.
    fn goes_on(&self, _line: &[u8]) -> bool {
        false
    }

    /// Reads a record: valid UTF-8 without colours and without its last line end. Returns false where it is not of the format.
    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong>;
}

/// Why a record cannot be read, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub at: usize,
    pub reason: &'static str,
}

/// Decodes a stream of log records.
pub(crate) struct LogDecoder {
    grammar: Box<dyn Grammar>,
    text: TextReader,
    builder: Builder,
    record: Record,
    origins: Origins,
    /// The time of the last record, for those that have none.
    last_ns: Option<i64>,
    first_ns: Option<i64>,
    opening: Arc<[u8]>,
    /// The line that is going on was too long.
    is_skipping: bool,
    scratch: Vec<u8>,
}

/// What is known of all bytes of a window.
#[derive(Clone, Copy)]
struct Traits {
    has_escapes: bool,
    is_utf8: bool,
}

impl LogDecoder {
    pub(crate) fn new(grammar: Box<dyn Grammar>, settings: &Settings, opening: &Opening) -> Self {
        let record = Record {
            times: Times::new(opening.written_ns),
            max_bytes: settings.limits.value_bytes,
            ..Record::default()
        };
        Self {
            grammar,
            text: TextReader::new(settings),
            builder: Builder::new(settings.clone()),
            record,
            origins: Origins::default(),
            last_ns: None,
            first_ns: None,
            opening: opening.head.clone(),
            is_skipping: false,
            scratch: Vec::new(),
        }
    }

    /// Returns the record at `at`; nothing where more bytes may belong to it.
    fn unit(&self, bytes: &[u8], at: usize, end: End, traits: Traits) -> Option<usize> {
        let Some(first) = line_end(bytes, at) else {
            return (end == End::Last).then(|| bytes.len() - at);
        };
        let line = slice(bytes, at, first);
        let extends = self.grammar.continues() || self.grammar.goes_on(line) || !self.begins(line, traits);
        if !extends {
            return Some(first - at);
        }
        let mut next = first;
        while let Some(stop) = line_end(bytes, next) {
            if self.begins(slice(bytes, next, stop), traits) {
                return Some(next - at);
            }
            next = stop;
        }
        // The last line may go on: only at the end is it known whether it begins a record.
        let rest = slice(bytes, next, bytes.len());
        match end {
            End::More => None,
            End::Last if !rest.is_empty() && !self.begins(rest, traits) => Some(bytes.len() - at),
            End::Last | End::Full => Some(next - at),
        }
    }

    fn begins(&self, line: &[u8], traits: Traits) -> bool {
        let begins = |line: &[u8]| self.grammar.begins(line) || text::begins(line);
        if traits.has_escapes && ansi::is_in(line) { begins(&ansi::stripped(line)) } else { begins(line) }
    }

    /// Reads the record at `at` and appends its row.
    fn take_unit(&mut self, window: &Window<'_>, at: usize, len: usize, traits: Traits) {
        let text = trim(slice(window.bytes, at, at + len));
        if text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
            return;
        }
        self.record.clear();
        let result = if traits.is_plain(text) {
            self.read(text)
        } else {
            let mut clean = std::mem::take(&mut self.scratch);
            ansi::strip(text, &mut clean);
            if simdutf8::basic::from_utf8(&clean).is_err() {
                clean = String::from_utf8_lossy(&clean).into_owned().into_bytes();
                self.record.notes.mark(Mark::TextReplaced);
            }
            let result = self.read(&clean);
            self.scratch = clean;
            result
        };
        match result {
            Ok(()) => self.commit(),
            Err(wrong) => self.reject(window, at, wrong.at, wrong.reason),
        }
        self.builder.end_record(len);
    }

    #[inline]
    fn read(&mut self, text: &[u8]) -> Result<(), Wrong> {
        if !self.grammar.read(text, &mut self.record)? {
            self.text.read(text, &mut self.record);
        } else if json::begins(&self.record.body) {
            self.text.unwrap_body(&mut self.record);
        }
        if !self.record.has_trace() && !self.record.body_is_json {
            seek::ids(&mut self.record);
        }
        Ok(())
    }

    fn commit(&mut self) {
        if self.record.time_ns.is_some() {
            self.last_ns = self.record.time_ns;
        }
        let fallback_ns = if let Some(last_ns) = self.last_ns { last_ns } else { self.first_ns() };
        let batch = &mut self.builder.batch;
        let resource = self.origins.number(batch, &self.record.service, &self.record.host);
        batch.logs.resource.push(resource);
        batch.logs.scope.push(0);
        self.record.commit(&mut batch.logs, fallback_ns);
    }

    /// The first time in the stream, or when it was written where there is none: for records before the first time.
    fn first_ns(&mut self) -> i64 {
        if let Some(first_ns) = self.first_ns {
            return first_ns;
        }
        let mut probe = Record { times: self.record.times, max_bytes: self.record.max_bytes, ..Record::default() };
        let opening = self.opening.clone();
        let first_ns = opening.split(|&byte| byte == b'\n').take(HEAD_LINES).find_map(|line| {
            probe.clear();
            let line = String::from_utf8_lossy(trim(line));
            if !self.grammar.read(line.as_bytes(), &mut probe).unwrap_or(true) {
                self.text.read(line.as_bytes(), &mut probe);
            }
            probe.time_ns
        });
        *self.first_ns.insert(first_ns.unwrap_or(self.record.times.written_ns))
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, inner: usize, reason: &str) {
        let (offset, line, _) = window.place(at);
        let (_, _, column) = window.place(at.saturating_add(inner));
        let excerpt = window.bytes.get(at..).unwrap_or_default();
        let excerpt = excerpt.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let excerpt = inert_bytes(excerpt.get(..EXCERPT_BYTES).unwrap_or(excerpt));
        self.builder.reject(Reject { offset, line, column, reason: reason.to_owned(), excerpt });
    }

    /// Returns how much of the window belongs to a line that was refused for its length.
    fn skip_line(&mut self, window: &Window<'_>) -> usize {
        if !self.is_skipping {
            return 0;
        }
        let rest = line_end(window.bytes, 0);
        self.is_skipping = rest.is_none() && window.end != End::Last;
        rest.unwrap_or(window.bytes.len())
    }
}

impl Decoder for LogDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        let traits = Traits::of(window.bytes);
        let mut at = self.skip_line(window);
        while at < window.bytes.len() && !self.builder.is_full() {
            let Some(len) = self.unit(window.bytes, at, window.end, traits) else { break };
            self.take_unit(window, at, len, traits);
            at += len;
        }
        if at == 0 && window.end == End::Full && !window.bytes.is_empty() {
            self.reject(window, 0, 0, "a line longer than the limit");
            self.is_skipping = true;
            return window.bytes.len();
        }
        if window.end == End::Last && at >= window.bytes.len() {
            self.last_ns = None;
        }
        at
    }

    fn is_between_units(&self) -> bool {
        !self.is_skipping
    }

    fn set_batch_records(&mut self, max_records: usize) {
        self.builder.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.builder.take(flush)
    }
}

impl Traits {
    fn of(bytes: &[u8]) -> Self {
        Self { has_escapes: ansi::is_in(bytes), is_utf8: simdutf8::basic::from_utf8(bytes).is_ok() }
    }

    #[inline]
    fn is_plain(self, text: &[u8]) -> bool {
        (!self.has_escapes || !ansi::is_in(text)) && (self.is_utf8 || simdutf8::basic::from_utf8(text).is_ok())
    }
}

/// Returns where a stream may be cut: before a line that `begins` a record, near `target`.
pub(crate) fn cut(bytes: &[u8], target: usize, begins: fn(&[u8]) -> bool) -> Option<usize> {
    let (before, after) = bytes.split_at(target.min(bytes.len()));
    let is_cut =
        |at: &usize| line_end(bytes, *at).is_some_and(|end| begins(&ansi::stripped(trim(slice(bytes, *at, end)))));
    let last = memchr::memrchr_iter(b'\n', before).map(|at| at + 1).find(is_cut);
    last.or_else(|| memchr::memchr_iter(b'\n', after).map(|at| at + before.len() + 1).find(is_cut))
}

/// Returns how much of `bytes` is whole: all of it, unless the last line has no end. Then what that line may belong to is
/// left as well.
pub(crate) fn whole(bytes: &[u8], begins: fn(&[u8]) -> bool, continues: bool) -> usize {
    let whole = lines::whole(bytes);
    if whole == bytes.len() || !continues || begins(&ansi::stripped(slice(bytes, whole, bytes.len()))) {
        return whole;
    }
    let before = slice(bytes, 0, whole);
    let starts = memchr::memrchr_iter(b'\n', before).skip(1).map(|at| at + 1);
    starts
        .chain([0])
        .find(|&at| line_end(before, at).is_some_and(|end| begins(&ansi::stripped(slice(before, at, end)))))
        .unwrap_or(0)
}

/// Returns where the line at `at` ends, behind its line end.
#[inline]
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    memchr::memchr(b'\n', bytes.get(at..)?).map(|len| at + len + 1)
}

#[inline]
fn slice(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to).unwrap_or_default()
}

/// Takes off the line end, and zeros before the text: a file that was truncated while it was written begins with them.
#[inline]
fn trim(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b'\n' | b'\r'] = text {
        text = rest;
    }
    while let [0, rest @ ..] = text {
        text = rest;
    }
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
