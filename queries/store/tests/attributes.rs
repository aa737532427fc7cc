use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{TestSpan, conventions, store_spans, texts};
use crate::store::Store;

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        "\\PC{0,12}".prop_map(Value::from),
        "[\u{0}-\u{1f}\"\\\\{}\\[\\],:é漢🦀]{0,8}".prop_map(Value::from),
        Just(Value::Null),
        Just(json!({ "bytes": "AAEC" })),
        Just(json!({ "double": "NaN" })),
        prop::collection::vec(any::<i32>().prop_map(Value::from), 0..4).prop_map(Value::from),
        Just(json!({ "a": { "b": [1, 2.5, "x"] } })),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "http.request.method", "http.method", "http.response.status_code", "http.status_code", "status",
            "sampling.ratio", "error.expected", "expected", "server.address", "k8s.pod.name",
        ]).prop_map(str::to_owned),
        1 => "[a-z.\"\\\\é ]{1,10}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// What was recorded comes back from the view under its raw keys and with its types.
    #[test]
    fn attributes_come_back_as_recorded(
        recorded in prop::collection::vec(prop::collection::btree_map(key(), value(), 0..7), 1..30),
    ) {
        let store = Store::temporary_with(conventions()).unwrap();
        let spans: Vec<TestSpan> = recorded
            .iter()
            .enumerate()
            .map(|(at, attributes)| TestSpan { attributes: attributes.clone(), ..TestSpan::new(1, at as u64 + 1, 0) })
            .collect();
        let (first, second) = spans.split_at(spans.len() / 2);
        store_spans(&store, "a", &[first]);
        store_spans(&store, "b", &[second]);
        let shown: Vec<BTreeMap<String, Value>> = texts(&store, "SELECT attributes FROM spans ORDER BY span_id")
            .iter()
            .map(|text| serde_json::from_str(text).unwrap())
            .collect();
        prop_assert_eq!(shown, recorded);
    }
}

#[test]
fn canonical_columns_hold_what_older_keys_recorded() {
    let store = Store::temporary_with(conventions()).unwrap();
    let spans = [
        TestSpan::new(1, 1, 0).with("http.method", "GET").with("http.status_code", 500),
        TestSpan::new(1, 2, 0).with("http.request.method", "PUT").with("http.status_code", "500"),
    ];
    store_spans(&store, "a", &[&spans]);
    let columns = "SELECT concat_ws(' ', http_request_method, http_response_status_code, k8s_pod_name, attr(attributes, \
                   'http.status_code'), sampling_ratio) FROM spans ORDER BY span_id";
    assert_eq!(texts(&store, columns), ["GET 500 cart-0 500", "PUT cart-0 500"]);
    let keys = texts(&store, "SELECT attributes FROM spans ORDER BY span_id");
    assert_eq!(keys[0], r#"{"http.method":"GET","http.status_code":500}"#);
    assert_eq!(keys[1], r#"{"http.request.method":"PUT","http.status_code":"500"}"#);
}

#[test]
fn doubles_keep_their_point_and_their_names() {
    let store = Store::temporary_with(conventions()).unwrap();
    let spans: Vec<TestSpan> = [3.0, 0.1, 1e300]
        .iter()
        .zip(1..)
        .map(|(&ratio, id)| TestSpan::new(1, id, 0).with("sampling.ratio", ratio))
        .collect();
    store_spans(&store, "a", &[&spans]);
    let shown = texts(&store, "SELECT attributes FROM spans ORDER BY span_id");
    assert_eq!(shown, [r#"{"sampling.ratio":3.0}"#, r#"{"sampling.ratio":0.1}"#, r#"{"sampling.ratio":1e300}"#]);
}
