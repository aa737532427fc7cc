//! Walks the levels of a stream of requests and hands records to their readers.

use crate::batch::Batch;
use crate::format::{Decoder, End, Window};
use crate::otlp::Settings;
use crate::otlp::attribute::Object;
use crate::otlp::builder::Builder;
use crate::otlp::json::cursor::{Cursor, Fault, Skeleton, Why};
use crate::otlp::json::field::{Fields, next_key};
use crate::otlp::json::level::{CHILDREN, Level, RESOURCE, SCHEMA_URL, origin_field, resource_field, scope_field};
use crate::otlp::json::log::LogReader;
use crate::otlp::json::metric::MetricReader;
use crate::otlp::json::number::integer;
use crate::otlp::json::span::SpanReader;
use crate::otlp::json::value::Values;
use crate::otlp::json::{REQUEST_KEYS, Signal};
use crate::otlp::span::roll_back;
use crate::otlp::text::replace;

/// The decoder of `otlp-json`.
#[derive(Debug)]
pub(crate) struct JsonDecoder {
    pub(super) stack: Vec<Level>,
    pub(super) builder: Builder,
    pub(super) values: Values,
    /// How records begin, such as `{"traceId":`: where to go on after one that made no sense.
    pub(super) record_mark: Vec<u8>,
    /// Bytes that may still be looked at twice to find the end of something broken.
    pub(super) patience: usize,
    spans: SpanReader,
    logs: LogReader,
    pub(super) metrics: MetricReader,
    resource_fields: Fields,
    scope_fields: Fields,
    origin_fields: Fields,
}

impl JsonDecoder {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            stack: Vec::new(),
            builder: Builder::new(settings.clone()),
            values: Values::new(settings.conventions.clone(), settings.limits),
            record_mark: Vec::new(),
            patience: 0,
            spans: SpanReader::new(),
            logs: LogReader::new(),
            metrics: MetricReader::new(),
            resource_fields: Fields::new(resource_field),
            scope_fields: Fields::new(scope_field),
            origin_fields: Fields::new(origin_field),
        }
    }

    /// Does one thing: opens or closes a level, or reads a record or another small value.
    #[inline]
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        match self.stack.last().copied() {
            Some(Level::Records(signal)) => self.record(cursor, signal),
            Some(Level::Resource(signal, field)) => self.resource(cursor, signal, field),
            Some(Level::Scope(signal, field)) => self.scope(cursor, signal, field),
            Some(Level::Resources(signal)) => self.element(cursor, Level::Resource(signal, 0)),
            Some(Level::Scopes(signal)) => self.element(cursor, Level::Scope(signal, 0)),
            Some(Level::Request { is_known, is_empty }) => self.request(cursor, is_known || is_empty, is_known),
            Some(Level::Skip(skeleton)) => self.skip(cursor, skeleton),
            Some(Level::Lost) => self.find_way(cursor),
            None => self.root(cursor),
        }
    }

    fn root(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',' | b'[' | b']') = cursor.peek() {
            cursor.at += 1;
        }
        match cursor.peek() {
            None => cursor.fault(Why::End),
            Some(b'{') => {
                cursor.at += 1;
                self.stack.push(Level::Request { is_known: false, is_empty: true });
                Ok(())
            }
            Some(0xef) if cursor.bytes.get(cursor.at..).is_some_and(|rest| rest.starts_with(b"\xef\xbb\xbf")) => {
                cursor.at += 3;
                Ok(())
            }
            Some(_) => cursor.fault(Why::NoObject),
        }
    }

    fn request(&mut self, cursor: &mut Cursor<'_>, is_fine: bool, is_known: bool) -> Result<(), Fault> {
        let Some(name) = next_key(cursor)? else {
            self.stack.pop();
            return if is_fine { Ok(()) } else { Err(Fault { at: cursor.at, why: Why::NoRequest }) };
        };
        let signal = REQUEST_KEYS.iter().find(|(key, _)| key.as_bytes() == name).map(|(_, signal)| *signal);
        let state = Level::Request { is_known: is_known || signal.is_some(), is_empty: false };
        match signal {
            Some(signal) if cursor.peek() == Some(b'[') => {
                cursor.at += 1;
                self.replace_top(state);
                self.stack.push(Level::Resources(signal));
            }
            _ => {
                cursor.skip_value()?;
                self.replace_top(state);
            }
        }
        Ok(())
    }

    /// Opens the next object of an array, or closes the array.
    fn element(&mut self, cursor: &mut Cursor<'_>, inside: Level) -> Result<(), Fault> {
        if cursor.take(b']') {
            self.stack.pop();
        } else if !cursor.take_null() {
            cursor.expect(b'{', Why::NoObject)?;
            match inside {
                Level::Resource(..) => self.builder.open_resource(),
                _ => self.builder.open_scope(),
            }
            self.stack.push(inside);
        }
        Ok(())
    }

    fn resource(&mut self, cursor: &mut Cursor<'_>, signal: Signal, previous: u8) -> Result<(), Fault> {
        let Some(field) = self.resource_fields.next(cursor, previous)? else {
            self.builder.close_resource();
            self.stack.pop();
            return Ok(());
        };
        match field {
            RESOURCE => {
                let open = &mut self.builder.resource;
                open.attributes.clear();
                let texts = [&mut Vec::new(), &mut Vec::new()];
                let dropped = &mut open.dropped_attributes;
                origin(cursor, &mut self.origin_fields, &mut self.values, &mut open.attributes, texts, dropped)?;
            }
            CHILDREN if cursor.take(b'[') => {
                self.replace_top(Level::Resource(signal, field));
                self.stack.push(Level::Scopes(signal));
                return Ok(());
            }
            SCHEMA_URL => replace(&mut self.builder.resource.schema_url, self.values.text(cursor)?),
            _ => cursor.skip_value()?,
        }
        self.replace_top(Level::Resource(signal, field));
        Ok(())
    }

    fn scope(&mut self, cursor: &mut Cursor<'_>, signal: Signal, previous: u8) -> Result<(), Fault> {
        let Some(field) = self.scope_fields.next(cursor, previous)? else {
            self.builder.close_scope();
            self.stack.pop();
            return Ok(());
        };
        match field {
            RESOURCE => {
                let open = &mut self.builder.scope;
                open.attributes.clear();
                let texts = [&mut open.name, &mut open.version];
                let dropped = &mut open.dropped_attributes;
                origin(cursor, &mut self.origin_fields, &mut self.values, &mut open.attributes, texts, dropped)?;
            }
            CHILDREN if cursor.take(b'[') => {
                self.replace_top(Level::Scope(signal, field));
                self.stack.push(Level::Records(signal));
                return Ok(());
            }
            SCHEMA_URL => replace(&mut self.builder.scope.schema_url, self.values.text(cursor)?),
            _ => cursor.skip_value()?,
        }
        self.replace_top(Level::Scope(signal, field));
        Ok(())
    }

    #[inline]
    fn record(&mut self, cursor: &mut Cursor<'_>, signal: Signal) -> Result<(), Fault> {
        if cursor.take(b']') {
            self.stack.pop();
            return Ok(());
        }
        if cursor.take_null() {
            return Ok(());
        }
        let from = cursor.at;
        if self.record_mark.is_empty() && cursor.peek() == Some(b'{') {
            self.remember_mark(cursor.bytes.get(from..).unwrap_or_default());
        }
        cursor.expect(b'{', Why::NoObject)?;
        let result = match signal {
            Signal::Spans => {
                let spans = &mut self.builder.batch.spans;
                let result = self.spans.read(cursor, &mut self.values, spans);
                if result.is_err() {
                    roll_back(spans);
                }
                result
            }
            Signal::Logs => self.logs.read(cursor, &mut self.values, &mut self.builder.batch.logs),
            Signal::Metrics => self.metrics.read(cursor, &mut self.values, &mut self.builder.batch.metrics),
        };
        result?;
        self.builder.end_record(cursor.at.wrapping_sub(from));
        Ok(())
    }

    fn remember_mark(&mut self, record: &[u8]) {
        const MAX_MARK: usize = 64;
        let colon = record.iter().take(MAX_MARK).position(|&byte| byte == b':');
        self.record_mark.extend_from_slice(colon.and_then(|colon| record.get(..colon)).unwrap_or_default());
    }

    fn skip(&mut self, cursor: &mut Cursor<'_>, mut skeleton: Skeleton) -> Result<(), Fault> {
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        match skeleton.advance(rest) {
            Some(len) => {
                cursor.at += len;
                self.stack.pop();
                Ok(())
            }
            None if skeleton.is_broken => {
                self.stack.pop();
                cursor.fault(Why::LineEndInText)
            }
            None => {
                cursor.at = cursor.bytes.len();
                self.replace_top(Level::Skip(skeleton));
                cursor.fault(Why::End)
            }
        }
    }

    fn replace_top(&mut self, level: Level) {
        if let Some(top) = self.stack.last_mut() {
            *top = level;
        }
    }

    fn is_skipping(&self) -> bool {
        matches!(self.stack.last(), Some(Level::Skip(_) | Level::Lost) | None)
    }

    /// Tells whether what was read makes a full batch.
    fn has_full_batch(&self) -> bool {
        self.builder.is_full()
    }

    /// Closes every level above `len`.
    pub(super) fn close_down_to(&mut self, len: usize) {
        while self.stack.len() > len {
            match self.stack.pop() {
                Some(Level::Resource(..)) => self.builder.close_resource(),
                Some(Level::Scope(..)) => self.builder.close_scope(),
                _ => {}
            }
        }
    }
}

/// Reads a `resource` or `scope` object.
fn origin(
    cursor: &mut Cursor<'_>,
    fields: &mut Fields,
    values: &mut Values,
    attributes: &mut Object,
    [name, version]: [&mut Vec<u8>; 2],
    dropped: &mut u32,
) -> Result<(), Fault> {
    if cursor.take_null() {
        return Ok(());
    }
    cursor.expect(b'{', Why::NoObject)?;
    let mut field = 0;
    while let Some(next) = fields.next(cursor, field)? {
        field = next;
        match field {
            1 => replace(name, values.text(cursor)?),
            2 => replace(version, values.text(cursor)?),
            3 => values.attributes(cursor, attributes)?,
            4 => *dropped = integer(cursor)?.unsigned32(),
            _ => cursor.skip_value()?,
        }
    }
    Ok(())
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        let mut cursor = Cursor { bytes: window.bytes, at: 0 };
        self.patience = window.bytes.len().saturating_mul(8);
        loop {
            let start = cursor.at;
            match self.step(&mut cursor) {
                Ok(()) if self.stack.is_empty() && self.has_full_batch() => return cursor.at,
                Ok(()) if self.metrics.faults.is_empty() => {}
                Ok(()) => self.reject_points(window),
                // What is being skipped need not be seen again, nor white space between requests.
                Err(Fault { why: Why::End, .. }) if window.end != End::Last && self.is_skipping() => return cursor.at,
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
        self.builder.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.builder.take(flush)
    }
}
