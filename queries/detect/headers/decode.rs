//! Reads contexts out of headers.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{Context, Format};

type Header<'a> = (&'a str, &'a str);
type Decode = fn(&[Header<'_>]) -> Option<Context>;

const DECODERS: [(Format, Decode); 10] = [
    (Format::W3c, w3c),
    (Format::B3Single, b3_single),
    (Format::B3Multi, b3_multi),
    (Format::Jaeger, jaeger),
    (Format::XRay, xray),
    (Format::GoogleCloud, google_cloud),
    (Format::Datadog, datadog),
    (Format::SkyWalking, skywalking),
    (Format::GrpcBinary, grpc_binary),
    (Format::OpenTracing, open_tracing),
];

/// Returns one context for each format that there are headers of.
pub(super) fn contexts(headers: &[Header<'_>]) -> Vec<Context> {
    let read =
        |(format, decode): &(Format, Decode)| decode(headers).map(|context| Context { format: *format, ..context });
    DECODERS.iter().filter_map(read).collect()
}

fn get<'a>(headers: &[Header<'a>], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| *found == name).map(|&(_, value)| value.trim())
}

/// The format is filled in by [`contexts`].
fn context(trace_id: Option<u128>, span_id: Option<u64>, sampled: Option<bool>) -> Context {
    Context { format: Format::W3c, trace_id: trace_id.unwrap_or(0), span_id: span_id.unwrap_or(0), sampled }
}

fn trace_id(text: &str) -> Option<u128> {
    hex(text, 32).and_then(|text| u128::from_str_radix(text, 16).ok())
}

fn span_id(text: &str) -> Option<u64> {
    hex(text, 16).and_then(|text| u64::from_str_radix(text, 16).ok())
}

/// Digits only: `from_str_radix` alone takes a sign.
fn hex(text: &str, max: usize) -> Option<&str> {
    (!text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(text)
}

/// `00-<32 hex>-<16 hex>-<flags>`
fn w3c(headers: &[Header<'_>]) -> Option<Context> {
    let mut parts = get(headers, "traceparent")?.split('-').skip(1);
    let (trace, span) = (parts.next().and_then(trace_id), parts.next().and_then(span_id));
    let flags = parts.next().and_then(|flags| u8::from_str_radix(flags, 16).ok());
    Some(context(trace, span, flags.map(|flags| flags & 1 == 1)))
}

/// `<trace>-<span>[-<sampled>[-<parent>]]`, or a sampling decision alone.
fn b3_single(headers: &[Header<'_>]) -> Option<Context> {
    let value = get(headers, "b3")?;
    let mut parts = value.split('-');
    match (parts.next(), parts.next()) {
        (Some(trace), Some(span)) => Some(context(trace_id(trace), span_id(span), parts.next().and_then(decision))),
        _ => Some(context(None, None, decision(value))),
    }
}

/// `x-b3-traceid`, `x-b3-spanid`, `x-b3-sampled`
fn b3_multi(headers: &[Header<'_>]) -> Option<Context> {
    let (trace, span, sampled) =
        (get(headers, "x-b3-traceid"), get(headers, "x-b3-spanid"), get(headers, "x-b3-sampled"));
    trace.or(span).or(sampled)?;
    Some(context(trace.and_then(trace_id), span.and_then(span_id), sampled.and_then(decision)))
}

fn decision(text: &str) -> Option<bool> {
    match text {
        "1" | "d" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// `uber-trace-id: <trace>:<span>:<parent>:<flags>`, colons may be percent-encoded.
fn jaeger(headers: &[Header<'_>]) -> Option<Context> {
    let value = get(headers, "uber-trace-id")?.replace("%3A", ":").replace("%3a", ":");
    let mut parts = value.split(':');
    let (trace, span) = (parts.next().and_then(trace_id), parts.next().and_then(span_id));
    let flags = parts.nth(1).and_then(|flags| u8::from_str_radix(flags, 16).ok());
    Some(context(trace, span, flags.map(|flags| flags & 1 == 1)))
}

/// `x-amzn-trace-id: Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=1`
fn xray(headers: &[Header<'_>]) -> Option<Context> {
    let value = get(headers, "x-amzn-trace-id")?;
    let field =
        |name: &str| value.split(';').filter_map(|part| part.trim().split_once('=')).find(|(key, _)| *key == name);
    let root = field("Root").and_then(|(_, root)| root.strip_prefix("1-")).map(|root| root.replace('-', ""));
    let parent = field("Parent").and_then(|(_, parent)| span_id(parent));
    Some(context(root.and_then(|root| trace_id(&root)), parent, field("Sampled").and_then(|(_, text)| decision(text))))
}

/// `x-cloud-trace-context: <32 hex>/<span, decimal>;o=1`
fn google_cloud(headers: &[Header<'_>]) -> Option<Context> {
    let value = get(headers, "x-cloud-trace-context")?;
    let (ids, options) = value.split_once(';').unwrap_or((value, ""));
    let (trace, span) = ids.split_once('/').unwrap_or((ids, ""));
    Some(context(trace_id(trace), span.parse().ok(), options.strip_prefix("o=").and_then(decision)))
}

/// `x-datadog-trace-id` (low half, decimal), `x-datadog-parent-id`, `x-datadog-sampling-priority`; the high half is
/// `_dd.p.tid` of `x-datadog-tags`.
fn datadog(headers: &[Header<'_>]) -> Option<Context> {
    let low: Option<u64> = get(headers, "x-datadog-trace-id")?.parse().ok();
    let tags = get(headers, "x-datadog-tags").unwrap_or_default();
    let high = tags.split(',').find_map(|tag| tag.trim().strip_prefix("_dd.p.tid=")).and_then(span_id).unwrap_or(0);
    let span = get(headers, "x-datadog-parent-id").and_then(|id| id.parse().ok());
    let priority: Option<i32> = get(headers, "x-datadog-sampling-priority").and_then(|text| text.parse().ok());
    let trace = low.map(|low| u128::from(high) << 64 | u128::from(low));
    Some(context(trace, span, priority.map(|priority| priority > 0)))
}

/// `sw8: <sampled>-<base64 ids>-…`
fn skywalking(headers: &[Header<'_>]) -> Option<Context> {
    let value = get(headers, "sw8")?;
    Some(context(None, None, value.split('-').next().and_then(decision)))
}

/// Version 0, then fields: 0 and 16 bytes of trace id, 1 and 8 bytes of span id, 2 and a byte of flags; base64.
fn grpc_binary(headers: &[Header<'_>]) -> Option<Context> {
    let value = get(headers, "grpc-trace-bin")?;
    let bytes = STANDARD.decode(value).or_else(|_| STANDARD_NO_PAD.decode(value)).unwrap_or_default();
    let field = |at: usize, id: u8, len: usize| {
        bytes.get(at..=at + len).filter(|field| field[0] == id).map(|field| &field[1..])
    };
    let trace = field(1, 0, 16).and_then(|bytes| Some(u128::from_be_bytes(bytes.try_into().ok()?)));
    let span = field(18, 1, 8).and_then(|bytes| Some(u64::from_be_bytes(bytes.try_into().ok()?)));
    Some(context(trace, span, field(27, 2, 1).map(|flags| flags[0] & 1 == 1)))
}

/// `ot-tracer-traceid`, `ot-tracer-spanid`, `ot-tracer-sampled`
fn open_tracing(headers: &[Header<'_>]) -> Option<Context> {
    let trace = trace_id(get(headers, "ot-tracer-traceid")?);
    let span = get(headers, "ot-tracer-spanid").and_then(span_id);
    Some(context(trace, span, get(headers, "ot-tracer-sampled").and_then(decision)))
}
