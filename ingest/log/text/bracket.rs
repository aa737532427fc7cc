//! What stands in the brackets of a head: threads, loggers, processes, places in the source, ids.

use crate::log::level;
use crate::log::record::Record;
use crate::log::role::{self, Role};

/// Most plain names that are kept.
const MAX_NAMES: usize = 4;

/// The brackets of one line.
#[derive(Debug, Default)]
pub(crate) struct Brackets<'a> {
    names: [&'a [u8]; MAX_NAMES],
    num_names: usize,
    /// Fields, ids.
    contexts: [&'a [u8]; MAX_NAMES],
    num_contexts: usize,
    place: &'a [u8],
    pid: &'a [u8],
    /// Whether `---` stood before some of them, as in Spring Boot.
    pub has_rule: bool,
    /// Whether a place in the source is known.
    pub has_place: bool,
}

impl<'a> Brackets<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.num_names == 0 && self.num_contexts == 0 && self.pid.is_empty()
    }

    pub(crate) fn push_pid(&mut self, text: &'a [u8]) {
        let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        self.pid = text.get(..end).unwrap_or_default();
    }

    pub(crate) fn push(&mut self, inner: &'a [u8]) {
        let inner = inner.trim_ascii();
        if inner.is_empty() {
            return;
        }
        let is_context = inner.iter().any(|byte| matches!(byte, b'=' | b','))
            || (inner.len() >= 16 && crate::log::ids::trace(inner).is_some());
        if is_place(inner) {
            (self.place, self.has_place) = (inner, true);
        } else if inner.iter().all(u8::is_ascii_digit) && inner.len() < 10 {
            self.pid = inner;
        } else if is_context {
            put(&mut self.contexts, &mut self.num_contexts, inner);
        } else {
            put(&mut self.names, &mut self.num_names, inner);
        }
    }

    /// Hands everything to the record.
    pub(crate) fn finish(&self, logger: &[u8], record: &mut Record) {
        for context in self.contexts.iter().take(self.num_contexts) {
            take_context(context, record);
        }
        let mut names = self.names.iter().take(self.num_names).copied().filter(|name| level::of_word(name).is_none());
        let mut thread: &[u8] = b"";
        let mut logger = logger;
        if self.has_rule && self.num_names > 1 && record.service.is_empty() {
            record.service.extend_from_slice(names.next().unwrap_or_default());
        }
        for name in names {
            let is_thread = !logger.is_empty() || is_thread(name);
            match (is_thread, logger.is_empty(), thread.is_empty()) {
                (true, _, true) => thread = name,
                (false, true, _) => logger = name,
                _ => record.text("context", name),
            }
        }
        for (key, text) in [("logger", logger), ("thread.name", thread)] {
            if !text.is_empty() {
                record.text(key, text);
            }
        }
        if !self.pid.is_empty() {
            record.typed(b"process.pid", self.pid);
        }
        if let Some(colon) = memchr::memrchr(b':', self.place) {
            let (file, line) = self.place.split_at(colon);
            record.text("code.file.path", file);
            record.typed(b"code.line.number", line.get(1..).unwrap_or_default());
        }
    }
}

fn put<'a>(places: &mut [&'a [u8]; MAX_NAMES], len: &mut usize, text: &'a [u8]) {
    if let Some(place) = places.get_mut(*len) {
        *place = text;
        *len += 1;
    }
}

/// Tells whether a text is a file with a line: `svc.py:106`.
pub(crate) fn is_place(text: &[u8]) -> bool {
    let Some(colon) = memchr::memrchr(b':', text) else { return false };
    let (file, line) = text.split_at(colon);
    let line = line.get(1..).unwrap_or_default();
    let is_file =
        memchr::memchr(b'.', file).is_some() && !file.contains(&b' ') && file.iter().any(u8::is_ascii_alphabetic);
    is_file && !line.is_empty() && line.iter().all(u8::is_ascii_digit)
}

fn is_thread(name: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(name, part).is_some();
    let has_number =
        name.last().is_some_and(u8::is_ascii_digit) && name.iter().any(|byte| matches!(byte, b'-' | b'#' | b' '));
    name == b"main"
        || (has_number && name.iter().any(u8::is_ascii_lowercase))
        || has(b"hread")
        || has(b"exec")
        || has(b"pool")
        || has(b"orker")
}

/// `trace_id=… span_id=…`, `service,trace,span`, `trace,span`, `trace-span`
fn take_context(inner: &[u8], record: &mut Record) {
    if memchr::memchr(b'=', inner).is_some() {
        pairs(inner, record);
        return;
    }
    if memchr::memchr(b',', inner).is_none() {
        if !record.set_trace(inner) {
            record.text("context", inner);
        }
        return;
    }
    let mut parts = inner.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    let (Some(first), Some(second)) = (first, second) else { return };
    let is_pair = third.is_none() && crate::log::ids::trace(first).is_some() && first.len() >= 16;
    if is_pair {
        let _ = record.set_trace(first) && record.set_span(second);
        return;
    }
    let is_sleuth = third.is_some() && (second.is_empty() || crate::log::ids::trace(second).is_some());
    if is_sleuth {
        if record.service.is_empty() {
            record.service.extend_from_slice(first);
        }
        let _ = record.set_trace(second) && record.set_span(third.unwrap_or_default());
        return;
    }
    record.text("context", inner);
}

/// Takes `key=value` pairs that spaces or commas separate.
pub(crate) fn pairs(text: &[u8], record: &mut Record) {
    for pair in text.split(|byte| matches!(byte, b' ' | b',' | b';')).filter(|pair| !pair.is_empty()) {
        let Some(at) = memchr::memchr(b'=', pair) else { continue };
        let (key, value) = (pair.get(..at).unwrap_or_default(), pair.get(at + 1..).unwrap_or_default());
        take_pair(key, value, record);
    }
}

/// Takes a field by its name, or as an attribute.
pub(crate) fn take_pair(key: &[u8], value: &[u8], record: &mut Record) {
    let is_taken = match role::of(key) {
        Role::Trace => is_none(value) || record.set_trace(value),
        Role::Span => is_none(value) || record.set_span(value),
        Role::Service(_) if record.service.is_empty() && !value.is_empty() => {
            record.service.extend_from_slice(value);
            true
        }
        Role::Host if record.host.is_empty() && !value.is_empty() => {
            record.host.extend_from_slice(value);
            true
        }
        Role::Flags => {
            let digits = std::str::from_utf8(value).unwrap_or_default();
            record.context.flags = u32::from_str_radix(digits, 16).ok().or(record.context.flags);
            true
        }
        _ => false,
    };
    if !is_taken {
        record.typed(key, value);
    }
}

/// What is written where there is no id.
fn is_none(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'0' | b'-')) || matches!(value, b"null" | b"None")
}
