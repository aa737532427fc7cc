use std::cell::OnceCell;

use super::first_come;
use crate::stitch::{Rule, State, Stitch};
use crate::trace::window::{Builder, NONE, SpanRecord, Window};

fn join(window: &Window) -> Vec<Stitch> {
    super::join(window, &OnceCell::new())
}

const MS: i64 = 1_000_000;
const SERVER: u8 = 2;
const CLIENT: u8 = 3;
const INTERNAL: u8 = 1;

/// Spans of one process, and which of them caused which.
#[derive(Default)]
struct Shop {
    spans: Vec<(SpanRecord, &'static str, String)>,
    /// Ids of torn spans and of their true parents.
    truth: Vec<(u64, u64)>,
    random: u64,
}

impl Shop {
    fn random(&mut self, limit: i64) -> i64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.random >> 11) * limit as u128) >> 53) as i64
    }

    /// A delay near `ns`: up to a quarter more or less.
    fn about(&mut self, ns: i64) -> i64 {
        ns * 3 / 4 + self.random((ns / 2).max(1))
    }

    fn push(&mut self, name: &'static str, kind: u8, (start_ns, end_ns): (i64, i64), parent: Option<u64>) -> u64 {
        let span_id = self.spans.len() as u64 + 1;
        let trace_of = |id: u64| self.spans[id as usize - 1].0.trace_id;
        let trace_id = parent.map_or(u128::from(span_id) << 64 | 7, trace_of);
        let parent_span_id = parent.unwrap_or(0);
        let duration_ns = end_ns - start_ns;
        let span =
            SpanRecord { trace_id, span_id, parent_span_id, start_ns, duration_ns, kind, ..SpanRecord::default() };
        self.spans.push((span, name, String::from("{}")));
        span_id
    }

    fn torn(&mut self, name: &'static str, times: (i64, i64), parent: u64) -> u64 {
        let child = self.push(name, CLIENT, times, None);
        self.truth.push((child, parent));
        child
    }

    fn window(&self, order: impl Iterator<Item = usize>) -> Window {
        let mut builder = Builder::default();
        builder.resource("shop", "{}");
        for at in order {
            let (span, name, attributes) = &self.spans[at];
            builder.attributes(attributes);
            let name = builder.texts.intern(name);
            builder.push(SpanRecord { name, ..*span });
        }
        builder.finish()
    }

    fn joins(&self) -> (Window, Vec<Stitch>) {
        let window = self.window(0..self.spans.len());
        let joins = join(&window);
        (window, joins)
    }

    /// Returns how many are accepted, how many of these are right, and how many best guesses are right.
    fn score(&self) -> (usize, usize, usize) {
        let (window, joins) = self.joins();
        let id = |span: u32| window.span_id[span as usize];
        let is_right = |join: &&Stitch| self.truth.contains(&(id(join.child), id(join.parent)));
        let accepted = || joins.iter().filter(|join| join.state == State::Accepted);
        (accepted().count(), accepted().filter(is_right).count(), joins.iter().filter(is_right).count())
    }
}

/// Requests one after the other or two and three at a time: reads, then writes, then answers.
fn chains(num: usize, every_ns: i64) -> Shop {
    let mut shop = Shop::default();
    let mut begin = 0;
    for _ in 0..num {
        begin += shop.about(every_ns);
        let read = begin + shop.about(MS / 5);
        let read_end = read + shop.about(8 * MS);
        let write = read_end + shop.about(MS / 4);
        let write_end = write + shop.about(6 * MS);
        let end = write_end + shop.about(MS / 5);
        let request = shop.push("GET /cart", SERVER, (begin, end), None);
        shop.torn("read", (read, read_end), request);
        shop.torn("write", (write, write_end), request);
    }
    shop
}

#[test]
fn calls_one_after_the_other_find_their_request() {
    let shop = chains(200, 7 * MS);
    let (accepted, right, best) = shop.score();
    assert!(right * 1000 >= accepted * 995, "{right} of {accepted}");
    assert!(right >= 390 && best >= 392, "{right}, {best} of 400");
}

#[test]
fn calls_beside_each_other_find_their_request() {
    let mut shop = Shop::default();
    let mut begin = 0;
    for _ in 0..200 {
        begin += shop.about(8 * MS);
        let (one, other) = (begin + shop.about(MS / 4), begin + shop.about(MS / 3));
        let ends = (one + shop.about(12 * MS), other + shop.about(9 * MS));
        let end = ends.0.max(ends.1) + shop.about(MS / 5);
        let request = shop.push("GET /cart", SERVER, (begin, end), None);
        shop.torn("stock", (one, ends.0), request);
        shop.torn("price", (other, ends.1), request);
    }
    let (accepted, right, best) = shop.score();
    assert!(right * 100 >= accepted * 99 && best >= 385, "{right} of {accepted}, best {best}");
}

#[test]
fn a_call_that_not_every_request_makes_is_not_made_up() {
    let mut shop = chains(200, 7 * MS);
    let requests: Vec<SpanRecord> = shop.spans.iter().map(|span| span.0).filter(|span| span.kind == SERVER).collect();
    for request in requests.iter().step_by(4) {
        let begin = request.start_ns + shop.about(MS / 20);
        shop.torn("audit", (begin, begin + MS / 20), request.span_id);
    }
    let (accepted, right, best) = shop.score();
    assert!(right * 100 >= accepted * 99 && best >= 435, "{right} of {accepted}, best {best} of 450");
}

#[test]
fn what_is_lost_is_not_replaced() {
    let mut shop = chains(300, 9 * MS);
    // Every 20th request is lost, and every 20th first call: ids of three spans a request follow each other.
    let lost: Vec<u64> = (0..300).step_by(20).flat_map(|at| [3 * at + 1, 3 * at + 32]).collect();
    let truth = std::mem::take(&mut shop.truth);
    shop.spans.retain(|span| !lost.contains(&span.0.span_id));
    shop.truth = truth.into_iter().filter(|(child, parent)| !lost.contains(child) && !lost.contains(parent)).collect();
    let (accepted, right, best) = shop.score();
    let num = shop.truth.len();
    assert!(right * 100 >= accepted * 98, "{right} of {accepted}");
    assert!(best * 100 >= num * 97, "{best} of {num}");
}

#[test]
fn calls_that_are_still_linked_keep_their_place() {
    let mut shop = chains(200, 6 * MS);
    let children: Vec<(u64, u64)> = shop.truth.iter().copied().step_by(3).collect();
    for &(child, parent) in &children {
        let trace_id = shop.spans[parent as usize - 1].0.trace_id;
        let span = &mut shop.spans[child as usize - 1].0;
        (span.parent_span_id, span.trace_id) = (parent, trace_id);
    }
    shop.truth.retain(|pair| !children.contains(pair));
    let (accepted, right, best) = shop.score();
    assert!(right * 1000 >= accepted * 995 && best * 100 >= shop.truth.len() * 98, "{right} of {accepted}, {best}");
}

#[test]
fn jobs_in_the_background_stay_alone() {
    let mut shop = Shop::default();
    let mut begin = 0;
    for _ in 0..300 {
        begin += shop.about(9 * MS);
        let end = begin + shop.about(7 * MS);
        shop.push("GET /cart", SERVER, (begin, end), None);
    }
    let mut poll = 0;
    for _ in 0..200 {
        poll += shop.about(13 * MS);
        let end = poll + shop.about(MS);
        shop.push("poll jobs", CLIENT, (poll, end), None);
        shop.push("settle job", INTERNAL, (end + MS / 10, end + MS / 2), None);
    }
    let (window, joins) = shop.joins();
    assert_eq!(joins, []);
    assert_eq!(first_come(&window), []);
}

#[test]
fn a_program_without_requests_has_nothing_to_join() {
    let mut shop = Shop::default();
    for at in 0..50 {
        shop.push("fetch", CLIENT, (at * MS, at * MS + MS / 2), None);
    }
    assert_eq!(shop.joins().1, []);
}

#[test]
fn an_internal_span_that_is_always_there_is_the_parent() {
    let mut shop = Shop::default();
    let mut begin = 0;
    for _ in 0..100 {
        begin += shop.about(30 * MS);
        let end = begin + shop.about(12 * MS);
        let request = shop.push("GET /cart", SERVER, (begin, end), None);
        shop.push("parse", INTERNAL, (begin + MS / 10, begin + MS / 5), Some(request));
        let handler = shop.push("handler", INTERNAL, (begin + MS / 4, end - MS / 10), Some(request));
        let call = begin + MS / 4 + shop.about(MS / 5);
        shop.torn("read", (call, call + MS), handler);
    }
    let (accepted, right, best) = shop.score();
    assert!(right == accepted && right >= 95 && best >= 98, "{right} of {accepted}, best {best}");
}

#[test]
fn a_value_that_only_one_request_has_decides() {
    let mut shop = Shop::default();
    for at in 0..40 {
        // Four at once, with calls in the opposite order: time alone would be wrong.
        let (burst, place) = (at / 4 * 100, at % 4);
        let begin = (burst + place) * MS;
        let request = shop.push("GET /cart", SERVER, (begin, begin + 50 * MS), None);
        shop.spans[request as usize - 1].2 = format!("{{\"url.path\":\"/cart/{}\"}}", 100_000 + at);
        let call = (burst + 20 - 3 * place) * MS;
        let call = shop.torn("read", (call, call + MS), request);
        shop.spans[call as usize - 1].2 = format!("{{\"url.full\":\"http://stock/{}\"}}", 100_000 + at);
    }
    let (accepted, right, _) = shop.score();
    assert_eq!((accepted, right), (40, 40));
    assert!(shop.joins().1.iter().all(|join| join.rule == Rule::UniqueValue));
}

#[test]
fn replicas_are_learned_from_together_and_kept_apart() {
    let one = chains(40, 7 * MS);
    let mut builder = Builder::default();
    let resources = [1, 2, 3].map(|pid| builder.resource("shop", &format!("{{\"process.pid\":{pid}}}")));
    for (at, &resource) in resources.iter().enumerate() {
        for (span, name, _) in &one.spans {
            let name = builder.texts.intern(name);
            // Each replica has the same spans a moment later.
            let (trace_id, span_id) = (span.trace_id + at as u128, span.span_id + 1_000 * at as u64);
            let start_ns = span.start_ns + at as i64 * MS / 7;
            builder.push(SpanRecord { trace_id, span_id, start_ns, resource, name, ..*span });
        }
    }
    let window = builder.finish();
    let joins = join(&window);
    assert!(joins.iter().all(|join| window.instance(join.child) == window.instance(join.parent)));
    let id = |span: u32| window.span_id[span as usize] % 1_000;
    let right = joins.iter().filter(|join| one.truth.contains(&(id(join.child), id(join.parent)))).count();
    assert!(right >= 232, "{right} of 240");
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    let shop = chains(100, 5 * MS);
    let num = shop.spans.len();
    let joins = |order: &mut dyn Iterator<Item = usize>| {
        let window = shop.window(order);
        let joins = join(&window);
        joins.iter().map(|join| (join.child, join.parent, join.confidence)).collect::<Vec<_>>()
    };
    let forward = joins(&mut (0..num));
    assert_eq!(forward, joins(&mut (0..num).rev()));
    assert_eq!(forward, joins(&mut (0..num).map(|at| at * 7 % num)));
}

#[test]
fn nothing_and_little_are_no_matter() {
    assert_eq!(join(&Window::default()), []);
    assert_eq!(first_come(&Window::default()), []);
    let mut shop = Shop::default();
    shop.push("read", CLIENT, (0, 1), None);
    assert_eq!(shop.joins().1, []);
    shop.push("GET", SERVER, (0, 1), None);
    let (window, joins) = shop.joins();
    assert!(joins.iter().all(|join| join.confidence.is_finite() && join.parent != NONE));
    assert!(first_come(&window).len() <= 1);
}

#[test]
fn times_at_their_limits_are_no_matter() {
    let mut shop = Shop::default();
    for at in 0..40 {
        let times = [(i64::MIN, i64::MIN), (i64::MIN, -1), (0, 0), (i64::MAX, i64::MAX), (1, i64::MAX)];
        let (start_ns, end_ns) = times[at % times.len()];
        let kind = if at % 3 == 0 { SERVER } else { CLIENT };
        shop.push("any", kind, (0, 0), None);
        let span = &mut shop.spans[at].0;
        (span.start_ns, span.duration_ns) = (start_ns, end_ns.saturating_sub(start_ns));
    }
    let (_, joins) = shop.joins();
    assert!(joins.iter().all(|join| (0.0..=1.0).contains(&join.confidence)));
}

#[test]
fn a_hundred_thousand_at_one_instant_come_to_an_end() {
    let mut shop = Shop::default();
    for at in 0..100_000 {
        let kind = if at % 2 == 0 { SERVER } else { CLIENT };
        shop.push(if at % 2 == 0 { "GET" } else { "read" }, kind, (5, 9), None);
    }
    // Weighing each against each would take hours.
    let (_, joins) = shop.joins();
    assert!(joins.len() <= 50_000);
}

#[test]
fn a_request_with_very_many_calls_comes_to_an_end() {
    let mut shop = Shop::default();
    for at in 0..20 {
        let request = shop.push("batch", SERVER, (at * 1_000 * MS, at * 1_000 * MS + 900 * MS), None);
        for call in 0..500 {
            let begin = at * 1_000 * MS + MS + call * MS;
            shop.torn("read", (begin, begin + MS / 5), request);
        }
    }
    let (accepted, right, _) = shop.score();
    assert_eq!(accepted, right);
}
