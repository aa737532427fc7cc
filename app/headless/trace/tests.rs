use riftline_queries::table::{Column, Values};

use super::rows::Trace;
use super::*;
use crate::format::Face;

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// (span, parent, service, name, start and duration in ms, status message; none is no error)
type Row = (&'static str, &'static str, &'static str, &'static str, i64, i64, Option<&'static str>);

const SHOP: [Row; 5] = [
    ("00000000000000a1", "", "gateway", "POST /checkout", 0, 2_310, None),
    ("00000000000000a2", "00000000000000a1", "gateway", "auth", 0, 61, None),
    ("00000000000000a3", "00000000000000a1", "gateway", "POST orders", 70, 2_200, None),
    ("00000000000000a4", "00000000000000a3", "orders", "charge \u{1b}[2J", 120, 500, Some("deadline \u{202e}exceeded")),
    ("00000000000000a5", "00000000000000ff", "payments", "late <b>", 130, 0, None),
];

fn trace_of(rows: &[Row]) -> Trace {
    let text = |value: fn(&Row) -> String| {
        Values::Text(rows.iter().map(|row| Some(value(row)).filter(|text| !text.is_empty()).map(Into::into)).collect())
    };
    let number = |value: fn(&Row) -> i64| Values::Int(rows.iter().map(|row| Some(value(row))).collect());
    let json = |text: &str| Values::Json(rows.iter().map(|_| Some(text.into())).collect());
    let columns = [
        ("trace_id", text(|_| ID.to_owned())),
        ("span_id", text(|row| row.0.to_owned())),
        ("parent_span_id", text(|row| row.1.to_owned())),
        ("service", text(|row| row.2.to_owned())),
        ("name", text(|row| row.3.to_owned())),
        ("kind", text(|_| "server".to_owned())),
        ("start_ns", number(|row| 1_789_383_123_112_000_000 + row.4 * 1_000_000)),
        ("duration_ns", number(|row| row.5 * 1_000_000)),
        ("status", text(|row| if row.6.is_some() { "error" } else { "unset" }.to_owned())),
        ("status_message", text(|row| row.6.unwrap_or_default().to_owned())),
        ("attributes", json(r#"{"http.route":"/a","n":1,"ratio":2.0}"#)),
        ("resource", json(r#"{"service.name":"shop"}"#)),
        ("events", json(r#"[{"time_ns":5,"name":"e","attributes":{"k":"v"},"dropped_attributes":0}]"#)),
        ("links", json("[]")),
    ];
    let columns = columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect();
    Trace::new(Table { columns, is_cut: false })
}

fn printed(print: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_tree_shows_each_span_once_within_the_width() {
    let trace = trace_of(&SHOP);
    for width in [40, 80, 200] {
        let face = Face { is_terminal: true, width: Some(width), ..Face::default() };
        let text = printed(|out| tree::print(&trace, &face, out));
        let widest = text.lines().skip(1).map(unicode_width::UnicodeWidthStr::width).max();
        assert!(widest <= Some(width), "{width}: {text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    let text = printed(|out| tree::print(&trace, &Face::default(), out));
    for name in ["POST /checkout", "auth", "POST orders", "charge", "late <b>"] {
        assert_eq!(text.lines().skip(1).filter(|line| line.contains(name)).count(), 1, "{name}: {text}");
    }
    assert!(text.contains("✂ parent 00000000000000ff is not here"), "{text}");
    assert!(text.contains("   └─ orders"), "{text}");
    assert!(text.contains("2.31 s") && text.contains("5 spans  3 services  1 error"), "{text}");
}

#[test]
fn nested_json_holds_children_in_their_parents() {
    let trace = trace_of(&SHOP);
    let text = printed(|out| nested::print(&trace, out));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["num_spans"], 5);
    assert_eq!(value["spans"][0]["children"][1]["children"][0]["span_id"], "00000000000000a4");
    assert_eq!(value["spans"][1]["place"], "orphan");
    assert_eq!(value["spans"][0]["attributes"]["n"], 1);
    assert!(value["spans"][0].get("parent_span_id").is_none());
}

#[test]
fn a_chain_of_any_depth_is_printed() {
    const DEPTH: usize = 100_000;
    let mut trace = trace_of(&SHOP[..1]);
    let spans = &mut trace.spans;
    for span in 1..DEPTH {
        spans.row.push(span as i64);
        spans.span_id.push(0xa1 + span as u64);
        spans.parent_span_id.push(0xa0 + span as u64);
        spans.start_ns.push(spans.start_ns[0]);
        spans.duration_ns.push(1);
        spans.kind.push(2);
        spans.status.push(0);
        spans.marks.push(0);
        spans.service.push(0);
        spans.name.push(1);
    }
    trace.tree = riftline_queries::trace::assemble::assemble(&trace.spans);
    let text = printed(|out| nested::print(&trace, out));
    assert_eq!(text.matches("\"children\"").count(), DEPTH);
    assert_eq!(text.matches(['{', '[']).count(), text.matches(['}', ']']).count());
    let text = printed(|out| tree::print(&trace, &Face::default(), out));
    assert_eq!(text.lines().count(), DEPTH + 2);
    assert!(text.contains("99999↳ "));
}

#[test]
fn otlp_is_a_request_with_typed_values() {
    let trace = trace_of(&SHOP);
    let text = printed(|out| otlp::print(&trace, out));
    assert_eq!(text.lines().count(), 1);
    let request: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(request["resourceSpans"].as_array().map(Vec::len), Some(1));
    assert_eq!(request["resourceSpans"][0]["resource"]["attributes"][0]["value"]["stringValue"], "shop");
    let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap();
    assert_eq!(spans.len(), 5);
    assert_eq!(spans[0]["traceId"], ID);
    assert_eq!(spans[0]["kind"], 2);
    assert_eq!(spans[0]["startTimeUnixNano"], "1789383123112000000");
    assert_eq!(spans[0]["endTimeUnixNano"], "1789383125422000000");
    assert_eq!(spans[0]["events"][0]["timeUnixNano"], "5");
    assert_eq!(spans[0]["attributes"][1]["value"]["intValue"], "1");
    assert_eq!(spans[0]["attributes"][2]["value"]["doubleValue"], 2.0);
    assert_eq!(spans[3]["status"]["code"], 2);
    assert!(spans[0].get("status").is_none() && spans[0].get("links").is_none());
}

#[test]
fn the_page_takes_data_for_nothing_but_text() {
    let trace = trace_of(&SHOP);
    let text = printed(|out| html::print(&trace, out));
    assert!(text.contains("late &lt;b&gt;") && !text.contains("late <b>"), "{text}");
    assert!(!text.contains("<script") && !text.contains("http://") && !text.contains("https://"), "{text}");
    assert_eq!(text.matches("<details").count(), 5);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}
