//! Detectors of group B.

use super::scene::{Scene, client, server};

fn row(subject: &str, occurrences: u64, out_of: u64, side: &str) -> (String, u64, u64, String) {
    (subject.to_owned(), occurrences, out_of, side.to_owned())
}

/// Bits like those of an SDK's ids.
fn spread(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ mixed >> 27
}

/// Ten calls of gateway to orders, which keeps only so much of the trace id.
fn narrowed(keep: impl Fn(u128) -> u128) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..10 {
        let (at, id) = (100.0 * number as f64, spread(number));
        let trace_id = u128::from(!id) << 64 | u128::from(id);
        let request = scene.put(server(gateway, "POST /checkout", at, 40.0).ids(trace_id, spread(1000 + number)));
        let call = scene.put(client(gateway, "POST", at + 1.0, 20.0).under(request));
        let served = server(orders, "POST /orders", at + 2.0, 15.0).ids(keep(trace_id), spread(2000 + number));
        scene.put(served.under_ids(keep(trace_id), call.span_id));
    }
    scene
}

#[test]
fn a_trace_under_half_its_id_is_found() {
    let stage = narrowed(|id| u128::from(id as u64)).finish();
    assert_eq!(stage.says("trace-id-width-mismatch"), [row("gateway -> orders", 10, 10, "orders")]);
    assert_eq!(stage.drafts("trace-id-width-mismatch")[0].evidence["bits"]["after"], 64);
    let filled = narrowed(|id| id ^ 0x77 << 64).finish();
    assert_eq!(filled.says("trace-id-width-mismatch"), [row("gateway -> orders", 10, 10, "orders")]);
}

#[test]
fn whole_ids_have_no_twins() {
    assert_eq!(narrowed(|id| id).finish().drafts("trace-id-width-mismatch"), []);
    assert_eq!(narrowed(|id| !id).finish().drafts("trace-id-width-mismatch"), []);
}

/// Thirty requests, each with a context header.
fn with_header(name: &str, value: &str) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..30 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 40.0));
        let call = scene.put(client(gateway, "POST", at + 1.0, 20.0).under(request));
        scene.put(server(orders, "POST /orders", at + 2.0, 15.0).under(call).header(name, value).flags(0x301));
    }
    scene
}

#[test]
fn contexts_that_break_the_grammar_are_their_senders_fault() {
    let stage = with_header("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01").finish();
    assert_eq!(stage.says("invalid-context-value"), [row("gateway -> orders", 30, 30, "gateway")]);
    assert!(stage.drafts("invalid-context-value")[0].why.contains("upper case"));
}

#[test]
fn a_decision_without_ids_is_valid() {
    assert_eq!(with_header("b3", "0").finish().drafts("invalid-context-value"), []);
    assert_eq!(with_header("x-request-id", "-").finish().drafts("invalid-context-value"), []);
}

/// Ten requests with two headers: the B3 one names the same span, or another.
fn with_two(is_equal: bool) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..10 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 40.0));
        let call = scene.put(client(gateway, "POST", at + 1.0, 20.0).under(request));
        let other = if is_equal { call.span_id } else { call.span_id ^ 1 };
        let served = server(orders, "POST /orders", at + 2.0, 15.0).under(call).flags(0x301);
        let served = served.header("traceparent", &format!("00-{:032x}-{:016x}-01", call.trace_id, call.span_id));
        scene.put(served.header("b3", &format!("{:032x}-{other:016x}-1", call.trace_id)));
    }
    scene
}

#[test]
fn two_contexts_that_disagree_are_found() {
    let stage = with_two(false).finish();
    assert_eq!(stage.says("conflicting-context-headers"), [row("gateway -> orders", 10, 10, "gateway")]);
    assert_eq!(stage.drafts("conflicting-context-headers")[0].evidence["adopted"]["tracecontext"], 10);
    assert_eq!(with_two(true).finish().drafts("conflicting-context-headers"), [], "two formats of one context agree");
}

#[test]
fn ids_that_stand_for_two_spans_are_found() {
    let mut scene = Scene::new();
    let workers =
        [1, 2].map(|pid| scene.process("shop", serde_json::json!({"service.instance.id": format!("shop-{pid}")})));
    for number in 0..5 {
        let ids = (u128::from(spread(number)) << 64 | u128::from(spread(number + 50)), spread(number + 99));
        for (worker, at) in workers.into_iter().zip([0.0, 40.0]) {
            scene.put(server(worker, "GET /", 100.0 * number as f64 + at, 10.0).ids(ids.0, ids.1));
        }
    }
    let stage = scene.finish();
    assert_eq!(stage.says("id-generator-faulty"), [row("shop", 5, 5, "shop")]);
}

/// So many requests with ids made by `id`.
fn begun(count: u64, id: impl Fn(u64) -> u128) -> Scene {
    let mut scene = Scene::new();
    let shop = scene.service("shop");
    for number in 0..count {
        scene.put(server(shop, "GET /", number as f64, 0.5).ids(id(number), spread(number)));
    }
    scene
}

#[test]
fn ids_that_are_not_random_are_found() {
    let stage = begun(600, |number| 0x0102_0304_0506_0708_090a_0b0c_0d0e_0000 + u128::from(number)).finish();
    assert_eq!(stage.says("id-generator-faulty"), [row("shop", 600, 600, "shop")]);
    // A time in the first four bytes, as X-Ray wants it.
    let xray = begun(2000, |number| 0x6500_0000_u128 << 96 | u128::from(spread(number)));
    assert_eq!(xray.finish().drafts("id-generator-faulty"), []);
}

#[test]
fn spans_that_arrive_twice_are_one() {
    let mut scene = begun(0, u128::from);
    let shop = scene.service("shop");
    for _ in 0..2 {
        for number in 0..40 {
            scene.put(
                server(shop, "GET /", 10.0 * number as f64, 5.0).ids(u128::from(spread(number)), spread(number + 9)),
            );
        }
    }
    assert_eq!(scene.finish().drafts("id-generator-faulty"), []);
}
