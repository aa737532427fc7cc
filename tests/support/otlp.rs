//! OTLP JSON lines made on the spot, deterministic, for tests that need many spans rather than real ones.

use std::fmt::Write;

/// Returns `num_traces` traces of `spans_each` spans, one request a line. Trace `t` has the id `t + 1`; its first span is the root, all
/// others are children of the first.
pub fn lines(num_traces: usize, spans_each: usize) -> String {
    let mut text = String::new();
    for trace in 0..num_traces {
        let spans: Vec<String> = (0..spans_each).map(|span| span_json(trace, span)).collect();
        let service = ["gateway", "orders", "stock"][trace % 3];
        writeln!(
            text,
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}},"scopeSpans":[{{"scope":{{"name":"test"}},"spans":[{}]}}]}}]}}"#,
            spans.join(",")
        )
        .expect("write to a string");
    }
    text
}

fn span_json(trace: usize, span: usize) -> String {
    let start = 1_700_000_000_000_000_000_u64 + trace as u64 * 1_000_000 + span as u64 * 1_000;
    let parent = if span == 0 { String::new() } else { format!("{:016x}", span_id(trace, 0)) };
    format!(
        r#"{{"traceId":"{:032x}","spanId":"{:016x}","parentSpanId":"{parent}","name":"operation {span}","kind":2,"startTimeUnixNano":"{start}","endTimeUnixNano":"{}","attributes":[{{"key":"http.request.method","value":{{"stringValue":"GET"}}}},{{"key":"request.number","value":{{"intValue":"{trace}"}}}}],"status":{{}}}}"#,
        trace + 1,
        span_id(trace, span),
        start + 5_000_000
    )
}

fn span_id(trace: usize, span: usize) -> usize {
    trace * 1_000 + span + 1
}
