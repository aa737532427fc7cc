//! Whatever comes: no panic, scores between 0 and 1, and the same verdict in every order of arrival.

use proptest::prelude::*;

use super::shop::plan;
use crate::replay::assertions::Asked;
use crate::replay::edge::Class;
use crate::replay::judge::{Arm, Judged, Options, Side, Staging, Verdict, judge, report};
use crate::stitch::stitch;
use crate::trace::window::{Builder, SpanRecord, Window};

const SERVICES: [&str; 4] = ["gateway", "orders", "stock", "payments"];
const ATTRIBUTES: [&str; 5] = [
    "{}",
    r#"{"http.request.method":"POST","http.route":"/charge","http.response.status_code":503}"#,
    r#"{"rpc.grpc.status_code":"14","exception.type":"E","exception.message":"a \"b\" 7"}"#,
    r#"{"http.response.status_code":"99999999999","fault.kind":"x","baggage.tenant":""}"#,
    r#"{"url.full":"http://payments:80/charge/17","http.request.method":"POST","error.type":"503"}"#,
];

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => (0..400_i64).prop_map(|step| 1_700_000_000_000_000_000 + step * 250_000),
        1 => prop::sample::select(vec![i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX]),
    ]
}

fn duration() -> impl Strategy<Value = i64> {
    prop_oneof![6 => (0..90_i64).prop_map(|step| step * 500_000), 1 => prop::sample::select(vec![i64::MIN, -5, i64::MAX])]
}

type Drawn = (SpanRecord, usize, usize);

fn span() -> impl Strategy<Value = Drawn> {
    let ids = (0..60_u128, 0..6_u64, 0..6_u64);
    (ids, (time(), duration()), (0..6_u8, 0..3_u8, 0..4_u32), (0..5_usize, 0..3_usize)).prop_map(
        |(ids, times, what, more)| {
            let record = SpanRecord {
                trace_id: ids.0,
                span_id: ids.1,
                parent_span_id: ids.2,
                start_ns: times.0,
                duration_ns: times.1,
                kind: what.0,
                status: what.1,
                resource: what.2,
                ..SpanRecord::default()
            };
            (record, more.0, more.1)
        },
    )
}

fn window(spans: &[Drawn]) -> Window {
    let mut builder = Builder::default();
    for service in SERVICES {
        builder.resource(service, "{}");
    }
    builder.scope("tests", "1");
    for &(record, attributes, name) in spans {
        builder.attributes(ATTRIBUTES[attributes]);
        let name = builder.texts.intern(["GET", "POST /charge", ""][name]);
        builder.push(SpanRecord { name, ..record });
    }
    builder.finish()
}

fn asked(assert: &str, name: &str, value: impl Into<serde_json::Value>) -> Asked {
    Asked { assert: assert.to_owned(), with: serde_json::Map::from_iter([(name.to_owned(), value.into())]) }
}

fn judged(class: Class, share: f64) -> Judged {
    let assertions = vec![
        asked("has-timeouts", "within_ms", 10),
        asked("bounded-retries", "max", 1),
        asked("backoff-grows", "base_ms", 1e300),
        asked("has-circuit-breaker", "pause_ms", 1e300),
        asked("has-bulkhead", "max", 0),
        asked("baggage-survives", "key", "tenant"),
    ];
    Judged { share, assertions, ..plan(class, "payments") }
}

/// Ids 0 to 59, ten for each arm; of some arms ids that are in another one too.
fn verdict(incident: &[Drawn], staging: &[Drawn], plan: &Judged) -> Verdict {
    let (here, there) = (window(incident), window(staging));
    let stitches = [stitch(&here), stitch(&there)];
    let ids: Vec<u128> = (0..70).collect();
    let arm = |from: usize| Arm { traces: &ids[from..from + 12], sent: 10, from_ns: i64::MIN, to_ns: i64::MAX };
    let side = Side { window: &here, stitches: &stitches[0], findings: &[], faulty: &ids[..30], healthy: &ids[30..50] };
    let staging = Staging {
        window: &there,
        stitches: &stitches[1],
        findings: &[],
        baseline: arm(0),
        fault: arm(12),
        control: arm(24),
        recovery: arm(36),
        injected: Some(u64::MAX),
        planned: Some(0),
        services: &[],
    };
    let options = Options { num_resamples: 20, num_splits: 4, min_requests: 1, ..Options::default() };
    judge(&side, &staging, plan, &options)
}

fn in_bounds(verdict: &Verdict) {
    let shares = verdict
        .score
        .iter()
        .flat_map(|score| [score.value, score.floor, score.ceiling, score.share, score.low, score.high]);
    let parts = verdict.parts.iter().flat_map(|part| [Some(part.weight), part.value, part.floor, part.ceiling]);
    let times = verdict.latency.iter().flat_map(|line| [line.likeness, line.ks, line.p, line.effect, line.weight]);
    for share in shares.chain(parts.flatten()).chain(times) {
        assert!((-1e-9..=1.0 + 1e-9).contains(&share), "{verdict:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_shares_and_the_same_in_every_order(
        (incident, shuffled) in prop::collection::vec(span(), 0..150)
            .prop_flat_map(|spans| (Just(spans.clone()), Just(spans).prop_shuffle())),
        (staging, mixed) in prop::collection::vec(span(), 0..200)
            .prop_flat_map(|spans| (Just(spans.clone()), Just(spans).prop_shuffle())),
        class in prop::sample::select(vec![Class::Latency, Class::Error, Class::Context]),
        share in prop::sample::select(vec![1.0, 0.4, 0.0, f64::NAN, -3.0]),
    ) {
        let plan = judged(class, share);
        let first = verdict(&incident, &staging, &plan);
        in_bounds(&first);
        let text = report(&first);
        prop_assert!(!text.contains("NaN") && !text.contains("inf"), "{}", text);
        prop_assert_eq!(text, report(&verdict(&shuffled, &mixed, &plan)));
    }
}
