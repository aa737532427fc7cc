//! Detectors that look at calls without callees, and at kinds.

use super::scene::{Scene, client, internal, server};

fn row(subject: &str, occurrences: u64, out_of: u64, side: &str) -> (String, u64, u64, String) {
    (subject.to_owned(), occurrences, out_of, side.to_owned())
}

/// Thirty calls to `payments:8080`, which shows no spans.
fn dark(address: &str, key: &str) -> Scene {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    for number in 0..30 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(orders, "POST /orders", at, 50.0));
        scene.put(client(orders, "POST", at + 1.0, 8.0).with(key, address).under(request));
    }
    scene
}

#[test]
fn a_service_inside_without_spans_is_dark() {
    assert_eq!(
        dark("payments", "server.address").finish().says("dark-hop"),
        [row("orders -> payments", 30, 30, "payments")]
    );
    assert_eq!(dark("10.0.0.7", "server.address").finish().says("dark-hop").len(), 1);
}

#[test]
fn services_of_others_and_databases_are_not() {
    assert_eq!(dark("api.example.com", "server.address").finish().drafts("dark-hop"), []);
    assert_eq!(dark("postgresql", "db.system.name").finish().drafts("dark-hop"), []);
}

#[test]
fn callees_that_began_traces_of_their_own_are_not_dark() {
    let mut scene = dark("payments", "server.address");
    let payments = scene.service("payments");
    for number in 0..30 {
        scene.put(server(payments, "POST /charge", 100.0 * f64::from(number) + 2.0, 6.0));
    }
    assert_eq!(scene.finish().drafts("dark-hop"), [], "where a join is not sure, the spans are there all the same");
}

/// Thirty requests with a call each; who writes kinds says so.
fn kinds(is_server_known: bool, is_call_known: bool) -> Scene {
    let mut scene = Scene::new();
    let (orders, payments) = (scene.service("orders"), scene.service("payments"));
    for number in 0..30 {
        let at = 100.0 * f64::from(number);
        let make = if is_server_known { server } else { internal };
        let request =
            make(orders, "POST /orders", at, 50.0).with("http.route", "/orders").with("client.address", "::1");
        let request = scene.put(request);
        let make = if is_call_known { client } else { internal };
        let call = scene.put(make(orders, "Charge", at + 1.0, 8.0).under(request));
        scene.put(server(payments, "Charge", at + 2.0, 6.0).under(call).flags(0x301));
    }
    scene
}

#[test]
fn boundaries_without_a_kind_are_found() {
    let stage = kinds(false, true).finish();
    assert_eq!(stage.says("span-kind-missing"), [row("orders", 30, 60, "orders")]);
    assert_eq!(stage.drafts("span-kind-missing")[0].evidence["kinds"]["server"], 30);
    let stage = kinds(true, false).finish();
    assert_eq!(stage.drafts("span-kind-missing")[0].evidence["kinds"]["client"], 30);
}

#[test]
fn work_inside_that_repeats_what_its_server_span_says_has_its_kind() {
    let mut scene = kinds(true, true);
    let gateway = scene.service("gateway");
    for number in 0..30 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout/:id", at, 50.0).with("client.address", "::1"));
        scene.put(
            internal(gateway, "request handler", at + 1.0, 8.0).with("http.route", "/checkout/:id").under(request),
        );
    }
    assert_eq!(scene.finish().drafts("span-kind-missing"), []);
}
