//! Ids of traces and spans in the fields of an event: as text, as bytes, as one or two integers, or inside a message.

use super::plan::Kind;
use crate::event::{ClassBatch, FieldValues};
use crate::otlp::id::Id;

/// Where an event class holds ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdPlan {
    trace: Option<Source>,
    span: Option<usize>,
    /// A field with both, as in W3C's header.
    parent: Option<usize>,
    /// A message that may hold them.
    message: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Whole(usize),
    /// High and low half.
    Halves(usize, usize),
}

/// Returns where ids are among these fields (number, name, type).
pub(crate) fn plan(fields: &[(usize, String, Kind)]) -> Option<IdPlan> {
    let find = |names: &[&str]| {
        let found = fields.iter().find(|(_, name, _)| names.contains(&plain(name).as_str()));
        found.map(|(number, _, _)| *number)
    };
    let halves = find(&["traceidhi", "traceidhigh"]).zip(find(&["traceidlo", "traceidlow"]));
    let halves = halves.map(|(high, low)| Source::Halves(high, low));
    let plan = IdPlan {
        trace: find(&["traceid", "oteltraceid"]).map(Source::Whole).or(halves),
        span: find(&["spanid", "otelspanid"]),
        parent: find(&["traceparent"]),
        message: find(&["msg", "message"]),
    };
    (plan != IdPlan::default()).then_some(plan)
}

/// Returns a name without case and separators.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Fills the ids of row `row`.
pub(crate) fn fill(plan: &IdPlan, class: &mut ClassBatch, row: usize) {
    let (trace, span) = find(plan, class, row);
    if let Some(trace) = trace.filter(|&trace| trace != 0) {
        class.trace_hi.pad(row);
        class.trace_hi.push((trace >> 64) as u64);
        class.trace_lo.pad(row);
        class.trace_lo.push(trace as u64);
    }
    if let Some(span) = span.filter(|&span| span != 0) {
        class.span_id.pad(row);
        class.span_id.push(span);
    }
}

fn find(plan: &IdPlan, class: &ClassBatch, row: usize) -> (Option<u128>, Option<u64>) {
    let id = |field: usize, len: usize| class.fields.get(field).and_then(|field| id(&field.values, row, len));
    let trace = plan.trace.and_then(|source| match source {
        Source::Whole(field) => id(field, 32),
        Source::Halves(high, low) => Some(id(high, 16)? << 64 | id(low, 16)?),
    });
    let span = plan.span.and_then(|field| id(field, 16)).map(|span| span as u64);
    if trace.is_some() || span.is_some() {
        return (trace, span);
    }
    let text = |field: Option<usize>| match class.fields.get(field?).map(|field| &field.values) {
        Some(FieldValues::Text(column)) => column.get(row),
        _ => None,
    };
    if let Some(found) = text(plan.parent).and_then(parent) {
        return (Some(found.0), Some(found.1));
    }
    text(plan.message).map_or((None, None), in_message)
}

/// Returns the id that a value stands for; `len` is how many hexadecimal digits it has at most.
fn id(values: &FieldValues, row: usize, len: usize) -> Option<u128> {
    match values {
        FieldValues::Unsigned(column) => column.get(row).map(u128::from),
        FieldValues::Int(column) => column.get(row).map(|value| u128::from(value as u64)),
        FieldValues::Text(column) => hex(column.get_bytes(row)?, len),
        FieldValues::Json(column) => bytes(column.get_bytes(row)?, len),
        _ => None,
    }
}

/// Reads an id of `len` hexadecimal digits; one of a trace may have 16, and either may begin with `0x`.
#[inline]
fn hex(text: &[u8], len: usize) -> Option<u128> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    if digits.len() != len && digits.len() != 16 {
        return None;
    }
    let id = Id::from_text(digits, digits.len() / 2);
    id.is_well_formed.then_some(u128::from(id.hi) << 64 | u128::from(id.lo))
}

/// Reads an array of bytes, `[242,85,…]`, most significant first; or of two halves.
fn bytes(json: &[u8], len: usize) -> Option<u128> {
    let inner = json.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let (mut all, mut count, mut at) = ([0_u64; 16], 0, 0);
    while at < inner.len() {
        let (value, used) = number(inner.get(at..)?)?;
        *all.get_mut(count)? = value;
        count += 1;
        at += used + 1;
    }
    match count {
        _ if count == len / 2 => Some(all.iter().take(count).fold(0, |id, byte| id << 8 | u128::from(byte & 0xff))),
        2 if len == 32 => Some(u128::from(all[0]) << 64 | u128::from(all[1])),
        _ => None,
    }
}

/// Returns the whole number that `text` begins with, as the pattern of its 64 bits, and how long it is.
#[inline]
fn number(text: &[u8]) -> Option<(u64, usize)> {
    let is_negative = text.first() == Some(&b'-');
    let digits = text.get(usize::from(is_negative)..)?;
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value =
        digits.iter().take(len).fold(0_u64, |all, &byte| all.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')));
    let value = if is_negative { value.wrapping_neg() } else { value };
    (len > 0 && len <= 20).then_some((value, len + usize::from(is_negative)))
}

/// Reads `00-<32 digits>-<16 digits>-01`.
fn parent(text: &str) -> Option<(u128, u64)> {
    let mut parts = text.trim().split('-');
    parts.next().filter(|version| version.len() == 2)?;
    let trace = hex(parts.next()?.as_bytes(), 32)?;
    let span = hex(parts.next()?.as_bytes(), 16)?;
    Some((trace, span as u64))
}

/// Finds `trace_id=…`, `"spanId":"…"` and the like.
fn in_message(text: &str) -> (Option<u128>, Option<u64>) {
    let trace = after_key(text, "trace").and_then(|digits| hex(digits.as_bytes(), 32));
    let span = after_key(text, "span").and_then(|digits| hex(digits.as_bytes(), 16));
    if trace.is_some() {
        return (trace, span.map(|span| span as u64));
    }
    let whole = memchr::memmem::find(text.as_bytes(), b"traceparent");
    let value =
        whole.and_then(|at| text.get(at + 11..)).map(|rest| rest.trim_start_matches(['"', ':', '=', ' ', '\'']));
    let found = value.and_then(|value| parent(value.split([' ', '"', ',']).next().unwrap_or_default()));
    found.map_or((None, span.map(|span| span as u64)), |(trace, span)| (Some(trace), Some(span)))
}

/// Returns the digits behind `<word>_id=`, in any of its spellings.
fn after_key<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    for (at, _) in text.match_indices(word) {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        let rest = text.get(at + word.len()..).unwrap_or_default();
        let rest = rest.strip_prefix(['_', '.', '-']).unwrap_or(rest);
        let Some(rest) = ["id", "ID", "Id"].iter().find_map(|id| rest.strip_prefix(id)) else { continue };
        if before.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            continue;
        }
        let digits = rest.trim_start_matches(['"', '\'', ':', '=', ' ']);
        let len = digits.bytes().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(digits.len());
        return digits.get(..len);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_ids_in_messages() {
        let (trace, span) = (0x4e5d_38b9_3ab8_0ef7_b1e5_8b8a_73f9_cdf1_u128, 0x5acc_3bde_198e_beb2_u64);
        let cases = [
            "done trace_id=4e5d38b93ab80ef7b1e58b8a73f9cdf1 span_id=5acc3bde198ebeb2 us=4887",
            r#"{"traceId":"4e5d38b93ab80ef7b1e58b8a73f9cdf1","spanId": "5acc3bde198ebeb2"}"#,
            "traceparent: 00-4e5d38b93ab80ef7b1e58b8a73f9cdf1-5acc3bde198ebeb2-01 x",
        ];
        for text in cases {
            assert_eq!(in_message(text), (Some(trace), Some(span)), "{text}");
        }
        assert_eq!(in_message("parent_span_id=5acc3bde198ebeb2 tracing identity"), (None, None));
    }

    #[test]
    fn reads_bytes_and_halves() {
        let json = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,255]";
        assert_eq!(bytes(json.as_bytes(), 32), Some(0x0102_0304_0506_0708_090a_0b0c_0d0e_0fff));
        assert_eq!(bytes(b"[1,-1]", 32), Some(1 << 64 | u128::from(u64::MAX)));
        assert_eq!(bytes(b"[1,2,3]", 32), None);
        assert_eq!(hex(b"00000000000000ff", 32), Some(255));
        assert_eq!(hex(b"", 16), None);
    }
}
