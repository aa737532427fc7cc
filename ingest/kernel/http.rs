//! HTTP heads as they went over a socket, and the trace ids in them.

use std::sync::LazyLock;

use regex::Regex;

use crate::otlp::id::Id;

/// How HTTP/1 messages begin.
const BEGINNINGS: [&str; 10] =
    ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "PATCH ", "OPTIONS ", "CONNECT ", "TRACE ", "HTTP/1."];

/// Tells whether `text` begins as an HTTP/1 message does.
pub(crate) fn is_head(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'A'..=b'Z')) && BEGINNINGS.iter().any(|one| text.starts_with(one))
}

/// The first line of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First<'a> {
    Request { method: &'a str, target: &'a str },
    Response { status: i64 },
}

/// Returns what the first line says; line ends may be escaped (`\x0d\x0a`).
pub(crate) fn first_line(head: &str) -> Option<First<'_>> {
    let end = ["\\x0d", "\\x0a", "\\r", "\r", "\n"].iter().filter_map(|end| head.find(end)).min();
    let mut words = head.get(..end.unwrap_or(head.len()))?.split(' ');
    let (first, second) = (words.next()?, words.next()?);
    if first.starts_with("HTTP/") {
        return Some(First::Response { status: second.parse().ok()? });
    }
    Some(First::Request { method: first, target: second })
}

/// Returns the head of a message without what follows it: buffers are longer than what was sent, and hold older messages.
fn head_only(text: &str) -> &str {
    const ENDS: [&str; 4] = ["\\x0d\\x0a\\x0d\\x0a", "\r\n\r\n", "\\r\\n\\r\\n", "\n\n"];
    let end = ENDS.iter().filter_map(|end| text.find(end)).min();
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

type Pattern = LazyLock<Option<Regex>>;

static TRACEPARENT: Pattern = LazyLock::new(|| {
    Regex::new(r#"(?i)traceparent["']?\s*[:=]\s*["']?[0-9a-f]{2}-([0-9a-f]{32})(?:-([0-9a-f]{16}))?"#).ok()
});
static B3: Pattern = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:^|\s|\\n|\\x0a|["'])b3["']?\s*[:=]\s*["']?([0-9a-f]{32}|[0-9a-f]{16})-([0-9a-f]{16})(?:[^0-9a-f]|$)"#,
    )
    .ok()
});
static B3_TRACE: Pattern = LazyLock::new(|| {
    Regex::new(r#"(?i)x-b3-traceid["']?\s*[:=]\s*["']?([0-9a-f]{32}|[0-9a-f]{16})(?:[^0-9a-f]|$)"#).ok()
});
static B3_SPAN: Pattern =
    LazyLock::new(|| Regex::new(r#"(?i)x-b3-spanid["']?\s*[:=]\s*["']?([0-9a-f]{16})(?:[^0-9a-f]|$)"#).ok());

/// Returns the ids of trace and span that a head or another text names: `traceparent`, `b3`, `X-B3-*`.
pub(crate) fn ids(text: &str) -> Option<(u64, u64, u64)> {
    let text = if is_head(text) { head_only(text) } else { text };
    let bytes = text.as_bytes();
    if memchr::memmem::find(bytes, b"parent").is_none()
        && memchr::memchr2_iter(b'b', b'B', bytes).all(|at| bytes.get(at + 1) != Some(&b'3'))
    {
        return None;
    }
    pair(&TRACEPARENT, text).or_else(|| pair(&B3, text)).or_else(|| {
        let (hi, lo, _) = pair(&B3_TRACE, text)?;
        let span = B3_SPAN.as_ref().and_then(|regex| regex.captures(text)).and_then(|found| found.get(1));
        Some((hi, lo, span.map_or(0, |span| span_id(span.as_str()))))
    })
}

fn pair(pattern: &Pattern, text: &str) -> Option<(u64, u64, u64)> {
    let found = pattern.as_ref()?.captures(text)?;
    let (hi, lo) = trace_id(found.get(1)?.as_str());
    Some((hi, lo, found.get(2).map_or(0, |span| span_id(span.as_str()))))
}

/// Returns a hexadecimal trace id.
pub(crate) fn trace_id(text: &str) -> (u64, u64) {
    let id = Id::from_text(text.as_bytes(), 16);
    (id.hi, id.lo)
}

/// Returns a hexadecimal span id.
pub(crate) fn span_id(text: &str) -> u64 {
    Id::from_text(text.as_bytes(), 8).lo
}

/// Tells whether `text` is a hexadecimal id of that many digits, or of half as many.
pub(crate) fn is_hex(text: &str, num_digits: usize) -> bool {
    (text.len() == num_digits || text.len() == num_digits / 2 && num_digits == 32)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
