use proptest::prelude::*;

use super::edges::bucket;
use super::*;
use crate::store::tests::support::{TestSpan, conventions, count, rows, store_spans, texts};

/// Everything derived, without what depends on the order of arrival: row numbers and which of two equal rows is hidden.
fn derived(store: &Store) -> Vec<Vec<String>> {
    [
        "SELECT * FROM traces ORDER BY ALL",
        "SELECT * FROM edges ORDER BY ALL",
        "SELECT trace_id, span_id, parent_span_id, service, name, kind, status, start, duration_ns, attributes, marks \
         FROM spans ORDER BY ALL",
        "SELECT sum(duplicates)::BIGINT FROM sources",
    ]
    .map(|sql| rows(store, sql))
    .to_vec()
}

fn span() -> impl Strategy<Value = TestSpan> {
    let service = prop::sample::select(vec!["cart", "stock", "pay"]);
    (0..3_u64, 0..7_u64, 0..7_u64, service, 0..6_u8, 0..3_u8, (0..4_i64, -1..3_i64), any::<bool>()).prop_map(
        |(trace, id, parent, service, kind, status, (minute, duration), has_peer)| {
            let mut span = TestSpan::new(trace, id, parent).of(service, kind);
            span.status = status;
            span.start_ns = 1_700_000_000_000_000_000 + minute * 60_000_000_000 + id as i64;
            span.duration_ns = duration * 1_500_000;
            if has_peer { span.with("server.address", "10.0.0.1") } else { span }
        },
    )
}

/// Spans, some of them twice, and in what order and batches they arrive.
fn arrivals() -> impl Strategy<Value = (Vec<TestSpan>, Vec<TestSpan>, Vec<usize>)> {
    prop::collection::vec(span(), 1..40).prop_flat_map(|mut spans| {
        let again: Vec<TestSpan> = spans.iter().step_by(4).cloned().collect();
        spans.extend(again);
        let cuts = prop::collection::vec(1..9_usize, 1..20);
        (Just(spans.clone()), Just(spans).prop_shuffle(), cuts)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn order_and_batching_of_arrival_do_not_matter((spans, shuffled, cuts) in arrivals()) {
        let at_once = Store::temporary_with(conventions()).unwrap();
        store_spans(&at_once, "all", &[&spans]);
        at_once.settle(&Cancel::default()).unwrap();
        let bit_by_bit = Store::temporary_with(conventions()).unwrap();
        let mut rest = shuffled.as_slice();
        for (number, cut) in cuts.iter().cycle().enumerate() {
            let (batch, more) = rest.split_at((*cut).min(rest.len()));
            store_spans(&bit_by_bit, &number.to_string(), &[batch]);
            bit_by_bit.settle(&Cancel::default()).unwrap();
            rest = more;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(derived(&bit_by_bit), derived(&at_once));
    }
}

fn shop() -> Vec<TestSpan> {
    vec![
        TestSpan::new(1, 1, 0).of("gateway", 2),
        TestSpan::new(1, 2, 1).of("gateway", 3),
        TestSpan::new(1, 3, 2).of("orders", 2),
        TestSpan::new(1, 4, 3).of("orders", 3).with("server.address", "db.internal"),
    ]
}

#[test]
fn calls_to_services_and_to_named_peers_are_edges() {
    let store = Store::temporary_with(conventions()).unwrap();
    let mut spans = shop();
    spans[1].status = 2;
    store_spans(&store, "a", &[&spans]);
    store.settle(&Cancel::default()).unwrap();
    let edges =
        texts(&store, "SELECT concat_ws(' ', client, server, operation, calls, errors) FROM edges ORDER BY client");
    assert_eq!(edges, ["gateway orders GET /cart 1 1", "orders db.internal GET /cart 1 0"]);
}

#[test]
fn a_late_callee_replaces_the_peer() {
    let store = Store::temporary_with(conventions()).unwrap();
    store_spans(&store, "a", &[&shop()]);
    store.settle(&Cancel::default()).unwrap();
    store_spans(&store, "b", &[&[TestSpan::new(1, 5, 4).of("db", 2)]]);
    store.settle(&Cancel::default()).unwrap();
    let edges = texts(&store, "SELECT client || ' ' || server FROM edges ORDER BY 1");
    assert_eq!(edges, ["gateway orders", "orders db"]);
}

#[test]
fn traces_say_what_is_missing() {
    let store = Store::temporary_with(conventions()).unwrap();
    let spans = [TestSpan::new(1, 1, 0), TestSpan::new(1, 2, 1), TestSpan::new(2, 3, 9), TestSpan::new(3, 4, 4)];
    store_spans(&store, "a", &[&spans]);
    store.settle(&Cancel::default()).unwrap();
    let sql = "SELECT concat_ws(' ', right(trace_id, 1), num_spans, is_complete) FROM traces ORDER BY trace_id";
    assert_eq!(texts(&store, sql), ["1 2 true", "2 1 false", "3 1 false"]);
    store_spans(&store, "b", &[&[TestSpan::new(2, 9, 0)]]);
    let settled = store.settle(&Cancel::default()).unwrap();
    assert_eq!(settled, Settled { new_spans: 1, traces: 1, duplicates: 0 });
    assert_eq!(texts(&store, sql), ["1 2 true", "2 2 true", "3 1 false"]);
}

#[test]
fn identical_spans_are_hidden_and_different_ones_marked() {
    let store = Store::temporary_with(conventions()).unwrap();
    let other = TestSpan::new(1, 2, 1).with("x", 1);
    store_spans(&store, "a", &[&[TestSpan::new(1, 1, 0), TestSpan::new(1, 2, 1)]]);
    store_spans(&store, "b", &[&[TestSpan::new(1, 1, 0), other.clone()], &[other]]);
    let settled = store.settle(&Cancel::default()).unwrap();
    assert_eq!(settled.duplicates, 2);
    let marks = texts(&store, "SELECT span_id[-1:] || coalesce(marks, '') FROM spans ORDER BY 1");
    assert_eq!(marks, ["1", "2shared-id", "2shared-id"]);
    assert_eq!(texts(&store, "SELECT name || duplicates FROM sources ORDER BY 1"), ["a0", "b2"]);
    assert_eq!(store.counts().unwrap().spans, 3);
}

#[test]
fn a_cancelled_settling_changes_nothing() {
    let store = Store::temporary_with(conventions()).unwrap();
    store_spans(&store, "a", &[&shop()]);
    let cancel = Cancel::default();
    cancel.stop();
    assert_eq!(store.settle(&cancel), Err(SettleError::Cancelled));
    assert_eq!(count(&store, "SELECT count(*) FROM traces"), 0);
    assert!(store.needs_settling());
    assert_eq!(store.settle_if_needed(&Cancel::default()).unwrap().new_spans, 4);
    assert_eq!(store.settle_if_needed(&Cancel::default()).unwrap(), Settled::default());
}

#[test]
fn what_is_settled_stays_settled() {
    let (_folder, path) = crate::store::tests::support::folder();
    let store = Store::open(&path, crate::store::Access::ReadWrite).unwrap();
    store_spans(&store, "a", &[&shop()]);
    store.settle(&Cancel::default()).unwrap();
    let before = derived(&store);
    drop(store);
    let store = Store::open(&path, crate::store::Access::ReadWrite).unwrap();
    assert!(!store.needs_settling());
    assert_eq!(derived(&store), before);
}

#[test]
fn bounds_of_buckets_fit_how_durations_are_sorted_in() {
    let store = Store::temporary_with(conventions()).unwrap();
    for duration_ns in [0_i64, 1023, 1024, 5_000_000, 77_777_777_777, 1 << 41] {
        let bucket = bucket(duration_ns);
        let is_below = format!("bucket_bound_ns({bucket}) > {duration_ns}");
        let is_above = format!("({bucket} = 0 OR bucket_bound_ns({bucket} - 1) <= {duration_ns})");
        let sql = format!("SELECT ({is_below} AND {is_above})::BIGINT");
        assert_eq!(count(&store, &sql), 1, "{duration_ns} ns in bucket {bucket}");
    }
}

/// DuckDB 2.0 loses aggregates over many rows that their own transaction wrote: settling must not ask for one.
#[test]
fn many_edges_are_all_there() {
    const TRACES: u64 = 70_000;
    let store = Store::temporary_with(conventions()).unwrap();
    let spans: Vec<TestSpan> = (1..=TRACES)
        .flat_map(|trace| {
            let minute = |mut span: TestSpan| {
                span.start_ns = trace as i64 * 60_000_000_000;
                span
            };
            [minute(TestSpan::new(trace, 1, 0).of("gateway", 3)), minute(TestSpan::new(trace, 2, 1).of("orders", 2))]
        })
        .collect();
    store_spans(&store, "a", &[&spans]);
    assert_eq!(store.settle(&Cancel::default()).unwrap().traces, TRACES);
    assert_eq!(count(&store, "SELECT sum(calls)::BIGINT FROM edges"), TRACES as i64);
}
