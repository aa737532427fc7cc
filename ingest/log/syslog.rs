//! Syslog, with and without priority.
//!
//! ```text
//! <134>Nov 20 12:32:32 host app[123]: message                       RFC 3164
//! <134>1 2026-11-20T12:32:32.219+00:00 host app 123 ID47 [id key="value"] message   RFC 5424
//! Nov 20 12:32:32 host app[123]: message                            as files hold it
//! 2026-11-20T12:32:32.219+00:00 host app[123]: message              as rsyslog writes it
//! ```

use crate::log::level::{self, Scale};
use crate::log::record::Record;
use crate::log::stream::{Grammar, Wrong};
use crate::log::time::{Stamp, Times, number};
use crate::otlp::attribute::{Scalar, write_scalar};

/// Reads syslog.
pub(crate) struct Syslog;

/// A line up to its message.
struct Head<'a> {
    priority: Option<u64>,
    stamp: Stamp,
    host: &'a [u8],
    app: &'a [u8],
    pid: &'a [u8],
    message_id: &'a [u8],
    /// Where structured data or the message begins.
    at: usize,
    is_5424: bool,
}

/// Tells whether a line begins a record.
#[inline]
pub(crate) fn begins(line: &[u8]) -> bool {
    head(line, Times::default()).is_some()
}

fn head(line: &[u8], times: Times) -> Option<Head<'_>> {
    let (priority, from) = priority(line)?;
    let rest = line.get(from..)?;
    if priority.is_some() && rest.starts_with(b"1 ") {
        return head_5424(line, from + 2, priority, times);
    }
    let stamp = times.read(rest).filter(|stamp| !stamp.is_time_only && !stamp.is_epoch)?;
    let mut at = from + stamp.len;
    let is_bsd = rest.first().is_some_and(u8::is_ascii_alphabetic);
    let host = word(line, &mut at).filter(|host| is_host(host))?;
    let tag = tag(line, at);
    if tag.is_none() && (priority.is_none() || !is_bsd) {
        return None;
    }
    let (app, pid, end) = tag.unwrap_or((b"", b"", at));
    Some(Head { priority, stamp, host, app, pid, message_id: b"", at: end, is_5424: false })
}

fn head_5424(line: &[u8], from: usize, priority: Option<u64>, times: Times) -> Option<Head<'_>> {
    let mut at = from - 1;
    let time = word(line, &mut at)?;
    let stamp = match time {
        b"-" => None,
        _ => Some(times.read_all(time)?),
    };
    let mut field = || word(line, &mut at).map(|word| if word == b"-" { b"" } else { word });
    let (host, app, pid, message_id) = (field()?, field()?, field()?, field()?);
    let stamp = stamp?;
    Some(Head { priority, stamp, host, app, pid, message_id, at: at + 1, is_5424: true })
}

/// `<134>`: nothing where it is broken, `None` inside where there is none.
fn priority(line: &[u8]) -> Option<(Option<u64>, usize)> {
    if line.first() != Some(&b'<') {
        return Some((None, 0));
    }
    let len = line.iter().take(5).position(|&byte| byte == b'>')?;
    let priority = number(line.get(1..len)?).filter(|&priority| priority <= 191)?;
    Some((Some(priority), len + 1))
}

/// Returns the word behind a space.
fn word<'a>(line: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    if line.get(*at) != Some(&b' ') {
        return None;
    }
    let rest = line.get(*at + 1..)?;
    let len = memchr::memchr(b' ', rest).unwrap_or(rest.len());
    *at += 1 + len;
    rest.get(..len).filter(|word| !word.is_empty())
}

/// Tells whether a word can be the name of a host, and is no level.
fn is_host(word: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    word.first().is_some_and(u8::is_ascii_alphanumeric)
        && word.iter().all(is_letter)
        && word.last() != Some(&b':')
        && level::of_word(word).is_none()
}

/// `app[123]: `, `app: `
fn tag(line: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let rest = line.get(at + 1..)?;
    let is_app =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b'(' | b')' | b'@');
    let len = rest.iter().take(64).take_while(|byte| is_app(byte)).count();
    let app = rest.get(..len).filter(|app| !app.is_empty() && level::of_word(app).is_none())?;
    let (pid, mut end) = match rest.get(len) {
        Some(b'[') => {
            let close = memchr::memchr(b']', rest.get(len..)?)?;
            (rest.get(len + 1..len + close)?, len + close + 1)
        }
        _ => (&b""[..], len),
    };
    if rest.get(end) != Some(&b':') {
        return None;
    }
    end += 1;
    Some((app, pid, at + 1 + end))
}

impl Grammar for Syslog {
    fn begins(&self, line: &[u8]) -> bool {
        begins(line)
    }

    fn continues(&self) -> bool {
        true
    }

    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong> {
        let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let Some(head) = head(first, record.times) else { return Ok(false) };
        record.set_stamp(head.stamp);
        if let Some(priority) = head.priority {
            record.severity = level::of_number(priority % 8, Scale::Syslog).unwrap_or(0);
            record.typed(b"syslog.facility", (priority / 8).to_string().as_bytes());
        }
        record.host.extend_from_slice(head.host);
        record.service.extend_from_slice(head.app);
        if !head.pid.is_empty() {
            record.typed(b"process.pid", head.pid);
        }
        if !head.message_id.is_empty() {
            record.text("syslog.msgid", head.message_id);
        }
        let at = if head.is_5424 { structured(first, head.at, record) } else { head.at };
        let message = text.get(at..).unwrap_or_default();
        let message = message.strip_prefix(b" ").unwrap_or(message);
        record.body.extend_from_slice(message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message));
        Ok(true)
    }
}

/// Takes `[id key="value" …]…` as attributes `id.key`; returns where it ends.
fn structured(line: &[u8], from: usize, record: &mut Record) -> usize {
    if line.get(from) == Some(&b'-') {
        return from + 1;
    }
    let mut at = from;
    while line.get(at) == Some(&b'[') {
        let Some(end) = element(line, at + 1, record) else { return at };
        at = end;
    }
    at
}

fn element(line: &[u8], from: usize, record: &mut Record) -> Option<usize> {
    let rest = line.get(from..)?;
    let len = rest.iter().position(|byte| matches!(byte, b' ' | b']'))?;
    let (id, mut at) = (rest.get(..len)?, from + len);
    let mut value = Vec::new();
    while line.get(at) == Some(&b' ') {
        let pair = line.get(at + 1..)?;
        let equals = memchr::memchr(b'=', pair).filter(|&equals| pair.get(equals + 1) == Some(&b'"'))?;
        let quoted = pair.get(equals + 2..)?;
        let len = unquote(quoted, &mut value)?;
        parameter(id, pair.get(..equals)?, &value, record);
        at += 1 + equals + 2 + len + 1;
    }
    (line.get(at) == Some(&b']')).then_some(at + 1)
}

/// Takes a parameter: an id by its name, else as text.
fn parameter(id: &[u8], name: &[u8], value: &[u8], record: &mut Record) {
    use crate::log::role::{self, Role};
    let is_taken = match role::of(name) {
        Role::Trace => record.set_trace(value),
        Role::Span => record.set_span(value),
        _ => false,
    };
    if !is_taken {
        let key = [id, b".", name].concat();
        let max_bytes = record.max_bytes;
        let value = Scalar::Text { text: value, is_clean: false };
        record.notes.marks |= write_scalar(record.member(&key), value, max_bytes);
    }
}

/// Sets `out` to a value without its escapes, and returns how long it is with them.
fn unquote(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    out.clear();
    let mut bytes = text.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' if matches!(text.get(at + 1), Some(b'"' | b'\\' | b']')) => {
                out.extend(bytes.next().map(|(_, byte)| byte));
            }
            _ => out.push(byte),
        }
    }
    None
}
