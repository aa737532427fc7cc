//! Whatever arrives: no detector panics, and the order of arrival changes nothing.

use crate::detect::{Case, Finding, Rules, detect};
use crate::stitch::{Evidence, Rule, State, Stitch};
use crate::trace::window::{Builder, NONE, SpanRecord, Symbol, Window};

/// Numbers that look like chance and are always the same.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

const TIMES: [i64; 7] = [i64::MIN, i64::MAX, 0, -1, 1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 5];
const KEYS: [&str; 12] = [
    "url.full",
    "url.path",
    "http.request.header.traceparent",
    "http.request.header.b3",
    "messaging.operation.type",
    "messaging.destination.name",
    "messaging.batch.message_count",
    "upstream_cluster",
    "component",
    "tenant.id",
    "db.system.name",
    "network.peer.address",
];
const VALUES: [&str; 9] = ["", "a", "process", "receive", "proxy", "outbound|é", "inbound|", "http://a:1/x/123", "123"];

/// A span, its attributes and whom it links to.
pub(crate) type Any = (SpanRecord, Vec<(&'static str, &'static str)>, Option<(u64, u64)>);

pub(crate) fn any(chance: &mut Chance, number: u64) -> Any {
    let (near, wild) = (1_700_000_000_000_000_000 + chance.below(1_000_000_000) as i64, chance.of(&TIMES));
    let is_wild = chance.below(5) == 0;
    let record = SpanRecord {
        trace_id: u128::from(chance.below(40)),
        span_id: if chance.below(20) == 0 { chance.below(5) } else { number + 1 },
        parent_span_id: chance.below(200) * chance.below(2),
        start_ns: if is_wild { wild } else { near },
        duration_ns: if is_wild { chance.of(&TIMES) } else { chance.below(50_000_000) as i64 },
        kind: chance.below(7) as u8,
        status: chance.below(4) as u8,
        flags: chance.of(&[0, 1, 0x100, 0x300, u32::MAX]),
        resource: chance.below(6) as u32,
        name: Symbol(chance.below(4) as u32),
        ..SpanRecord::default()
    };
    let attributes = (0..chance.below(4)).map(|_| (chance.of(&KEYS), chance.of(&VALUES))).collect();
    let link = (chance.below(6) == 0).then(|| (chance.below(40), chance.below(200)));
    (record, attributes, link)
}

pub(crate) fn window<'a>(spans: impl Iterator<Item = &'a Any>) -> Window {
    let mut builder = Builder::default();
    for number in 0..6 {
        let pids = format!(r#"{{"host.name":"h","process.pid":{number},"process.parent_pid":{}}}"#, number / 2);
        builder.resource(["a", "b", "c"][number % 3], &pids);
    }
    builder.scope("scope", "1");
    for (record, attributes, link) in spans {
        for (key, value) in attributes {
            let key = builder.texts.intern(key);
            builder.attribute(key, value);
        }
        if let Some((trace, span)) = link {
            builder.links(&format!(r#"[{{"trace_id":"{trace:032x}","span_id":"{span:016x}"}}]"#));
        }
        builder.push(*record);
    }
    builder.finish()
}

/// Joins of roots to spans that begin before them, some near, some far.
pub(crate) fn joins(window: &Window) -> Vec<Stitch> {
    let evidence = Evidence {
        value: Symbol::EMPTY,
        candidates: 1,
        runner_up: NONE,
        runner_up_confidence: 0.0,
        before_ns: 0,
        after_ns: 0,
        offset_ns: 0,
        learned_from: 0,
    };
    let join = |child: u32| Stitch {
        child,
        parent: child / 2,
        confidence: 0.9,
        state: [State::Accepted, State::Maybe, State::Candidate][child as usize % 3],
        rule: Rule::CallTiming,
        evidence,
    };
    window.spans().filter(|&span| span > 0 && window.is_root(span)).map(join).collect()
}

fn findings(window: &Window) -> Vec<Finding> {
    let stitches = joins(window);
    detect(&Case::new(window, &stitches), &Rules::bundled())
}

#[test]
fn nothing_panics_and_the_order_of_arrival_is_the_same_to_all() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let count = chance.below(400);
        let spans: Vec<Any> = (0..count).map(|number| any(&mut chance, number)).collect();
        let one = findings(&window(spans.iter()));
        let other = findings(&window(spans.iter().rev()));
        let ids =
            |findings: &[Finding]| findings.iter().map(|one| (one.id.clone(), one.occurrences)).collect::<Vec<_>>();
        assert_eq!(ids(&one), ids(&other), "seed {seed}");
    }
}
