//! The incident's spans as a file: what a run is judged by, wherever the experiment is taken to.

use std::collections::BTreeSet;

use riftline_ingest::pack::gzip;
use riftline_queries::trace::window::{Link, Symbol, Window};
use serde_json::{Value, json};

/// Returns the spans of some traces as OTLP in JSON, one request a trace and line, packed.
#[must_use]
pub fn of(window: &Window, traces: impl Iterator<Item = u128>) -> Vec<u8> {
    let wanted: BTreeSet<u128> = traces.collect();
    let mut lines: Vec<(u128, Vec<u32>)> = wanted.iter().map(|&id| (id, Vec::new())).collect();
    for span in 0..window.len() as u32 {
        if let Ok(at) = lines.binary_search_by_key(&window.trace_id(span), |(id, _)| *id) {
            lines[at].1.push(span);
        }
    }
    let requests =
        lines.iter().filter(|(_, spans)| !spans.is_empty()).map(|(_, spans)| request(window, spans).to_string());
    gzip(
        (requests.collect::<Vec<_>>().join(
            "
",
        ) + "
")
        .as_bytes(),
    )
}

/// One export request with the spans of one trace, by resource.
fn request(window: &Window, spans: &[u32]) -> Value {
    let resources: BTreeSet<u32> = spans.iter().map(|&span| window.resource[span as usize]).collect();
    let of_resource = |resource: u32| {
        let own: Vec<Value> = spans
            .iter()
            .filter(|&&span| window.resource[span as usize] == resource)
            .map(|&span| one(window, span))
            .collect();
        let attributes =
            window.resources.get(resource as usize).map(|resource| attributes(window, &resource.attributes));
        json!({"resource": {"attributes": attributes}, "scopeSpans": [{"spans": own}]})
    };
    json!({"resourceSpans": resources.into_iter().map(of_resource).collect::<Vec<_>>()})
}

fn one(window: &Window, span: u32) -> Value {
    let at = span as usize;
    let mut value = json!({
        "traceId": format!("{:032x}", window.trace_id(span)),
        "spanId": format!("{:016x}", window.span_id[at]),
        "name": window.text(window.name[at]),
        "kind": window.kind[at],
        "startTimeUnixNano": window.start_ns[at].to_string(),
        "endTimeUnixNano": window.end_ns[at].to_string(),
        "attributes": attributes(window, window.attributes(span)),
        "status": {"code": window.status[at], "message": window.text(window.message[at])},
        "flags": window.flags[at],
    });
    let link =
        |link: &Link| json!({"traceId": format!("{:032x}", link.trace_id), "spanId": format!("{:016x}", link.span_id)});
    if !window.links_of(span).is_empty() {
        value["links"] = window.links_of(span).iter().map(link).collect();
    }
    if window.parent_span_id[at] != 0 {
        value["parentSpanId"] = json!(format!("{:016x}", window.parent_span_id[at]));
    }
    value
}

fn attributes(window: &Window, pairs: &[(Symbol, Symbol)]) -> Vec<Value> {
    let pair =
        |&(key, value): &(Symbol, Symbol)| json!({"key": window.text(key), "value": value_of(window.text(value))});
    pairs.iter().map(pair).collect()
}

/// Numbers are numbers again; everything else is a text.
fn value_of(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => json!({ "intValue": text }),
        _ => json!({ "stringValue": text }),
    }
}
