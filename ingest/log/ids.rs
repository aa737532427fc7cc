//! Trace and span ids in the forms in which loggers write them.
//!
//! ```text
//! 4bf92f3577b34da6a3ce929d0e0e4736          W3C: 32 hexadecimal digits
//! a3ce929d0e0e4736                          64 bits
//! 11803532876627986230                      decimal, as Datadog writes
//! 4bf92f35-77b3-4da6-a3ce-929d0e0e4736      with dashes
//! 1-5759e988-bd862e3fe1be46a994272793       X-Ray, also Root=1-…;Parent=53995c3f42cd8ad8;Sampled=1
//! 00-4bf9…4736-00f067aa0ba902b7-01          traceparent
//! 4bf9…4736-00f067aa0ba902b7-1              B3 in one header
//! 4bf9…4736:00f067aa0ba902b7:0:1            Jaeger
//! projects/p/traces/4bf9…4736               Google Cloud; also 4bf9…4736/67667974448284343;o=1
//! ```

use crate::log::time::number;
use crate::otlp::id::Id;

/// Fewest digits of an id that is shorter than usual.
const MIN_DIGITS: usize = 8;

/// What a text says about where its record belongs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Context {
    pub trace: (u64, u64),
    /// 0 where it names none.
    pub span_id: u64,
    pub flags: Option<u32>,
    /// Whether the trace id is recorded in another form than that of OTLP.
    pub is_converted: bool,
}

impl Context {
    fn of(trace: (u64, u64), is_converted: bool) -> Option<Self> {
        (trace != (0, 0)).then_some(Self { trace, is_converted, ..Self::default() })
    }
}

/// Returns what the value of a trace field says; nothing where it names no trace.
pub(crate) fn trace(text: &[u8]) -> Option<Context> {
    let text = text.trim_ascii();
    if text.len() == 32
        && let id = Id::from_text(text, 16)
        && id.is_well_formed
    {
        return Context::of((id.hi, id.lo), text.iter().any(u8::is_ascii_uppercase));
    }
    if let Some(context) = traceparent(text).or_else(|| x_ray(text)) {
        return Some(context);
    }
    if let Some(at) = memchr::memmem::find(text, b"/traces/") {
        let context = trace(text.get(at.checked_add(8)?..)?)?;
        return Some(Context { is_converted: true, ..context });
    }
    match memchr::memchr3(b'-', b':', b'/', text) {
        None => digits(text),
        Some(at) => in_parts(text, at),
    }
}

/// Returns a span id and whether it was recorded in another form than that of OTLP.
pub(crate) fn span(text: &[u8]) -> Option<(u64, bool)> {
    let text = text.trim_ascii();
    if text.len() == 16
        && let id = Id::from_text(text, 8)
        && id.is_well_formed
    {
        let id = id.lo;
        return (id != 0).then_some((id, text.iter().any(u8::is_ascii_uppercase)));
    }
    if text.len() == 55 {
        return traceparent(text).map(|context| (context.span_id, false));
    }
    let context = digits(text).filter(|context| context.trace.0 == 0)?;
    Some((context.trace.1, true))
}

/// Digits alone: hexadecimal of the usual lengths; else decimal where all are decimal.
fn digits(text: &[u8]) -> Option<Context> {
    let is_decimal = text.len() <= 20 && text.len() != 16 && text.iter().all(u8::is_ascii_digit);
    if is_decimal {
        return Context::of((0, number(text)?), true);
    }
    let is_id = (MIN_DIGITS..=32).contains(&text.len()) && text.iter().all(u8::is_ascii_hexdigit);
    let id = Id::from_text(text, 16);
    if is_id { Context::of((id.hi, id.lo), true) } else { None }
}

/// `00-<trace>-<span>-<flags>`
fn traceparent(text: &[u8]) -> Option<Context> {
    let is_shaped = text.len() >= 55 && [2, 35, 52].iter().all(|&at| text.get(at) == Some(&b'-'));
    let fields = [text.get(..2)?, text.get(3..35)?, text.get(36..52)?, text.get(53..55)?];
    if !is_shaped || text.get(55).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    if !fields.iter().all(|field| field.iter().all(u8::is_ascii_hexdigit)) {
        return None;
    }
    let (trace, span) = (Id::from_text(fields[1], 16), Id::from_text(fields[2], 8));
    let flags = u32::from_str_radix(std::str::from_utf8(fields[3]).ok()?, 16).ok();
    Some(Context { span_id: span.lo, flags, ..Context::of((trace.hi, trace.lo), false)? })
}

/// `1-<8 digits>-<24 digits>`, also within `Root=…;Parent=…;Sampled=…`
fn x_ray(text: &[u8]) -> Option<Context> {
    if let Some(at) = memchr::memmem::find(text, b"Root=") {
        let root = text.get(at.checked_add(5)?..)?;
        let mut context = x_ray(root.get(..35)?)?;
        if let Some(at) = memchr::memmem::find(root, b"Parent=") {
            let parent = root.get(at.checked_add(7)?..)?;
            context.span_id = parent.get(..16).and_then(span).map_or(0, |(id, _)| id);
        }
        return Some(context);
    }
    let (version, epoch, rest) = (text.get(..2)?, text.get(2..10)?, text.get(11..35)?);
    let is_hex = epoch.iter().chain(rest).all(u8::is_ascii_hexdigit);
    if text.len() != 35 || version != b"1-" || text.get(10) != Some(&b'-') || !is_hex {
        return None;
    }
    let id = Id::from_text(&[epoch, rest].concat(), 16);
    Context::of((id.hi, id.lo), true)
}

/// Several ids with a separator, or one with dashes.
fn in_parts(text: &[u8], at: usize) -> Option<Context> {
    let separator = *text.get(at)?;
    if separator == b'-' && text.len() == 36 && [8, 13, 18, 23].iter().all(|&at| text.get(at) == Some(&b'-')) {
        let id: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'-').collect();
        return digits(&id).map(|context| Context { is_converted: true, ..context });
    }
    let mut parts = text.split(|&byte| byte == separator);
    let first = parts.next().filter(|first| matches!(first.len(), 16 | 32) || separator == b':')?;
    let context = trace(first)?;
    let second = parts.next()?.split(|&byte| byte == b';').next()?;
    let (span_id, is_span_converted) = span(second)?;
    Some(Context { span_id, is_converted: context.is_converted || is_span_converted, ..context })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ids_of_every_form() {
        const W3C: (u64, u64) = (0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736);
        const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;
        let cases = [
            ("4bf92f3577b34da6a3ce929d0e0e4736", W3C, 0, false),
            ("4BF92F3577B34DA6A3CE929D0E0E4736", W3C, 0, true),
            ("a3ce929d0e0e4736", (0, W3C.1), 0, true),
            ("11803532876627986230", (0, 11_803_532_876_627_986_230), 0, true),
            ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", W3C, 0, true),
            ("1-4bf92f35-77b34da6a3ce929d0e0e4736", W3C, 0, true),
            ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1", W3C, SPAN, true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", W3C, SPAN, false),
            ("4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1", W3C, SPAN, false),
            ("4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1", W3C, SPAN, false),
            ("4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1", W3C, SPAN, true),
            ("projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736", W3C, 0, true),
        ];
        for (text, trace_id, span_id, is_converted) in cases {
            let context = trace(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (context.trace, context.span_id, context.is_converted),
                (trace_id, span_id, is_converted),
                "{text}"
            );
        }
        assert_eq!(span(b"00f067aa0ba902b7"), Some((SPAN, false)));
        assert_eq!(span(b"67667974448284343"), Some((SPAN, true)));
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in [
            "",
            "-",
            "0",
            "0000000000000000",
            "00000000000000000000000000000000",
            "request 7",
            "GET /x",
            "null",
            "abc",
            "a-b",
            "1-2-3",
            "99999999999999999999",
        ] {
            assert_eq!(trace(text.as_bytes()), None, "{text}");
            assert_eq!(span(text.as_bytes()), None, "{text}");
        }
    }
}
