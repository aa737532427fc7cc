//! Each kind of fault once, in a shop where everything else is well.

use serde_json::json;

use super::shop::{CHARGE, Charge, Shop, derived, same, trace, usual};
use crate::detect::tests::scene::{Part, Scene, Stage, client, internal, server};
use crate::detect::{Finding, Severity};
use crate::replay::derive::{About, Candidate, Derived, Options, Refusal, Stretch, derive};
use crate::replay::edge::Class;
use crate::replay::fault::{Place, Unit};

fn failed(part: Part) -> Part {
    part.failed()
}

fn first(derived: &Derived) -> &Candidate {
    &derived.candidates[0]
}

/// Every fifth request from the 40th on.
fn is_hit(number: u64) -> bool {
    number >= 40 && number.is_multiple_of(5)
}

/// What is changed of a span that is put.
type Change = fn(Part) -> Part;

/// A shop where charges that are hit go as `hit`, with both halves changed.
fn shop(hit: Charge, (on_client, on_server): (Change, Change), has_failed: bool) -> Stage {
    let shop = Shop::new().requests(120, |shop, visit| {
        if is_hit(visit.number) {
            shop.charge(visit, 0.0, hit, on_client, on_server);
        } else {
            shop.charge(visit, 0.0, usual(visit.number), same, same);
        }
        let charge = if is_hit(visit.number) { hit } else { usual(visit.number) };
        (charge.client_ms + 1.0, has_failed && is_hit(visit.number))
    });
    shop.finish()
}

#[test]
fn time_on_the_wire_is_a_delay_of_requests() {
    let stage = shop(Charge { client_ms: 210.0, server_ms: 10.0 }, (same, same), false);
    let derived = derived(&stage, &trace(60)).unwrap();
    let candidate = first(&derived);
    assert_eq!(
        (candidate.class, candidate.fault.kind.as_str(), candidate.fault.place),
        (Class::Latency, "latency", Place::Request)
    );
    assert_eq!((candidate.edge.client.as_str(), candidate.edge.server.as_str()), ("orders", "payments"));
    assert_eq!(
        (candidate.fault.when.method.as_deref(), candidate.fault.when.path.as_deref()),
        (Some("POST"), Some("/charge"))
    );
    let median = candidate.fault.magnitude.as_ref().unwrap().quantile(0.5);
    assert!((median - 198.0).abs() < 1.0, "200 ms on the wire, 2 are usual: {median}");
    assert_eq!((candidate.share.hits, candidate.share.calls), (16, 120));
    assert_eq!((derived.num_incident, derived.num_baseline), (16, 104));
    assert_eq!(derived.hosts.iter().filter(|host| host.contains("prod")).count(), 1, "{:?}", derived.hosts);
}

#[test]
fn time_inside_of_a_service_is_a_delay_of_its_answers() {
    let stage = shop(Charge { client_ms: 202.0, server_ms: 200.0 }, (same, same), false);
    let derived = derived(&stage, &trace(60)).unwrap();
    let candidate = first(&derived);
    assert_eq!((candidate.fault.kind.as_str(), candidate.fault.place), ("latency", Place::Response));
    let median = candidate.fault.magnitude.as_ref().unwrap().quantile(0.5);
    assert!((median - 190.0).abs() < 2.1, "200 ms, 10 are usual: {median}");
    assert!(candidate.confidence > 0.8, "{}", candidate.confidence);
}

#[test]
fn clocks_that_differ_change_nothing() {
    let of = |skew_ms: f64| {
        let shop = Shop { skew_ms, ..Shop::new() }.requests(120, |shop, visit| {
            let hit = Charge { client_ms: 210.0, server_ms: 10.0 };
            let charge = if is_hit(visit.number) { hit } else { usual(visit.number) };
            shop.charge(visit, 0.0, charge, same, same);
            (charge.client_ms + 1.0, false)
        });
        let derived = derived(&shop.finish(), &trace(60)).unwrap();
        (first(&derived).fault.clone(), first(&derived).edge.clone(), derived.num_incident)
    };
    assert_eq!(of(0.0), of(-350.0));
    assert_eq!(of(0.0), of(5_000.0));
}

#[test]
fn an_error_of_the_callee_is_returned_again() {
    let status = |part: Part| part.failed().with("http.response.status_code", "503");
    let stage = shop(Charge { client_ms: 5.0, server_ms: 4.0 }, (status, status), true);
    let derived = derived(&stage, &trace(60)).unwrap();
    let candidate = first(&derived);
    assert_eq!((candidate.fault.kind.as_str(), candidate.fault.place), ("error", Place::Response));
    assert_eq!(candidate.fault.with["status"], json!(503));
    assert_eq!(candidate.evidence.len(), 1);
    let json = serde_json::to_string(&derived).unwrap();
    assert_eq!(serde_json::from_str::<Derived>(&json).unwrap(), derived, "a file holds it all");
}

#[test]
fn what_only_the_caller_calls_an_error_is_an_answer_too() {
    let server_part = |part: Part| part.with("http.response.status_code", "429");
    let client_part = |part: Part| {
        part.failed().with("http.response.status_code", "429").with("http.response.header.retry-after", "7")
    };
    let stage = shop(Charge { client_ms: 5.0, server_ms: 4.0 }, (client_part, server_part), true);
    let derived = derived(&stage, &trace(60)).unwrap();
    assert_eq!(first(&derived).fault.kind, "error");
    assert_eq!(first(&derived).fault.with["status"], json!(429));
    assert_eq!(first(&derived).fault.with["retry_after_s"], json!(7));
}

#[test]
fn an_error_of_grpc_has_its_status() {
    let part = |part: Part| {
        part.with("rpc.system.name", "grpc").with("rpc.service", "shop.Payments").with("rpc.method", "Charge")
    };
    let shop = Shop::new().requests(60, |shop, visit| {
        let status = |part: Part| part.failed().with("rpc.grpc.status_code", "14").with("error.type", "UNAVAILABLE");
        let hit = is_hit(visit.number);
        let both = |one: Part| if hit { status(part(one)) } else { part(one) };
        shop.charge(visit, 0.0, Charge { client_ms: 5.0, server_ms: if hit { -1.0 } else { 4.0 } }, both, both);
        (6.0, hit)
    });
    let derived = derived(&shop.finish(), &trace(50)).unwrap();
    let fault = &first(&derived).fault;
    assert_eq!((fault.kind.as_str(), fault.place), ("error", Place::Request), "payments never saw it");
    assert_eq!(fault.with["grpc_status"], json!(14));
    assert_eq!(fault.when.path.as_deref(), Some("/shop.Payments/Charge"));
}

#[test]
fn a_reset_that_only_the_caller_saw_is_an_abort() {
    let reset = |part: Part| part.failed().with("error.type", "ECONNRESET");
    let unseen = shop(Charge { client_ms: 5.0, server_ms: -1.0 }, (reset, same), true);
    let fault = first(&derived(&unseen, &trace(60)).unwrap()).fault.clone();
    assert_eq!(
        (fault.kind.as_str(), &fault.with["where"], &fault.with["how"]),
        ("abort", &json!("before"), &json!("reset"))
    );
    let served = shop(Charge { client_ms: 5.0, server_ms: 4.0 }, (reset, same), true);
    let fault = first(&derived(&served, &trace(60)).unwrap()).fault.clone();
    assert_eq!((fault.kind.as_str(), &fault.with["where"]), ("abort", &json!("before")), "no answer came");
    assert_eq!(fault.place, Place::Response, "payments had done its work");
    let closed =
        |part: Part| part.failed().with("error.type", "java.io.EOFException").with("http.response.status_code", "200");
    let cut = shop(Charge { client_ms: 5.0, server_ms: 4.0 }, (closed, same), true);
    let fault = first(&derived(&cut, &trace(60)).unwrap()).fault.clone();
    assert_eq!((&fault.with["where"], &fault.with["how"]), (&json!("body"), &json!("close")));
}

#[test]
fn callers_that_give_up_at_a_round_time_met_a_hang_or_a_stall() {
    let timeout = |part: Part| part.failed().with("error.type", "TimeoutError");
    let unseen = shop(Charge { client_ms: 502.0, server_ms: -1.0 }, (timeout, same), true);
    let unseen = derived(&unseen, &trace(60)).unwrap();
    let kinds: Vec<&str> = unseen.candidates.iter().map(|one| one.fault.kind.as_str()).collect();
    assert_eq!(kinds, ["hang", "latency"]);
    assert_eq!(unseen.candidates[1].at_least_ms, Some(500.0));
    let stall = shop(Charge { client_ms: 502.0, server_ms: 900.0 }, (timeout, same), true);
    let stall = derived(&stall, &trace(60)).unwrap();
    assert_eq!(first(&stall).fault.kind, "latency");
    let least = first(&stall).fault.magnitude.as_ref().unwrap().quantile(0.0);
    assert!(least >= 500.0, "shorter would not reproduce it: {least}");
}

#[test]
fn resets_after_idle_times_are_cut_by_something_between() {
    let shop = Shop::new().requests(120, |shop, visit| {
        let hit = visit.number >= 40 && visit.number.is_multiple_of(20);
        let reset = |part: Part| if hit { part.failed().with("error.type", "ECONNRESET") } else { part };
        if visit.number.is_multiple_of(20) || visit.number % 20 >= 10 {
            // Half of the time nobody calls payments: 500 ms of every second, ten times as long here.
            let far = super::shop::Visit { at: visit.at * 10.0, ..*visit };
            shop.charge(&far, 0.0, Charge { client_ms: 5.0, server_ms: if hit { -1.0 } else { 4.0 } }, reset, same);
        }
        (6.0, hit)
    });
    let stage = shop.finish();
    let derived = derived(&stage, &trace(60)).unwrap();
    let kinds: Vec<&str> = derived.candidates.iter().map(|one| one.fault.kind.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"abort"), "500 ms of rest cut no connection: {kinds:?}");
}

#[test]
fn an_edge_that_only_breaks_after_rest_is_cut_when_idle() {
    let mut shop = Shop::new();
    shop = shop.requests(60, |shop, visit| {
        let late = visit.number.is_multiple_of(10) && visit.number > 0;
        let pause = (visit.number / 10) as f64 * 300_000.0;
        let far = super::shop::Visit { at: visit.at + pause, ..*visit };
        let reset = |part: Part| if late { part.failed().with("error.type", "ECONNRESET") } else { part };
        shop.charge(&far, 0.0, Charge { client_ms: 5.0, server_ms: if late { -1.0 } else { 4.0 } }, reset, same);
        (6.0, late)
    });
    let derived = derived(&shop.finish(), &trace(30)).unwrap();
    let fault = &first(&derived).fault;
    assert_eq!(
        (fault.kind.as_str(), fault.place, fault.when.unit),
        ("idle-reset", Place::Connection, Unit::Connection)
    );
    let after_ms = fault.with["after_ms"].as_u64().unwrap();
    assert!((290_000..=300_100).contains(&after_ms), "{after_ms}");
}

#[test]
fn a_failure_with_no_span_of_the_callee_and_no_word_is_a_closed_connection() {
    let stage = shop(Charge { client_ms: 3.0, server_ms: -1.0 }, (failed, same), true);
    let derived = derived(&stage, &trace(60)).unwrap();
    assert_eq!((first(&derived).fault.kind.as_str(), &first(&derived).fault.with["how"]), ("abort", &json!("close")));
    assert!(first(&derived).confidence < 0.7, "nothing says how: {}", first(&derived).confidence);
}

#[test]
fn lost_context_is_a_fault_of_headers() {
    let mut shop = Shop::new();
    shop = shop.requests(60, |shop, visit| {
        let call =
            client(shop.orders, CHARGE, visit.at + 3.0, 10.0).with("peer.service", "payments").under(visit.order);
        let call = shop.scene.put(call);
        let root = shop.scene.put(server(shop.payments, CHARGE, visit.at + 4.0, 8.0));
        shop.scene.stitch(root, call);
        (11.0, false)
    });
    let stage = shop.finish();
    let findings = stage.findings();
    let torn = findings.iter().find(|one| one.group == "A").unwrap();
    let derived = derived(&stage, &About::Finding(torn.id.clone())).unwrap();
    let candidate = first(&derived);
    assert_eq!((candidate.class, candidate.fault.kind.as_str()), (Class::Context, "context-drop"), "{}", torn.rule);
    assert_eq!((candidate.edge.client.as_str(), candidate.edge.server.as_str()), ("orders", "payments"));
    assert_eq!((candidate.share.hits, candidate.share.calls), (60, 60));
    assert_eq!(derived.finding.as_ref().map(|(rule, _)| rule), Some(&torn.rule));
    assert_eq!(derived.incident.len(), 120, "both fragments of each");
}

#[test]
fn a_fault_that_comes_and_goes_has_times() {
    let shop = Shop::new().requests(200, |shop, visit| {
        let hit = visit.number % 50 >= 30;
        let status = |part: Part| if hit { part.failed().with("http.response.status_code", "503") } else { part };
        shop.charge(visit, 0.0, usual(visit.number), status, status);
        (15.0, hit)
    });
    let derived = derived(&shop.finish(), &trace(40)).unwrap();
    let when = &first(&derived).fault.when;
    let cycle = when.window.unwrap();
    assert!((cycle.on_ms - 1_000.0).abs() < 60.0, "20 requests, 50 ms apart: {cycle:?}");
    assert!((when.share - 1.0).abs() < 1e-9, "within a stretch all are hit");
}

#[test]
fn the_pod_that_is_hit_is_named() {
    let shop = Shop::new().requests(150, |shop, visit| {
        let pod = visit.number % 3;
        let hit = pod == 1 && visit.number.is_multiple_of(2);
        let status = |part: Part| if hit { part.failed().with("http.response.status_code", "500") } else { part };
        let server_part = |part: Part| status(part).with("k8s.pod.name", &format!("payments-{pod}"));
        shop.charge(visit, 0.0, usual(visit.number), status, server_part);
        (15.0, hit)
    });
    let derived = derived(&shop.finish(), &trace(4)).unwrap();
    let keyed = first(&derived).keyed.clone().unwrap();
    assert_eq!(
        (keyed.end.as_str(), keyed.attribute.as_str(), keyed.value.as_str()),
        ("server", "k8s.pod.name", "payments-1")
    );
    assert!(keyed.lift >= 3.0 && keyed.coverage > 0.99, "{keyed:?}");
    let even = shop_of_chance();
    assert_eq!(first(&super::shop::derived(&even, &trace(60)).unwrap()).keyed, None);
}

fn shop_of_chance() -> Stage {
    let status = |part: Part| part.failed().with("http.response.status_code", "503");
    shop(Charge { client_ms: 5.0, server_ms: 4.0 }, (status, status), true)
}

#[test]
fn of_a_storm_only_the_trigger_is_injected() {
    let shop = Shop::new().requests(60, |shop, visit| {
        let hit = is_hit(visit.number);
        let status = |part: Part| if hit { part.failed().with("http.response.status_code", "503") } else { part };
        for attempt in 0..if hit { 4 } else { 1 } {
            shop.charge(visit, f64::from(attempt) * 10.0, usual(visit.number), status, status);
        }
        (45.0, hit)
    });
    let derived = derived(&shop.finish(), &trace(50)).unwrap();
    assert_eq!(derived.candidates.len(), 1);
    let notes = &first(&derived).notes;
    assert!(notes.iter().any(|note| note.contains("only what triggers them")), "{notes:?}");
    assert_eq!(first(&derived).fault.kind, "error");
}

#[test]
fn what_the_network_does_not_show_is_refused() {
    let stage = shop(usual(0), (same, same), false);
    let refused = |about: &About| derived(&stage, about).unwrap_err();
    assert!(matches!(refused(&trace(60)), Refusal::Nothing { .. }), "{}", refused(&trace(60)));
    assert!(matches!(refused(&trace(999)), Refusal::Unknown { .. }));
    assert!(matches!(refused(&About::Finding("nothing".to_owned())), Refusal::Unknown { .. }));

    let mut inside = Shop::new();
    inside = inside.requests(60, |shop, visit| {
        shop.charge(visit, 0.0, usual(visit.number), same, same);
        (15.0, false)
    });
    let gateway = inside.gateway;
    let About::Trace(id) = trace(50) else { return };
    let panic = internal(gateway, "render", 2_501.0, 1.0).under_ids(id.0, 1).failed().with("error.type", "panic");
    inside.scene.put(panic);
    let refusal = derived(&inside.finish(), &trace(50)).unwrap_err();
    assert!(matches!(&refusal, Refusal::Inside { service, .. } if service == "gateway"), "{refusal}");
    assert!(refusal.to_string().contains("nearest"), "{refusal}");
}

#[test]
fn a_trace_without_its_beginning_is_refused() {
    let mut shop = Shop::new();
    shop = shop.requests(40, |shop, visit| {
        shop.charge(visit, 0.0, usual(visit.number), same, same);
        (15.0, false)
    });
    let orders = shop.orders;
    let lost = shop.scene.put(server(orders, "POST /orders", 100.0, 5.0).ids(77, 5).under_ids(77, 4).failed());
    let stage = shop.finish();
    let refusal = derived(&stage, &About::Trace(crate::replay::id::TraceId(lost.trace_id))).unwrap_err();
    assert!(matches!(refusal, Refusal::Incomplete { .. }), "{refusal}");
}

#[test]
fn few_healthy_requests_leave_the_magnitude_uncertain() {
    let shop = Shop::new().requests(20, |shop, visit| {
        let hit = visit.number % 4 == 3;
        let charge = if hit { Charge { client_ms: 302.0, server_ms: 300.0 } } else { usual(visit.number) };
        shop.charge(visit, 0.0, charge, same, same);
        (charge.client_ms + 1.0, false)
    });
    let derived = derived(&shop.finish(), &trace(7)).unwrap();
    assert!(derived.warnings.iter().any(|warning| warning.contains("magnitude uncertain")), "{:?}", derived.warnings);
}

#[test]
fn requests_say_why_they_cannot_be_sent_again() {
    let stage = shop(Charge { client_ms: 210.0, server_ms: 10.0 }, (same, same), false);
    let derived = derived(&stage, &trace(60)).unwrap();
    let request = &derived.requests[0];
    assert_eq!((request.method.as_str(), request.host.as_str()), ("POST", "shop.prod.example:443"));
    assert!(request.path.starts_with("/checkout/"), "{request:?}");
    assert!(!request.is_idempotent && request.why_not.as_ref().unwrap().contains("body"));
    assert_eq!(derived.requests.iter().map(|one| one.times).sum::<u64>(), derived.num_incident);
}

#[test]
fn callers_of_a_waiting_service_lead_to_the_one_that_is_slow() {
    let mut scene = Scene::new();
    let (gateway, orders, payments) = (scene.service("gateway"), scene.service("orders"), scene.service("payments"));
    for number in 0..60 {
        let (at, hit) = (f64::from(number) * 2_000.0, number % 5 == 4);
        let (waits, takes) = if hit { (502.0, 900.0) } else { (22.0, 20.0) };
        let late = |part: Part| if hit { part.failed().with("error.type", "timeout") } else { part };
        let root = scene.put(late(server(gateway, "GET /cart", at, waits + 2.0)));
        let call = scene.put(late(client(gateway, "GET /orders", at + 1.0, waits).under(root)));
        let served = scene.put(server(orders, "GET /orders", at + 2.0, takes).under(call));
        let call = scene.put(client(orders, CHARGE, at + 3.0, takes - 3.0).under(served));
        scene.put(server(payments, CHARGE, at + 4.0, takes - 5.0).under(call));
    }
    let stage = scene.finish();
    let slow = stage.window.spans().find(|&span| stage.window.status[span as usize] == 2).unwrap();
    let about = About::Trace(crate::replay::id::TraceId(stage.window.trace_id(slow)));
    let derived = derived(&stage, &about).unwrap();
    let candidate = first(&derived);
    assert_eq!((candidate.edge.client.as_str(), candidate.edge.server.as_str()), ("orders", "payments"));
    assert_eq!((candidate.fault.kind.as_str(), candidate.fault.place), ("latency", Place::Response));
    assert_eq!((candidate.share.hits, candidate.share.calls), (12, 60));
    assert_eq!(derived.candidates[1].edge.server, "orders", "the edge that gave up comes next");
}

#[test]
fn an_error_that_does_no_harm_stands_behind_what_does() {
    let shop = Shop::new().requests(120, |shop, visit| {
        let lookup = |part: Part| part.failed().with("http.response.status_code", "404");
        if visit.number.is_multiple_of(2) {
            let miss = client(shop.orders, "GET /cache", visit.at + 2.2, 0.5).with("peer.service", "cache");
            shop.scene.put(lookup(miss).under(visit.order));
        }
        let charge =
            if is_hit(visit.number) { Charge { client_ms: 210.0, server_ms: 10.0 } } else { usual(visit.number) };
        shop.charge(visit, 0.0, charge, same, same);
        (charge.client_ms + 1.0, false)
    });
    let derived = derived(&shop.finish(), &trace(60)).unwrap();
    let kinds: Vec<(&str, &str)> =
        derived.candidates.iter().map(|one| (one.fault.kind.as_str(), one.edge.server.as_str())).collect();
    assert_eq!(kinds, [("latency", "payments"), ("error", "cache")]);
}

#[test]
fn a_time_that_is_given_tells_the_incident_from_its_baseline() {
    let shop = Shop::new().requests(120, |shop, visit| {
        let hit = Charge { client_ms: 210.0, server_ms: 10.0 };
        let charge = if visit.number >= 40 { hit } else { usual(visit.number) };
        shop.charge(visit, 0.0, charge, same, same);
        (charge.client_ms + 1.0, false)
    });
    let stage = shop.finish();
    assert!(derived(&stage, &trace(60)).is_err(), "most requests are slow: what is usual cannot be told");
    let from_ns = stage.window.start_ns[0] + 40 * 50_000_000;
    let incident = Some(Stretch { from_ns, to_ns: i64::MAX });
    let options = Options { incident, ..Options::default() };
    let derived = derive(&stage.window, &stage.stitches, &[], &trace(60), &options).unwrap();
    assert_eq!((derived.num_incident, derived.num_baseline), (80, 40));
    assert_eq!((first(&derived).fault.kind.as_str(), first(&derived).edge.server.as_str()), ("latency", "payments"));
}

#[test]
fn a_path_is_the_one_that_was_sent() {
    let shop = Shop::new().requests(60, |shop, visit| {
        let hit = is_hit(visit.number);
        let status = |part: Part| if hit { part.failed().with("http.response.status_code", "503") } else { part };
        let url = format!("http://payments:80/api/v1/charges/{}", visit.number);
        let client_part = |part: Part| status(part).with("url.full", &url);
        // Mounted below /api/v1/charges, the route knows nothing of that.
        let server_part = |part: Part| status(part).with("http.route", "/:id");
        shop.charge(visit, 0.0, usual(visit.number), client_part, server_part);
        (15.0, hit)
    });
    let derived = derived(&shop.finish(), &trace(50)).unwrap();
    assert_eq!(first(&derived).fault.when.path.as_deref(), Some("/api/v1/charges/{id}"));
}

#[test]
fn callees_without_spans_are_reached_by_their_sockets() {
    let shop = Shop::new().requests(120, |shop, visit| {
        let ms = if is_hit(visit.number) { 300.0 } else { 4.0 + (visit.number % 3) as f64 };
        let query = client(shop.orders, "SELECT orders", visit.at + 3.0, ms).with("db.system.name", "postgresql");
        shop.scene.put(query.with("server.address", "orders-db").with("server.port", "5432").under(visit.order));
        (ms + 2.0, false)
    });
    let derived = derived(&shop.finish(), &trace(60)).unwrap();
    let candidate = first(&derived);
    assert_eq!((candidate.edge.server.as_str(), candidate.fault.kind.as_str()), ("orders-db:5432", "latency"));
    assert_eq!((candidate.fault.place, candidate.fault.when.unit), (Place::Connection, Unit::Connection));
    assert!(candidate.notes.iter().any(|note| note.contains("socket")), "{:?}", candidate.notes);
    assert!(derived.hosts.contains(&"orders-db".to_owned()));
}

#[test]
fn a_pool_that_ran_out_is_a_limit_of_connections() {
    let shop = Shop::new().requests(60, |shop, visit| {
        let hit = is_hit(visit.number);
        for number in 0..if hit { 5_u32 } else { 1 } {
            let is_last = number == 4;
            let full =
                |part: Part| if is_last { part.failed().with("error.type", "connection pool exhausted") } else { part };
            let charge = Charge { client_ms: 20.0, server_ms: if is_last { -1.0 } else { 18.0 } };
            shop.charge(visit, f64::from(number), charge, full, same);
        }
        (30.0, hit)
    });
    let derived = derived(&shop.finish(), &trace(50)).unwrap();
    let fault = &first(&derived).fault;
    assert_eq!((fault.kind.as_str(), fault.place), ("connection-limit", Place::Connection));
    assert_eq!(fault.with["max"], json!(4));
}

#[test]
fn spans_that_were_not_sampled_are_named_as_the_reason() {
    let mut shop = Shop::new();
    shop = shop.requests(40, |shop, visit| {
        shop.charge(visit, 0.0, usual(visit.number), same, same);
        (15.0, false)
    });
    let orders = shop.orders;
    shop.scene.put(server(orders, "POST /orders", 100.0, 5.0).ids(77, 5).under_ids(77, 4));
    let stage = shop.finish();
    let mut torn = findings_like(&stage);
    (torn.rule, torn.traces) = ("ratio-sampler-torn".to_owned(), vec![77]);
    let about = About::Trace(crate::replay::id::TraceId(77));
    let refusal = derive(&stage.window, &stage.stitches, &[torn], &about, &Options::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::SampledOut { .. }), "{refusal}");
}

/// A finding to be changed.
fn findings_like(stage: &Stage) -> Finding {
    let (id, group, subject) = ("0".to_owned(), "D".to_owned(), "orders".to_owned());
    let ids = [(0, 0); 2];
    Finding {
        id,
        rule: String::new(),
        group,
        severity: Severity::High,
        confidence: 0.9,
        services: vec![subject.clone()],
        subject,
        first_seen_ns: 0,
        last_seen_ns: 0,
        occurrences: 1,
        out_of: stage.window.len() as u64,
        examples: vec![ids],
        evidence: serde_json::Map::new(),
        fix: String::new(),
        traces: Vec::new(),
    }
}
