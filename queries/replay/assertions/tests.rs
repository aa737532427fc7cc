use serde_json::{Map, Value, json};

use super::{ASSERTIONS, Asked, Checked, check, validate};
use crate::replay::edge::Class;
use crate::replay::judge::tests::shop::{Fault, STAGING, arms, plan, staging};
use crate::replay::judge::{Arm, Judged, Staging};
use crate::trace::window::{Builder, SpanRecord, Window};

const MS: i64 = 1_000_000;

fn asked(assert: &str, with: &Value) -> Asked {
    Asked { assert: assert.to_owned(), with: with.as_object().cloned().unwrap_or_else(Map::new) }
}

fn checked(staging: &Staging<'_>, assert: &str, with: &Value) -> Checked {
    let plan = Judged { assertions: vec![asked(assert, with)], ..plan(Class::Error, "payments") };
    check(staging, &plan).remove(0)
}

/// Checks assertions on what the shop does under a fault.
fn on_shop(fault: Fault, cases: &[(&str, Value, Option<bool>)]) {
    let world = staging(STAGING, fault);
    for (assert, with, holds) in cases {
        let checked = checked(&arms(&world), assert, with);
        assert_eq!(checked.holds, *holds, "{fault:?}: {checked:?}");
        assert!(!checked.sentence.contains('{') && !checked.words.is_empty(), "{checked:?}");
        assert_eq!(checked.examples.is_empty(), *holds != Some(false), "{checked:?}");
    }
}

#[test]
fn a_client_that_retries_twice_with_growing_waits() {
    on_shop(
        Fault::Retried("payments", 503),
        &[
            ("bounded-retries", json!({"max": 2}), Some(true)),
            ("bounded-retries", json!({"max": 1}), Some(false)),
            ("backoff-grows", json!({"base_ms": 50}), Some(true)),
            ("backoff-grows", json!({"base_ms": 60}), Some(false)),
            ("backoff-grows", json!({"base_ms": 60, "tolerance": 0.5}), Some(true)),
            ("has-circuit-breaker", json!({"failures": 3, "pause_ms": 500}), Some(false)),
        ],
    );
}

#[test]
fn a_client_that_waits_for_a_slow_server() {
    on_shop(
        Fault::Latency("payments", 300.0),
        &[
            ("has-timeouts", json!({"within_ms": 1000}), Some(true)),
            ("has-timeouts", json!({"within_ms": 200}), Some(false)),
            ("has-bulkhead", json!({"max": 2}), Some(true)),
            ("has-bulkhead", json!({"max": 1}), Some(false)),
            ("bounded-retries", json!({"max": 0}), None),
            ("backoff-grows", json!({"base_ms": 1}), None),
            ("has-circuit-breaker", json!({"pause_ms": 1}), None),
            ("baggage-survives", json!({"key": "tenant"}), None),
        ],
    );
}

/// Requests to orders every 10 ms, of which some call payments; all such calls fail.
fn breaker(calls: &[bool], baggage: &str) -> Window {
    let mut builder = Builder::default();
    let (orders, payments) = (builder.resource("orders", "{}"), builder.resource("payments", "{}"));
    builder.scope("tests", "1");
    let name = builder.texts.intern("POST /charge");
    for (at, &calls) in (0_i64..).zip(calls) {
        let trace_id = at as u128 + 1;
        let span = |span_id, parent_span_id, kind, resource, start_ns| SpanRecord {
            trace_id,
            span_id,
            parent_span_id,
            kind,
            resource,
            start_ns,
            duration_ns: MS,
            status: 2,
            name,
            ..SpanRecord::default()
        };
        let start = at * 10 * MS;
        builder.attributes(r#"{"baggage.tenant":"a"}"#);
        builder.push(span(1, 0, 2, orders, start));
        if calls {
            builder.push(span(2, 1, 3, orders, start + 1));
            builder.attributes(baggage);
            builder.push(span(3, 2, 2, payments, start + 2));
        }
    }
    builder.finish()
}

fn on_breaker(window: &Window, assert: &str, with: &Value) -> Option<bool> {
    let ids: Vec<u128> = (1..100).collect();
    let arm = Arm { traces: &ids, sent: 99, from_ns: 0, to_ns: i64::MAX };
    let none = Arm::default();
    let staging = Staging {
        window,
        stitches: &[],
        findings: &[],
        baseline: none,
        fault: arm,
        control: none,
        recovery: none,
        injected: None,
        planned: None,
        services: &[],
    };
    checked(&staging, assert, with).holds
}

#[test]
fn a_breaker_leaves_the_server_alone_while_requests_come() {
    let opens = breaker(&[true, true, true, false, false, false, true, false, false, false], "{}");
    let asked = |pause: u32| json!({"failures": 3, "pause_ms": pause});
    assert_eq!(on_breaker(&opens, "has-circuit-breaker", &asked(25)), Some(true));
    assert_eq!(on_breaker(&opens, "has-circuit-breaker", &asked(60)), Some(false));
    let ends = breaker(&[true, true, true], "{}");
    assert_eq!(on_breaker(&ends, "has-circuit-breaker", &asked(25)), None, "no request came that could have called");
}

#[test]
fn baggage_is_looked_for_in_attributes_and_headers() {
    let key = json!({"key": "tenant"});
    for (attributes, holds) in [
        (r#"{"baggage.tenant":"a"}"#, Some(true)),
        (r#"{"http.request.header.baggage":["x=1, tenant=a"]}"#, Some(true)),
        (r#"{"http.request.header.baggage":["tenants=a"]}"#, Some(false)),
        ("{}", Some(false)),
    ] {
        assert_eq!(on_breaker(&breaker(&[true, true], attributes), "baggage-survives", &key), holds, "{attributes}");
    }
}

#[test]
fn what_cannot_be_asked_is_told() {
    let error = |assert: &str, with: Value| validate(&asked(assert, &with)).unwrap_err().to_string();
    assert!(error("has-timeout", json!({})).contains("known are backoff-grows"));
    assert!(error("has-timeouts", json!({})).contains("needs within_ms"));
    assert!(error("has-timeouts", json!({"within": 1})).contains("known are within_ms"));
    assert!(error("has-timeouts", json!({"within_ms": -1})).contains("is -1"));
    assert!(error("baggage-survives", json!({"key": 7})).contains("is 7"));
    let world = staging(STAGING, Fault::None);
    assert_eq!(checked(&arms(&world), "nonsense", &json!({})).holds, Some(false), "no typing mistake passes");
}

#[test]
fn the_list_is_in_order_and_in_words() {
    assert!(ASSERTIONS.is_sorted_by_key(|one| one.name));
    for assertion in ASSERTIONS {
        for parameter in assertion.parameters {
            assert!(!parameter.sentence.is_empty());
        }
    }
    let text = r#"{"assert":"bounded-retries","max":3}"#;
    let read: Asked = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}
