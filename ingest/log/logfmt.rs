//! logfmt: `key=value` fields in a row, values with spaces in quotes. A word without `=` belongs to the value before it.

use crate::log::level;
use crate::log::record::Record;
use crate::log::role::{self, Role};
use crate::log::stream::{Grammar, Wrong};
use crate::log::text::bracket::take_pair;
use crate::log::time::Times;
use crate::otlp::json::unescape::unescape;
use crate::otlp::text::replace;

/// Reads logfmt.
#[derive(Default)]
pub(crate) struct Logfmt {
    scratch: Vec<u8>,
    body_rank: Option<u8>,
    time_rank: Option<u8>,
}

/// One field.
struct Pair<'a> {
    key: &'a [u8],
    value: &'a [u8],
    is_quoted: bool,
}

/// Tells whether a line begins with a field.
#[inline]
pub(crate) fn begins(line: &[u8]) -> bool {
    let len = key_len(line);
    len > 0 && line.get(len) == Some(&b'=')
}

/// Tells whether a line is surely a log record: it has a time, and a level or a message.
pub(crate) fn is_log(line: &[u8]) -> bool {
    let mut record = Record { max_bytes: usize::MAX, ..Record::default() };
    let is_read = Logfmt::default().read(line, &mut record).is_ok_and(|is_read| is_read);
    is_read && record.time_ns.is_some() && (record.severity > 0 || !record.body.is_empty())
}

fn key_len(text: &[u8]) -> usize {
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'@' | b'/' | b'$');
    text.iter().take(128).take_while(|byte| is_key(byte)).count()
}

impl Grammar for Logfmt {
    fn begins(&self, line: &[u8]) -> bool {
        begins(line)
    }

    fn continues(&self) -> bool {
        false
    }

    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong> {
        if !begins(text) {
            return Ok(false);
        }
        (self.body_rank, self.time_rank) = (None, None);
        let mut at = 0;
        while let Some(pair) = next_pair(text, &mut at) {
            self.pair(&pair, record);
        }
        Ok(true)
    }
}

impl Logfmt {
    fn pair(&mut self, pair: &Pair<'_>, record: &mut Record) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let value = if pair.is_quoted && memchr::memchr(b'\\', pair.value).is_some() {
            unescape(pair.value, &mut scratch);
            &scratch
        } else {
            pair.value
        };
        if !self.take(pair.key, value, record) {
            if pair.is_quoted {
                let max_bytes = record.max_bytes;
                let value = crate::otlp::attribute::Scalar::Text { text: value, is_clean: false };
                record.notes.marks |= crate::otlp::attribute::write_scalar(record.member(pair.key), value, max_bytes);
            } else {
                take_pair(pair.key, value, record);
            }
        }
        self.scratch = scratch;
    }

    /// Takes time, level and message.
    fn take(&mut self, key: &[u8], value: &[u8], record: &mut Record) -> bool {
        match role::of(key) {
            Role::Time(rank) if self.time_rank.is_none_or(|known| rank < known) => {
                let stamp = record.times.read_all(value);
                match (stamp, Times::of_number(value)) {
                    (Some(stamp), _) => record.set_stamp(stamp),
                    (None, Some(ns)) => record.time_ns = Some(ns),
                    _ => return false,
                }
                self.time_rank = Some(rank);
            }
            Role::Level(_) if record.severity == 0 => match level::of_name(value) {
                Some(severity) => record.set_level(value, severity),
                None => return false,
            },
            Role::Body(rank) if self.body_rank.is_none_or(|known| rank < known) && record.body.is_empty() => {
                replace(&mut record.body, value);
                self.body_rank = Some(rank);
            }
            Role::Trace | Role::Span | Role::Flags | Role::Service(_) | Role::Host => {
                take_pair(key, value, record);
            }
            Role::Pid => record.typed(b"process.pid", value),
            _ => return false,
        }
        true
    }
}

/// Returns the next field.
fn next_pair<'a>(text: &'a [u8], at: &mut usize) -> Option<Pair<'a>> {
    while text.get(*at).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b',') {
        *at += 1;
    }
    let rest = text.get(*at..).filter(|rest| !rest.is_empty())?;
    let len = key_len(rest);
    let key = rest.get(..len)?;
    if len == 0 || rest.get(len) != Some(&b'=') {
        // A word that belongs to no field: as a key that is set.
        let word = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        *at += word;
        return Some(Pair { key: rest.get(..word)?, value: b"true", is_quoted: false });
    }
    let value = rest.get(len + 1..)?;
    if value.first() == Some(&b'"') {
        let end = quoted_len(value);
        *at += len + 1 + end;
        let inner = value.get(1..end)?;
        return Some(Pair { key, value: inner.strip_suffix(b"\"").unwrap_or(inner), is_quoted: true });
    }
    let end = value_len(value);
    *at += len + 1 + end;
    Some(Pair { key, value: value.get(..end)?.trim_ascii_end(), is_quoted: false })
}

/// Returns the length of a text with its quotes.
fn quoted_len(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(next) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at += next + 1;
        if text.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// Returns the length of a value without quotes: up to the next field.
#[inline]
fn value_len(value: &[u8]) -> usize {
    let mut at = 0;
    loop {
        let rest = value.get(at..).unwrap_or_default();
        let Some(space) = rest.iter().position(u8::is_ascii_whitespace) else { return value.len() };
        at += space;
        let next = value.get(at + 1..).unwrap_or_default();
        let key = key_len(next);
        if next.is_empty()
            || next.first().is_some_and(u8::is_ascii_whitespace)
            || (key > 0 && next.get(key) == Some(&b'='))
        {
            return at;
        }
        at += 1;
    }
}

/// Takes a message with fields behind it, as logrus and Go's text loggers write them: `message   key=value key=value`.
pub(crate) fn after_message(text: &[u8], record: &mut Record) {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let Some(gap) = memchr::memmem::find(line, b"  ") else {
        record.body.extend_from_slice(text);
        return;
    };
    let fields = line.get(gap..).unwrap_or_default().trim_ascii_start();
    if !begins(fields) {
        record.body.extend_from_slice(text);
        return;
    }
    record.body.extend_from_slice(line.get(..gap).unwrap_or_default());
    self::fields(fields, record);
    record.body.extend_from_slice(text.get(line.len()..).unwrap_or_default());
}

/// Takes fields that stand behind a message.
pub(crate) fn fields(text: &[u8], record: &mut Record) {
    let (mut at, mut reader) = (0, Logfmt { body_rank: Some(0), time_rank: Some(0), ..Logfmt::default() });
    while let Some(pair) = next_pair(text, &mut at) {
        reader.pair(&pair, record);
    }
}
