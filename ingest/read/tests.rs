//! Whole readings, from a file to its batches.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::batch::ConventionColumn;
use crate::convention::{Convention, ValueType};

mod follow;
mod sources;

/// A few conventions, as `semconv.toml` would give them.
pub(crate) fn conventions() -> Arc<Conventions> {
    let convention = |key: &str, value, aliases: &[&str]| Convention {
        key: key.to_owned(),
        column: key.replace('.', "_"),
        value,
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        on_spans: true,
    };
    Arc::new(Conventions::new(vec![
        convention("http.request.method", ValueType::Text, &["http.method"]),
        convention("http.response.status_code", ValueType::Int, &["http.status_code"]),
        convention("url.path", ValueType::Text, &[]),
        convention("server.address", ValueType::Text, &["net.peer.name"]),
        convention("thread.id", ValueType::Int, &[]),
        convention("user_agent.original", ValueType::Text, &[]),
    ]))
}

pub(crate) fn options(num_threads: usize) -> ReadOptions {
    ReadOptions {
        conventions: conventions(),
        format: None,
        num_threads,
        limits: Limits::default(),
        patterns: Arc::default(),
    }
}

/// Reads one input and returns everything that was reported, without progress.
pub(crate) fn read_events(inputs: &[Input], options: &ReadOptions, history: &dyn History) -> Vec<Event> {
    let mut events = Vec::new();
    read(inputs, options, history, &mut |event| {
        if !matches!(event, Event::Progress(_)) {
            events.push(event);
        }
        ControlFlow::Continue(())
    });
    events
}

fn path_input(path: &Path) -> [Input; 1] {
    [Input::Path(path.to_string_lossy().into_owned())]
}

fn batches(events: Vec<Event>) -> Vec<Batch> {
    let batch = |event| if let Event::Batch(batch) = event { Some(*batch) } else { None };
    events.into_iter().filter_map(batch).collect()
}

fn request(number: usize) -> String {
    format!(
        concat!(
            r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"#,
            r#""scopeSpans":[{{"scope":{{"name":"tests"}},"spans":[{{"traceId":"{0:032x}","spanId":"{0:016x}","name":"GET /","kind":2,"#,
            r#""startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000{1:03}","#,
            r#""attributes":[{{"key":"http.method","value":{{"stringValue":"GET"}}}},{{"key":"order","value":{{"intValue":"{0}"}}}}]}}]}}]}}]}}"#
        ),
        number + 1,
        number % 1000,
    )
}

#[test]
fn reads_lines_in_order_on_several_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans");
    let lines: String = (0..20_000).map(|number| request(number) + "\n").collect();
    fs::write(&path, &lines).unwrap();
    let events = read_events(&path_input(&path), &options(3), &NoHistory);
    let Some(Event::Opened(info)) = events.first() else { panic!("{:?}", events.first()) };
    assert_eq!((info.format, info.container.as_str(), info.size), ("otlp-json", "", Some(lines.len() as u64)));
    let end = SourceEnd { bytes: lines.len() as u64, skipped_bytes: 0, stopped: None };
    assert!(matches!(events.last(), Some(Event::Closed(closed)) if *closed == end));
    let batches = batches(events);
    let ids: Vec<u64> = batches.iter().flat_map(|batch| batch.spans.span_id.clone()).collect();
    assert_eq!(ids, (1..=20_000).collect::<Vec<u64>>());
    assert!(batches.windows(2).all(|pair| pair[0].to_offset == pair[1].from_offset));
    assert_eq!(batches.last().unwrap().to_offset, lines.len() as u64);
    assert_eq!(batches.last().unwrap().prefix_hash, xxhash_rust::xxh3::xxh3_64(lines.as_bytes()));
    assert!(batches.iter().all(|batch| batch.rejects.count == 0));
}

#[test]
fn fills_the_columns_of_a_span() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans");
    writeln!(fs::File::create(&path).unwrap(), "{}", request(6)).unwrap();
    let batches = batches(read_events(&path_input(&path), &options(1), &NoHistory));
    let batch = &batches[0];
    let spans = &batch.spans;
    assert_eq!((spans.trace_lo[0], spans.kind[0], spans.duration_ns[0], spans.marks[0]), (7, 2, 6, 0));
    assert_eq!(spans.name.get(0), Some("GET /"));
    assert_eq!(spans.attributes.get(0), Some(r#"{"order":7}"#));
    let ConventionColumn::Text(methods) = &spans.conventions[0] else { panic!() };
    assert_eq!(methods.get(0), Some("GET"));
    assert_eq!(spans.alias_sets[spans.alias_set[0] as usize - 1], [(0, 1)]);
    assert_eq!(batch.resources[spans.resource[0] as usize].service, "shop");
    assert_eq!(batch.resources[0].attributes, r#"{"service.name":"shop"}"#);
    assert_eq!(batch.scopes[spans.scope[0] as usize].name, "tests");
}
