//! `context-leak-megatrace`.

use super::{requests, text};
use crate::detect::tests::scene::{Process, Put, Scene, client, internal, server};

/// Overlapping requests that each make one call. Every fifth makes it in the context of the one before, if `leak`.
fn overlapping(scene: &mut Scene, web: Process, leak: bool, url: impl Fn(u32) -> Option<String>) {
    let mut before: Option<Put> = None;
    for number in 0..100_u32 {
        let from = f64::from(number) * 40.0;
        let mut entry = server(web, "GET /items", from, 70.0);
        if let Some(url) = url(number) {
            entry = entry.with("url.path", &url);
        }
        let own = scene.put(entry);
        let under = before.filter(|_| leak && number % 5 == 4).unwrap_or(own);
        let mut call = client(web, "GET stock", from + 10.0, 50.0).under(under);
        if let Some(url) = url(number) {
            call = call.with("url.full", &format!("http://stock:80{url}"));
        }
        scene.put(call);
        before = Some(own);
    }
}

#[test]
fn a_call_too_many_here_and_one_missing_beside_it() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    overlapping(&mut scene, web, true, |_| None);
    let stage = scene.finish();
    let says = stage.says("context-leak-megatrace");
    assert_eq!(text(&says), [("web", 20, 100, "web")]);
}

#[test]
fn a_url_that_names_another_request() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    overlapping(&mut scene, web, true, |number| Some(format!("/items/{}", 1000 + number)));
    let stage = scene.finish();
    let says = stage.says("context-leak-megatrace");
    assert_eq!(text(&says), [("web", 20, 100, "web")]);
}

#[test]
fn every_call_in_its_place() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    overlapping(&mut scene, web, false, |_| None);
    assert!(scene.finish().drafts("context-leak-megatrace").is_empty());
}

#[test]
fn retries_and_calls_that_are_not_always_made() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    for number in 0..200_u32 {
        let from = f64::from(number) * 40.0;
        let request = scene.put(server(web, "GET /items", from, 70.0));
        // One, two or none, as chance has it.
        let count = [1, 1, 2, 1, 0, 1, 1, 1, 2, 1, 1, 0, 1][number as usize * 7 % 13];
        for call in 0..count {
            scene.put(client(web, "GET stock", from + 5.0 + f64::from(call) * 20.0, 15.0).under(request));
        }
    }
    assert!(scene.finish().drafts("context-leak-megatrace").is_empty());
}

#[test]
fn work_long_after_its_parent_ended() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    let request = scene.put(server(web, "GET /", 0.0, 50.0));
    for number in 0..10 {
        scene.put(internal(web, "tick", 120_000.0 + f64::from(number) * 1_000.0, 5.0).under(request));
    }
    let stage = scene.finish();
    let says = stage.says("context-leak-megatrace");
    assert_eq!(text(&says), [("web", 10, 10, "web")]);
}

#[test]
fn requests_below_a_span_that_never_ends() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    let first = scene.put(server(web, "GET /", 0.0, 50.0));
    for number in 0..80 {
        scene.put(server(web, "GET /", f64::from(number) * 1_000.0, 50.0).under_missing(first, 0xdead));
    }
    let stage = scene.finish();
    let says = stage.says("context-leak-megatrace");
    assert_eq!(text(&says), [("web", 80, 80, "web")]);
}

#[test]
fn a_load_test_that_sends_one_context_with_everything() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    let first = scene.put(server(web, "GET /", 0.0, 50.0));
    requests(&mut scene, web, 10, |_, _, _, _| {});
    for number in 0..80 {
        let entry = server(web, "GET /", f64::from(number) * 1_000.0, 50.0);
        scene.put(entry.under_missing(first, 0xdead).flags(0x301));
    }
    assert!(scene.finish().drafts("context-leak-megatrace").is_empty());
}

#[test]
fn few_numbers_that_any_request_may_have() {
    let mut scene = Scene::new();
    let web = scene.service("web");
    for number in 0..300_u32 {
        let from = f64::from(number) * 10.0;
        let product = |which: u32| format!("/products/{}", 100 + which % 5);
        let request = scene.put(server(web, "GET /products", from, 70.0).with("url.path", &product(number * 7)));
        for call in 0..3 {
            scene.put(client(web, "GET stock", from + 5.0, 20.0).under(request).with("url.path", &product(number * 7)));
            if call == 2 {
                let other = client(web, "GET related", from + 30.0, 20.0).under(request);
                scene.put(other.with("url.path", &product(number * 11 + 3)));
            }
        }
    }
    assert!(scene.finish().drafts("context-leak-megatrace").is_empty());
}
