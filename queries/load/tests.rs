use std::fs;
use std::path::Path;
use std::sync::Arc;

use riftline_ingest::read::Limits;
use serde_json::json;

use super::*;
use crate::cancel::Cancel;

/// One request a line, each with one trace of two spans.
fn write_requests(path: &Path, num_requests: u64) {
    let lines: Vec<String> = (0..num_requests)
        .map(|number| {
            let span = |id: u64, parent: &str| {
                json!({
                    "traceId": format!("{number:032x}"), "spanId": format!("{id:016x}"), "parentSpanId": parent,
                    "name": "GET /", "kind": 2,
                    "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000001000",
                    "attributes": [{ "key": "http.request.method", "value": { "stringValue": "GET" } }],
                })
            };
            let spans = [span(number * 2 + 1, ""), span(number * 2 + 2, &format!("{:016x}", number * 2 + 1))];
            let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "cart" } }] });
            let scopes = [json!({ "scope": { "name": "test" }, "spans": spans })];
            json!({ "resourceSpans": [{ "resource": resource, "scopeSpans": scopes }] }).to_string()
        })
        .collect();
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn options(store: &Store, live: bool) -> LoadOptions {
    let conventions = store.conventions();
    let read =
        ReadOptions { conventions, format: None, num_threads: 2, limits: Limits::default(), patterns: Arc::default() };
    LoadOptions { read, settle: true, live }
}

fn load_file(store: &Store, path: &Path, live: bool) -> (LoadSummary, Vec<LoadEvent>) {
    let mut events = Vec::new();
    let inputs = [Input::Path(path.display().to_string())];
    let summary = load(store, &inputs, &options(store, live), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    (summary.unwrap(), events)
}

fn num_committed(events: &[LoadEvent]) -> u64 {
    let spans = events.iter().map(|event| if let LoadEvent::Committed { spans, .. } = event { *spans } else { 0 });
    spans.sum()
}

#[test]
fn a_file_is_read_once_however_often_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    write_requests(&path, 3_000);
    let store = Store::temporary().unwrap();
    let (summary, events) = load_file(&store, &path, false);
    assert_eq!((summary.sources.len(), summary.sources[0].spans, num_committed(&events)), (1, 6_000, 6_000));
    assert!(summary.settle_seconds.is_some() && events.contains(&LoadEvent::Settled));
    let (again, events) = load_file(&store, &path, false);
    assert_eq!((again.sources[0].spans, num_committed(&events)), (0, 0));
    assert_eq!(again.sources[0].skipped_bytes, fs::metadata(&path).unwrap().len());
    let counts = store.counts().unwrap();
    assert_eq!((counts.spans, counts.traces), (6_000, 3_000));
}

#[test]
fn a_file_that_grew_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let store = Store::temporary().unwrap();
    write_requests(&path, 1_000);
    load_file(&store, &path, false);
    write_requests(&path, 1_500);
    let (summary, _) = load_file(&store, &path, false);
    assert_eq!(summary.sources[0].spans, 1_000);
    let counts = store.counts().unwrap();
    assert_eq!((counts.spans, counts.traces), (3_000, 1_500));
    let sources = crate::store::tests::support::count(&store, "SELECT count(*) FROM sources WHERE is_complete");
    assert_eq!(sources, 1);
}

#[test]
fn who_watches_gets_the_first_rows_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    write_requests(&path, 5_000);
    let store = Store::temporary().unwrap();
    let (_, events) = load_file(&store, &path, true);
    let commits: Vec<u64> = events
        .iter()
        .filter_map(|event| if let LoadEvent::Committed { spans, .. } = event { Some(*spans) } else { None })
        .collect();
    assert!(commits.len() > 1 && commits[0] < 5_000, "{commits:?}");
    let first = events.iter().position(|event| matches!(event, LoadEvent::Committed { .. })).unwrap();
    let next = events[first + 1..].iter().find(|event| !matches!(event, LoadEvent::Progress(_)));
    assert_eq!(next, Some(&LoadEvent::Settled));
}

#[test]
fn who_stops_keeps_what_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    write_requests(&path, 20_000);
    let store = Store::temporary().unwrap();
    let inputs = [Input::Path(path.display().to_string())];
    let mut num_reported = 0;
    load(&store, &inputs, &options(&store, true), &mut |event| {
        num_reported += usize::from(matches!(event, LoadEvent::Committed { .. }));
        if num_reported > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })
    .unwrap();
    assert_eq!(num_reported, 1);
    let kept = store.counts().unwrap().spans;
    assert!(kept > 0 && kept <= 40_000);
    load_file(&store, &path, false);
    store.settle_if_needed(&Cancel::default()).unwrap();
    assert_eq!(store.counts().unwrap().spans, 40_000);
}

#[test]
fn missing_and_unreadable_inputs_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    write_requests(&path, 1);
    let store = Store::temporary().unwrap();
    let missing = folder.path().join("no-such-file.jsonl");
    let inputs = [Input::Path(missing.display().to_string()), Input::Path(path.display().to_string())];
    let summary = load(&store, &inputs, &options(&store, false), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(summary.failed.len(), 1);
    assert_eq!(store.counts().unwrap().spans, 2);
}
