use super::support::{TestSpan, conventions, count, store_spans, texts};
use crate::cancel::Cancel;
use crate::store::{Store, TraceId};

const VIEWS: [&str; 15] = [
    "spans",
    "logs",
    "metrics",
    "kernel_events",
    "flows",
    "traces",
    "edges",
    "stitches",
    "findings",
    "sources",
    "rejects",
    "runs",
    "run_events",
    "otel_traces",
    "otel_logs",
];

fn select_all(store: &Store) {
    let reader = store.reader().unwrap();
    for view in VIEWS {
        let rows = reader.run(&Cancel::default(), |connection| {
            let mut statement = connection.prepare(&format!("SELECT * FROM {view}"))?;
            statement.stream_arrow([])?.map(|batch| batch.map(|batch| batch.num_rows())).sum::<duckdb::Result<usize>>()
        });
        assert!(rows.is_ok(), "{view}: {rows:?}");
    }
}

#[test]
fn every_view_can_be_read_whole() {
    let store = Store::temporary().unwrap();
    select_all(&store);
    store_spans(&store, "a", &[&[TestSpan::new(1, 1, 0).with("http.method", "GET").with("other", 5)]]);
    store.settle(&Cancel::default()).unwrap();
    select_all(&store);
    assert_eq!(count(&store, "SELECT count(*) FROM otel_traces"), 1);
}

#[test]
fn ids_kinds_and_times_read_as_documented() {
    let store = Store::temporary_with(conventions()).unwrap();
    store_spans(&store, "a", &[&[TestSpan::new(0xabc, 0x1f, 0).of("cart", 3), TestSpan::new(0xabc, 0x20, 0x1f)]]);
    let sql = "SELECT concat_ws(' ', trace_id, span_id, parent_span_id, kind, status, service, start, start_ns) FROM spans \
               ORDER BY span_id";
    let id = "0000000000000007000000000000".to_owned() + "0abc";
    let expected = [
        format!("{id} 000000000000001f client unset cart 2023-11-14 22:13:20.000000031 1700000000000000031"),
        format!(
            "{id} 0000000000000020 000000000000001f server unset cart 2023-11-14 22:13:20.000000032 1700000000000000032"
        ),
    ];
    assert_eq!(texts(&store, sql), expected);
}

#[test]
fn macros_answer() {
    let store = Store::temporary_with(conventions()).unwrap();
    let minute = "SELECT minute(make_timestamp_ns(1700000059000000001))::VARCHAR";
    assert_eq!(texts(&store, minute), ["2023-11-14 22:14:00"]);
    assert_eq!(texts(&store, "SELECT at('2026-01-02 10:41')::VARCHAR"), ["2026-01-02 10:41:00"]);
    assert!(texts(&store, "SELECT at('10:41')::VARCHAR")[0].ends_with(" 10:41:00"));
    assert_eq!(count(&store, "SELECT (ago('15m') > ago('1h') AND ago('1h') < ago('0s'))::BIGINT"), 1);
    let half = "SELECT bucket_quantile([{'le_ns': 10, 'calls': 5}, {'le_ns': 20, 'calls': 5}], 0.5)";
    assert_eq!(count(&store, half), 10);
    let most = "SELECT bucket_quantile([{'le_ns': 20, 'calls': 5}, {'le_ns': 10, 'calls': 5}], 0.99)";
    assert_eq!(count(&store, most), 20);
}

#[test]
fn one_trace_and_one_span_can_be_fetched() {
    let store = Store::temporary_with(conventions()).unwrap();
    let spans = [TestSpan::new(1, 1, 0).with("http.method", "GET"), TestSpan::new(2, 5, 0), TestSpan::new(1, 2, 1)];
    store_spans(&store, "a", &[&spans]);
    let id = TraceId { hi: 7, lo: 1 };
    let cancel = Cancel::default();
    let unsettled = store.load_trace(id, &cancel).unwrap();
    store.settle(&cancel).unwrap();
    let settled = store.load_trace(id, &cancel).unwrap();
    assert_eq!(unsettled, settled);
    assert_eq!(settled.span_id, [1, 2]);
    assert_eq!((settled.service(0), settled.name(1)), ("cart", "GET /cart"));
    let details = store.span_details(settled.row[0]).unwrap();
    assert_eq!(
        (details.attributes.as_str(), details.kind, details.source.as_str()),
        (r#"{"http.method":"GET"}"#, 2, "a")
    );
    assert!(store.load_trace(TraceId { hi: 7, lo: 9 }, &cancel).is_err());
    assert!(store.span_details(77).is_err());
}
