//! Headers with trace context that the callee captured.

use hashbrown::HashMap;

use super::Hint;
use crate::stitch::Rule;
use crate::stitch::calls::ends::Ends;
use crate::trace::window::{Symbol, Window};

/// The prefixes of attributes that hold captured headers and metadata, in the order of their age.
const PREFIXES: [&str; 3] = ["http.request.header.", "rpc.request.metadata.", "rpc.grpc.request.metadata."];

/// The formats of context that name a trace and a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Traceparent,
    B3,
    B3Trace,
    B3Span,
    Uber,
    Amazon,
    DatadogTrace,
    DatadogSpan,
}

/// Returns what captured headers say of torn callees.
pub(super) fn hints(window: &Window, ends: &Ends) -> Vec<Hint> {
    let formats: HashMap<Symbol, Format> = formats(window);
    if formats.is_empty() {
        return Vec::new();
    }
    let calls = by_span_id(window);
    let mut of_trace: HashMap<u64, Vec<u32>> = HashMap::new();
    ends.calls.iter().for_each(|&call| of_trace.entry(window.trace_id(call) as u64).or_default().push(call));
    let mut hints = Vec::new();
    for &child in ends.roots.iter().chain(&ends.orphans) {
        let Some((low, span_id, value)) = context(window, &formats, child) else { continue };
        let found = calls.get(&span_id).into_iter().flatten().copied();
        let is_it = |&call: &u32| {
            let trace_id = window.trace_id(call);
            trace_id as u64 == low
                && trace_id != window.trace_id(child)
                && window.instance(call) != window.instance(child)
        };
        let calls: Vec<u32> = found.filter(is_it).collect();
        if !calls.is_empty() {
            hints.push(Hint { child, calls, rule: Rule::Header, value, names_call: true });
            continue;
        }
        // The span that the header names is not there: a call of its trace must have passed through it.
        let others = of_trace.get(&low).into_iter().flatten().copied();
        let calls: Vec<u32> = others.filter(|&call| is_it(&call) && ends.may_join(window, call, child)).collect();
        if !calls.is_empty() {
            hints.push(Hint { child, calls, rule: Rule::Header, value, names_call: false });
        }
    }
    hints
}

/// Calls by their ids.
pub(super) fn by_span_id(window: &Window) -> HashMap<u64, Vec<u32>> {
    let mut calls: HashMap<u64, Vec<u32>> = HashMap::new();
    for span in window.spans().filter(|&span| window.is_exit(span)) {
        calls.entry(window.span_id[span as usize]).or_default().push(span);
    }
    calls
}

fn formats(window: &Window) -> HashMap<Symbol, Format> {
    let mut formats = HashMap::new();
    for number in 0..window.texts.len() as u32 {
        let key = window.text(Symbol(number));
        let Some(name) = PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix)) else { continue };
        if let Some(format) = format(&name.to_ascii_lowercase().replace('_', "-")) {
            formats.insert(Symbol(number), format);
        }
    }
    formats
}

fn format(name: &str) -> Option<Format> {
    Some(match name {
        "traceparent" => Format::Traceparent,
        "b3" => Format::B3,
        "x-b3-traceid" => Format::B3Trace,
        "x-b3-spanid" => Format::B3Span,
        "uber-trace-id" => Format::Uber,
        "x-amzn-trace-id" => Format::Amazon,
        "x-datadog-trace-id" => Format::DatadogTrace,
        "x-datadog-parent-id" => Format::DatadogSpan,
        _ => return None,
    })
}

/// Returns the lower half of the trace id, the span id and the header.
fn context(window: &Window, formats: &HashMap<Symbol, Format>, span: u32) -> Option<(u64, u64, Symbol)> {
    let (mut trace, mut parent) = (None, None);
    for &(key, value) in window.attributes(span) {
        let Some(&format) = formats.get(&key) else { continue };
        let text = window.text(value);
        match format {
            Format::B3Trace => trace = low(text),
            Format::DatadogTrace => trace = text.trim().parse().ok(),
            Format::B3Span => parent = low(text).map(|id| (id, value)),
            Format::DatadogSpan => parent = text.trim().parse().ok().map(|id| (id, value)),
            _ => {
                if let Some((trace, parent)) = both(format, text) {
                    return Some((trace, parent, value));
                }
            }
        }
    }
    let (parent, value) = parent?;
    Some((trace?, parent, value))
}

/// Reads a header that has both ids.
fn both(format: Format, text: &str) -> Option<(u64, u64)> {
    match format {
        Format::Traceparent => {
            let mut parts = text.trim().split('-').skip(1);
            Some((low(parts.next()?)?, low(parts.next()?)?))
        }
        Format::B3 => {
            let mut parts = text.trim().split('-');
            Some((low(parts.next()?)?, low(parts.next()?)?))
        }
        Format::Uber => {
            let text = text.trim().replace("%3A", ":").replace("%3a", ":");
            let mut parts = text.split(':');
            Some((low(parts.next()?)?, low(parts.next()?)?))
        }
        Format::Amazon => {
            let part = |name: &str| text.split(';').find_map(|part| part.trim().strip_prefix(name));
            Some((low(part("Root=")?.rsplit('-').next()?)?, low(part("Parent=")?)?))
        }
        _ => None,
    }
}

/// Reads the lower 64 bits of a number in hexadecimal.
fn low(text: &str) -> Option<u64> {
    let text = text.trim();
    let from = text.len().saturating_sub(16);
    u64::from_str_radix(text.get(from..)?, 16).ok().filter(|&id| id != 0)
}

#[cfg(test)]
mod tests {
    use super::{Format, both};

    #[test]
    fn headers_of_all_formats_are_read() {
        let ids = Some((0xa3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7));
        let headers = [
            (Format::Traceparent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            (Format::B3, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
            (Format::B3, "a3ce929d0e0e4736-00f067aa0ba902b7"),
            (Format::Uber, "4bf92f3577b34da6a3ce929d0e0e4736:f067aa0ba902b7:0:1"),
            (Format::Amazon, "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1"),
        ];
        headers.iter().for_each(|&(format, text)| assert_eq!(both(format, text), ids, "{text}"));
        assert_eq!(both(Format::B3, "0"), None);
        assert_eq!(both(Format::Traceparent, "é-é-é"), None);
    }
}
