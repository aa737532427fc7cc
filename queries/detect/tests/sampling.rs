//! Detectors that look at who records what.

use super::scene::{Scene, client, server};

fn row(subject: &str, occurrences: u64, out_of: u64, side: &str) -> (String, u64, u64, String) {
    (subject.to_owned(), occurrences, out_of, side.to_owned())
}

/// A trace id whose halves are spread evenly, each in an order of its own.
fn trace_id(number: u64) -> u128 {
    let half = |factor: u64| u128::from((number + 1).wrapping_mul(factor));
    half(0x9e37_79b9_7f4a_7c15) << 64 | half(0xc2b2_ae3d_27d4_eb4f)
}

/// Four hundred requests; who records which is told by the trace id.
fn sampled(by_gateway: impl Fn(u128) -> bool, by_orders: impl Fn(u128) -> bool) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..400 {
        let (at, id) = (100.0 * number as f64, trace_id(number));
        let parent = 10_000 + number;
        if by_gateway(id) {
            let request = scene.put(server(gateway, "POST /checkout", at, 40.0).ids(id, 50_000 + number));
            let call = client(gateway, "POST", at + 1.0, 20.0).with("server.address", "orders");
            scene.put(call.under(request).ids(id, parent));
        }
        if by_orders(id) {
            scene.put(server(orders, "POST /orders", at + 2.0, 15.0).under_ids(id, parent).flags(0x301));
        }
    }
    scene
}

fn low(id: u128) -> bool {
    id as u64 >> 63 == 0
}

fn high(id: u128) -> bool {
    (id >> 127) == 0
}

#[test]
fn recording_what_the_caller_did_not_is_found() {
    let stage = sampled(low, |_| true).finish();
    let says = stage.says("parent-decision-ignored");
    assert_eq!((says[0].0.as_str(), says[0].2, says[0].3.as_str()), ("gateway -> orders", 400, "orders"));
    assert!((150..250).contains(&says[0].1), "{says:?}");
    assert_eq!(stage.drafts("ratio-sampler-torn"), []);
}

#[test]
fn services_that_follow_their_caller_are_quiet() {
    for stage in [sampled(low, low).finish(), sampled(|_| true, |_| true).finish()] {
        assert_eq!(stage.drafts("parent-decision-ignored"), []);
        assert_eq!(stage.drafts("ratio-sampler-torn"), []);
        assert_eq!(stage.drafts("tail-sampling-torn"), []);
    }
}

#[test]
fn samplers_that_look_at_other_bits_are_told_apart() {
    let stage = sampled(low, high).finish();
    let says = stage.says("ratio-sampler-torn");
    assert_eq!((says.len(), says[0].0.as_str(), says[0].3.as_str()), (1, "gateway -> orders", "orders"));
    let evidence = &stage.drafts("ratio-sampler-torn")[0].evidence;
    assert!(evidence["callee_samples_by"].as_str().is_some_and(|bits| bits.contains("high")), "{evidence:?}");
}

#[test]
fn a_captured_header_that_says_no_is_proof() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..10 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 40.0));
        let (call, served) = (10_000 + u64::from(number as u32), server(orders, "POST /orders", at + 2.0, 15.0));
        let header = format!("00-{:032x}-{call:016x}-00", request.trace_id);
        scene.put(served.under_missing(request, call).header("traceparent", &header).flags(0x301));
    }
    let stage = scene.finish();
    assert_eq!(stage.says("parent-decision-ignored"), [row("orders", 10, 10, "orders")]);
}

/// Two hundred requests with a long and a short part; of the long ones so many lost their parent.
fn lengths(lost: u32) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..200 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 40.0));
        scene.put(client(gateway, "GET", at + 1.0, 20.0).under(request));
        let long = server(orders, "POST /export", at + 2.0, 9000.0).flags(0x301);
        scene.put(if number < lost { long.under_missing(request, 77) } else { long.under(request) });
    }
    scene
}

#[test]
fn long_spans_that_lose_their_parents_came_too_late() {
    assert_eq!(lengths(100).finish().says("tail-sampling-torn").len(), 1);
    assert_eq!(lengths(0).finish().drafts("tail-sampling-torn"), []);
}
