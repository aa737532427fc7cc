//! `async-context-loss` and `process-boundary-loss`.

use serde_json::json;

use super::{requests, text};
use crate::detect::tests::scene::{Scene, client, internal, server};

#[test]
fn calls_of_a_pool_without_context() {
    let mut scene = Scene::new();
    let [orders, stock] = ["orders", "stock"].map(|name| scene.service(name));
    requests(&mut scene, orders, 40, |scene, _, from, number| {
        // Handed over after a while that differs.
        let call = scene.put(client(orders, "GET stock", from + f64::from(number * 7 % 30), 10.0));
        scene.put(server(stock, "GET /stock", from + f64::from(number * 7 % 30) + 1.0, 8.0).under(call));
    });
    let stage = scene.finish();
    let says = stage.says("async-context-loss");
    assert_eq!(text(&says), [("orders", 40, 40, "orders")]);
}

#[test]
fn jobs_by_the_clock_and_by_chance_begin_traces_by_right() {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    requests(&mut scene, orders, 100, |_, _, _, _| {});
    for number in 0..100_u32 {
        scene.put(internal(orders, "clean up", f64::from(number) * 97.0, 5.0));
        // Spread over the hundred milliseconds of which requests take fifty.
        let chance = f64::from(number * 61 % 100) + f64::from(number) * 100.0;
        scene.put(client(orders, "GET flags", chance, 5.0));
    }
    assert!(scene.finish().drafts("async-context-loss").is_empty());
}

#[test]
fn whoever_polls_has_no_request() {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    requests(&mut scene, orders, 40, |scene, _, from, number| {
        let poll = client(orders, "receive", from + f64::from(number * 7 % 30), 10.0);
        scene.put(poll.with("messaging.operation.type", "receive"));
    });
    assert!(scene.finish().drafts("async-context-loss").is_empty());
}

#[test]
fn a_command_that_a_request_starts() {
    let mut scene = Scene::new();
    let web = scene.process("web", json!({"host.name": "a", "process.pid": 1}));
    for number in 0..6_u32 {
        let from = f64::from(number) * 100.0;
        let request = scene.put(server(web, "GET /", from, 50.0));
        scene.put(internal(web, "convert", from + 5.0, 40.0).under(request));
        let attributes = json!({"host.name": "a", "process.pid": 100 + number, "process.parent_pid": 1});
        let command = scene.process("convert", attributes);
        scene.put(internal(command, "main", from + 10.0, 20.0));
    }
    let stage = scene.finish();
    let says = stage.says("process-boundary-loss");
    assert_eq!(text(&says), [("web -> convert", 6, 6, "web")]);
}

#[test]
fn a_worker_that_was_forked_once_is_no_command() {
    let mut scene = Scene::new();
    let web = scene.process("web", json!({"host.name": "a", "process.pid": 1}));
    let worker = scene.process("worker", json!({"host.name": "a", "process.pid": 2, "process.parent_pid": 1}));
    for number in 0..20 {
        let from = f64::from(number) * 100.0;
        scene.put(server(web, "GET /", from, 50.0));
        scene.put(internal(worker, "main", from + 10.0, 20.0));
    }
    assert!(scene.finish().drafts("process-boundary-loss").is_empty());
}
