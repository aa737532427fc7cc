//! Detectors that look at what is handed over beside the trace.

use super::scene::{Part, Process, Put, Scene, server};

fn row(subject: &str, occurrences: u64, out_of: u64, side: &str) -> (String, u64, u64, String) {
    (subject.to_owned(), occurrences, out_of, side.to_owned())
}

/// A request with the tenant, unless it is empty.
fn of(tenant: &str, part: Part) -> Part {
    if tenant.is_empty() { part } else { part.with("tenant.id", tenant) }
}

/// A call to another service, which shows `tenant`.
fn call(scene: &mut Scene, (request, from): (Put, Process), to: Process, name: &str, at: f64, tenant: &str) -> Put {
    let call = scene.put(super::scene::client(from, name, at, 8.0).under(request));
    scene.put(of(tenant, server(to, name, at + 1.0, 6.0)).under(call).flags(0x301))
}

/// Thirty times: gateway calls inventory, and orders, which calls inventory. `shown`: what orders and its inventory show.
fn shop(shown: impl Fn(&str) -> (&str, &str)) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders, inventory) = (scene.service("gateway"), scene.service("orders"), scene.service("inventory"));
    for number in 0..30 {
        let (at, tenant) = (100.0 * f64::from(number), ["acme", "globex", "initech"][number as usize % 3]);
        let request = scene.put(of(tenant, server(gateway, "POST /checkout", at, 50.0)));
        call(&mut scene, (request, gateway), inventory, "GET /stock", at + 1.0, tenant);
        let (of_orders, of_inventory) = shown(tenant);
        let order = call(&mut scene, (request, gateway), orders, "POST /orders", at + 10.0, of_orders);
        call(&mut scene, (order, orders), inventory, "GET /stock", at + 11.0, of_inventory);
    }
    scene
}

#[test]
fn baggage_that_vanishes_is_found_at_the_first_hop() {
    let stage = shop(|_| ("", "")).finish();
    assert_eq!(stage.says("baggage-lost"), [row("gateway -> orders", 30, 30, "orders")]);
    assert_eq!(stage.drafts("baggage-lost")[0].evidence["keys"][0], "tenant.id");
}

#[test]
fn baggage_that_only_shows_further_down_is_not_lost() {
    assert_eq!(shop(|tenant| ("", tenant)).finish().drafts("baggage-lost"), []);
    assert_eq!(shop(|tenant| (tenant, tenant)).finish().drafts("baggage-lost"), []);
}

#[test]
fn baggage_that_is_read_and_not_sent_on_is_found_at_its_hop() {
    let stage = shop(|tenant| (tenant, "")).finish();
    assert_eq!(stage.says("baggage-lost"), [row("orders -> inventory", 30, 30, "orders")]);
}

#[test]
fn what_every_request_has_is_no_baggage() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..60 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(of("prod", server(gateway, "POST /checkout", at, 50.0)));
        call(&mut scene, (request, gateway), orders, "POST /orders", at + 10.0, if number < 30 { "prod" } else { "" });
    }
    assert_eq!(scene.finish().drafts("baggage-lost"), []);
}

fn spelled(keys: [&str; 2], values: [&str; 2]) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..8 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 50.0).with(keys[0], values[0]));
        let call = scene.put(super::scene::client(gateway, "POST", at + 1.0, 8.0).under(request));
        scene.put(server(orders, "POST /orders", at + 2.0, 6.0).with(keys[1], values[1]).under(call));
    }
    scene
}

#[test]
fn one_key_in_two_spellings_is_found() {
    let stage = spelled(["userId", "userid"], ["7", "7"]).finish();
    assert_eq!(stage.says("baggage-key-case"), [row("gateway -> orders", 8, 8, "orders")]);
}

#[test]
fn two_keys_with_two_values_are_meant() {
    assert_eq!(spelled(["userId", "userid"], ["7", "8"]).finish().drafts("baggage-key-case"), []);
    assert_eq!(spelled(["userId", "userId"], ["7", "7"]).finish().drafts("baggage-key-case"), []);
}
