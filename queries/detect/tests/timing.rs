//! Detectors of group C that look at times.

use super::scene::{Put, Scene, client, internal, server};

fn row(subject: &str, occurrences: u64, out_of: u64, side: &str) -> (String, u64, u64, String) {
    (subject.to_owned(), occurrences, out_of, side.to_owned())
}

/// Twenty requests through gateway, orders and payments; payments' clock is ahead by so many milliseconds.
fn skewed(ahead: f64) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders, payments) = (scene.service("gateway"), scene.service("orders"), scene.service("payments"));
    for number in 0..20 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 40.0));
        let (_, served) = scene.call(request, orders, "POST /orders", at + 2.0, 30.0);
        let call = scene.put(client(orders, "Charge", at + 5.0, 10.0).under(served));
        scene.put(server(payments, "Charge", at + 6.0 + ahead, 8.0).under(call).flags(0x301));
    }
    scene
}

#[test]
fn a_clock_that_differs_is_named_once() {
    let stage = skewed(-350.0).finish();
    assert_eq!(stage.says("clock-skew"), [row("payments", 20, 20, "payments")]);
    assert_eq!(stage.drafts("clock-skew")[0].evidence["offset_ms"], -350.0);
}

#[test]
fn a_few_milliseconds_are_no_skew() {
    assert_eq!(skewed(3.0).finish().drafts("clock-skew"), []);
}

/// Forty requests; the child of the first `late` ends later than its parent by `over` milliseconds.
fn overhanging(late: u32, over: f64) -> Scene {
    let mut scene = Scene::new();
    let gateway = scene.service("gateway");
    for number in 0..40 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 20.0));
        let end = if number < late { 20.0 + over } else { 19.0 };
        scene.put(internal(gateway, "request handler", at + 1.0, end - 1.0).under(request));
    }
    scene
}

#[test]
fn work_that_outlives_its_request_is_found() {
    let stage = overhanging(30, 15.0).finish();
    assert_eq!(stage.says("child-outlives-parent"), [row("gateway", 30, 40, "gateway")]);
    let evidence = &stage.drafts("child-outlives-parent")[0].evidence;
    assert_eq!((&evidence["runs_on"], &evidence["starts_after_end"]), (&30.into(), &0.into()));
}

#[test]
fn callbacks_that_unwind_late_are_not() {
    assert_eq!(overhanging(40, 1.5).finish().drafts("child-outlives-parent"), [], "a little of a long span");
    assert_eq!(overhanging(5, 15.0).finish().drafts("child-outlives-parent"), [], "may be chance");
}

#[test]
fn messages_may_wait() {
    let mut scene = Scene::new();
    let shop = scene.service("shop");
    for number in 0..40 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(shop, "POST /orders", at, 20.0));
        scene.put(super::scene::consumer(shop, "order.created", at + 15.0, 60.0).under(request));
    }
    assert_eq!(scene.finish().drafts("child-outlives-parent"), []);
}

#[test]
fn times_that_cannot_be_are_counted_by_kind() {
    let mut scene = Scene::new();
    let shop = scene.service("shop");
    let at = 10.0;
    let request: Put = scene.put(server(shop, "GET /", at, 5.0));
    scene.put(internal(shop, "a", at + 1.0, -3.0).under(request));
    scene.put(internal(shop, "b", -1e12, 3.0).under(request));
    scene.put(internal(shop, "c", at + 2.0, 86_400_001.0).under(request));
    scene.put(internal(shop, "d", at + 2.0, 2.5).under(request));
    let stage = scene.finish();
    assert_eq!(stage.says("invalid-span-interval"), [row("shop", 3, 5, "shop")]);
    let kinds = stage.drafts("invalid-span-interval")[0].evidence["kinds"].to_string();
    assert!(
        kinds.contains("ends before it starts") && kinds.contains("before 2000") && kinds.contains("longer"),
        "{kinds}"
    );
}

#[test]
fn whole_milliseconds_are_no_fault() {
    let mut scene = Scene::new();
    let shop = scene.service("shop");
    for number in 0..200 {
        scene.put(server(shop, "GET /", f64::from(number), 0.0));
    }
    assert_eq!(scene.finish().drafts("invalid-span-interval"), []);
}
