//! Finds trace and span ids inside texts.
//!
//! An id is taken where its name stands before it (`trace_id=…`, `X-B3-TraceId: …`, `"traceId":"…"`), or where its form
//! leaves no doubt: 32 digits with 16 digits behind them, two times 16 digits in brackets (`[service,trace,span]`), or
//! the form of X-Ray.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::log::record::Record;
use crate::log::role::{self, Role};

static TRACE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"race"));
static SPAN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"pan"));

/// How many names are looked at in one text.
const MAX_NAMES: usize = 32;

/// Takes the ids that the body of the record names.
pub(crate) fn ids(record: &mut Record) {
    let body = std::mem::take(&mut record.body);
    scan(&body, record);
    record.body = body;
}

/// Takes the ids that a text names.
pub(crate) fn scan(text: &[u8], record: &mut Record) {
    named(text, &TRACE, Role::Trace, record);
    if !record.has_trace() {
        unnamed(text, record);
    }
    if record.has_trace() && record.context.span_id == 0 {
        named(text, &SPAN, Role::Span, record);
    }
}

/// Takes the first id behind a name that contains what is searched.
fn named(text: &[u8], finder: &Finder<'_>, role: Role, record: &mut Record) {
    for at in finder.find_iter(text).take(MAX_NAMES) {
        let Some((name, value)) = field_around(text, at) else { continue };
        if role::of(name) != role {
            continue;
        }
        let cut = value.iter().position(|byte| matches!(byte, b';' | b'&')).unwrap_or(value.len());
        let values = [value, value.get(..cut).unwrap_or_default()];
        let is_taken = match role {
            Role::Trace => values.iter().any(|value| record.set_trace(value)),
            _ => values.iter().any(|value| record.set_span(value)),
        };
        if is_taken {
            return;
        }
    }
}

/// Returns the name that stands at `at` and the value behind it.
fn field_around(text: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let (before, after) = text.split_at_checked(at)?;
    let from = before.len() - before.iter().rev().take(40).take_while(|byte| is_name(byte)).count();
    let mut to = at + after.iter().take(40).take_while(|byte| is_name(byte)).count();
    if text.get(to..to + 3).is_some_and(|more| more.eq_ignore_ascii_case(b" id")) {
        to += 3;
    }
    let rest = text.get(to..)?;
    let gap = rest
        .iter()
        .take(6)
        .take_while(|byte| matches!(byte, b' ' | b'"' | b'\'' | b'=' | b':' | b'\\' | b'[' | b'<'))
        .count();
    let is_field = rest.get(..gap)?.iter().any(|byte| matches!(byte, b'=' | b':' | b'['));
    let value = rest.get(gap..)?;
    let is_end = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b']' | b')' | b'}' | b'>' | b'|' | b'\\')
    };
    let len = value.iter().take(200).position(is_end).unwrap_or_else(|| value.len().min(200));
    is_field.then_some((text.get(from..to)?, value.get(..len)?))
}

/// Looks at every 16th byte: a run of 16 digits cannot hide between them.
fn unnamed(text: &[u8], record: &mut Record) {
    let mut at = 15;
    while let Some(byte) = text.get(at) {
        if !byte.is_ascii_hexdigit() {
            at += 16;
            continue;
        }
        let (from, to) = run(text, at);
        if take_run(text, from, to, record) {
            return;
        }
        at = to + 16;
    }
}

/// Returns the run of hexadecimal digits around `at`.
fn run(text: &[u8], at: usize) -> (usize, usize) {
    let (before, after) = text.split_at(at.min(text.len()));
    let back = before.iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let ahead = after.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    (at - back, at + ahead)
}

fn take_run(text: &[u8], from: usize, to: usize, record: &mut Record) -> bool {
    let before = from.checked_sub(1).and_then(|at| text.get(at)).copied();
    let is_alone = !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match to - from {
        24 if is_alone && from >= 11 => record.set_trace(text.get(from - 11..to).unwrap_or_default()),
        32 if is_alone => second(text, to)
            .is_some_and(|span| record.set_trace(text.get(from..to).unwrap_or_default()) && record.set_span(span)),
        16 if matches!(before, Some(b',' | b'[')) && text.get(to) == Some(&b',') => second(text, to)
            .is_some_and(|span| record.set_trace(text.get(from..to).unwrap_or_default()) && record.set_span(span)),
        _ => false,
    }
}

/// Returns the 16 digits that stand behind an id, with one separator between them.
fn second(text: &[u8], at: usize) -> Option<&[u8]> {
    let is_separator = matches!(text.get(at)?, b',' | b'-' | b':' | b'/' | b' ' | b'|');
    let from = at + 1 + usize::from(text.get(at + 1) == Some(&b' '));
    let (_, to) = run(text, from);
    let is_alone = !text.get(to).is_some_and(u8::is_ascii_alphanumeric);
    (is_separator && is_alone && to - from == 16).then(|| text.get(from..to)).flatten()
}
