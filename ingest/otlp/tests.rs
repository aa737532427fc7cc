//! JSON and protobuf of the same data give the same rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::batch::{Batch, ConventionColumn, Resource, Scope};
use crate::column::{DoubleColumn, IntColumn, TextColumn};
use crate::format::{End, Opening, Settings, Window, by_name};
use crate::read::tests::{conventions, options, read_events};
use crate::read::{Event, Input, Limits, NoHistory};

mod broken;
mod generated;

/// Decodes bytes that hold everything, with the format of that name.
pub(crate) fn decode(format: &str, bytes: &[u8]) -> Vec<Batch> {
    decode_windows(format, bytes, usize::MAX)
}

/// Decodes bytes of which only so many are shown at a time, at first.
pub(crate) fn decode_windows(format: &str, bytes: &[u8], step: usize) -> Vec<Batch> {
    let settings = Settings { conventions: conventions(), limits: Limits::default(), patterns: Arc::default() };
    let mut decoder = by_name(format).unwrap().decoder(&settings, &Opening::default());
    let (mut from, mut to, mut batches) = (0, bytes.len().min(step), Vec::new());
    loop {
        let end = if to == bytes.len() { End::Last } else { End::More };
        let window = Window { bytes: &bytes[from..to], offset: from as u64, line: 1, line_offset: 0, end };
        let len = decoder.decode(&window);
        assert!(len <= to - from, "more than there was");
        from += len;
        batches.extend(decoder.take(from == bytes.len()));
        if from == bytes.len() {
            return batches;
        }
        assert!(end == End::More || len > 0, "no progress at {from}");
        to = bytes.len().min(to.saturating_add(step));
    }
}

fn text(column: &TextColumn, row: usize) -> String {
    column.get(row).map_or("-".to_owned(), |text| format!("{text:?}"))
}

fn int(column: &IntColumn, row: usize) -> String {
    format!("{:?}", column.get(row))
}

fn double(column: &DoubleColumn, row: usize) -> String {
    format!("{:?}", column.get(row))
}

fn origin(batch: &Batch, resource: &[u32], scope: &[u32], row: usize) -> (Resource, Scope) {
    (batch.resources[resource[row] as usize].clone(), batch.scopes[scope[row] as usize].clone())
}

/// Returns every row of the batches as text, with its resource and scope.
pub(crate) fn rows(batches: &[Batch]) -> Vec<String> {
    batches.iter().flat_map(|batch| [span_rows(batch), log_rows(batch), metric_rows(batch)].concat()).collect()
}

fn span_rows(batch: &Batch) -> Vec<String> {
    let spans = &batch.spans;
    let row = |row: usize| {
        let ids = (spans.trace_hi[row], spans.trace_lo[row], spans.span_id[row], spans.parent_span_id[row]);
        let numbers = (spans.start_ns[row], spans.duration_ns[row], spans.kind[row], spans.status[row]);
        let more = (spans.flags[row], spans.marks[row]);
        let texts = [&spans.name, &spans.trace_state, &spans.status_message, &spans.attributes, &spans.events];
        let texts = texts.into_iter().chain([&spans.links, &spans.original]).map(|column| text(column, row));
        let dropped = [&spans.dropped_attributes, &spans.dropped_events, &spans.dropped_links];
        let dropped = dropped.map(|column| int(column, row));
        let columns: Vec<String> = spans.conventions.iter().map(|column| convention(column, row)).collect();
        let aliases = spans.alias_set[row].checked_sub(1).map(|set| &spans.alias_sets[set as usize]);
        let origin = origin(batch, &spans.resource, &spans.scope, row);
        format!(
            "{ids:x?} {numbers:?} {more:?} {:?} {dropped:?} {columns:?} {aliases:?} {origin:?}",
            texts.collect::<Vec<_>>()
        )
    };
    (0..spans.len()).map(row).collect()
}

fn convention(column: &ConventionColumn, row: usize) -> String {
    match column {
        ConventionColumn::Text(column) => text(column, row),
        ConventionColumn::Int(column) => int(column, row),
        ConventionColumn::Double(column) => double(column, row),
        ConventionColumn::Bool(column) => format!("{:?}", column.get(row)),
    }
}

fn log_rows(batch: &Batch) -> Vec<String> {
    let logs = &batch.logs;
    let row = |row: usize| {
        let ids = (logs.trace_hi[row], logs.trace_lo[row], logs.span_id[row]);
        let numbers = (logs.time_ns[row], logs.observed_ns[row], logs.severity[row], logs.flags[row], logs.marks[row]);
        let texts = [&logs.severity_text, &logs.event_name, &logs.body, &logs.attributes, &logs.original];
        let texts = texts.map(|column| text(column, row));
        let more = (logs.body_is_json[row], int(&logs.dropped_attributes, row));
        format!("{ids:x?} {numbers:?} {texts:?} {more:?} {:?}", origin(batch, &logs.resource, &logs.scope, row))
    };
    (0..logs.len()).map(row).collect()
}

fn metric_rows(batch: &Batch) -> Vec<String> {
    let metrics = &batch.metrics;
    let row = |row: usize| {
        let numbers = (metrics.time_ns[row], metrics.start_ns[row], metrics.kind[row], metrics.temporality[row]);
        let more = (metrics.is_monotonic[row], metrics.flags[row], metrics.marks[row]);
        let doubles = [&metrics.value_double, &metrics.sum, &metrics.min, &metrics.max];
        let doubles = doubles.map(|column| double(column, row));
        let ints = [&metrics.value_int, &metrics.count].map(|column| int(column, row));
        let texts = [&metrics.name, &metrics.description, &metrics.unit, &metrics.buckets, &metrics.exemplars];
        let texts = texts.into_iter().chain([&metrics.attributes, &metrics.metadata, &metrics.original]);
        let texts: Vec<String> = texts.map(|column| text(column, row)).collect();
        let origin = origin(batch, &metrics.resource, &metrics.scope, row);
        format!("{numbers:?} {more:?} {doubles:?} {ints:?} {texts:?} {origin:?}")
    };
    (0..metrics.len()).map(row).collect()
}

/// Asserts that everything that is to be JSON is.
pub(crate) fn assert_valid_json(batches: &[Batch]) {
    for batch in batches {
        let (spans, logs, metrics) = (&batch.spans, &batch.logs, &batch.metrics);
        let columns =
            [&spans.attributes, &spans.events, &spans.links, &spans.original, &logs.attributes, &logs.original];
        let metric_columns =
            [&metrics.buckets, &metrics.exemplars, &metrics.attributes, &metrics.metadata, &metrics.original];
        for column in columns.into_iter().chain(metric_columns) {
            (0..column.len()).filter_map(|row| column.get(row)).for_each(assert_json);
        }
        batch.resources.iter().for_each(|resource| assert_json(&resource.attributes));
        batch.scopes.iter().for_each(|scope| assert_json(&scope.attributes));
        for row in (0..logs.len()).filter(|&row| logs.body_is_json[row]) {
            assert_json(logs.body.get(row).unwrap());
        }
    }
}

fn assert_json(text: &str) {
    let read = serde_json::from_str::<serde_json::Value>(text);
    assert!(read.is_ok() || text.matches('[').count() + text.matches('{').count() > 100, "{read:?}: {text}");
}

/// Returns the folder of shared recordings, where there is one.
fn shared_data() -> Option<PathBuf> {
    let given = std::env::var_os("RIFTLINE_SHARED_DATA").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no recordings in {}", folder.display());
    None
}

fn read_rows(path: &Path) -> Vec<String> {
    let input = [Input::Path(path.to_string_lossy().into_owned())];
    let mut batches = Vec::new();
    for event in read_events(&input, &options(2), &NoHistory) {
        match event {
            Event::Batch(batch) => batches.push(*batch),
            Event::Failed { name, error } => panic!("{name}: {error}"),
            Event::Closed(end) => assert_eq!(end.stopped, None, "{}", path.display()),
            _ => {}
        }
    }
    assert_eq!(batches.iter().map(|batch| batch.rejects.count).sum::<u64>(), 0, "{}", path.display());
    assert_valid_json(&batches);
    rows(&batches)
}

#[test]
fn recordings_are_the_same_in_every_form() {
    let Some(folder) = shared_data().map(|folder| folder.join("shop/healthy")) else { return };
    for signal in ["traces", "logs", "metrics"] {
        let [lines, delimited, framed] =
            ["jsonl.gz", "delim.pb", "u32be.pb"].map(|form| read_rows(&folder.join(format!("{signal}.{form}"))));
        assert!(!lines.is_empty(), "{signal}");
        for (row, (json, proto)) in lines.iter().zip(&delimited).enumerate() {
            assert_eq!(json, proto, "{signal} row {row}");
        }
        assert_eq!((lines.len(), &delimited), (delimited.len(), &framed), "{signal}");
    }
}

#[test]
fn single_requests_are_the_same_as_framed_ones() {
    let Some(folder) = shared_data().map(|folder| folder.join("shop/healthy")) else { return };
    let all = |signal: &str| {
        let mut rows = read_rows(&folder.join(format!("raw/{signal}-*.pb")));
        rows.sort();
        rows
    };
    for signal in ["logs", "metrics"] {
        let mut framed = read_rows(&folder.join(format!("{signal}.delim.pb")));
        framed.sort();
        let single = all(signal);
        assert!(!single.is_empty() && single.iter().all(|row| framed.binary_search(row).is_ok()), "{signal}");
    }
}
