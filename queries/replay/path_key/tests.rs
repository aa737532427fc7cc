use super::*;
use crate::detect::tests::scene::{Scene, client, internal, server};

fn keys_of(scene: Scene, names: &Names) -> Vec<(Print, String)> {
    let stage = scene.finish();
    let keys = PathKeys::of(&stage.window, &stage.stitches, names);
    let all = (0..keys.len() as u32).map(|id| (keys.print(id).unwrap(), keys.path(id).to_string()));
    all.collect()
}

fn shop(suffix: &str, at: f64) -> Scene {
    let mut scene = Scene::new();
    let gateway = scene.service(&format!("gateway{suffix}"));
    let orders = scene.service(&format!("orders{suffix}"));
    let request = scene.put(server(gateway, "POST /checkout", at, 50.0));
    for attempt in 0..3 {
        scene.call(request, orders, "GET /stock/17", at + 1.0 + 10.0 * f64::from(attempt), 5.0);
    }
    scene
}

#[test]
fn a_key_is_the_way_from_the_root() {
    let keys = keys_of(shop("", 0.0), &Names::new());
    let texts: Vec<&str> = keys.iter().map(|(_, text)| text.as_str()).collect();
    assert!(texts.contains(&"gateway POST /checkout"), "{texts:?}");
    let third = "gateway POST /checkout > gateway calls GET /stock/{id} #3 > orders GET /stock/{id}";
    assert!(texts.contains(&third), "{texts:?}");
    assert_eq!(texts.len(), 7);
}

#[test]
fn production_and_staging_have_the_same_keys_under_other_names() {
    let names =
        Names::from([("gateway-prod", "gateway"), ("orders-prod", "orders")].map(|(a, b)| (a.into(), b.into())));
    assert_eq!(keys_of(shop("-prod", 0.0), &names), keys_of(shop("", 5_000.0), &Names::new()));
    assert_ne!(keys_of(shop("-prod", 0.0), &Names::new()), keys_of(shop("", 0.0), &Names::new()));
}

#[test]
fn what_was_stitched_hangs_below_its_call() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    let request = scene.put(server(gateway, "POST /checkout", 0.0, 50.0));
    let (_, root) = scene.broken_call(request, orders, "POST /orders", 2.0, 10.0);
    let stage = scene.finish();
    let keys = PathKeys::of(&stage.window, &stage.stitches, &Names::new());
    let root = stage.span(root);
    assert_eq!(keys.depth(keys.id(root)), 2);
    assert!(keys.is_within(keys.id(root), keys.id(stage.span(request))));
    assert!(!keys.is_within(keys.id(stage.span(request)), keys.id(root)));
    let torn = PathKeys::of(&stage.window, &[], &Names::new());
    assert_eq!(torn.depth(torn.id(root)), 0);
}

#[test]
fn a_key_in_a_file_has_the_print_of_the_window() {
    let stage = shop("", 0.0).finish();
    let keys = PathKeys::of(&stage.window, &stage.stitches, &Names::new());
    for id in 0..keys.len() as u32 {
        let text = serde_json::to_string(&keys.path(id)).unwrap();
        let read: PathKey = serde_json::from_str(&text).unwrap();
        assert_eq!(read.print(), keys.print(id));
        assert_eq!(keys.find(read.print().unwrap()), Some(id));
    }
}

#[test]
fn paths_and_names_lose_what_differs_from_request_to_request() {
    let forms = [
        ("/users/123", "/users/{id}"),
        ("/users/:id/cart", "/users/{id}/cart"),
        ("/stock/<int:id>", "/stock/{id}"),
        ("/api/v1/users", "/api/v1/users"),
        ("/files/{*rest}", "/files/*"),
        ("/stock/*", "/stock/{id}"),
        ("", ""),
    ];
    for (path, expected) in forms {
        assert_eq!(form(path), expected);
    }
    assert_eq!(without_ids("load user 17 of 4bf92f35-77b3"), "load user {id} of {id}");
    assert_eq!(without_ids("SELECT shop.s3_items"), "SELECT shop.s3_items");
}

#[test]
fn rings_and_deep_chains_have_keys() {
    let mut scene = Scene::new();
    let service = scene.service("a");
    let mut last = scene.put(server(service, "GET /", 0.0, 1.0));
    for _ in 0..2_000 {
        last = scene.put(internal(service, "step", 0.0, 1.0).under(last));
    }
    scene.put(client(service, "GET /ring", 0.0, 1.0).ids(last.trace_id, 77).under_ids(last.trace_id, 77));
    let stage = scene.finish();
    let keys = PathKeys::of(&stage.window, &stage.stitches, &Names::new());
    assert!(stage.window.spans().all(|span| keys.print(keys.id(span)).is_some()));
    assert_eq!(keys.depth(keys.id(stage.span(last))), 2_000);
}
