use super::{Keys, scan};
use crate::trace::window::{Builder, LogRecord, SpanRecord};

fn found(scan: impl FnOnce(&mut dyn FnMut(&str))) -> Vec<String> {
    let mut all = Vec::new();
    scan(&mut |text| all.push(text.to_owned()));
    all
}

#[test]
fn ids_are_found_in_urls_and_texts() {
    let url = |text: &str| found(|found| scan::url(text, found));
    assert_eq!(url("http://127.0.0.1:18084/stock/1002/reserve?sku=7f3a99b1&page=2#12"), ["1002", "7f3a99b1"]);
    assert_eq!(url("/v2/hotels?inDate=2015-04-12"), Vec::<String>::new());
    assert_eq!(url("http://10.0.0.1:8080"), Vec::<String>::new());
    let text = |text: &str| found(|found| scan::text(text, found));
    assert_eq!(
        text("creating order 1002 (f47ac10b-58cc-4372-a567-0e02b2c3d479), 3 items"),
        ["1002", "f47ac10b-58cc-4372-a567-0e02b2c3d479"]
    );
}

#[test]
fn attributes_are_asked_by_their_names() {
    assert!(
        ["order", "messaging.message.id", "http.request.header.x-request-id", "app.orderId"]
            .iter()
            .all(|key| scan::is_id_key(key))
    );
    assert!(
        !["thread.id", "server.port", "http.response.status_code", "tid", "tenant.id"]
            .iter()
            .any(|key| scan::is_id_key(key))
    );
}

#[test]
fn logs_speak_for_their_spans_and_traces() {
    let mut builder = Builder::default();
    let resource = builder.resource("orders", "{}");
    builder.attributes(r#"{"url.path":"/orders/77"}"#);
    builder.push(SpanRecord { trace_id: 1, span_id: 1, start_ns: 1, resource, ..SpanRecord::default() });
    builder.push(SpanRecord {
        trace_id: 1,
        span_id: 2,
        parent_span_id: 1,
        start_ns: 2,
        resource,
        ..SpanRecord::default()
    });
    for (span_id, text) in [(2, "order 1002 made"), (9, "order 1003 made")] {
        let body = builder.texts.intern(text);
        builder.push_log(LogRecord { time_ns: 1, resource, trace_id: 1, span_id, body });
    }
    let keys = Keys::find(&builder.finish());
    let texts = |values: &[u32]| values.iter().map(|&value| keys.text(value).to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(keys.of_span(0)), ["77"]);
    assert_eq!(texts(keys.of_span(1)), ["1002"]);
    assert_eq!(texts(keys.of_trace(0)), ["77", "1002", "1003"]);
    assert!(keys.of_span(9).is_empty() && keys.of_trace(9).is_empty());
    assert_eq!(keys.num_traces(keys.of_span(0)[0]), 1);
}
