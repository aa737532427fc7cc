//! `b3-not-extracted`, `propagator-format-mismatch`, `propagator-noop-default`, `context-not-injected`.

use super::{BREAKS, requests, text};
use crate::detect::tests::scene::{Part, Process, Put, Scene, Stage, client, internal, server};

/// A call whose callee begins a new trace, with what is written on the callee's span.
fn torn(scene: &mut Scene, request: Put, to: Process, from: f64, dress: impl Fn(Part, Put) -> Part) {
    let call = scene.put(client(of(request), "GET", from, 10.0).under(request));
    let root = scene.put(dress(server(to, "GET /x", from + 1.0, 8.0), call));
    scene.stitch(root, call);
}

fn of(request: Put) -> Process {
    request.process()
}

/// Tells which of the four rules fire; one cause may show under one of them only.
fn fire(stage: &Stage) -> Vec<&'static str> {
    BREAKS.into_iter().filter(|id| !stage.drafts(id).is_empty()).collect()
}

#[test]
fn b3_that_the_callee_shows_but_does_not_take_over() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    requests(&mut scene, gateway, 30, |scene, request, from, _| {
        torn(scene, request, orders, from, |root, call| {
            let trace = format!("{:032x}", call.trace_id);
            root.header("x-b3-traceid", &trace).header("x-b3-spanid", &format!("{:016x}", call.span_id))
        });
    });
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["b3-not-extracted"]);
    let says = stage.says("b3-not-extracted");
    assert_eq!(text(&says), [("gateway -> orders", 30, 30, "orders")]);
    assert!(stage.drafts("b3-not-extracted")[0].confidence > 0.9, "headers prove it");
}

#[test]
fn a_sampling_decision_in_b3_is_no_context() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    requests(&mut scene, gateway, 30, |scene, request, from, _| {
        torn(scene, request, orders, from, |root, _| root.header("b3", "0"));
    });
    assert!(scene.finish().drafts("b3-not-extracted").is_empty());
}

#[test]
fn a_callers_64_bit_ids_speak_for_b3() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..30_u32 {
        let (from, id) = (f64::from(number) * 100.0, u128::from(number) + (1 << 60));
        let request = scene.put(server(gateway, "GET /", from, 50.0).ids(id, u64::from(number) + 1));
        torn(&mut scene, request, orders, from, |root, _| root);
    }
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["b3-not-extracted"]);
    assert!(stage.drafts("b3-not-extracted")[0].confidence < 0.7, "no header shows it");
}

#[test]
fn baggage_that_arrives_tells_a_format_from_a_missing_propagator() {
    let mut scene = Scene::new();
    let (gateway, orders, inventory) = (scene.service("gateway"), scene.service("orders"), scene.service("inventory"));
    requests(&mut scene, gateway, 30, |scene, request, from, number| {
        let tenant = ["acme", "globex", "initech"][number as usize % 3];
        scene.put(internal(gateway, "handler", from, 40.0).under(request).with("tenant.id", tenant));
        torn(scene, request, orders, from + 1.0, |root, _| root.with("tenant.id", tenant));
        torn(scene, request, inventory, from + 20.0, |root, _| root.with("tenant.id", tenant));
    });
    requests(&mut scene, orders, 30, |scene, request, from, _| {
        scene.call(request, inventory, "GET", from + 5_000.0, 10.0);
    });
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["propagator-format-mismatch"], "one cause, one finding");
    let says = stage.says("propagator-format-mismatch");
    assert_eq!(text(&says), [("gateway", 60, 60, "gateway")]);
}

#[test]
fn a_value_of_the_url_is_no_baggage() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    requests(&mut scene, gateway, 30, |scene, request, from, number| {
        let id = format!("order-{number}");
        scene.put(internal(gateway, "handler", from, 40.0).under(request).with("order.id", &id));
        let path = format!("/orders/{id}");
        torn(scene, request, orders, from + 1.0, |root, _| root.with("order.id", &id).with("url.path", &path));
    });
    assert_eq!(fire(&scene.finish()), ["context-not-injected"]);
}

#[test]
fn a_service_that_never_set_a_propagator() {
    let mut scene = Scene::new();
    let [gateway, billing, orders, stock] = ["gateway", "billing", "orders", "stock"].map(|name| scene.service(name));
    for edge in [gateway, billing] {
        requests(&mut scene, edge, 40, |scene, request, from, _| {
            torn(scene, request, orders, from, |root, _| root);
            scene.call(request, stock, "GET", from + 15.0, 10.0);
        });
    }
    requests(&mut scene, orders, 40, |scene, request, from, _| torn(scene, request, stock, from, |root, _| root));
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["propagator-noop-default"]);
    let says = stage.says("propagator-noop-default");
    assert_eq!(text(&says), [("orders", 120, 120, "orders")]);
}

#[test]
fn a_client_that_does_not_send_what_others_do() {
    let mut scene = Scene::new();
    let [gateway, billing, orders, stock] = ["gateway", "billing", "orders", "stock"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 30, |scene, request, from, _| {
        torn(scene, request, orders, from, |root, _| root);
        scene.call(request, stock, "GET", from + 15.0, 10.0);
    });
    requests(&mut scene, billing, 30, |scene, request, from, _| {
        scene.call(request, orders, "GET", from, 10.0);
    });
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["context-not-injected"]);
    let says = stage.says("context-not-injected");
    assert_eq!(text(&says), [("gateway -> orders", 30, 30, "gateway")]);
}

#[test]
fn headers_that_are_captured_and_not_there_were_not_sent() {
    let mut scene = Scene::new();
    let [gateway, billing, orders] = ["gateway", "billing", "orders"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 30, |scene, request, from, _| torn(scene, request, orders, from, |root, _| root));
    requests(&mut scene, billing, 30, |scene, request, from, _| {
        let call = scene.put(client(billing, "GET", from, 10.0).under(request));
        let header = format!("00-{:032x}-{:016x}-01", call.trace_id, call.span_id);
        scene.put(server(orders, "GET /x", from + 1.0, 8.0).under(call).header("traceparent", &header));
    });
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["context-not-injected"]);
    assert!(stage.drafts("context-not-injected")[0].confidence > 0.9, "the wire proves it");
}

#[test]
fn a_callee_that_reads_nobody_although_its_caller_is_understood() {
    let mut scene = Scene::new();
    let [gateway, orders, stock] = ["gateway", "orders", "stock"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 30, |scene, request, from, _| {
        torn(scene, request, orders, from, |root, _| root);
        scene.call(request, stock, "GET", from + 15.0, 10.0);
    });
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["propagator-format-mismatch"]);
    let says = stage.says("propagator-format-mismatch");
    assert_eq!(text(&says), [("gateway -> orders", 30, 30, "orders")]);
}

#[test]
fn clients_from_outside_begin_traces_by_right() {
    let mut scene = Scene::new();
    let [gateway, orders, browser] = ["gateway", "orders", "browser"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 100, |scene, request, from, _| {
        scene.call(request, orders, "GET", from, 10.0);
        scene.put(server(orders, "GET /healthz", from + 60.0, 1.0).with("user_agent.original", "kube-probe/1.30"));
        let page = scene.put(client(browser, "GET", from, 55.0));
        scene.put(server(gateway, "GET /page", from + 2.0, 40.0).under(page));
    });
    let stage = scene.finish();
    assert!(fire(&stage).is_empty());
}

#[test]
fn linked_restarts_and_a_few_losses_are_no_broken_hop() {
    let mut scene = Scene::new();
    let [gateway, orders, stock] = ["gateway", "orders", "stock"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 60, |scene, request, from, number| {
        let call = scene.put(client(gateway, "GET", from, 10.0).under(request));
        let root = scene.put(server(orders, "GET /x", from + 1.0, 8.0).linked_to(call));
        scene.stitch(root, call);
        if number % 15 == 0 {
            torn(scene, request, stock, from + 20.0, |root, _| root);
        } else {
            scene.call(request, stock, "GET", from + 20.0, 10.0);
        }
    });
    let stage = scene.finish();
    assert!(fire(&stage).is_empty());
    let restart = stage.drafts("gateway-strips-context");
    assert_eq!(restart[0].severity.map(crate::detect::Severity::name), Some("info"));
}

#[test]
fn a_part_of_the_calls_is_sent_without_context() {
    let mut scene = Scene::new();
    let [gateway, orders] = ["gateway", "orders"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 60, |scene, request, from, number| {
        if number % 2 == 0 {
            torn(scene, request, orders, from, |root, _| root);
        } else {
            scene.call(request, orders, "POST", from, 10.0);
        }
    });
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["context-not-injected"]);
    let says = stage.says("context-not-injected");
    assert_eq!(text(&says), [("gateway -> orders", 30, 60, "gateway")]);
    let only = stage.drafts("context-not-injected")[0].evidence["only"].to_string();
    assert!(only.contains("call GET"), "{only}");
}

/// Broken calls by a client of one library beside calls that arrive, by a client of another.
fn two_clients(library: &'static str) -> Stage {
    let mut scene = Scene::new();
    let [gateway, orders, stock] = ["gateway", "orders", "stock"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 30, |scene, request, from, _| {
        let call = scene.put(client(gateway, "Level", from, 10.0).under(request).scope(library));
        let root = scene.put(server(orders, "Level", from + 1.0, 8.0));
        scene.stitch(root, call);
        scene.call(request, stock, "GET", from + 15.0, 10.0);
    });
    scene.finish()
}

#[test]
fn a_client_written_by_hand_may_not_send() {
    assert_eq!(text(&two_clients("gateway").says("context-not-injected")), [("gateway -> orders", 30, 30, "gateway")]);
}

#[test]
fn a_client_of_a_known_library_sends_what_its_process_is_set_up_to_send() {
    let says = two_clients("io.opentelemetry.grpc-1.6").says("propagator-format-mismatch");
    assert_eq!(text(&says), [("gateway -> orders", 30, 30, "orders")]);
}

#[test]
fn a_deaf_callee_explains_callers_that_call_nobody_else() {
    let mut scene = Scene::new();
    let [gateway, jobs, orders, stock] = ["gateway", "jobs", "orders", "stock"].map(|name| scene.service(name));
    requests(&mut scene, gateway, 30, |scene, request, from, _| {
        torn(scene, request, orders, from, |root, _| root);
        scene.call(request, stock, "GET", from + 15.0, 10.0);
    });
    requests(&mut scene, jobs, 30, |scene, request, from, _| torn(scene, request, orders, from, |root, _| root));
    let stage = scene.finish();
    assert_eq!(fire(&stage), ["propagator-format-mismatch"]);
    assert_eq!(text(&stage.says("propagator-format-mismatch")), [("orders", 60, 60, "orders")]);
}
