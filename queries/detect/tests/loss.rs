//! Detectors that look at missing spans.

use super::scene::{Process, Put, Scene, client, internal, server};

/// Forty requests of gateway to orders, which works in two steps and calls inventory; every third server span of orders is lost
/// where `is_lossy`.
fn shop(is_lossy: bool) -> Scene {
    let mut scene = Scene::new();
    let (gateway, orders, inventory) = (scene.service("gateway"), scene.service("orders"), scene.service("inventory"));
    for number in 0..60 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 50.0));
        let call = scene.put(client(gateway, "POST", at + 1.0, 40.0).under(request));
        if is_lossy && number % 3 == 0 {
            lost(&mut scene, orders, inventory, call, at, 1000 + u64::from(number as u32));
        } else {
            let served = scene.put(server(orders, "POST /orders", at + 2.0, 30.0).under(call).flags(0x301));
            scene.put(internal(orders, "check", at + 3.0, 2.0).under(served));
            scene.call(served, inventory, "GET /stock", at + 6.0, 5.0);
        }
    }
    scene
}

/// What is left of a request of which the server span and the call were lost.
fn lost(scene: &mut Scene, orders: Process, inventory: Process, call: Put, at: f64, id: u64) {
    scene.put(internal(orders, "check", at + 3.0, 2.0).under_missing(call, id));
    scene.put(server(inventory, "GET /stock", at + 6.5, 4.0).under_missing(call, id + 1000).flags(0x301));
}

fn says(scene: Scene, id: &str) -> Vec<(String, u64, u64, String)> {
    scene.finish().says(id)
}

#[test]
fn parents_missing_inside_a_service_are_lost_spans_of_it() {
    let stage = shop(true).finish();
    // 20 orphans inside and 20 in inventory; 40 server spans and 40 calls arrived.
    assert_eq!(stage.says("telemetry-loss"), [("orders".into(), 40, 120, "orders".into())]);
    let evidence = &stage.drafts("telemetry-loss")[0].evidence;
    assert_eq!((&evidence["missing_parents"], &evidence["orphans_inside"]), (&40.into(), &20.into()));
    let orphans = stage.says("orphan-span");
    assert_eq!(
        orphans.iter().map(|one| (one.0.as_str(), one.1)).collect::<Vec<_>>(),
        [("orders", 20), ("inventory", 20)]
    );
    let findings = stage.findings();
    let of_c: Vec<&str> = findings.iter().filter(|one| one.group == "C").map(|one| one.rule.as_str()).collect();
    assert_eq!(of_c, ["telemetry-loss"], "orphans stand under their cause");
}

#[test]
fn whole_traces_show_no_loss() {
    assert_eq!(says(shop(false), "telemetry-loss"), []);
    assert_eq!(says(shop(false), "orphan-span"), []);
}

#[test]
fn a_hop_that_exports_nothing_is_no_loss() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    for number in 0..60 {
        let at = 100.0 * f64::from(number);
        let request = scene.put(server(gateway, "POST /checkout", at, 50.0));
        scene.put(client(gateway, "POST", at + 1.0, 40.0).under(request));
        let id = 1000 + u64::from(number as u32);
        scene.put(server(orders, "POST /orders", at + 3.0, 30.0).under_missing(request, id).flags(0x301));
    }
    assert_eq!(says(scene, "telemetry-loss"), []);
}

#[test]
fn log_lines_of_exporters_count() {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    scene.put(server(orders, "POST /orders", 0.0, 5.0));
    scene.log(orders, 3.0, "Dropped 512 spans because maxQueueSize reached", None);
    assert_eq!(says(scene, "telemetry-loss"), [("orders".into(), 512, 512, "orders".into())]);
}
