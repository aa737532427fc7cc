//! Whether a request belongs to a run: by `tracestate`, or by the trace id in the words of any propagator.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hyper::http::HeaderMap;

/// How many digits of a half of the trace id are compared with a mark.
const DIGITS: usize = 8;

/// The key of `tracestate` that carries the mark.
const KEY: &str = "riftline";

/// Tells whether `headers` carry `mark`: as `tracestate: riftline=<mark>`, or as the first 8 digits of either half of the trace id.
#[must_use]
pub fn carries(headers: &HeaderMap, mark: &str) -> bool {
    if state(headers).any(|value| value == mark) {
        return true;
    }
    let wanted = mark.get(..DIGITS.min(mark.len())).unwrap_or(mark);
    wanted.len() == DIGITS && trace_ids(headers).iter().any(|id| halves(id).any(|half| half == wanted))
}

/// Tells whether `headers` carry the mark of any run.
#[must_use]
pub fn is_marked(headers: &HeaderMap) -> bool {
    state(headers).next().is_some()
}

fn state(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all("tracestate").into_iter().filter_map(|value| value.to_str().ok());
    let members = lines.flat_map(|line| line.split(',')).filter_map(|member| member.trim().split_once('='));
    members.filter(|(key, _)| *key == KEY).map(|(_, value)| value)
}

fn halves(id: &str) -> impl Iterator<Item = &str> {
    let upper = if id.len() > 16 { id.get(id.len() - 16..) } else { None };
    [Some(id), upper].into_iter().flatten().filter_map(|half| half.get(..DIGITS))
}

/// Returns the trace ids of all propagators that are present, in lower-case hexadecimal where they are numbers.
#[must_use]
pub fn trace_ids(headers: &HeaderMap) -> Vec<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ids = [
        text("traceparent").and_then(|value| value.split('-').nth(1)).map(str::to_ascii_lowercase),
        text("b3").and_then(|value| value.split('-').next()).map(str::to_ascii_lowercase),
        text("x-b3-traceid").map(str::to_ascii_lowercase),
        text("uber-trace-id").and_then(|value| value.split([':', '%']).next()).map(str::to_ascii_lowercase),
        text("x-amzn-trace-id").and_then(of_amazon),
        text("sw8").and_then(of_skywalking),
        text("x-datadog-trace-id").and_then(of_datadog),
        text("x-datadog-tags").and_then(upper_of_datadog),
        text("grpc-trace-bin").and_then(of_grpc),
    ];
    ids.into_iter().flatten().filter(|id| !id.is_empty()).collect()
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;…`
fn of_amazon(value: &str) -> Option<String> {
    let root = value.split(';').find_map(|part| part.trim().strip_prefix("Root=1-"))?;
    Some(root.replace('-', "").to_ascii_lowercase())
}

/// `1-<trace id in base64>-…`: the id is any text, often a UUID without hyphens.
fn of_skywalking(value: &str) -> Option<String> {
    let bytes = STANDARD.decode(value.split('-').nth(1)?).ok()?;
    let text = String::from_utf8(bytes).ok()?.replace('-', "");
    Some(text.split('.').next().unwrap_or_default().to_ascii_lowercase())
}

/// The lower half in decimal.
fn of_datadog(value: &str) -> Option<String> {
    value.trim().parse::<u64>().ok().map(|id| format!("{id:016x}"))
}

/// The upper half: `_dd.p.tid=640cfd8d00000000`.
fn upper_of_datadog(value: &str) -> Option<String> {
    value.split(',').find_map(|tag| tag.trim().strip_prefix("_dd.p.tid=")).map(str::to_ascii_lowercase)
}

/// `OpenCensus` binary format: version 0, field 0, 16 bytes of trace id, …
fn of_grpc(value: &str) -> Option<String> {
    let bytes = STANDARD_NO_PAD.decode(value.trim_end_matches('=')).ok()?;
    let id = bytes.strip_prefix(&[0, 0])?.get(..16)?;
    Some(format!("{:032x}", u128::from_be_bytes(id.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(hyper::header::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn every_propagator_carries_the_mark() {
        let grpc = STANDARD_NO_PAD.encode([&[0, 0][..], &[0xab; 16], &[1], &[2; 8]].concat());
        let sky = format!("1-{}-x", STANDARD.encode("abababababababababababababababab"));
        for (name, value) in [
            ("traceparent", "00-abababab0000000000000000000000aa-00000000000000bb-01"),
            ("traceparent", "00-0000000000000001abababab000000aa-00000000000000bb-01"),
            ("b3", "ABABABAB000000aa-00000000000000bb-1"),
            ("x-b3-traceid", "0000000000000001abababab000000aa"),
            ("uber-trace-id", "abababab00000000:1:0:1"),
            ("x-amzn-trace-id", "Self=1-1-1;Root=1-abababab-bd862e3fe1be46a994272793;Sampled=1"),
            ("sw8", &sky),
            ("x-datadog-trace-id", &0xabab_abab_0000_0001_u64.to_string()),
            ("x-datadog-tags", "a=b,_dd.p.tid=abababab00000000"),
            ("grpc-trace-bin", &grpc),
            ("tracestate", "other=1, riftline=abababab"),
        ] {
            assert!(carries(&headers(name, value), "abababab"), "{name}: {value}");
            assert!(!carries(&headers(name, value), "cdcdcdcd"), "{name}: {value}");
        }
    }

    #[test]
    fn broken_headers_carry_nothing() {
        for (name, value) in [
            ("traceparent", "00"),
            ("b3", "0"),
            ("sw8", "1-%%-"),
            ("grpc-trace-bin", "AAA"),
            ("x-datadog-trace-id", "-1"),
            ("x-amzn-trace-id", "Root="),
            ("tracestate", "riftline"),
        ] {
            assert!(!carries(&headers(name, value), "abababab"), "{name}: {value}");
            assert!(!is_marked(&headers(name, value)), "{name}: {value}");
        }
    }
}
