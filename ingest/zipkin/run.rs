//! Finds spans in a stream of JSON, and the places where the spans around them have nothing to do with each other.
//!
//! ```text
//! stream = { span | "[" | "]" | "," | white space }     arrays, arrays of arrays, spans a line: it makes no difference
//! run    = spans of about a MiB that are looked at together, up to the end of an array or line
//! ```
//!
//! A run ends after the first `]`, or line end without a comma, behind a MiB; at the latest behind the span that ends after
//! two. So the runs of a stream are the same however much of it is seen at a time.

use crate::otlp::text::find_stop;

const MIN_RUN: usize = 1 << 20;
const MAX_RUN: usize = 2 << 20;

/// Keys that a span begins with; nothing inside of a span does.
const FIRST_KEYS: [&[u8]; 4] = [b"traceId\"", b"parentId\"", b"id\"", b"kind\""];

/// What begins with a brace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    /// Its length.
    Whole(usize),
    /// It is cut off or broken: what comes after so many bytes is no part of it.
    Cut(usize),
    /// The bytes end inside of it.
    Open,
}

/// Finds the end of the object that `bytes` begin with.
pub(crate) fn object(bytes: &[u8]) -> Object {
    let (mut at, mut depth, mut in_text) = (0, 0_u32, false);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' if depth > 1 || in_text => {
                if let Some(brace) = begins_span(bytes, at) {
                    return Object::Cut(brace);
                }
                in_text = !in_text;
            }
            b'"' => in_text = true,
            b'\\' if in_text => at += 1,
            b'\n' if in_text => return Object::Cut(at),
            b'{' | b'[' if !in_text => depth = depth.saturating_add(1),
            b'}' | b']' if !in_text => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Object::Whole(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
        if in_text {
            at = find_stop(bytes, at).0;
        }
    }
    Object::Open
}

/// Returns the brace before the quote at `quote` where a span begins with both. The value of a key is none.
fn begins_span(bytes: &[u8], quote: usize) -> Option<usize> {
    let rest = bytes.get(quote + 1..)?;
    if !FIRST_KEYS.iter().any(|key| rest.starts_with(key)) {
        return None;
    }
    let before = bytes.get(..quote)?;
    let brace = before.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
    let mut spaces = before.get(..brace)?.iter().rev().take_while(|byte| byte.is_ascii_whitespace());
    let has_line_end = spaces.any(|&byte| byte == b'\n');
    let is_value = before.get(..brace)?.trim_ascii_end().ends_with(b":") && !has_line_end;
    (brace > 0 && before.get(brace) == Some(&b'{') && !is_value).then_some(brace)
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// It ends here.
    Whole(usize),
    /// The bytes end before it does; its spans go up to here.
    Open(usize),
}

/// Finds the end of the run that `bytes` begin with.
pub(crate) fn run(bytes: &[u8]) -> Run {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(brace) = memchr::memchr(b'{', rest) else { return Run::Open(at + noise_len(rest)) };
        at += brace;
        at += match object(rest.get(brace..).unwrap_or_default()) {
            Object::Whole(len) | Object::Cut(len) => len.max(1),
            Object::Open => return Run::Open(at),
        };
        if at >= MAX_RUN {
            return Run::Whole(at);
        }
        if at >= MIN_RUN {
            match end_behind(bytes.get(at..).unwrap_or_default()) {
                Behind::End(len) => return Run::Whole(at + len),
                Behind::Span => {}
                Behind::Unknown => return Run::Open(at),
            }
        }
    }
}

/// What stands behind a span.
enum Behind {
    /// The end of an array or of a line, so many bytes on.
    End(usize),
    /// Another span of the same array.
    Span,
    Unknown,
}

fn end_behind(bytes: &[u8]) -> Behind {
    let mut has_comma = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b']' => return Behind::End(at + 1),
            b'\n' if !has_comma => return Behind::End(at + 1),
            b',' => has_comma = true,
            b'{' => return Behind::Span,
            _ => {}
        }
    }
    Behind::Unknown
}

/// How much of `bytes`, in which no span begins, is what may stand between spans.
pub(crate) fn noise_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_noise(**byte)).count()
}

/// Tells whether a byte may stand between spans.
pub(crate) fn is_noise(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b',' | 0) || byte.is_ascii_whitespace()
}
