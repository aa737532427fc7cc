use std::cell::OnceCell;

use super::first_come;
use crate::stitch::{Rule, State, Stitch};
use crate::trace::window::{Builder, LogRecord, SpanRecord, Window};

fn join(window: &Window) -> Vec<Stitch> {
    super::join(window, &OnceCell::new())
}

const MS: i64 = 1_000_000;

/// Builds windows span by span.
#[derive(Default)]
struct Scene {
    builder: Builder,
    next: u64,
}

impl Scene {
    fn process(&mut self, service: &str) -> u32 {
        self.builder.resource(service, &format!(r#"{{"service.instance.id":"{service}-1"}}"#))
    }

    /// Adds a span; returns its id.
    fn span(&mut self, resource: u32, kind: u8, ids: (u128, u64), times: (i64, i64), attributes: &str) -> u64 {
        self.next += 1;
        let name = self.builder.texts.intern(if kind < 4 { "shop.Orders/Get" } else { "orders" });
        self.builder.attributes(attributes);
        self.builder.push(SpanRecord {
            trace_id: ids.0,
            span_id: self.next,
            parent_span_id: ids.1,
            start_ns: times.0,
            duration_ns: times.1.saturating_sub(times.0),
            kind,
            resource,
            name,
            ..SpanRecord::default()
        });
        self.next
    }

    fn finish(self) -> Window {
        self.builder.finish()
    }
}

/// A call and a callee that say the same or not.
fn pair(kinds: (u8, u8), call: &str, callee: &str) -> Vec<Stitch> {
    let mut scene = Scene::default();
    let (one, other) = (scene.process("front"), scene.process("orders"));
    scene.span(one, kinds.0, (1 << 64 | 1, 0), (0, 10 * MS), call);
    scene.span(other, kinds.1, (1 << 64 | 2, 0), (MS, 9 * MS), callee);
    join(&scene.finish())
}

fn rule(stitches: &[Stitch]) -> Option<Rule> {
    stitches.first().filter(|stitch| stitch.state == State::Accepted).map(|stitch| stitch.rule)
}

#[test]
fn headers_name_the_call() {
    let traceparent =
        r#"{"http.request.header.traceparent":"00-00000000000000010000000000000001-0000000000000001-01"}"#;
    assert_eq!(rule(&pair((3, 2), "{}", traceparent)), Some(Rule::Header));
    let b3 = r#"{"rpc.request.metadata.x_b3_traceid":"0000000000000001","rpc.request.metadata.x_b3_spanid":"1"}"#;
    assert_eq!(rule(&pair((3, 2), "{}", b3)), Some(Rule::Header));
}

#[test]
fn messages_are_named() {
    let id = r#"{"messaging.message.id":"m-1","messaging.destination.name":"orders"}"#;
    assert_eq!(rule(&pair((4, 5), id, id)), Some(Rule::MessageId));
    let other = r#"{"messaging.message.id":"m-1","messaging.destination.name":"parcels"}"#;
    assert_eq!(rule(&pair((4, 5), id, other)), None);
}

#[test]
fn values_that_both_sides_have_join() {
    let id = r#"{"http.request.header.x-request-id":"7f3a-99b1-55"}"#;
    assert_eq!(rule(&pair((3, 2), id, id)), Some(Rule::RequestId));
    let order = r#"{"order.id":"1002"}"#;
    assert_eq!(rule(&pair((3, 2), order, order)), Some(Rule::UniqueValue));
    let call = r#"{"network.local.address":"10.0.0.1","network.local.port":40123}"#;
    let callee = r#"{"client.address":"10.0.0.1","client.port":40123}"#;
    assert_eq!(rule(&pair((3, 2), call, callee)), Some(Rule::Connection));
}

#[test]
fn other_operations_are_never_joined() {
    let call = r#"{"http.request.method":"GET","order.id":"1002"}"#;
    let callee = r#"{"http.request.method":"POST","order.id":"1002"}"#;
    assert_eq!(pair((3, 2), call, callee), []);
}

#[test]
fn links_twins_and_logs_join() {
    let mut scene = Scene::default();
    let (one, other) = (scene.process("front"), scene.process("orders"));
    let call = scene.span(one, 4, (1 << 64 | 1, 0), (0, MS), "{}");
    let second = scene.span(one, 3, (1 << 64 | 3, 0), (0, 5 * MS), "{}");
    scene.span(one, 3, (1 << 64 | 5, 0), (20 * MS, 30 * MS), "{}");
    let link = format!(r#"[{{"trace_id":"{:032x}","span_id":"{call:016x}"}}]"#, 1_u128 << 64 | 1);
    scene.builder.links(&link);
    scene.span(other, 5, (2, 0), (3 * MS, 4 * MS), "{}");
    scene.span(other, 2, (3, second), (MS, 4 * MS), "{}");
    scene.span(other, 2, (6, 0), (21 * MS, 29 * MS), "{}");
    let body = scene.builder.texts.intern(&format!("{:032x} goes on", 1_u128 << 64 | 5));
    scene.builder.push_log(LogRecord { time_ns: 22 * MS, resource: other, trace_id: 6, span_id: 0, body });
    let mut rules: Vec<Rule> = join(&scene.finish()).iter().map(|stitch| stitch.rule).collect();
    rules.sort();
    assert_eq!(rules, [Rule::Link, Rule::TwinId, Rule::Log]);
}

#[test]
fn a_hop_that_exports_nothing_is_bridged() {
    let mut scene = Scene::default();
    let (one, other) = (scene.process("front"), scene.process("orders"));
    for at in 0..5 {
        let start = i64::from(at) * 100 * MS;
        scene.span(one, 3, (10 + at as u128, 0), (start, start + 10 * MS), "{}");
        scene.span(other, 2, (10 + at as u128, 0xdead), (start + MS, start + 9 * MS), "{}");
    }
    let stitches = join(&scene.finish());
    assert_eq!(stitches.len(), 5);
    assert!(stitches.iter().all(|stitch| stitch.rule == Rule::HiddenHop));
}

/// Requests at uneven times, each served with small gaps by a service whose clock is off; one in eight is not.
fn traffic(num: u64, skew: i64, backwards: bool) -> (Window, Vec<(u64, u64)>) {
    let mut scene = Scene::default();
    let (one, other) = (scene.process("front"), scene.process("orders"));
    let mut spans = Vec::new();
    let mut truth = Vec::new();
    for at in 0..num {
        let chance =
            |salt: u64| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40;
        let start = at as i64 * 7 * MS + (chance(1) % 6_000) as i64 * 1_000;
        let end = start + 3 * MS + (chance(2) % 9_000) as i64 * 1_000;
        spans.push((one, 3_u8, 1_000 + u128::from(at), 2 * at + 1, start, end));
        if at % 8 != 5 {
            let from = start + 200_000 + (chance(3) % 200) as i64 * 1_000;
            let to = end - 200_000 - (chance(4) % 200) as i64 * 1_000;
            spans.push((other, 2, 900_000 + u128::from(at), 2 * at + 2, from + skew, to + skew));
            truth.push((2 * at + 2, 2 * at + 1));
        }
    }
    if backwards {
        spans.reverse();
    }
    let name = scene.builder.texts.intern("shop.Orders/Get");
    for (resource, kind, trace_id, span_id, start_ns, end_ns) in spans {
        let duration_ns = end_ns - start_ns;
        scene.builder.push(SpanRecord {
            trace_id,
            span_id,
            start_ns,
            duration_ns,
            kind,
            resource,
            name,
            ..SpanRecord::default()
        });
    }
    (scene.finish(), truth)
}

fn named(window: &Window, stitches: &[Stitch]) -> Vec<(u64, u64, u64)> {
    let id = |span: u32| window.span_id[span as usize];
    stitches.iter().map(|one| (id(one.child), id(one.parent), one.confidence.to_bits())).collect()
}

#[test]
fn time_joins_what_is_torn_whatever_the_skew() {
    for skew in [0, 350 * MS, -1_200 * MS] {
        let (window, truth) = traffic(400, skew, false);
        let stitches = join(&window);
        let accepted: Vec<&Stitch> = stitches.iter().filter(|stitch| stitch.state == State::Accepted).collect();
        let is_right =
            |one: &&&Stitch| truth.contains(&(window.span_id[one.child as usize], window.span_id[one.parent as usize]));
        let right = accepted.iter().filter(is_right).count();
        assert!(
            right * 100 >= truth.len() * 97 && right * 1000 >= accepted.len() * 995,
            "{skew}: {right} of {}",
            accepted.len()
        );
    }
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let (forward, backward) = (traffic(300, 5 * MS, false).0, traffic(300, 5 * MS, true).0);
    assert_eq!(named(&forward, &join(&forward)), named(&backward, &join(&backward)));
    assert_eq!(first_come(&forward), first_come(&backward));
}

#[test]
fn a_root_far_from_all_calls_stays_alone() {
    let (window, _) = traffic(200, 0, false);
    let mut scene = Scene::default();
    let (one, other) = (scene.process("front"), scene.process("orders"));
    let name = scene.builder.texts.intern("shop.Orders/Get");
    for span in window.spans() {
        let resource = if window.kind[span as usize] == 3 { one } else { other };
        scene.builder.push(SpanRecord {
            trace_id: window.trace_id(span),
            span_id: window.span_id[span as usize],
            start_ns: window.start_ns[span as usize],
            duration_ns: window.duration_ns(span),
            kind: window.kind[span as usize],
            resource,
            name,
            ..SpanRecord::default()
        });
    }
    scene.next = 1 << 20;
    let lone = scene.span(other, 2, (77, 0), (-500 * MS, -490 * MS), "{}");
    let window = scene.finish();
    let stitches = join(&window);
    assert!(stitches.iter().all(|one| window.span_id[one.child as usize] != lone || one.state != State::Accepted));
}

#[test]
fn nothing_breaks_it() {
    assert_eq!(join(&Builder::default().finish()), []);
    for times in [(i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (0, 0), (i64::MIN, i64::MIN), (i64::MAX, i64::MAX)] {
        let mut scene = Scene::default();
        let (one, other) = (scene.process("front"), scene.process("orders"));
        for at in 0..20_u32 {
            let other_times = if at % 2 == 0 { times } else { (times.1, times.0) };
            scene.span(one, if at % 3 == 0 { 4 } else { 3 }, (u128::from(at) + 1, 0), times, "{}");
            scene.span(other, if at % 3 == 0 { 5 } else { 2 }, (u128::from(at) + 100, 0), other_times, "{}");
        }
        let window = scene.finish();
        assert!(join(&window).iter().all(|stitch| stitch.confidence.is_finite()));
        assert!(first_come(&window).len() <= 20);
    }
}

#[test]
fn many_roots_at_one_instant_take_bounded_time() {
    let mut scene = Scene::default();
    let (one, other) = (scene.process("front"), scene.process("orders"));
    for at in 0..100_000_u32 {
        scene.span(one, 3, (u128::from(at) + 1, 0), (0, MS), "{}");
        scene.span(other, 2, (u128::from(at) + 1_000_000, 0), (0, MS), "{}");
    }
    let window = scene.finish();
    assert!(join(&window).iter().all(|stitch| (0.0..=1.0).contains(&stitch.confidence)));
}
