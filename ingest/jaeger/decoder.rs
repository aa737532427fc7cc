//! The decoder of `jaeger-json`: walks down to the spans of traces, or to spans that stand alone.
//!
//! ```text
//! stream  = { object | "[" | "]" | "," | white space }
//! object  = span | trace | answer | document
//! trace   = { "traceID": …, "spans": [ span… ], "processes": { id: process } }                  in any order
//! answer  = { "data": [ trace… ] } | { "hits": { "hits": [ document… ] } }
//! document = { "_source": span }
//! ```
//!
//! A span is read in one go, so a trace may be larger than the window. Its processes usually stand behind its spans: the spans
//! wait for them, up to 65 536 of them; more are passed on without a service, and a reject says so.

use crate::batch::{Batch, Resource};
use crate::format::{Decoder, End, Window};
use crate::jaeger::json::{self, Origin};
use crate::jaeger::span::Process;
use crate::json::reject;
use crate::otlp::Settings;
use crate::otlp::json::cursor::{Cursor, Fault, Skeleton, Why};
use crate::otlp::json::field::next_key;
use crate::span_writer::SpanWriter;

/// How many processes of spans that stand alone are remembered.
const MAX_PROCESSES: usize = 1_024;

/// What is kept of a window in which nothing was found.
const OVERLAP: usize = 128;

/// One thing that is open.
#[derive(Debug, Clone, Copy)]
enum Level {
    /// An object above spans.
    Object { is_trace: bool },
    /// An array of objects.
    List,
    /// An array of spans.
    Spans,
    /// A value that is larger than the window and left out.
    Skip(Skeleton),
    /// Looking for a span or trace after something that made no sense.
    Lost,
}

/// The processes that were told, and those of the spans that wait for theirs.
#[derive(Debug, Default)]
struct Processes {
    /// By their name in the trace, or their JSON.
    known: Vec<(Box<[u8]>, Option<Resource>)>,
    of_spans: Vec<usize>,
}

/// The decoder of `jaeger-json`.
#[derive(Debug)]
pub(crate) struct JaegerDecoder {
    stack: Vec<Level>,
    writer: SpanWriter,
    processes: Processes,
    /// Bytes that may still be looked at twice.
    patience: usize,
}

impl JaegerDecoder {
    pub(crate) fn new(settings: &Settings) -> Self {
        let writer = SpanWriter::new(settings);
        Self { stack: Vec::new(), writer, processes: Processes::default(), patience: 0 }
    }

    /// Does one thing: opens or closes a level, or reads a span or another small value.
    fn step(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>) -> Result<(), Fault> {
        match self.stack.last().copied() {
            None => self.root(cursor),
            Some(Level::Object { is_trace }) => self.object(cursor, is_trace, window),
            Some(Level::List) => self.element(cursor, false),
            Some(Level::Spans) => self.element(cursor, true),
            Some(Level::Skip(skeleton)) => self.skip(cursor, skeleton),
            Some(Level::Lost) => self.find_way(cursor, window),
        }
    }

    fn root(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b'[' | b']' | 0) = cursor.peek() {
            cursor.at += 1;
        }
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        if rest.starts_with(b"\xef\xbb\xbf") {
            cursor.at += 3;
            return Ok(());
        }
        self.span_or_object(cursor)
    }

    fn element(&mut self, cursor: &mut Cursor<'_>, is_span: bool) -> Result<(), Fault> {
        if cursor.take(b']') {
            self.stack.pop();
            Ok(())
        } else if cursor.take_null() {
            Ok(())
        } else if is_span {
            self.span(cursor, true)
        } else {
            self.span_or_object(cursor)
        }
    }

    fn span_or_object(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        match kind_of(cursor)? {
            Kind::Span => self.span(cursor, false),
            Kind::Object => {
                cursor.expect(b'{', Why::NoObject)?;
                self.stack.push(Level::Object { is_trace: false });
                Ok(())
            }
            Kind::Neither => cursor.fault(Why::NoValue),
        }
    }

    fn object(&mut self, cursor: &mut Cursor<'_>, is_trace: bool, window: &Window<'_>) -> Result<(), Fault> {
        let start = cursor.at;
        let Some(key) = next_key(cursor)? else {
            self.stack.pop();
            if is_trace {
                self.end_trace(window, start);
            }
            return Ok(());
        };
        match (key, cursor.peek()) {
            (b"data" | b"traces" | b"hits", Some(b'[')) => self.open(cursor, Level::List),
            (b"data" | b"hits", Some(b'{')) => self.open(cursor, Level::Object { is_trace: false }),
            (b"_source", Some(b'{')) => self.span_or_object(cursor)?,
            (b"spans", Some(b'[')) => {
                self.begin_trace();
                self.open(cursor, Level::Spans);
            }
            // What was open was cut off, and another trace begins.
            (b"spans", Some(b'{')) => return cursor.fault(Why::RequestInside),
            (b"processes", Some(b'{')) => self.read_processes(cursor)?,
            (b"process", Some(b'{')) => self.read_process(cursor, b"")?,
            _ => cursor.skip_value()?,
        }
        Ok(())
    }

    fn open(&mut self, cursor: &mut Cursor<'_>, level: Level) {
        cursor.at += 1;
        self.stack.push(level);
    }

    fn begin_trace(&mut self) {
        if let Some(Level::Object { is_trace }) = self.stack.last_mut() {
            if !*is_trace {
                self.writer.builder.open_resource();
            }
            *is_trace = true;
        }
    }

    fn end_trace(&mut self, window: &Window<'_>, at: usize) {
        let resources: Vec<Resource> =
            self.processes.known.iter().map(|(_, known)| known.clone().unwrap_or_else(unknown_resource)).collect();
        let num_told = self.writer.builder.close_resources(&self.processes.of_spans, &resources);
        self.processes = Processes::default();
        if num_told > 0 {
            let reason = || format!("processes of {num_told} spans stand too far behind them: they lack their service");
            reject(&mut self.writer.builder.batch.rejects, window, at, reason);
        }
    }

    fn read_processes(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        cursor.expect(b'{', Why::NoObject)?;
        while let Some(id) = next_key(cursor)? {
            self.read_process(cursor, id)?;
        }
        Ok(())
    }

    fn read_process(&mut self, cursor: &mut Cursor<'_>, id: &[u8]) -> Result<(), Fault> {
        let from = cursor.at;
        cursor.skip_value()?;
        let raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
        let process = json::process(raw).map_err(|fault| Fault { at: from + fault.at, ..fault })?;
        let resource = process.resource(&mut self.writer);
        let number = self.processes.number(id);
        if let Some((_, known)) = self.processes.known.get_mut(number) {
            *known = Some(resource);
        }
        Ok(())
    }

    /// Reads a span and writes its row.
    fn span(&mut self, cursor: &mut Cursor<'_>, is_in_trace: bool) -> Result<(), Fault> {
        cursor.skip_space();
        let from = cursor.at;
        let (span, origin) = json::span(cursor)?;
        let process = origin.process.map(json::process).transpose()?;
        let number = self.number_of(origin, process.as_ref());
        if !is_in_trace {
            self.writer.builder.open_resource();
        }
        self.processes.of_spans.push(number);
        span.write(&mut self.writer, cursor.at - from);
        if !is_in_trace {
            self.close_lone(number);
        }
        Ok(())
    }

    fn number_of(&mut self, origin: Origin<'_>, process: Option<&Process<'_>>) -> usize {
        let number = self.processes.number(origin.process.unwrap_or(origin.id));
        if let (Some(process), Some((_, known @ None))) = (process, self.processes.known.get_mut(number)) {
            *known = Some(process.resource(&mut self.writer));
        }
        number
    }

    /// Gives a span that stands alone its resource.
    fn close_lone(&mut self, number: usize) {
        let known = self.processes.known.get(number).and_then(|(_, known)| known.clone());
        let resource = known.unwrap_or_else(unknown_resource);
        self.writer.builder.close_resources(&[0], &[resource]);
        self.processes.of_spans.clear();
        if self.processes.known.len() > MAX_PROCESSES {
            self.processes.known.clear();
        }
    }

    fn skip(&mut self, cursor: &mut Cursor<'_>, mut skeleton: Skeleton) -> Result<(), Fault> {
        self.stack.pop();
        match skeleton.advance(cursor.bytes.get(cursor.at..).unwrap_or_default()) {
            Some(len) => {
                cursor.at += len;
                Ok(())
            }
            None if skeleton.is_broken => cursor.fault(Why::LineEndInText),
            None => {
                cursor.at = cursor.bytes.len();
                self.stack.push(Level::Skip(skeleton));
                cursor.fault(Why::End)
            }
        }
    }

    /// Looks for what begins as a span or trace does, or for a brace at the beginning of a line.
    fn find_way(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>) -> Result<(), Fault> {
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        let is_line = |at: usize| match (cursor.at + at).checked_sub(1) {
            Some(before) => cursor.bytes.get(before) == Some(&b'\n'),
            None => false,
        };
        let begins = |at: &usize| is_line(*at) || begins_unit(rest.get(*at..).unwrap_or_default());
        let Some(at) = memchr::memchr_iter(b'{', rest).find(begins) else {
            cursor.at = cursor.at.max(cursor.bytes.len().saturating_sub(OVERLAP));
            return Err(Fault { at: cursor.bytes.len(), why: Why::End });
        };
        cursor.at += at;
        self.stack.pop();
        let is_line = cursor.at > 0 && cursor.bytes.get(cursor.at - 1) == Some(&b'\n');
        while !is_line && !matches!(self.stack.last(), None | Some(Level::List | Level::Spans)) {
            self.close_last(window, cursor.at);
        }
        if is_line {
            self.close_all(window, cursor.at);
        }
        Ok(())
    }

    fn close_last(&mut self, window: &Window<'_>, at: usize) {
        if let Some(Level::Object { is_trace: true }) = self.stack.pop() {
            self.end_trace(window, at);
        }
    }

    fn close_all(&mut self, window: &Window<'_>, at: usize) {
        while !self.stack.is_empty() {
            self.close_last(window, at);
        }
    }

    /// Deals with a fault in what begins at the cursor; returns whether the window is done with.
    fn recover(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>, fault: Fault) -> bool {
        match (fault.why, window.end) {
            (Why::End, End::Last) => self.end(cursor, window),
            (Why::End, _) => self.leave_out(cursor, window),
            _ => self.step_over(cursor, window, fault),
        }
    }

    fn end(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>) -> bool {
        let rest = window.bytes.get(cursor.at..).unwrap_or_default();
        let is_blank = rest.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'[' | 0));
        let is_lost = matches!(self.stack.last(), Some(Level::Lost));
        if !(is_lost || (is_blank && self.stack.is_empty())) {
            self.reject(window, cursor.at, "cut off: the input ends inside a span or trace");
            if self.spend(rest.len()) && rest.len() > 1 {
                cursor.at += 1;
                self.stack.push(Level::Lost);
                return false;
            }
        }
        self.close_all(window, window.bytes.len());
        cursor.at = window.bytes.len();
        true
    }

    /// What begins here is longer than a window can be.
    fn leave_out(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>) -> bool {
        let start = cursor.at;
        if let Some(Level::Object { .. }) = self.stack.last() {
            // The key was read before: what is too long is its value.
            let _ = next_key(cursor);
        }
        cursor.skip_space();
        if let Some(b'{' | b'[' | b'"') = cursor.peek() {
            self.stack.push(Level::Skip(Skeleton::default()));
        } else {
            cursor.at = start.saturating_add(1).min(window.bytes.len());
            self.stack.push(Level::Lost);
        }
        self.reject(window, start, &format!("longer than {} bytes", window.bytes.len()));
        false
    }

    fn step_over(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>, fault: Fault) -> bool {
        let start = cursor.at;
        let is_patient = self.spend(fault.at.saturating_sub(start));
        let mut ahead = *cursor;
        if is_patient && !breaks_form(fault.why) && self.skip_thing(&mut ahead).is_ok() {
            self.reject(window, start, &format!("{} in a span or trace", fault.why.text()));
            *cursor = ahead;
            return false;
        }
        self.reject(window, start, &format!("{} in a span or trace", fault.why.text()));
        let after = if is_patient { start } else { fault.at };
        cursor.at = after.saturating_add(1).min(window.bytes.len());
        self.stack.push(Level::Lost);
        false
    }

    /// Skips the span, object or member at the cursor.
    fn skip_thing(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        if let Some(Level::Object { .. }) = self.stack.last() {
            next_key(cursor)?;
        }
        cursor.skip_value()
    }

    /// Takes from the patience for broken input; false when it is used up.
    fn spend(&mut self, num_bytes: usize) -> bool {
        let is_enough = self.patience >= num_bytes;
        self.patience = self.patience.saturating_sub(num_bytes);
        is_enough
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, reason: &str) {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let at = at + rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        reject(&mut self.writer.builder.batch.rejects, window, at, || format!("{reason}; left out"));
    }
}

impl Processes {
    /// Returns the number of a process, which may be told later.
    fn number(&mut self, id: &[u8]) -> usize {
        if let Some(number) = self.known.iter().rposition(|(known, _)| **known == *id) {
            return number;
        }
        self.known.push((id.into(), None));
        self.known.len() - 1
    }
}

/// The resource of a span whose process is not known.
fn unknown_resource() -> Resource {
    Resource { service: "unknown_service".to_owned(), attributes: "{}".to_owned(), ..Resource::default() }
}

/// What an object is.
enum Kind {
    Span,
    Object,
    Neither,
}

/// Finds out by its keys what the object at the cursor is.
fn kind_of(cursor: &Cursor<'_>) -> Result<Kind, Fault> {
    let mut cursor = *cursor;
    cursor.expect(b'{', Why::NoObject)?;
    loop {
        match next_key(&mut cursor)? {
            None => return Ok(Kind::Neither),
            Some(b"spans" | b"data" | b"traces" | b"hits" | b"_source" | b"processes") => return Ok(Kind::Object),
            Some(b"spanID" | b"spanId" | b"span_id" | b"operationName" | b"references" | b"startTimeMillis") => {
                return Ok(Kind::Span);
            }
            Some(_) => cursor.skip_value()?,
        }
    }
}

/// Tells whether brackets and quotes cannot be trusted after it.
const fn breaks_form(why: Why) -> bool {
    matches!(why, Why::LineEndInText | Why::NoKey | Why::NoColon | Why::RequestInside | Why::End)
}

/// Tells whether `bytes` begin as a span or a trace does. References begin alike, but have no name.
fn begins_unit(bytes: &[u8]) -> bool {
    const MAX_LOOK: usize = 4_096;
    let inside = bytes.get(1..).unwrap_or_default().trim_ascii_start();
    let look = bytes.get(..MAX_LOOK).unwrap_or(bytes);
    let len = Skeleton::default().advance(look).unwrap_or(look.len());
    let look = look.get(..len).unwrap_or_default();
    [&b"\"traceID\""[..], b"\"traceId\"", b"\"trace_id\""].iter().any(|key| inside.starts_with(key))
        && [&b"\"operationName\""[..], b"\"spans\"", b"\"duration\""]
            .iter()
            .any(|key| memchr::memmem::find(look, key).is_some())
}

impl Decoder for JaegerDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        let mut cursor = Cursor { bytes: window.bytes, at: 0 };
        self.patience = window.bytes.len().saturating_mul(8);
        loop {
            let start = cursor.at;
            match self.step(&mut cursor, window) {
                Ok(()) if self.stack.is_empty() && self.writer.builder.is_full() => return cursor.at,
                Ok(()) => {}
                Err(Fault { why: Why::End, .. }) if window.end != End::Last && self.is_skipping(&cursor) => {
                    return cursor.at;
                }
                Err(Fault { why: Why::End, .. }) if window.end == End::More => return start,
                Err(fault) => {
                    cursor.at = start;
                    if self.recover(&mut cursor, window, fault) {
                        return cursor.at;
                    }
                }
            }
        }
    }

    fn is_between_units(&self) -> bool {
        self.stack.is_empty()
    }

    fn set_batch_records(&mut self, max_records: usize) {
        self.writer.builder.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.writer.builder.take(flush)
    }
}

impl JaegerDecoder {
    /// Tells whether what is behind the cursor need not be seen again.
    fn is_skipping(&self, cursor: &Cursor<'_>) -> bool {
        let is_blank = self.stack.is_empty() && cursor.at >= cursor.bytes.len();
        is_blank || matches!(self.stack.last(), Some(Level::Skip(_) | Level::Lost))
    }
}
