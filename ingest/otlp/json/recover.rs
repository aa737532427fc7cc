//! Goes on after something that could not be read, with as little lost as possible.
//!
//! A record whose form is sound but whose values are not is stepped over by its brackets. Where brackets or quotes are
//! broken, reading goes on at the next thing that begins as a record or a request does.

use memchr::memmem;

use crate::format::{End, Window};
use crate::otlp::json::cursor::{Cursor, Fault, Skeleton, Why};
use crate::otlp::json::field::next_key;
use crate::otlp::json::level::Level;
use crate::otlp::json::machine::JsonDecoder;
use crate::otlp::json::{REQUEST_KEYS, Signal};
use crate::rejects::{EXCERPT_BYTES, Reject};
use crate::text::inert_bytes;

/// What is kept of a window in which nothing was found: the beginning of a request may be cut in two.
const OVERLAP: usize = 128;

impl JsonDecoder {
    /// Deals with a fault in what begins at the cursor; returns whether the window is done with.
    pub(super) fn recover(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>, fault: Fault) -> bool {
        match (fault.why, window.end) {
            (Why::End, End::Last) => self.end(cursor, window),
            (Why::End, _) => self.leave_out(cursor, window),
            _ => self.step_over(cursor, window, fault),
        }
    }

    /// The last window ends inside something, or after everything.
    fn end(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>) -> bool {
        let rest = window.bytes.get(cursor.at..).unwrap_or_default();
        let is_blank = rest.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | 0));
        let is_lost = matches!(self.stack.last(), Some(Level::Lost));
        if !(is_lost || (is_blank && self.stack.is_empty())) {
            let inside = self.stack.last().map_or("a request", |level| level.name());
            self.reject(window, cursor.at, format!("cut off: the input ends inside {inside}"));
            if let Some(request) = find_request(rest.get(1..).unwrap_or_default()) {
                self.close_down_to(0);
                cursor.at += 1 + request;
                return !self.spend(rest.len());
            }
        }
        self.close_down_to(0);
        cursor.at = window.bytes.len();
        true
    }

    /// What begins here is longer than a window can be.
    fn leave_out(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>) -> bool {
        let start = cursor.at;
        cursor.skip_space();
        if !matches!(self.stack.last(), Some(Level::Records(_)) | None) {
            // The key was read before: what is too long is its value.
            let _ = next_key(cursor);
        }
        if let Some(b'{' | b'[' | b'"') = cursor.peek() {
            self.stack.push(Level::Skip(Skeleton::default()));
        } else {
            cursor.at = start.saturating_add(1).min(window.bytes.len());
            self.stack.push(Level::Lost);
        }
        let limit = window.bytes.len();
        self.reject(window, start, format!("longer than {limit} bytes; left out"));
        false
    }

    fn step_over(&mut self, cursor: &mut Cursor<'_>, window: &Window<'_>, fault: Fault) -> bool {
        let start = cursor.at;
        if !fault.why.breaks_form() && self.spend(fault.at.saturating_sub(start)) {
            let mut ahead = *cursor;
            match self.skip_thing(&mut ahead) {
                Ok(()) => {
                    self.reject_fault(window, start, fault);
                    *cursor = ahead;
                    return false;
                }
                Err(Fault { why: Why::End, .. }) if window.end == End::More => return true,
                Err(_) => {}
            }
        }
        self.reject_fault(window, start, fault);
        if fault.why == Why::NoRequest {
            cursor.at = fault.at;
            return false;
        }
        cursor.skip_space();
        // Past the first byte of what is broken, or it would be found again.
        let after = fault.at.max(cursor.at + 1).min(window.bytes.len());
        cursor.at = request_around(window.bytes, fault.at)
            .filter(|&at| at >= start || fault.why == Why::RequestInside)
            .unwrap_or(after);
        self.stack.push(Level::Lost);
        false
    }

    /// Skips the record, element or member at the cursor.
    fn skip_thing(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        match self.stack.last() {
            None | Some(Level::Lost | Level::Skip(_)) => return cursor.fault(Why::NoValue),
            Some(Level::Records(_) | Level::Resources(_) | Level::Scopes(_)) => {}
            Some(Level::Request { .. } | Level::Resource(..) | Level::Scope(..)) => {
                next_key(cursor)?;
            }
        }
        cursor.skip_value()
    }

    /// Looks for the next record or request.
    pub(super) fn find_way(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let rest = cursor.bytes.get(cursor.at..).unwrap_or_default();
        let request = find_request(rest);
        let record = self.find_record(rest.get(..request.unwrap_or(rest.len())).unwrap_or_default());
        match (record, request) {
            (Some(at), _) => {
                self.stack.pop();
                cursor.at += at;
                Ok(())
            }
            (None, Some(at)) => {
                self.close_down_to(0);
                cursor.at += at;
                Ok(())
            }
            (None, None) => {
                cursor.at = cursor.at.max(cursor.bytes.len().saturating_sub(OVERLAP));
                Err(Fault { at: cursor.bytes.len(), why: Why::End })
            }
        }
    }

    fn find_record(&self, bytes: &[u8]) -> Option<usize> {
        let [.., Level::Records(signal), Level::Lost] = *self.stack else { return None };
        if self.record_mark.is_empty() {
            return None;
        }
        memmem::find_iter(bytes, &self.record_mark).find(|&at| {
            // A link begins as a span does, but has no times.
            const MAX_LOOK: usize = 4_096;
            let ahead = bytes.get(at..).unwrap_or_default();
            let look = ahead.get(..MAX_LOOK).unwrap_or(ahead);
            let len = Skeleton::default().advance(look).unwrap_or(look.len());
            let record = look.get(..len).unwrap_or_default();
            signal != Signal::Spans
                || memmem::find(record, b"UnixNano").is_some()
                || memmem::find(record, b"unix_nano").is_some()
        })
    }

    /// Takes from the patience for broken input; false when it is used up.
    fn spend(&mut self, num_bytes: usize) -> bool {
        let is_enough = self.patience >= num_bytes;
        self.patience = self.patience.saturating_sub(num_bytes);
        is_enough
    }

    fn reject_fault(&mut self, window: &Window<'_>, start: usize, fault: Fault) {
        let inside = self.stack.last().map_or("a request", |level| level.name());
        let text = fault.why.text();
        let reason = match key_before(window.bytes, fault.at) {
            Some(key) if !fault.why.breaks_form() => format!("{text} in \"{key}\" in {inside}; left out"),
            _ => format!("{text} in {inside}; left out"),
        };
        let place = if matches!(self.stack.last(), Some(Level::Records(_))) { start } else { fault.at.max(start) };
        self.reject(window, place, reason);
    }

    /// Rejects the data points that were left out of a metric.
    pub(super) fn reject_points(&mut self, window: &Window<'_>) {
        for (start, fault) in std::mem::take(&mut self.metrics.faults) {
            self.reject_fault(window, start, fault);
        }
    }

    fn reject(&mut self, window: &Window<'_>, at: usize, reason: String) {
        let rest = window.bytes.get(at..).unwrap_or_default();
        let at = at + rest.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
        let (offset, line, column) = window.place(at);
        self.builder.reject(Reject { offset, line, column, reason, excerpt: excerpt(window.bytes, at) });
    }
}

impl Why {
    /// Tells whether brackets and quotes cannot be trusted after it.
    pub(super) const fn breaks_form(self) -> bool {
        matches!(
            self,
            Self::LineEndInText
                | Self::NoKey
                | Self::NoColon
                | Self::NoValue
                | Self::NoRequest
                | Self::RequestInside
                | Self::End
        )
    }
}

/// Returns the beginning of what could not be read, as inert text.
pub(crate) fn excerpt(bytes: &[u8], at: usize) -> String {
    let rest = bytes.get(at..).unwrap_or_default();
    let mut text = inert_bytes(rest.get(..EXCERPT_BYTES).unwrap_or(rest));
    let end = (0..=EXCERPT_BYTES.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.truncate(end.unwrap_or_default());
    text
}

/// Returns where the next request begins: a brace and one of its keys.
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    let mut first = None;
    for start in [&b"\"resource"[..], b"\"batches\""] {
        let found = memmem::find_iter(bytes, start).find_map(|at| is_request(bytes, at));
        first = first.into_iter().chain(found).min();
    }
    first
}

/// Returns the brace at or before `at` where it begins a request.
fn request_around(bytes: &[u8], at: usize) -> Option<usize> {
    let brace = memchr::memrchr(b'{', bytes.get(..=at).unwrap_or(bytes))?;
    begins_request(bytes.get(brace..).unwrap_or_default()).then_some(brace)
}

/// Tells whether `bytes` begin with a brace and one of the keys of a request.
pub(super) fn begins_request(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"{").is_some_and(|inside| request_key(inside.trim_ascii_start()))
}

/// Tells whether one of the keys of a request stands anywhere.
pub(super) fn has_request_key(bytes: &[u8]) -> bool {
    let is_key = |at: usize| request_key(bytes.get(at..).unwrap_or_default());
    [&b"\"resource"[..], b"\"batches\""].into_iter().any(|start| memmem::find_iter(bytes, start).any(is_key))
}

fn request_key(bytes: &[u8]) -> bool {
    let unquoted = bytes.get(1..).unwrap_or_default();
    let after = REQUEST_KEYS.iter().find_map(|(key, _)| unquoted.strip_prefix(key.as_bytes()));
    let Some(after) = after.and_then(|after| after.strip_prefix(b"\"")) else { return false };
    after.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

fn is_request(bytes: &[u8], key: usize) -> Option<usize> {
    let (before, after) = bytes.split_at_checked(key)?;
    let brace = before.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    (before.get(brace) == Some(&b'{') && request_key(after)).then_some(brace)
}

/// Returns the key whose value begins at `at`.
fn key_before(bytes: &[u8], at: usize) -> Option<String> {
    const MAX_KEY: usize = 128;
    let before = bytes.get(at.saturating_sub(MAX_KEY)..at)?.trim_ascii_end();
    let quoted = before.strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let quote = memchr::memrchr(b'"', quoted)?;
    Some(inert_bytes(quoted.get(quote + 1..)?))
}
