//! What is broken in the shop, by rules that riftline does not come with: the words of ours may change.

use riftline::view::trace::data::TraceData;
use riftline_queries::table::{Column, Values};
use riftline_queries::trace::spans::Spans;

use super::desk::{NOON, SECOND, column, texts};

const MILLISECOND: i64 = 1_000_000;

const EXAMPLES: &str = r#"[
    {"before":{"trace_id":"68bf7890262876355fddd4d276511123","span_id":"0000000000000002"},
     "after":{"trace_id":"747ec6392f7f2b1d6d41f3625d105e85","span_id":"0000000000000011"}},
    {"before":{"trace_id":"68bf7890262876355fddd4d276511123","span_id":"0000000000000002"},
     "after":{"trace_id":"747ec6392f7f2b1d6d41f3625d105e85","span_id":"0000000000000012"}}]"#;

const B3: &str = r#"{"definition":"The caller sends its context as B3, the callee reads only W3C or nothing, so that one request makes two traces.",
    "why":"0 of 312 calls of shop/gateway arrive in shop/orders with their context; captured headers name the calls","side":"shop/orders","rule_version":1,
    "header":"b3","caller_links_to":["shop/users"],"hops":{"shop/gateway -> shop/orders":"312/312"},
    "symptoms":[{"rule":"root-shape-violation","subject":"shop/orders","why":"312 of 320 calls of orders begin a trace of their own","occurrences":312,"out_of":320}]}"#;

const OUTLIVES: &str = r#"{"definition":"A child ends long after its parent.","why":"1 204 spans end after their parents","side":"shop/orders","rule_version":2}"#;

const HOSTILE: &str = "{\"definition\":\"\\u001b[31mred\",\"why\":\"\",\"rule_version\":1}";

const B3_FIX: &str = "Let the callee read B3 too, or the caller send W3C trace context beside it.\npython: OTEL_PROPAGATORS=tracecontext,baggage,b3 and pip install opentelemetry-propagator-b3";

pub fn all() -> Vec<Column> {
    let ints = |values: [i64; 3]| Values::Int(values.map(Some).to_vec());
    let json = |values: [&str; 3]| Values::Json(values.map(|value| Some(value.into())).to_vec());
    vec![
        column("id", texts(&["491427b9", "0badcafe", "00000000"])),
        column("rule", texts(&["b3-not-read", "child-ends-late", "my-own-rule\u{1b}[31m"])),
        column("group", texts(&["A", "C", "Z"])),
        column("severity_number", ints([1, 2, 4])),
        column("confidence", Values::Double([0.97, 0.88, 0.5].map(Some).to_vec())),
        column("subject", texts(&["shop/gateway -> shop/orders", "shop/orders", "shop/users"])),
        column("occurrences", ints([312, 1_204, 3])),
        column("out_of", ints([312, 0, 0])),
        column("first_seen", Values::Time(vec![Some(NOON), Some(NOON - SECOND), Some(NOON)])),
        column("last_seen", Values::Time(vec![Some(NOON + SECOND); 3])),
        column("examples", json([EXAMPLES, "[]", "[]"])),
        column("evidence", json([B3, OUTLIVES, HOSTILE])),
        column("fix", texts(&[B3_FIX, "End spans when the work ends.", ""])),
    ]
}

pub fn severities() -> Vec<Column> {
    vec![
        column("id", texts(&["491427b9", "0badcafe", "00000000"])),
        column("severity_number", Values::Int([1, 2, 4].map(Some).to_vec())),
    ]
}

/// The caller's trace, or the one that the callee made of the call.
pub fn trace(id: &str) -> TraceData {
    let spans = if id.starts_with("68") {
        spans(&[(1, 0, 0, 90, 0, 2), (2, 1, 4, 80, 0, 3)])
    } else {
        spans(&[(17, 0, 6, 77, 1, 3), (18, 17, 8, 30, 1, 4)])
    };
    TraceData::new(id.to_owned(), spans)
}

/// Spans of (id, parent, start and duration in milliseconds, service, name).
fn spans(rows: &[(u64, u64, i64, i64, u32, u32)]) -> Spans {
    Spans {
        row: rows.iter().map(|row| row.0 as i64).collect(),
        span_id: rows.iter().map(|row| row.0).collect(),
        parent_span_id: rows.iter().map(|row| row.1).collect(),
        start_ns: rows.iter().map(|row| NOON + row.2 * MILLISECOND).collect(),
        duration_ns: rows.iter().map(|row| row.3 * MILLISECOND).collect(),
        kind: vec![2; rows.len()],
        status: vec![0; rows.len()],
        marks: vec![0; rows.len()],
        service: rows.iter().map(|row| row.4).collect(),
        name: rows.iter().map(|row| row.5).collect(),
        texts: ["gateway", "orders", "POST /checkout", "POST /orders", "SELECT stock"].map(Into::into).to_vec(),
    }
}
