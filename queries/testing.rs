//! Stores with known content, for tests.

use std::ops::ControlFlow;
use std::sync::Arc;

use riftline_ingest::read::{Input, Limits, ReadOptions};
use serde_json::{Value, json};

use crate::load::{LoadOptions, LoadSummary, load};
use crate::store::Store;

/// When the first trace of [`shop`] begins.
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;

pub(crate) const SECOND_NS: i64 = 1_000_000_000;

/// A span in OTLP JSON. `ids` are trace, span and parent.
pub(crate) fn span(ids: (&str, u64, u64), name: &str, kind: u8, times_ns: (i64, i64), attributes: &Value) -> Value {
    let attribute = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => json!({"stringValue": text}),
            Value::Bool(truth) => json!({"boolValue": truth}),
            Value::Number(number) if number.is_f64() => json!({"doubleValue": number}),
            Value::Number(number) => json!({"intValue": number.to_string()}),
            other => json!({"arrayValue": {"values": [{"stringValue": other[0]}, {"stringValue": other[1]}]}}),
        };
        json!({"key": key, "value": value})
    };
    let attributes: Vec<Value> = attributes.as_object().unwrap().iter().map(attribute).collect();
    let failed = name.starts_with("failing");
    json!({
        "traceId": ids.0,
        "spanId": format!("{:016x}", ids.1),
        "parentSpanId": if ids.2 == 0 { String::new() } else { format!("{:016x}", ids.2) },
        "name": name,
        "kind": kind,
        "startTimeUnixNano": times_ns.0.to_string(),
        "endTimeUnixNano": (times_ns.0 + times_ns.1).to_string(),
        "attributes": attributes,
        "status": if failed { json!({"code": 2, "message": "broken"}) } else { json!({}) },
        "events": if failed {
            json!([{"name": "exception", "timeUnixNano": (times_ns.0 + 5).to_string(), "attributes": [
                {"key": "exception.type", "value": {"stringValue": "Timeout"}}
            ]}])
        } else {
            json!([])
        },
    })
}

/// An export request of one service.
pub(crate) fn request(service: &str, spans: &[Value]) -> Value {
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": service}},
            {"key": "deployment.environment", "value": {"stringValue": "test"}},
        ]},
        "scopeSpans": [{"scope": {"name": "tests", "version": "1"}, "spans": spans}],
    }]})
}

pub(crate) const FIRST: &str = "aaaa0000000000000000000000000001";
pub(crate) const SECOND: &str = "aaaa0000000000000000000000000002";
pub(crate) const THIRD: &str = "bbbb0000000000000000000000000003";

/// Three traces: a request that fails in its second service, the same a minute later without failure, and one that only the
/// second service has. Six spans in all.
pub(crate) fn shop_lines() -> String {
    let later = START_NS + 60 * SECOND_NS;
    let route = json!({"http.request.method": "GET", "http.route": "/cart", "http.response.status_code": 500});
    let old = json!({"http.method": "GET", "http.status_code": 200, "http.route": "/cart", "team": "blue"});
    let call = json!({"server.address": "orders", "tags": ["a", "b"]});
    let gateway = request(
        "gateway",
        &[
            span((FIRST, 1, 0), "GET /cart", 2, (START_NS, 3 * SECOND_NS), &route),
            span((FIRST, 2, 1), "call", 3, (START_NS + SECOND_NS, SECOND_NS), &call),
            span((SECOND, 1, 0), "GET /cart", 2, (later, SECOND_NS), &old),
            span((SECOND, 2, 1), "call", 3, (later + 1, 1_000), &call),
        ],
    );
    let orders = request(
        "orders",
        &[
            span(
                (FIRST, 3, 2),
                "failing",
                2,
                (START_NS + SECOND_NS + 1, SECOND_NS / 2),
                &json!({"retries": 3, "ratio": 0.5}),
            ),
            span(
                (THIRD, 9, 0),
                "tick",
                1,
                (later + SECOND_NS, 10),
                &json!({"http.status_code": "200", "cache.hit": true}),
            ),
        ],
    );
    format!("{gateway}\n{orders}\n")
}

/// Returns a store that holds [`shop_lines`].
pub(crate) fn shop() -> Store {
    let store = Store::temporary().unwrap();
    let summary = load_text(&store, &shop_lines());
    assert_eq!(summary.sources.iter().map(|source| source.spans).sum::<u64>(), 6, "{summary:?}");
    store
}

pub(crate) fn load_text(store: &Store, text: &str) -> LoadSummary {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    std::fs::write(&path, text).unwrap();
    let read = ReadOptions {
        conventions: store.conventions(),
        format: None,
        num_threads: 1,
        limits: Limits::default(),
        patterns: Arc::default(),
    };
    let options = LoadOptions { read, settle: false, live: false };
    let inputs = [Input::Path(path.to_str().unwrap().to_owned())];
    load(store, &inputs, &options, &mut |_| ControlFlow::Continue(())).unwrap()
}
