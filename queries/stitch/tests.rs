//! Whatever comes: joins and findings are finite, at most one a child, and the same in every order of arrival.

use proptest::prelude::*;

use super::stitch;
use crate::detect::{Case, Rules, detect};
use crate::trace::window::{Builder, NONE, SpanRecord, Window};

const SERVICES: [&str; 3] = ["gateway", "orders", "stock"];

fn attributes() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{}",
        r#"{"url.full":"http://orders:80/orders/17","http.request.method":"POST","server.address":"orders"}"#,
        r#"{"http.target":"/orders/17","http.route":"/orders/:id","http.request.method":"POST","tenant.id":"a"}"#,
        r#"{"messaging.destination.name":"q","messaging.message.id":"7","messaging.operation.type":"process"}"#,
        r#"{"http.request.header.traceparent":["00-x-"],"http.request.header.b3":["0"]}"#,
        r#"{"rpc.system.name":"grpc","rpc.service":"S","rpc.method":"M","db.system.name":""}"#,
    ])
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => (0..40_i64).prop_map(|step| 1_700_000_000_000_000_000 + step * 250_000),
        1 => prop::sample::select(vec![i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX]),
    ]
}

fn duration() -> impl Strategy<Value = i64> {
    prop_oneof![4 => (0..8_i64).prop_map(|step| step * 500_000), 1 => prop::sample::select(vec![i64::MIN, -5, i64::MAX])]
}

type Drawn = (SpanRecord, &'static str);

fn span() -> impl Strategy<Value = Drawn> {
    ((0..6_u128, 0..9_u64, 0..9_u64), (time(), duration()), (0..6_u8, 0..3_u8, 0..3_u32, 0..0x303_u32), attributes())
        .prop_map(
            |(
                (trace_id, span_id, parent_span_id),
                (start_ns, duration_ns),
                (kind, status, resource, flags),
                attributes,
            )| {
                let record = SpanRecord {
                    trace_id,
                    span_id,
                    parent_span_id,
                    start_ns,
                    duration_ns,
                    kind,
                    status,
                    flags,
                    resource,
                    ..SpanRecord::default()
                };
                (record, attributes)
            },
        )
}

fn window(spans: &[Drawn]) -> Window {
    let mut builder = Builder::default();
    for service in SERVICES {
        builder.resource(service, &format!(r#"{{"service.instance.id":"{service}-1","telemetry.sdk.language":"go"}}"#));
    }
    builder.scope("tests", "1");
    for (record, attributes) in spans {
        builder.attributes(attributes);
        if record.flags == 7 {
            builder.links(r#"[{"trace_id":"1","span_id":"2"}]"#);
        }
        builder.push(*record);
    }
    builder.finish()
}

/// Joins by ids, so that they compare across windows.
fn joins(window: &Window) -> Vec<String> {
    let ids = |span: u32| {
        format!("{:x}/{:x}/{}", window.trace_id(span), window.span_id[span as usize], window.start_ns[span as usize])
    };
    let stitches = stitch(window);
    let mut last = NONE;
    stitches
        .iter()
        .map(|stitch| {
            assert!(stitch.confidence.is_finite() && (0.0..=1.0).contains(&stitch.confidence), "{stitch:?}");
            assert!(stitch.child != stitch.parent && (last == NONE || stitch.child > last), "{stitch:?}");
            last = stitch.child;
            format!(
                "{} {} {:?} {:?} {:.6}",
                ids(stitch.child),
                ids(stitch.parent),
                stitch.rule,
                stitch.state,
                stitch.confidence
            )
        })
        .collect()
}

fn findings(window: &Window) -> Vec<String> {
    let stitches = stitch(window);
    let found = detect(&Case::new(window, &stitches), &Rules::bundled());
    let line = |finding: &crate::detect::Finding| {
        assert!(finding.confidence.is_finite() && (0.0..=1.0).contains(&finding.confidence), "{finding:?}");
        format!(
            "{} {} {} {}/{}",
            finding.rule, finding.subject, finding.confidence, finding.occurrences, finding.out_of
        )
    };
    found.iter().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn joins_and_findings_are_finite_and_the_same_in_every_order(
        (spans, shuffled) in prop::collection::vec(span(), 0..120).prop_flat_map(|spans| (Just(spans.clone()), Just(spans).prop_shuffle()))
    ) {
        let (first, second) = (window(&spans), window(&shuffled));
        prop_assert_eq!(joins(&first), joins(&second));
        prop_assert_eq!(findings(&first), findings(&second));
    }
}

#[test]
fn a_hundred_thousand_roots_at_one_instant_come_to_an_end() {
    let spans: Vec<Drawn> = (0..100_000_u64)
        .map(|number| {
            let record = SpanRecord {
                trace_id: u128::from(number) + 1,
                span_id: number + 1,
                start_ns: 1_700_000_000_000_000_000,
                duration_ns: 1_000_000,
                kind: 2 + (number % 2) as u8,
                resource: (number % 2) as u32,
                ..SpanRecord::default()
            };
            (record, "{}")
        })
        .collect();
    let window = window(&spans);
    assert_eq!(window.len(), 100_000);
    let joins = joins(&window);
    assert!(
        joins.iter().all(|join| !join.contains("Accepted")),
        "what cannot be told apart is not accepted: {}",
        joins.len()
    );
    findings(&window);
}
