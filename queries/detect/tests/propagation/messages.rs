//! `message-context-missing` and `message-link-only`.

use super::{requests, text};
use crate::detect::tests::scene::{Scene, consumer, producer};

#[test]
fn messages_without_context_are_the_producers_to_mend() {
    let mut scene = Scene::new();
    let [orders, shipping] = ["orders", "shipping"].map(|name| scene.service(name));
    requests(&mut scene, orders, 30, |scene, request, from, _| {
        let sent = scene.put(producer(orders, "order.created", from, 1.0).under(request));
        let root = scene.put(consumer(shipping, "order.created", from + 5.0, 8.0));
        scene.stitch(root, sent);
    });
    let stage = scene.finish();
    let says = stage.says("message-context-missing");
    assert_eq!(text(&says), [("orders -> shipping", 30, 30, "orders")]);
    assert!(stage.drafts("context-not-injected").is_empty(), "messages have a rule of their own");
}

#[test]
fn messages_that_could_not_be_paired_are_known_by_their_destination() {
    let mut scene = Scene::new();
    let [orders, shipping] = ["orders", "shipping"].map(|name| scene.service(name));
    requests(&mut scene, orders, 30, |scene, request, from, _| {
        scene.put(producer(orders, "order.created", from, 1.0).under(request));
        scene.put(consumer(shipping, "order.created", from + 5.0, 8.0));
    });
    let stage = scene.finish();
    let says = stage.says("message-context-missing");
    assert_eq!(text(&says), [("orders -> shipping", 30, 30, "orders")]);
}

#[test]
fn messages_from_outside_begin_traces_by_right() {
    let mut scene = Scene::new();
    let shipping = scene.service("shipping");
    for number in 0..30 {
        scene.put(consumer(shipping, "order.created", f64::from(number), 8.0));
    }
    assert!(scene.finish().drafts("message-context-missing").is_empty());
}

#[test]
fn links_are_told_and_no_fault() {
    let mut scene = Scene::new();
    let [orders, shipping] = ["orders", "shipping"].map(|name| scene.service(name));
    requests(&mut scene, orders, 30, |scene, request, from, _| {
        let sent = scene.put(producer(orders, "order.created", from, 1.0).under(request));
        scene.put(consumer(shipping, "order.created", from + 5.0, 8.0).linked_to(sent));
    });
    let stage = scene.finish();
    let says = stage.says("message-link-only");
    assert_eq!(text(&says), [("orders -> shipping", 30, 30, "shipping")]);
    assert!(stage.drafts("message-context-missing").is_empty());
    let loud: Vec<String> =
        stage.findings().into_iter().filter(|one| one.severity.name() != "info").map(|one| one.rule).collect();
    assert!(loud.is_empty(), "nothing is broken: {loud:?}");
}

#[test]
fn batches_with_fewer_links_than_messages_lost_some() {
    let mut scene = Scene::new();
    let [orders, shipping] = ["orders", "shipping"].map(|name| scene.service(name));
    requests(&mut scene, orders, 10, |scene, request, from, _| {
        let sent = scene.put(producer(orders, "order.created", from, 1.0).under(request));
        let batch = consumer(shipping, "order.created", from + 5.0, 8.0).with("messaging.batch.message_count", "3");
        scene.put(batch.linked_to(sent));
    });
    let drafts = scene.finish().drafts("message-link-only");
    assert_eq!(drafts[0].severity.map(crate::detect::Severity::name), Some("med"));
}
