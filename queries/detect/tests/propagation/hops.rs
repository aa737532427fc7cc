//! `mesh-hop-split`, `gateway-strips-context`, `phantom-parent`.

use super::{requests, text};
use crate::detect::Severity;
use crate::detect::tests::scene::{Part, Scene, client, internal, server};

/// What a sidecar writes on its spans.
fn proxied(part: Part, cluster: &str, request: u32) -> Part {
    let part = part.with("component", "proxy").with("node_id", "sidecar~10.0.0.1~orders-1");
    part.with("upstream_cluster", cluster).with("guid:x-request-id", &request.to_string())
}

#[test]
fn a_sidecar_whose_service_forwards_no_headers() {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    for number in 0..30 {
        let from = f64::from(number) * 100.0;
        scene.put(proxied(server(orders, "in", from, 50.0), "inbound|8080||", number));
        scene.put(proxied(client(orders, "out", from + 5.0, 20.0), "outbound|8080||stock", number));
    }
    let stage = scene.finish();
    let says = stage.says("mesh-hop-split");
    assert_eq!(text(&says), [("orders", 30, 30, "orders")]);
}

#[test]
fn a_sidecar_whose_service_forwards_headers() {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    for number in 0..30 {
        let from = f64::from(number) * 100.0;
        let inbound = scene.put(proxied(server(orders, "in", from, 50.0), "inbound|8080||", number));
        scene.put(proxied(client(orders, "out", from + 5.0, 20.0).under(inbound), "outbound|8080||stock", number));
    }
    assert!(scene.finish().drafts("mesh-hop-split").is_empty());
}

#[test]
fn a_proxy_that_strips_what_others_keep() {
    let mut scene = Scene::new();
    let [web, orders] = ["web", "orders"].map(|name| scene.service(name));
    requests(&mut scene, web, 60, |scene, request, from, number| {
        let call = scene.put(client(web, "GET", from, 10.0).under(request));
        let entry = server(orders, "GET /x", from + 1.0, 8.0);
        if number % 2 == 0 {
            scene.put(entry.under(call).with("network.peer.address", "10.0.0.7"));
        } else {
            let root = scene.put(entry.with("network.peer.address", "10.9.9.9"));
            scene.stitch(root, call);
        }
    });
    let stage = scene.finish();
    let says = stage.says("gateway-strips-context");
    assert_eq!(text(&says), [("orders", 30, 30, "orders")]);
    let first = stage.findings().remove(0);
    assert_eq!(first.rule, "gateway-strips-context");
}

#[test]
fn a_caller_that_sends_nothing_is_no_proxy() {
    let mut scene = Scene::new();
    let [web, jobs, orders] = ["web", "jobs", "orders"].map(|name| scene.service(name));
    requests(&mut scene, web, 30, |scene, request, from, _| {
        let call = scene.put(client(web, "GET", from, 10.0).under(request));
        scene.put(server(orders, "GET /x", from + 1.0, 8.0).under(call).with("network.peer.address", "10.0.0.7"));
    });
    requests(&mut scene, jobs, 30, |scene, request, from, _| {
        let call = scene.put(client(jobs, "GET", from, 10.0).under(request));
        let root = scene.put(server(orders, "GET /x", from + 1.0, 8.0).with("network.peer.address", "10.0.0.8"));
        scene.stitch(root, call);
    });
    assert!(scene.finish().drafts("gateway-strips-context").is_empty());
}

const FROM_ELSEWHERE: u32 = 0x301;

#[test]
fn a_hop_that_writes_its_own_parent() {
    let mut scene = Scene::new();
    let [web, orders] = ["web", "orders"].map(|name| scene.service(name));
    requests(&mut scene, web, 30, |scene, request, from, number| {
        let call = scene.put(client(web, "GET", from, 10.0).under(request));
        let hidden = u64::from(number) + 1_000_000;
        scene.put(server(orders, "GET /x", from + 1.0, 8.0).under_missing(call, hidden).flags(FROM_ELSEWHERE));
    });
    let stage = scene.finish();
    let says = stage.says("phantom-parent");
    assert_eq!(text(&says), [("web -> orders", 30, 30, "orders")]);
}

#[test]
fn a_service_that_loses_spans_is_no_hidden_hop() {
    let mut scene = Scene::new();
    let [web, orders] = ["web", "orders"].map(|name| scene.service(name));
    requests(&mut scene, web, 30, |scene, request, from, number| {
        let lost = u64::from(number) + 1_000_000;
        scene.put(internal(web, "work", from, 9.0).under_missing(request, lost));
        scene.put(server(orders, "GET /x", from + 1.0, 8.0).under_missing(request, lost + 500).flags(FROM_ELSEWHERE));
    });
    assert!(scene.finish().drafts("phantom-parent").is_empty());
}

#[test]
fn callers_outside_the_estate_are_told_and_no_fault() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    let outside = scene.put(server(web, "GET /", 0.0, 1.0));
    for number in 0..30_u32 {
        let from = f64::from(number) * 100.0;
        let other = outside.in_trace(u128::from(number) + 77);
        scene.put(server(web, "GET /", from, 8.0).under_missing(other, 5).flags(FROM_ELSEWHERE));
    }
    let drafts = scene.finish().drafts("phantom-parent");
    assert_eq!(drafts[0].severity, Some(Severity::Info));
}
