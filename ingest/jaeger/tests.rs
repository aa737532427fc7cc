//! Jaeger's formats against real captures, and broken.

use super::*;
use crate::batch::Batch;
use crate::marks::Mark;
use crate::otlp::tests::{assert_valid_json, decode, decode_windows, rows};
use crate::zipkin::tests::{captures, num_rejects, settings};

const SAMPLE: &[u8] = include_bytes!("../../sample-traces/formats/jaeger.json");
const THRIFT: &[u8] = include_bytes!("../../sample-traces/formats/jaeger.thrift");
const STOCK: &[u8] = include_bytes!("../../sample-traces/jaeger-zipkin/jaeger-stock.thrift");

/// Everything of a span that both JSON and Thrift tell, sorted.
fn facts(batches: &[Batch]) -> Vec<String> {
    let mut facts = Vec::new();
    for batch in batches {
        let spans = &batch.spans;
        for row in 0..spans.len() {
            let ids = [spans.trace_hi[row], spans.trace_lo[row], spans.span_id[row], spans.parent_span_id[row]];
            let numbers = (spans.start_ns[row], spans.duration_ns[row], spans.kind[row], spans.status[row]);
            // Jaeger sorts the fields of logs.
            let events: serde_json::Value = serde_json::from_str(spans.events.get(row).unwrap_or("null")).unwrap();
            let texts = [spans.name.get(row).unwrap(), &events.to_string(), spans.links.get(row).unwrap_or_default()];
            let resource = &batch.resources[spans.resource[row] as usize];
            facts.push(format!("{ids:x?} {numbers:?} {texts:?} {}", resource.service));
        }
    }
    facts.sort();
    facts
}

#[test]
fn json_and_thrift_of_the_same_spans_agree() {
    let json = decode("jaeger-json", SAMPLE);
    let thrift = [decode("jaeger-thrift", THRIFT), decode("jaeger-thrift", STOCK)].concat_batches();
    assert_eq!((num_rejects(&json), num_rejects(&thrift)), (0, 0));
    assert_valid_json(&json);
    assert_valid_json(&thrift);
    assert_eq!(facts(&json).len(), 8);
    assert_eq!(facts(&json), facts(&thrift));
    let services: Vec<&str> = json[0].resources.iter().map(|resource| resource.service.as_str()).collect();
    assert_eq!(services, ["shop", "stock"]);
    assert!(json[0].resources[0].attributes.contains(r#""shop.version":"1.4.2""#), "{:?}", json[0].resources);
    let row = (0..8).find(|&row| json[0].spans.name.get(row) == Some("order")).unwrap();
    let attributes = json[0].spans.attributes.get(row).unwrap();
    assert!(attributes.contains(r#""order.total":12.5,"order.gift":true"#), "{attributes}");
}

trait Concat {
    fn concat_batches(self) -> Vec<Batch>;
}

impl<const N: usize> Concat for [Vec<Batch>; N] {
    fn concat_batches(self) -> Vec<Batch> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn jaegers_own_conversion_from_otlp_is_taken_back() {
    let folder = "public/jaeger-fixtures/cmd/jaeger/internal/extension/jaegerquery/internal/fixture";
    let Some(folder) = captures(folder) else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (jaeger, otlp) = (read("otlp2jaeger-out.json"), read("otlp2jaeger-in.json"));
    assert!(JaegerJson.recognises(&jaeger, true) && !JaegerJson.recognises(&otlp, true));
    let (jaeger, otlp) = (decode("jaeger-json", &jaeger), decode("otlp-json", &otlp));
    assert_eq!((num_rejects(&jaeger), jaeger[0].spans.len()), (0, 2));
    let micros = |fact: &(u64, u64, u64, u64, i64, i64, u8)| {
        (fact.0, fact.1, fact.2, fact.3, fact.4 / 1000, fact.5 / 1000, fact.6)
    };
    let fact = |batches: &[Batch], row: usize| {
        let spans = &batches[0].spans;
        let times = (spans.start_ns[row], spans.duration_ns[row]);
        (
            spans.trace_hi[row],
            spans.trace_lo[row],
            spans.span_id[row],
            spans.parent_span_id[row],
            times.0,
            times.1,
            spans.kind[row],
        )
    };
    assert_eq!(micros(&fact(&jaeger, 0)), micros(&fact(&otlp, 0)));
    assert_eq!(jaeger[0].spans.name.get(0), otlp[0].spans.name.get(0));
    assert_eq!(jaeger[0].resources[0].service, otlp[0].resources[0].service);
    assert_eq!(jaeger[0].scopes[0].name, otlp[0].scopes[0].name);
}

#[test]
fn the_fixtures_are_read() {
    let Some(folder) = captures("public/jaeger-fixtures") else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let expected = [
        ("cmd/anonymizer/app/uiconv/fixtures/trace_success.json", 2, 0),
        ("cmd/anonymizer/app/uiconv/fixtures/trace_invalid_json.json", 0, 1),
        ("cmd/anonymizer/app/uiconv/fixtures/trace_wrong_format.json", 1, 0),
        ("internal/converter/thrift/jaeger/fixtures/domain_01.json", 1, 0),
        ("internal/converter/thrift/jaeger/fixtures/domain_02.json", 2, 0),
        ("internal/converter/thrift/jaeger/fixtures/domain_03.json", 2, 0),
        ("internal/converter/thrift/jaeger/fixtures/thrift_batch_01.json", 1, 0),
    ];
    for (name, num_spans, rejects) in expected {
        let bytes = read(name);
        let batches = decode("jaeger-json", &bytes);
        let spans: usize = batches.iter().map(|batch| batch.spans.len()).sum();
        let reasons: Vec<_> = batches.iter().flat_map(|batch| &batch.rejects.kept).collect();
        assert_eq!((spans, num_rejects(&batches)), (num_spans, rejects), "{name}: {reasons:?}");
        assert_valid_json(&batches);
        if rejects == 0 {
            assert!(JaegerJson.recognises(&bytes, true), "{name}");
        }
    }
    // The same span in two dialects.
    let [proto, thrift] = ["domain_01.json", "thrift_batch_01.json"]
        .map(|name| decode("jaeger-json", &read(&format!("internal/converter/thrift/jaeger/fixtures/{name}"))));
    assert_eq!(facts(&proto), facts(&thrift));
    let spans = &proto[0].spans;
    assert_eq!(
        (spans.trace_lo[0], spans.span_id[0], spans.parent_span_id[0]),
        (0x5296_9a89_5557_1a3f, 0x64_7d98, 0x68_c4e3)
    );
    assert_eq!((spans.start_ns[0], spans.duration_ns[0], spans.kind[0]), (1_485_467_191_639_875_000, 22_938_000, 2));
    assert_eq!(proto[0].resources[0].service, "api");
    let attributes = spans.attributes.get(0).unwrap();
    assert!(attributes.contains(r#""peer.port":53931,"someBool":true,"someDouble":129.8"#), "{attributes}");
    let named = decode("jaeger-json", &read("cmd/anonymizer/app/uiconv/fixtures/trace_success.json"));
    assert_eq!(named[0].spans.status, [0, 2]);
    assert_eq!(named[0].resources[1].service, "3c220036602f839e");
}

fn trace(spans: &str, processes: &str) -> String {
    format!(r#"{{"traceID":"ab","spans":[{spans}],"processes":{{{processes}}}}}"#)
}

fn span(id: u32, more: &str) -> String {
    format!(
        r#"{{"traceID":"ab","spanID":"{id:016x}","operationName":"s{id}","startTime":1600000000000000,"duration":5{more}}}"#
    )
}

#[test]
fn references_become_parents_and_links() {
    let reference =
        |kind: &str, trace: &str, id: u32| format!(r#"{{"refType":"{kind}","traceID":"{trace}","spanID":"{id:x}"}}"#);
    let with = |id, all: &[String]| span(id, &format!(r#","references":[{}]"#, all.join(",")));
    let own = "000000000000000000000000000000ab";
    let spans = [
        with(1, &[reference("CHILD_OF", "cd", 9), reference("CHILD_OF", own, 2), reference("CHILD_OF", "ab", 3)]),
        with(2, &[reference("FOLLOWS_FROM", "ab", 3)]),
        with(3, &[reference("FOLLOWS_FROM", "ab", 4), reference("CHILD_OF", "ab", 5)]),
        span(4, r#","parentSpanID":"5""#),
        span(5, r#","references":[],"parentSpanID":"0""#),
    ];
    let batches = decode("jaeger-json", trace(&spans.join(","), "").as_bytes());
    assert_eq!(num_rejects(&batches), 0);
    let spans = &batches[0].spans;
    assert_eq!(spans.parent_span_id, [2, 3, 5, 5, 0]);
    let links: Vec<_> =
        (0..5).map(|row| spans.links.get(row).unwrap_or_default().matches("trace_id").count()).collect();
    assert_eq!(links, [2, 0, 1, 0, 0]);
    assert!(spans.links.get(0).unwrap().contains(r#""attributes":{"opentracing.ref_type":"child_of"}"#));
    assert!(spans.attributes.get(1).unwrap().contains(r#""opentracing.ref_type":"follows_from""#));
    assert_eq!(batches[0].resources[0].service, "unknown_service");
}

#[test]
fn processes_behind_their_spans_are_found_in_any_window() {
    let more = |process: u32| {
        format!(
            r#","processID":"p{process}","flags":3,"warnings":["w"],"tags":[{{"key":"n","type":"int64","value":"7"}},{{"key":"b","type":"bool","value":"true"}},{{"key":"x","type":"binary","value":"AAE="}},{{"key":"w3c.tracestate","type":"string","value":"a=b"}},{{"key":"error","type":"bool","value":true}}]"#
        )
    };
    let spans: Vec<String> = (1..200).map(|id| span(id, &more(id % 3))).collect();
    let processes: Vec<String> = (0..3).map(|id| format!(r#""p{id}":{{"serviceName":"service-{id}"}}"#)).collect();
    let one = trace(&spans.join(","), &processes.join(","));
    let text = format!(r#"{{"data":[{one},{one}],"total":0,"errors":null}}"#);
    let whole = decode("jaeger-json", text.as_bytes());
    assert_eq!(num_rejects(&whole), 0);
    let (spans, services) = (&whole[0].spans, &whole[0].resources);
    assert_eq!((spans.len(), services.len()), (398, 3));
    assert!((0..199).all(|row| services[spans.resource[row] as usize].service == format!("service-{}", (row + 1) % 3)));
    assert_eq!((spans.flags[0], spans.status[0], spans.trace_state.get(0)), (1, 2, Some("a=b")));
    let attributes = r#"{"n":7,"b":true,"x":{"bytes":"AAE="},"jaeger.debug":true,"jaeger.warnings":["w"]}"#;
    assert_eq!(spans.attributes.get(0), Some(attributes));
    assert_eq!(spans.marks[0], Mark::IdConverted.bit());
    let expected = rows(&whole);
    for step in [1, 50, 1_000, 20_000] {
        assert!(rows(&decode_windows("jaeger-json", text.as_bytes(), step)) == expected, "{step}");
    }
    let lines = format!("{one}\n{one}\n");
    assert!(rows(&decode("jaeger-json", lines.as_bytes())) == expected);
    assert_eq!(JaegerJson.cut(lines.as_bytes(), lines.len() - 5), Some(one.len() + 1));
}

#[test]
fn elasticsearch_documents_are_spans() {
    let process =
        r#","process":{"serviceName":"a","tag":{"host@name":"h"}},"tag":{"http@status_code":200,"span@kind":"server"}"#;
    let one = span(1, process);
    let forms = [
        one.clone(),
        format!(r#"{{"_index":"jaeger-span-2024-01-01","_id":"x","_source":{one}}}"#),
        format!(r#"{{"took":1,"hits":{{"total":1,"hits":[{{"_id":"x","_source":{one}}}]}}}}"#),
        format!("[{one}]"),
        format!(
            r#"{{"_source":{}}}"#,
            one.replace(r#""startTime":1600000000000000"#, r#""startTimeMillis":1600000000000"#)
        ),
    ];
    for form in forms {
        assert!(JaegerJson.recognises(form.as_bytes(), true), "{form}");
        let batches = decode("jaeger-json", format!("{form}\n{form}").as_bytes());
        assert_eq!((num_rejects(&batches), batches[0].spans.len()), (0, 2), "{form}");
        let spans = &batches[0].spans;
        assert_eq!((spans.start_ns[1], spans.kind[1]), (1_600_000_000_000_000_000, 2));
        assert_eq!(batches[0].resources[0].attributes, r#"{"service.name":"a","host.name":"h"}"#);
    }
}

#[test]
fn what_is_cut_off_costs_only_itself() {
    for end in 0..SAMPLE.len() {
        let batches = decode("jaeger-json", &SAMPLE[..end]);
        assert!(num_rejects(&batches) <= 4, "{end}");
        let num_whole = String::from_utf8_lossy(&SAMPLE[..end]).matches(r#""warnings":null},{"#).count();
        let spans: usize = batches.iter().map(|batch| batch.spans.len()).sum();
        assert!(spans >= num_whole.min(8), "{end}: {spans} of {num_whole}");
    }
    let one = trace(&span(1, ""), "");
    for at in 1..one.len() {
        let text = format!("{}\n{one}\n{one}\n", &one[..at]);
        let batches = decode("jaeger-json", text.as_bytes());
        let spans: usize = batches.iter().map(|batch| batch.spans.len()).sum();
        assert!(
            spans >= 1 && num_rejects(&batches) >= 1,
            "{at}: {spans} {:?}",
            batches.iter().map(|batch| &batch.rejects).collect::<Vec<_>>()
        );
    }
}

#[test]
fn flipped_bits_never_panic() {
    for (format, sample) in [("jaeger-json", SAMPLE), ("jaeger-thrift", THRIFT)] {
        for at in 0..sample.len() {
            let mut bytes = sample.to_vec();
            bytes[at] ^= 1 << (at % 8);
            assert_valid_json(&decode(format, &bytes));
        }
    }
}

#[test]
fn thrift_is_cut_anywhere() {
    let whole = rows(&decode("jaeger-thrift", THRIFT));
    assert_eq!(whole.len(), 6);
    for end in 1..THRIFT.len() {
        let batches = decode("jaeger-thrift", &THRIFT[..end]);
        assert_eq!(num_rejects(&batches), 1, "{end}");
        assert!(whole.starts_with(&rows(&batches)), "{end}");
    }
    let two = [THRIFT, STOCK].concat();
    assert_eq!(rows(&decode_windows("jaeger-thrift", &two, 100)), rows(&decode("jaeger-thrift", &two)));
    assert_eq!(rows(&decode("jaeger-thrift", &two)).len(), 8);
    let settings = settings();
    assert_eq!(rows(&decode_thrift(&two, &settings)).len(), 8);
}

#[test]
fn recognises_its_own_and_nothing_else() {
    for format in crate::format::FORMATS {
        let [json, thrift] =
            [&JaegerJson as &dyn Format, &JaegerThrift].map(|one| one.recognises(format.sample(), true));
        assert_eq!(
            (json, thrift),
            (format.name() == "jaeger-json", format.name() == "jaeger-thrift"),
            "{}",
            format.name()
        );
        assert_eq!(crate::format::recognise(format.sample(), true, &settings()).map(Format::name), Some(format.name()));
    }
    let is = |text: &str| JaegerJson.recognises(text.as_bytes(), true);
    assert!(is(r#"{"data":[],"total":0,"limit":0,"offset":0,"errors":null}"#));
    assert!(is(r#"{"traceID":"a","spanID":"b","duration":1}"#) && is(&trace(&span(1, ""), "")));
    assert!(!is("[]") && !is("{}") && !is(r#"{"data":[]}"#) && !is(r#"{"spans":[]}"#));
    assert!(!is(r#"{"level":"info","traceID":"a","spanID":"b","duration":1}"#));
    assert!(!is(r#"{"traceId":"a","id":"b","name":"c","duration":1}"#));
}
