//! Input that is cut, changed or hostile: nothing panics, nothing else is lost, everything is counted.

use std::thread;

use super::{assert_valid_json, decode, decode_windows, rows};
use crate::batch::Batch;
use crate::marks::Mark;

const GOOD: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","name":"GET /","kind":2,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000005","attributes":[{"key":"a","value":{"intValue":"1"}}],"status":{"code":"STATUS_CODE_ERROR"}},{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b8","name":"x","links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}],"startTimeUnixNano":1700000000000000000,"endTimeUnixNano":1700000000000000005}]}]}]}"#;

fn num_spans(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.spans.len()).sum()
}

fn num_rejects(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| batch.rejects.count).sum()
}

fn reasons(batches: &[Batch]) -> Vec<String> {
    batches.iter().flat_map(|batch| &batch.rejects.kept).map(|reject| reject.reason.clone()).collect()
}

/// A request of two spans, framed, as protobuf.
fn good_proto() -> Vec<u8> {
    let field = |tag: u8, content: &[u8]| [&[tag, content.len() as u8], content].concat();
    let text = |tag, text: &str| field(tag, text.as_bytes());
    let attribute = [text(0x0a, "a"), field(0x12, &[0x18, 0x01])].concat();
    let time = 1_700_000_000_000_000_000_u64.to_le_bytes();
    let span = |id: u8| {
        let ids = [field(0x0a, &[id; 16]), field(0x12, &[id; 8]), text(0x2a, "GET /"), vec![0x30, 0x02]].concat();
        let times = [&[0x39][..], &time, &[0x41], &time].concat();
        [ids, times, field(0x4a, &attribute)].concat()
    };
    let scope = [field(0x0a, &text(0x0a, "s")), field(0x12, &span(1)), field(0x12, &span(2))].concat();
    let mut request = vec![0x0a];
    let mut resource = vec![0x12, 0x80 | (scope.len() as u8 & 0x7f), (scope.len() >> 7) as u8];
    resource.extend(scope);
    request.extend([0x80 | (resource.len() as u8 & 0x7f), (resource.len() >> 7) as u8]);
    request.extend(resource);
    [&(request.len() as u32).to_be_bytes()[..], &request].concat()
}

/// Every prefix and every flipped bit decodes to at most the rows of the whole, and what is missing is counted.
fn assert_survives(format: &str, good: &[u8]) {
    let whole = num_spans(&decode(format, good));
    assert_eq!(whole, 2);
    for len in 0..good.len() {
        let batches = decode(format, &good[..len]);
        assert!(num_spans(&batches) <= whole, "cut at {len}");
        let blank = good[..len].iter().all(u8::is_ascii_whitespace);
        assert!(blank || num_spans(&batches) == whole || num_rejects(&batches) > 0, "cut at {len}");
        assert_valid_json(&batches);
        assert_eq!(rows(&batches), rows(&decode_windows(format, &good[..len], 7)), "cut at {len}, in steps");
    }
    for bit in 0..good.len() * 8 {
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let batches = decode(format, &bytes);
        assert!(num_spans(&batches) <= whole + 1, "bit {bit}");
        assert_valid_json(&batches);
    }
}

#[test]
fn json_survives_every_cut_and_every_flipped_bit() {
    assert_survives("otlp-json", GOOD.as_bytes());
}

#[test]
fn protobuf_survives_every_cut_and_every_flipped_bit() {
    assert_survives("otlp-proto-framed", &good_proto());
}

#[test]
fn layouts_of_json_are_the_same() {
    let expected = rows(&decode("otlp-json", GOOD.as_bytes()));
    let value: serde_json::Value = serde_json::from_str(GOOD).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let snake = GOOD.replace("resourceSpans", "resource_spans").replace("scopeSpans", "scope_spans");
    let snake = snake.replace("traceId", "trace_id").replace("startTimeUnixNano", "start_time_unix_nano");
    let snake = snake.replace("endTimeUnixNano", "end_time_unix_nano").replace("intValue", "int_value");
    let unknown = GOOD.replace(r#""kind":2"#, r#""future":{"a":[1,{"b":"}"}]},"kind":"SPAN_KIND_SERVER""#);
    let layouts = [
        pretty.clone(),
        pretty.replace('\n', "\r\n"),
        format!("\u{feff}{GOOD}\r\n"),
        format!("[{GOOD}]"),
        GOOD.to_uppercase_ids(),
        snake,
        unknown,
        GOOD.replace(r#""name":"GET /","kind":2"#, r#""kind":1,"kind":2,"name":"no","name":"GET /""#),
    ];
    for layout in layouts {
        let batches = decode("otlp-json", layout.as_bytes());
        assert_eq!((rows(&batches), reasons(&batches)), (expected.clone(), vec![]), "{layout}");
        assert_eq!(rows(&decode_windows("otlp-json", layout.as_bytes(), 100)), expected, "{layout}");
    }
    let twice = [&expected[..], &expected[..]].concat();
    for two in [format!("{GOOD}{GOOD}"), format!("[{GOOD},\n{GOOD}]"), format!("{pretty}\n{pretty}")] {
        assert_eq!(rows(&decode("otlp-json", two.as_bytes())), twice);
    }
}

trait UppercaseIds {
    fn to_uppercase_ids(&self) -> String;
}

impl UppercaseIds for str {
    fn to_uppercase_ids(&self) -> String {
        self.replace("4bf92f3577b34da6a3ce929d0e0e4736", "4BF92F3577B34DA6A3CE929D0E0E4736")
    }
}

#[test]
fn one_bad_record_costs_only_itself() {
    let cases = [
        (
            r#""startTimeUnixNano":"1700000000000000000""#,
            r#""startTimeUnixNano":"soon""#,
            "invalid number in \"startTimeUnixNano\"",
        ),
        (r#""kind":2"#, r#""kind":"SERVERISH""#, "unknown name in \"kind\""),
        (r#""traceId":"4bf92f3577b34da6a3ce929d0e0e4736","#, r#""traceId":{},"#, "invalid id in \"traceId\""),
        (r#""intValue":"1""#, r#""intValue":"1.5""#, "invalid number in \"intValue\""),
        (r#""name":"GET /","#, r#""name":"GET /,"#, ""),
        (r#""kind":2,"#, r#""kind":2,nonsense,"#, "expected a key or }"),
    ];
    for (good, bad, reason) in cases {
        let broken = GOOD.replacen(good, bad, 1);
        let batches = decode("otlp-json", format!("{broken}\n{GOOD}\n").as_bytes());
        assert_eq!((num_spans(&batches), num_rejects(&batches)), (3, 1), "{bad}: {:?}", reasons(&batches));
        let reject = &batches.iter().find_map(|batch| batch.rejects.kept.first()).unwrap();
        assert!(reject.reason.contains(reason), "{}", reject.reason);
        assert_eq!((reject.line, reject.offset as usize + 1), (1, reject.column as usize));
        assert!(GOOD[reject.offset as usize..].starts_with(&reject.excerpt[..9]), "{}", reject.excerpt);
    }
}

#[test]
fn a_line_that_was_cut_off_costs_no_other() {
    for len in 20..GOOD.len() {
        let (cut, _) = GOOD.split_at(len);
        let batches = decode("otlp-json", format!("{cut}\n{GOOD}\n{GOOD}\n").as_bytes());
        let spans = num_spans(&batches);
        assert!((4..=6).contains(&spans), "cut at {len}: {spans} {:?}", reasons(&batches));
        assert!(num_rejects(&batches) >= 1 || spans == 6, "cut at {len}");
    }
}

#[test]
fn what_is_no_request_is_counted() {
    let cases = [
        (format!("hello\n{GOOD}\n"), 1),
        (format!("{{\"foo\":1}}\n{GOOD}\n{{\"bar\":{{}}}}\n"), 2),
        (format!("\0\0\0\0{GOOD}\n"), 1),
        (format!("{GOOD}\n{{}}\n"), 0),
    ];
    for (text, rejects) in cases {
        let batches = decode("otlp-json", text.as_bytes());
        assert_eq!((num_spans(&batches), num_rejects(&batches)), (2, rejects), "{text}: {:?}", reasons(&batches));
    }
}

#[test]
fn resource_and_scope_may_stand_after_their_records() {
    let late = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}],"scope":{"name":"late"}}],"schemaUrl":"u","resource":{"attributes":[{"value":{"stringValue":"shop"},"key":"service.name"}]}}]}"#;
    let batches = decode("otlp-json", late.as_bytes());
    assert_eq!(batches[0].resources[0].service, "shop");
    assert_eq!((batches[0].resources[0].schema_url.as_str(), batches[0].scopes[0].name.as_str()), ("u", "late"));
    assert_eq!((batches[0].spans.resource[0], batches[0].spans.scope[0]), (0, 0));
}

#[test]
fn text_that_is_no_text_is_replaced_and_marked() {
    let mut bytes = GOOD.replacen("GET /", "G\\ud800T", 1).into_bytes();
    let at = bytes.windows(9).position(|window| window == b"\"name\":\"x").unwrap();
    bytes[at + 8] = 0xff;
    let batches = decode("otlp-json", &bytes);
    let spans = &batches[0].spans;
    assert_eq!((spans.name.get(0), spans.name.get(1)), (Some("G\u{fffd}T"), Some("\u{fffd}")));
    assert!(spans.marks.iter().all(|marks| marks & Mark::TextReplaced.bit() != 0));
}

fn nested_json(levels: usize) -> String {
    let open = r#"{"arrayValue":{"values":["#.repeat(levels);
    let value = format!("{open}{}", "]}}".repeat(levels));
    GOOD.replacen(r#"{"intValue":"1"}"#, &value, 1)
}

fn nested_proto(levels: usize) -> Vec<u8> {
    let mut value = vec![0x18, 0x01];
    let length = |len: usize| {
        let mut bytes = Vec::new();
        let mut rest = len;
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    };
    // Built from the inside; kept short by building each level's header only, innermost last.
    let mut headers = Vec::new();
    let mut len = value.len();
    for _ in 0..levels {
        let element = [vec![0x0a], length(len)].concat();
        len += element.len();
        let array = [vec![0x2a], length(len)].concat();
        len += array.len();
        headers.push([array, element].concat());
    }
    let mut bytes: Vec<u8> = headers.into_iter().rev().flatten().collect();
    bytes.append(&mut value);
    for tag in [0x12, 0x4a, 0x12, 0x12, 0x0a] {
        bytes = [vec![tag], length(bytes.len()), bytes].concat();
    }
    bytes
}

#[test]
fn deep_nesting_is_cut_on_a_small_stack() {
    let work = || {
        for levels in [1, 99, 100, 101, 1_000, 200_000] {
            for batches in
                [decode("otlp-json", nested_json(levels).as_bytes()), decode("otlp-proto", &nested_proto(levels))]
            {
                assert_eq!(num_rejects(&batches), 0, "{levels}");
                let is_cut = batches[0].spans.marks[0] & Mark::DepthCut.bit() != 0;
                assert_eq!(is_cut, levels > 100, "{levels}");
            }
        }
        let open = "{\"a\":[".repeat(200_000);
        assert!(num_rejects(&decode("otlp-json", format!("{{\"resourceSpans\":{open}").as_bytes())) > 0);
    };
    thread::Builder::new().stack_size(256 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn long_values_are_cut_and_marked() {
    let long = GOOD.replacen(r#"{"intValue":"1"}"#, &format!(r#"{{"stringValue":"{}"}}"#, "é".repeat(200_000)), 1);
    let batches = decode("otlp-json", long.as_bytes());
    let attributes = batches[0].spans.attributes.get(0).unwrap();
    assert!(attributes.len() < 270_000 && attributes.ends_with("é…\"}"), "{}", attributes.len());
    assert!(batches[0].spans.marks[0] & Mark::ValueCut.bit() != 0);
}

#[test]
fn protobuf_keeps_what_stands_around_a_bad_record() {
    let good = good_proto();
    // The wire type of the first span's kind becomes a group, which no record has.
    let kind = good.windows(2).position(|window| window == [0x30, 0x02]).unwrap();
    let mut bad = good.clone();
    bad[kind] = 0x33;
    let batches = decode("otlp-proto-framed", &[bad, good].concat());
    assert_eq!((num_spans(&batches), num_rejects(&batches)), (3, 1), "{:?}", reasons(&batches));
    let reject = &batches.iter().find_map(|batch| batch.rejects.kept.first()).unwrap();
    assert!(reject.reason.starts_with("group"), "{}", reject.reason);
    assert!(reject.offset > 0 && (reject.offset as usize) < kind);
}
