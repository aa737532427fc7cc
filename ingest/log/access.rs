//! Access logs of nginx, Apache and what imitates them: common, combined, and fields behind them.
//!
//! ```text
//! 127.0.0.1 - ann [20/Nov/2026:12:31:23 +0000] "GET /products/7?x=1 HTTP/1.1" 200 21 "http://referer" "agent" rt=0.032
//! ```

use crate::log::record::{Record, is_number};
use crate::log::stream::{Grammar, Wrong};
use crate::log::text::bracket::take_pair;
use crate::log::time::{Stamp, Times};

/// Reads access logs.
pub(crate) struct Access;

/// Where the parts of a line are.
struct Parts<'a> {
    /// Words before the time.
    before: &'a [u8],
    stamp: Stamp,
    /// From the opening quote of the request.
    rest: &'a [u8],
}

/// Tells whether a line begins a record: it has `[20/Nov/2026:12:31:23 +0000] "` behind three words.
#[inline]
pub(crate) fn begins(line: &[u8]) -> bool {
    open(line).is_some()
}

/// Returns where the bracket of the time stands.
#[inline]
fn open(line: &[u8]) -> Option<usize> {
    let open = memchr::memchr(b'[', line.get(..256).unwrap_or(line)).filter(|&open| open >= 6)?;
    let time = line.get(open..open + 30)?;
    let is_time = [(3, b'/'), (7, b'/'), (12, b':'), (27, b']'), (28, b' '), (29, b'"')];
    let before = line.get(..open)?;
    let is_client = memchr::memchr_iter(b' ', before).count() >= 3 && before.last() == Some(&b' ');
    (is_client && is_time.iter().all(|&(at, byte)| time.get(at) == Some(&byte))).then_some(open)
}

#[inline]
fn parts(line: &[u8], times: Times) -> Option<Parts<'_>> {
    let open = open(line)?;
    let stamp = times.read(line.get(open + 1..)?)?;
    (stamp.len == 26).then_some(Parts { before: line.get(..open)?, stamp, rest: line.get(open + 29..)? })
}

/// Tells whether a line is surely of an access log: a status stands behind the request.
pub(crate) fn is_log(line: &[u8]) -> bool {
    let Some(parts) = parts(line, Times::default()) else { return false };
    let mut words = Words { rest: parts.rest };
    let _request = words.next();
    words.next().is_some_and(|status| status == b"-" || status.iter().all(u8::is_ascii_digit))
}

impl Grammar for Access {
    fn begins(&self, line: &[u8]) -> bool {
        begins(line)
    }

    fn continues(&self) -> bool {
        false
    }

    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong> {
        let Some(parts) = parts(text, record.times) else { return Ok(false) };
        record.set_stamp(parts.stamp);
        client(parts.before, record);
        let mut words = Words { rest: parts.rest };
        if let Some(request) = words.next() {
            record.body.extend_from_slice(request);
            self::request(request, record);
        }
        for key in ["http.response.status_code", "http.response.body.size"] {
            let before = words;
            match words.next() {
                Some(b"-") => {}
                Some(value) if is_number(value) => record.typed(key.as_bytes(), value),
                _ => words = before,
            }
        }
        for key in ["http.request.header.referer", "user_agent.original"] {
            if words.rest.trim_ascii_start().first() == Some(&b'"') {
                let value = words.next().unwrap_or_default();
                if !matches!(value, b"-" | b"") {
                    record.text(key, value);
                }
            }
        }
        extra(words.rest.trim_ascii_start(), record);
        Ok(true)
    }
}

/// Address, identity, user; before them there may be the name of a virtual host.
fn client(before: &[u8], record: &mut Record) {
    let mut words = before.rsplit(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let (Some(user), Some(_), Some(address)) = (words.next(), words.next(), words.next()) else { return };
    record.text("client.address", address);
    if user != b"-" {
        record.text("user.name", user);
    }
    if let Some(host) = words.next() {
        record.text("server.address", host);
    }
}

/// `GET /path?query HTTP/1.1`; anything else is only the body.
fn request(request: &[u8], record: &mut Record) {
    let mut words = request.split(|&byte| byte == b' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    if !method.iter().all(u8::is_ascii_uppercase) || method.is_empty() {
        return;
    }
    record.text("http.request.method", method);
    let at = memchr::memchr(b'?', target).unwrap_or(target.len());
    record.text("url.path", target.get(..at).unwrap_or_default());
    if let Some(query) = target.get(at + 1..).filter(|query| !query.is_empty()) {
        record.text("url.query", query);
    }
    if let Some(version) = words.next().and_then(|version| version.strip_prefix(b"HTTP/")) {
        record.text("network.protocol.version", version);
    }
}

/// What stands behind: `key=value` fields, and anything else as it is.
fn extra(text: &[u8], record: &mut Record) {
    let mut words = Words { rest: text };
    let mut others: Vec<u8> = Vec::new();
    while let Some((key, value)) = words.next_field() {
        match key {
            Some(_) if matches!(value, b"-" | b"") => {}
            Some(key) => take_pair(key, value, record),
            None => {
                others.extend_from_slice(if others.is_empty() { b"" } else { b" " });
                others.extend_from_slice(value);
            }
        }
    }
    if !others.is_empty() {
        record.text("extra", &others);
    }
}

/// Words and texts in quotes, one after the other.
#[derive(Clone, Copy)]
struct Words<'a> {
    rest: &'a [u8],
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.trim_ascii_start();
        let (word, rest) = match rest.split_first()? {
            (b'"', inner) => {
                let end = quote(inner);
                (inner.get(..end)?, inner.get(end + 1..).unwrap_or_default())
            }
            _ => rest.split_at(rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len())),
        };
        self.rest = rest;
        Some(word)
    }

    /// Returns the next word, with its key where it has one.
    fn next_field(&mut self) -> Option<(Option<&'a [u8]>, &'a [u8])> {
        let rest = self.rest.trim_ascii_start();
        let len =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')).count();
        if len == 0 || rest.get(len) != Some(&b'=') {
            return self.next().map(|word| (None, word));
        }
        self.rest = rest.get(len + 1..)?;
        let is_empty = self.rest.first().is_none_or(u8::is_ascii_whitespace);
        let value = if is_empty { Some(&b""[..]) } else { self.next() };
        Some((rest.get(..len), value?))
    }
}

/// Returns where a text in quotes ends; `\"` inside does not end it.
fn quote(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'"', text.get(at..).unwrap_or_default()) {
        at += next;
        if at == 0 || text.get(at - 1) != Some(&b'\\') {
            return at;
        }
        at += 1;
    }
    text.len()
}
