//! Walks the levels of a stream of requests and hands records to their readers.

use crate::batch::Batch;
use crate::format::{Decoder, End, Window};
use crate::otlp::Settings;
use crate::otlp::attribute::Object;
use crate::otlp::builder::Builder;
use crate::otlp::json::Signal;
use crate::otlp::proto::OtlpProto;
use crate::otlp::proto::log::LogReader;
use crate::otlp::proto::metric::MetricReader;
use crate::otlp::proto::shape::signal_of;
use crate::otlp::proto::span::SpanReader;
use crate::otlp::proto::value::Values;
use crate::otlp::proto::wire::{Fault, Why, Wire};
use crate::otlp::span::roll_back;
use crate::otlp::text::replace;
use crate::rejects::{EXCERPT_BYTES, Reject};
use crate::text::digits;

/// One message that is open, and the offset in the stream where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Request(u64),
    Resource(u64),
    Scope(u64),
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    /// The window ends inside what begins here, which is so long (where that is known).
    Short(Option<u64>),
    Bad(Fault),
}

/// The decoder of the `otlp-proto` formats.
#[derive(Debug)]
pub(crate) struct ProtoDecoder {
    format: OtlpProto,
    stack: Vec<Level>,
    builder: Builder,
    values: Values,
    spans: SpanReader,
    logs: LogReader,
    metrics: MetricReader,
    /// What the records of the open request are, once one has told.
    signal: Option<Signal>,
    /// What the records of all requests are, where that is known.
    asked: Option<Signal>,
    /// Everything before this offset is left out.
    skip_to: u64,
}

impl Level {
    const fn end(self) -> u64 {
        match self {
            Self::Request(end) | Self::Resource(end) | Self::Scope(end) => end,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Request(_) => "a request",
            Self::Resource(_) => "a resource",
            Self::Scope(_) => "a scope",
        }
    }
}

impl ProtoDecoder {
    pub(crate) fn new(format: OtlpProto, settings: &Settings) -> Self {
        Self {
            format,
            stack: Vec::new(),
            builder: Builder::new(settings.clone()),
            values: Values::new(settings.conventions.clone(), settings.limits),
            spans: SpanReader::default(),
            logs: LogReader::default(),
            metrics: MetricReader::default(),
            signal: None,
            asked: None,
            skip_to: 0,
        }
    }

    /// Returns a decoder of requests whose records are all of one kind.
    pub(crate) fn of_signal(signal: Signal, settings: &Settings) -> Self {
        Self { asked: Some(signal), ..Self::new(OtlpProto::Bare, settings) }
    }

    /// Opens a message or reads a record or another small field.
    #[inline]
    fn step(&mut self, window: &Window<'_>, at: &mut usize) -> Step {
        let Some(&level) = self.stack.last() else {
            return self.open_unit(window, at);
        };
        let offset = window.offset.saturating_add(*at as u64);
        let rest = window.bytes.get(*at..).unwrap_or_default();
        let left = level.end().saturating_sub(offset);
        let rest = usize::try_from(left).ok().and_then(|left| rest.get(..left)).unwrap_or(rest);
        let bad = |why| Step::Bad(Fault { address: rest.as_ptr().addr(), why });
        let mut wire = Wire::new(rest);
        let short = if left <= rest.len() as u64 { bad(Why::LongLength) } else { Step::Short(None) };
        let tag = match wire.header_varint() {
            Ok(Some(tag)) => tag,
            Ok(None) => return short,
            Err(why) => return bad(why),
        };
        if tag & 7 != 2 {
            return skip_number(tag, rest, wire.at, left, at);
        }
        let len = match wire.header_varint() {
            Ok(Some(len)) => len,
            Ok(None) => return short,
            Err(why) => return bad(why),
        };
        if len > left.saturating_sub(wire.at as u64) {
            return bad(Why::LongLength);
        }
        let content_offset = offset.saturating_add(wire.at as u64);
        if let Some(inner) = inner_level(level, tag >> 3, content_offset.saturating_add(len)) {
            self.open(inner);
            *at += wire.at;
            return Step::Done;
        }
        let content = rest.get(wire.at..).unwrap_or_default();
        let Some(content) = usize::try_from(len).ok().and_then(|len| content.get(..len)) else {
            return Step::Short(Some(len.saturating_add(wire.at as u64)));
        };
        match self.read_field(level, tag >> 3, content) {
            Ok(()) => {
                *at += wire.at + content.len();
                Step::Done
            }
            Err(fault) => {
                self.reject_content(window, content, fault);
                *at += wire.at + content.len();
                Step::Done
            }
        }
    }

    /// Opens the next unit of the stream.
    fn open_unit(&mut self, window: &Window<'_>, at: &mut usize) -> Step {
        let rest = window.bytes.get(*at..).unwrap_or_default();
        match self.format.unit(rest) {
            Ok(Some(unit)) => {
                *at += unit.header;
                let end = window.offset.saturating_add(*at as u64).saturating_add(unit.len);
                self.signal = self.asked;
                self.open(if self.format == OtlpProto::Bare { Level::Resource(end) } else { Level::Request(end) });
                Step::Done
            }
            Ok(None) => Step::Short(None),
            Err(why) => Step::Bad(Fault { address: rest.as_ptr().addr(), why }),
        }
    }

    fn open(&mut self, level: Level) {
        match level {
            Level::Request(_) => {}
            Level::Resource(_) => self.builder.open_resource(),
            Level::Scope(_) => self.builder.open_scope(),
        }
        self.stack.push(level);
    }

    #[inline]
    fn read_field(&mut self, level: Level, number: u64, content: &[u8]) -> Result<(), Fault> {
        match (level, number) {
            (Level::Scope(_), 2) => self.record(content),
            (Level::Resource(_), 1) => {
                let open = &mut self.builder.resource;
                origin(content, &mut self.values, &mut open.attributes, None, &mut open.dropped_attributes)
            }
            (Level::Scope(_), 1) => {
                let open = &mut self.builder.scope;
                let texts = Some([&mut open.name, &mut open.version]);
                origin(content, &mut self.values, &mut open.attributes, texts, &mut open.dropped_attributes)
            }
            (Level::Resource(_), 3) => {
                replace(&mut self.builder.resource.schema_url, &valid(content));
                Ok(())
            }
            (Level::Scope(_), 3) => {
                replace(&mut self.builder.scope.schema_url, &valid(content));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn record(&mut self, content: &[u8]) -> Result<(), Fault> {
        if self.signal.is_none() {
            self.signal = signal_of(content);
        }
        let batch = &mut self.builder.batch;
        match self.signal.unwrap_or(Signal::Spans) {
            Signal::Spans => {
                let result = self.spans.read(content, &mut self.values, &mut batch.spans);
                if result.is_err() {
                    roll_back(&mut batch.spans);
                }
                result?;
            }
            Signal::Logs => self.logs.read(content, &mut self.values, &mut batch.logs)?,
            Signal::Metrics => self.metrics.read(content, &mut self.values, &mut batch.metrics)?,
        }
        self.builder.end_record(content.len());
        Ok(())
    }

    /// Closes the messages that end here.
    #[inline]
    fn close_ended(&mut self, offset: u64) {
        while let Some(level) = self.stack.last().filter(|level| level.end() <= offset) {
            match level {
                Level::Request(_) => {}
                Level::Resource(_) => self.builder.close_resource(),
                Level::Scope(_) => self.builder.close_scope(),
            }
            self.stack.pop();
        }
    }

    /// Deals with a step that could not be done; returns whether the window is done with.
    fn recover(&mut self, window: &Window<'_>, at: &mut usize, step: Step) -> bool {
        let offset = window.offset.saturating_add(*at as u64);
        let inside = self.stack.last().map_or("the stream", |level| level.name());
        match (step, window.end) {
            (Step::Short(_), End::More) => return true,
            (Step::Short(_), End::Last) => {
                if *at < window.bytes.len() || !self.stack.is_empty() {
                    self.reject(window, *at, format!("cut off: the input ends inside {inside}"));
                }
                self.skip_to = u64::MAX;
            }
            (Step::Short(Some(len)), End::Full) => {
                let limit = window.bytes.len();
                self.reject(window, *at, format!("field of {len} bytes in {inside}: longer than {limit}; left out"));
                self.skip_to = offset.saturating_add(len);
            }
            (Step::Bad(fault), _) => self.reject_rest(window, *at, fault, inside),
            (Step::Short(None), End::Full) => {
                self.reject_rest(window, *at, Fault { address: 0, why: Why::Cut }, inside);
            }
            (Step::Done, _) => {}
        }
        false
    }

    /// Leaves out the rest of the message that makes no sense from here on.
    fn reject_rest(&mut self, window: &Window<'_>, at: usize, fault: Fault, inside: &str) {
        let reason = format!("{} in {inside}; the rest of it is left out", fault.why.text());
        let at = place(window, fault.address).unwrap_or(at);
        self.reject(window, at, reason);
        self.skip_to = self.stack.last().map_or(u64::MAX, |level| level.end());
    }

    fn reject_content(&mut self, window: &Window<'_>, content: &[u8], fault: Fault) {
        let inside = self.stack.last().map_or("the stream", |level| level.name());
        let at = place(window, content.as_ptr().addr()).unwrap_or_default();
        let fault_at = place(window, fault.address).unwrap_or(at);
        let (byte, text) = (fault_at.saturating_sub(at), fault.why.text());
        self.reject(window, at, format!("{text} at byte {byte} of a record in {inside}; left out"));
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, reason: String) {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let excerpt = digits(rest.get(..EXCERPT_BYTES / 4).unwrap_or(rest), " ");
        let offset = window.offset.saturating_add(at as u64);
        self.builder.reject(Reject { offset, line: 0, column: 0, reason, excerpt });
    }

    fn reject_points(&mut self, window: &Window<'_>) {
        for (address, fault) in std::mem::take(&mut self.metrics.faults) {
            let at = place(window, address).unwrap_or_default();
            self.reject(window, at, format!("{} in a data point; left out", fault.why.text()));
        }
    }
}

/// Returns the message that field `number` of `level` opens.
#[inline]
fn inner_level(level: Level, number: u64, end: u64) -> Option<Level> {
    match (level, number) {
        (Level::Request(_), 1) => Some(Level::Resource(end)),
        (Level::Resource(_), 2) => Some(Level::Scope(end)),
        _ => None,
    }
}

/// Skips a field that is no message: there is none that is known at these levels.
fn skip_number(tag: u64, rest: &[u8], header: usize, left: u64, at: &mut usize) -> Step {
    let mut wire = Wire::new(rest);
    let len = match tag & 7 {
        1 => header as u64 + 8,
        5 => header as u64 + 4,
        _ => match wire.next() {
            Ok(_) => wire.at as u64,
            Err(fault) if fault.why == Why::Cut && left > rest.len() as u64 => return Step::Short(None),
            Err(fault) => return Step::Bad(fault),
        },
    };
    if len > left {
        return Step::Bad(Fault { address: rest.as_ptr().addr(), why: Why::LongLength });
    }
    match usize::try_from(len) {
        Ok(len) if len <= rest.len() => {
            *at += len;
            Step::Done
        }
        _ => Step::Short(None),
    }
}

/// Returns where in the window an address is.
fn place(window: &Window<'_>, address: usize) -> Option<usize> {
    let at = address.checked_sub(window.bytes.as_ptr().addr())?;
    (at <= window.bytes.len()).then_some(at)
}

fn valid(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text).into_owned().into_bytes()
}

/// Reads a `Resource` (attributes 1, dropped 2) or an `InstrumentationScope` (name 1, version 2, attributes 3, dropped 4).
fn origin(
    bytes: &[u8],
    values: &mut Values,
    attributes: &mut Object,
    texts: Option<[&mut Vec<u8>; 2]>,
    dropped: &mut u32,
) -> Result<(), Fault> {
    let Some([name, version]) = texts else {
        let mut wire = Wire::new(bytes);
        while let Some(field) = wire.next()? {
            match field.number {
                1 => values.attribute(field.value.bytes(&field)?, attributes, 0)?,
                2 => *dropped = field.value.varint32(&field)?,
                _ => {}
            }
        }
        return Ok(());
    };
    let mut wire = Wire::new(bytes);
    while let Some(field) = wire.next()? {
        match field.number {
            1 => replace(name, values.text(&field)?),
            2 => replace(version, values.text(&field)?),
            3 => values.attribute(field.value.bytes(&field)?, attributes, 0)?,
            4 => *dropped = field.value.varint32(&field)?,
            _ => {}
        }
    }
    Ok(())
}

impl Decoder for ProtoDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        let mut at = 0_usize;
        loop {
            let offset = window.offset.saturating_add(at as u64);
            if self.skip_to > offset {
                let len = usize::try_from(self.skip_to - offset).unwrap_or(usize::MAX);
                at = at.saturating_add(len).min(window.bytes.len());
            }
            let offset = window.offset.saturating_add(at as u64);
            self.close_ended(offset);
            if self.stack.is_empty() && (self.builder.is_full() || at >= window.bytes.len()) {
                return self.leave(window, at);
            }
            if at >= window.bytes.len() && (window.end != End::Last || self.skip_to == u64::MAX) {
                return self.leave(window, at);
            }
            match self.step(window, &mut at) {
                Step::Done if self.metrics.faults.is_empty() => {}
                Step::Done => self.reject_points(window),
                step => {
                    if self.recover(window, &mut at, step) {
                        return at;
                    }
                }
            }
        }
    }

    fn is_between_units(&self) -> bool {
        self.stack.is_empty() && self.skip_to != u64::MAX
    }

    fn set_batch_records(&mut self, max_records: usize) {
        self.builder.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.builder.take(flush)
    }
}

impl ProtoDecoder {
    /// Leaves the window; after the last one everything is closed.
    fn leave(&mut self, window: &Window<'_>, at: usize) -> usize {
        if window.end == End::Last && at >= window.bytes.len() {
            self.close_ended(u64::MAX);
            self.skip_to = 0;
        }
        at
    }
}
