//! What is read from real logs, and what becomes of broken ones.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::batch::Batch;
use crate::format::{self, Opening, Settings, Window};
use crate::format::{End, Format};
use crate::marks::Mark;
use crate::read::tests::{conventions, options, read_events};
use crate::read::{Event, Input, Limits, NoHistory};

mod broken;
mod lines;

pub(crate) fn settings() -> Settings {
    Settings { conventions: conventions(), limits: Limits::default(), patterns: Arc::default() }
}

/// 2026-11-21 03:00:00 UTC.
const WRITTEN_NS: i64 = 1_795_230_000_000_000_000;

pub(crate) fn opening(bytes: &[u8]) -> Opening {
    Opening { head: bytes[..bytes.len().min(64 << 10)].into(), path: None, written_ns: WRITTEN_NS }
}

/// Decodes bytes of which so many more are shown at a time.
pub(crate) fn decode(format: &str, bytes: &[u8], step: usize) -> Vec<Batch> {
    let mut decoder = format::by_name(format).unwrap().decoder(&settings(), &opening(bytes));
    let (mut from, mut to, mut batches) = (0, bytes.len().min(step), Vec::new());
    loop {
        let end = if to == bytes.len() { End::Last } else { End::More };
        let window = Window { bytes: &bytes[from..to], offset: from as u64, line: 1, line_offset: 0, end };
        from += decoder.decode(&window);
        batches.extend(decoder.take(from == bytes.len()));
        if from == bytes.len() {
            return batches;
        }
        to = bytes.len().min(to.saturating_add(step));
    }
}

/// The folder of real captures, where there is one.
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let places = [std::env::var("RIFTLINE_SHARED_DATA").unwrap_or_default(), beside.to_owned()];
    let found = places.iter().map(PathBuf::from).find(|place| place.join("logs").is_dir());
    if found.is_none() {
        eprintln!("skipped: no real captures (set RIFTLINE_SHARED_DATA)");
    }
    found
}

pub(crate) fn unpacked(path: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

fn sum(batches: &[Batch], of: impl Fn(&Batch) -> usize) -> usize {
    batches.iter().map(of).sum()
}

fn num_set(ids: &[u64]) -> usize {
    ids.iter().filter(|id| **id != 0).count()
}

/// What a file should give: format, records, records with a trace, with a span, with a severity.
type Facts = (&'static str, usize, usize, usize, usize);

fn facts(bytes: &[u8]) -> Facts {
    let head = &bytes[..bytes.len().min(64 << 10)];
    let Some(found) = format::recognise(head, head.len() == bytes.len(), &settings()) else {
        return ("unknown", 0, 0, 0, 0);
    };
    let batches = decode(found.name(), bytes, usize::MAX);
    let rejects: Vec<_> = batches.iter().flat_map(|batch| &batch.rejects.kept).collect();
    assert!(rejects.is_empty(), "{rejects:?}");
    (
        found.name(),
        sum(&batches, |batch| batch.logs.len()),
        sum(&batches, |batch| num_set(&batch.logs.trace_lo)),
        sum(&batches, |batch| num_set(&batch.logs.span_id)),
        sum(&batches, |batch| batch.logs.severity.iter().filter(|severity| **severity != 0).count()),
    )
}

const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../sample-traces/logs");

#[test]
fn every_recorded_logger_is_read() {
    let expected: [(&str, Facts); 32] = [
        ("go-klog", ("klog", 4, 2, 1, 4)),
        ("go-logrus-color", ("log-text", 3, 3, 3, 3)),
        ("go-logrus-json", ("log-json", 3, 3, 3, 3)),
        ("go-logrus-text", ("logfmt", 3, 3, 3, 3)),
        ("go-slog-json", ("log-json", 3, 3, 3, 3)),
        ("go-slog-text", ("logfmt", 3, 3, 3, 3)),
        ("go-zap-console", ("log-text", 3, 3, 3, 3)),
        ("go-zap-json", ("log-json", 3, 3, 3, 3)),
        ("go-zerolog", ("log-json", 3, 3, 3, 3)),
        ("go-zerolog-console", ("log-text", 3, 3, 3, 3)),
        ("java-log4j2", ("log-text", 3, 3, 3, 3)),
        ("java-log4j2-json", ("log-json", 3, 3, 3, 3)),
        ("java-logback", ("log-text", 3, 3, 3, 3)),
        ("java-logback-json", ("log-json", 3, 3, 3, 3)),
        ("java-spring", ("log-text", 3, 3, 3, 3)),
        ("nginx-combined", ("access-log", 4, 0, 0, 0)),
        ("nginx-error", ("log-text", 2, 0, 0, 2)),
        ("nginx-fields", ("access-log", 4, 4, 4, 0)),
        ("nginx-json", ("log-json", 4, 4, 4, 0)),
        ("node-bunyan", ("log-json", 3, 3, 3, 3)),
        ("node-pino", ("log-json", 3, 3, 3, 3)),
        ("node-winston", ("log-json", 4, 4, 4, 4)),
        ("python-basic", ("log-text", 3, 1, 0, 3)),
        ("python-dashes", ("log-text", 3, 1, 0, 3)),
        ("python-json", ("log-json", 3, 3, 3, 3)),
        ("python-otel", ("log-text", 3, 3, 3, 3)),
        ("python-plain-date", ("log-pattern", 3, 3, 0, 3)),
        ("python-structlog", ("log-json", 3, 3, 3, 3)),
        ("python-text", ("log-text", 3, 1, 0, 3)),
        ("python-structlog-logfmt", ("logfmt", 3, 3, 3, 3)),
        ("syslog-rfc3164", ("syslog", 3, 3, 0, 3)),
        ("syslog-rfc5424", ("syslog", 3, 3, 0, 3)),
    ];
    for (name, facts_of_it) in expected {
        let bytes = std::fs::read(format!("{LOGS}/{name}.log")).unwrap();
        assert_eq!(facts(&bytes), facts_of_it, "{name}");
    }
}

#[test]
fn ids_in_another_form_keep_it() {
    let line = r#"{"time":"2026-11-20T12:31:18Z","msg":"x","dd.trace_id":11803532876627986230,"dd.span_id":67667974448284343}"#;
    let batches = decode("log-json", line.as_bytes(), usize::MAX);
    let logs = &batches[0].logs;
    assert_eq!(logs.marks[0], Mark::IdConverted.bit());
    assert_eq!(logs.original.get(0), Some(r#"{"span_id":"67667974448284343","trace_id":"11803532876627986230"}"#));
}

#[test]
fn lines_without_a_time_are_kept_at_the_place_where_they_stand() {
    let text = "banner\n2026-11-20 12:31:18 INFO a\n  at x\n2026-11-20 12:31:19 INFO b\n";
    let batches = decode("log-text", text.as_bytes(), usize::MAX);
    let bodies: Vec<_> = (0..3).map(|row| batches[0].logs.body.get(row).unwrap()).collect();
    assert_eq!(bodies, ["banner", "a\n  at x", "b"]);
    assert_eq!(batches[0].logs.marks, [Mark::TimeMissing.bit(), 0, 0]);
    assert_eq!(batches[0].logs.time_ns[0], batches[0].logs.time_ns[1]);
    let text = "{\"time\":\"2026-11-20T12:31:18Z\",\"msg\":\"a\"}\npanic: x\n\ngoroutine 1\n{\"time\":\"2026-11-20T12:31:19Z\",\"msg\":\"b\"}\n{\"time\":\"2026-\n";
    let batches = decode("log-json", text.as_bytes(), usize::MAX);
    let bodies: Vec<_> = (0..3).map(|row| batches[0].logs.body.get(row).unwrap()).collect();
    assert_eq!(bodies, ["a", "panic: x\n\ngoroutine 1", "b"]);
    assert_eq!(batches[0].logs.time_ns[0], batches[0].logs.time_ns[1]);
    let reject = &batches[0].rejects.kept[0];
    assert_eq!((reject.line, reject.column, reject.reason.as_str()), (6, 15, "input ends"));
}

#[test]
fn what_is_no_log_is_refused() {
    let files = [
        "Cargo.toml",
        "README.md",
        "ingest/log/tests.rs",
        "ingest/log.rs",
        "docs/cli.md",
        "sample-traces/formats/otlp.jsonl",
        "sample-traces/formats/otlp.pb",
        "sample-traces/shop-healthy/manifest.toml",
        "sample-traces/shop/record.py",
        "Cargo.lock",
    ];
    let formats = format::FORMATS.iter().filter(|format| LOG_FORMATS.contains(&format.name()));
    for format in formats {
        for file in files {
            let bytes = std::fs::read(format!("{}/../{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            assert!(
                !format.recognises_with(&bytes[..bytes.len().min(64 << 10)], true, &settings()),
                "{file} as {}",
                format.name()
            );
        }
        for text in [
            "",
            "\n",
            "a,b,c\n1,2,3\n",
            "time,a\n12:00:01,5\n12:00:02,6\n",
            "{\"a\":1}\n{\"a\":2}\n",
            "{\"time\":12,\"x\":1}\n",
            "12:00:00 tcp 1 2\n12:00:01 tcp 3 4\n",
            "a=1\nb=2\n",
            "\0\0\0",
            "INFO\n",
            "{\"type\": \"map\", \"data\": {\"@\": 1}}\n",
        ] {
            assert!(!format.recognises_with(text.as_bytes(), true, &settings()), "{text:?} as {}", format.name());
        }
    }
}

#[test]
fn objects_of_several_lines_are_records() {
    let object = |order: u32| {
        format!(
            "{{\n  \"instant\" : {{\n    \"epochSecond\" : 1795177878\n  }},\n  \"level\" : \"INFO\",\n  \"message\" : \"order {order}\"\n}}\n"
        )
    };
    let text = [object(1), object(2), "{\"level\":\n".to_owned(), object(3)].concat();
    assert_eq!(format::recognise(text.as_bytes(), true, &settings()).map(Format::name), Some("log-json"));
    for step in [1, 30, usize::MAX] {
        let batches = decode("log-json", text.as_bytes(), step);
        let counts = (sum(&batches, |batch| batch.logs.len()), sum(&batches, |batch| batch.rejects.count as usize));
        assert_eq!(counts, (3, 1), "steps of {step}");
    }
}

const LOG_FORMATS: [&str; 7] = ["log-pattern", "log-json", "klog", "syslog", "access-log", "logfmt", "log-text"];

fn samples() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    LOG_FORMATS.iter().map(|name| (*name, format::by_name(name).unwrap().sample()))
}

#[test]
fn samples_are_recognised_as_what_they_are() {
    for (name, sample) in samples() {
        assert_eq!(format::recognise(sample, true, &settings()).map(Format::name), Some(name));
        let batches = decode(name, sample, usize::MAX);
        assert!(sum(&batches, |batch| batch.logs.len()) > 2 && batches[0].rejects.count == 0, "{name}");
    }
}

#[test]
fn real_logs_are_read() {
    let Some(folder) = shared() else { return };
    let expected: [(&str, Facts); 17] = [
        ("go-klog", ("klog", 1841, 1841, 825, 1841)),
        ("go-logrus-color", ("log-text", 1291, 1291, 1291, 1291)),
        ("go-logrus-json", ("log-json", 1291, 1291, 1291, 1291)),
        ("go-logrus-text", ("logfmt", 1291, 1291, 1291, 1291)),
        ("go-slog-json", ("log-json", 2582, 2582, 2582, 2582)),
        ("go-slog-text", ("logfmt", 1291, 1291, 1291, 1291)),
        ("go-zap-console", ("log-text", 1291, 1291, 1291, 1291)),
        ("go-zap-json", ("log-json", 1291, 1291, 1291, 1291)),
        ("java-log4j2", ("log-text", 1291, 1291, 1291, 1291)),
        ("java-logback", ("log-text", 1549, 1549, 1549, 1549)),
        ("java-spring-boot-style", ("log-text", 1549, 1549, 1549, 1549)),
        ("nginx-combined", ("access-log", 250, 0, 0, 0)),
        ("nginx-error", ("log-text", 132, 0, 0, 132)),
        ("nginx-json", ("log-json", 250, 130, 0, 0)),
        ("nginx-trace", ("access-log", 250, 130, 0, 0)),
        ("syslog-rfc3164", ("syslog", 200, 200, 200, 200)),
        ("syslog-rfc5424", ("syslog", 200, 200, 200, 200)),
    ];
    for (name, facts_of_it) in expected {
        assert_eq!(facts(&unpacked(&folder.join(format!("logs/{name}.log.gz")))), facts_of_it, "{name}");
    }
    let batches = decode("log-text", &unpacked(&folder.join("logs/java-logback.log.gz")), usize::MAX);
    let traces = (0..batches[0].logs.len())
        .filter(|&row| batches[0].logs.body.get(row).is_some_and(|body| body.contains("\nCaused by: ")));
    assert_eq!(traces.count(), 275, "stack traces belong to their records");
}

#[test]
fn logs_of_the_shop_name_traces_that_exist() {
    let Some(folder) = shared() else { return };
    let path = folder.join("shop/errors/service-logs.tar.gz").display().to_string();
    let mut found = Vec::new();
    let mut name = String::new();
    for event in read_events(&[Input::Path(path)], &options(2), &NoHistory) {
        match event {
            Event::Opened(info) => {
                name = info.name.rsplit('/').next().unwrap().to_owned();
                found.push((name.clone(), info.format, 0, 0, String::new()));
            }
            Event::Batch(batch) => {
                let last = found.last_mut().unwrap();
                assert_eq!(batch.rejects.count, 0, "{name}");
                last.2 += batch.logs.len();
                last.3 += num_set(&batch.logs.trace_lo);
                last.4 = batch.resources.first().map_or(String::new(), |resource| resource.service.clone());
            }
            _ => {}
        }
    }
    found.retain(|(name, ..)| !name.ends_with("stdout"));
    found.sort();
    let facts: Vec<_> = found
        .iter()
        .map(|(name, format, rows, traced, service)| (name.as_str(), *format, *rows, *traced, service.as_str()))
        .collect();
    let expected = [
        ("gateway.log", "log-json", 505, 505, "gateway"),
        ("inventory.log", "logfmt", 212, 212, "inventory"),
        ("orders.log", "log-text", 730, 730, "orders"),
        ("payments.log", "log-json", 165, 165, "payments"),
        ("shipping.log", "log-json", 222, 222, "shipping"),
    ];
    assert_eq!(facts, expected);
}
