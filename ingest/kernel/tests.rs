//! What the tests of these formats share, and what must hold of each of them.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::batch::Batch;
use crate::event::{ClassBatch, FieldValues};
use crate::format::{self, End, Format, Opening, Settings, Window};
use crate::read::Limits;
use crate::read::tests::conventions;

mod clocks;
mod printed;
mod samples;
mod shared;

/// A moment after every recording.
pub(crate) const WRITTEN_NS: i64 = 1_795_242_612_000_000_000;

fn settings() -> Settings {
    Settings { conventions: conventions(), limits: Limits::default(), patterns: Arc::default() }
}

/// Returns the name of the format that recognises a stream.
pub(crate) fn recognised(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(64 << 10)];
    format::recognise(head, head.len() == bytes.len(), &settings()).map(Format::name)
}

/// Decodes a whole stream, of which `step` more bytes are shown at a time.
pub(crate) fn decode(format: &str, path: Option<&Path>, bytes: &[u8], step: usize) -> Vec<Batch> {
    let settings = settings();
    let head = bytes[..bytes.len().min(64 << 10)].to_vec().into();
    let opening = Opening { head, path: path.map(Path::to_path_buf), written_ns: WRITTEN_NS };
    let format = format::by_name(format).unwrap();
    let mut decoder = format.decoder(&settings, &opening);
    let (mut from, mut to, mut line, mut batches) = (0, bytes.len().min(step), 1, Vec::new());
    loop {
        let end = if to == bytes.len() { End::Last } else { End::More };
        let len = decoder.decode(&Window { bytes: &bytes[from..to], offset: from as u64, line, line_offset: 0, end });
        assert!(len <= to - from, "more than there was");
        line += memchr::memchr_iter(b'\n', &bytes[from..from + len]).count() as u64;
        from += len;
        batches.extend(decoder.take(from == bytes.len()));
        if from == bytes.len() {
            return batches;
        }
        assert!(end == End::More || len > 0, "no progress at {from}");
        to = bytes.len().min(to.saturating_add(step));
    }
}

/// Decodes text with the file name `name`, written at [`WRITTEN_NS`].
pub(crate) fn decode_text(format: &str, name: &str, text: &str) -> Batch {
    let path = Some(Path::new("/nowhere").join(name)).filter(|_| !name.is_empty());
    let mut batches = decode(format, path.as_deref(), text.as_bytes(), usize::MAX);
    assert!(batches.len() <= 1);
    batches.pop().unwrap_or_default()
}

/// Returns every event, socket event, point, gap and reject as text, in recorded order.
pub(crate) fn rows(batches: &[Batch]) -> Vec<String> {
    batches.iter().flat_map(batch_rows).collect()
}

fn batch_rows(batch: &Batch) -> Vec<String> {
    let mut events: Vec<(u32, String)> = batch.events.classes.iter().flat_map(class_rows).collect();
    events.sort();
    let mut rows: Vec<String> = events.into_iter().map(|(_, row)| row).collect();
    let metrics = &batch.metrics;
    rows.extend((0..metrics.len()).map(|row| {
        let texts = [&metrics.name, &metrics.unit, &metrics.buckets, &metrics.attributes].map(|column| column.get(row));
        let values =
            (metrics.value_int.get(row), metrics.value_double.get(row), metrics.count.get(row), metrics.sum.get(row));
        format!("point {} {} {texts:?} {values:?}", metrics.time_ns[row], metrics.kind[row])
    }));
    rows.extend(batch.gaps.iter().map(|gap| format!("{gap:?}")));
    rows.extend((0..batch.flows.len()).map(|row| flow_row(batch, row)));
    rows
}

/// Returns one socket event as text.
pub(crate) fn flow_row(batch: &Batch, row: usize) -> String {
    let flows = &batch.flows;
    let ends = (flows.src.get(row), flows.src_port.get(row), flows.dst.get(row), flows.dst_port.get(row));
    let numbers =
        (flows.pid.get(row), flows.bytes_sent.get(row), flows.bytes_received.get(row), flows.duration_ns.get(row));
    let texts = (flows.comm.get(row), flows.protocol.get(row), flows.details.get(row));
    format!("{} {} {ends:?} {numbers:?} {texts:?}", flows.time_ns[row], flows.kind[row].name())
}

fn class_rows(class: &ClassBatch) -> Vec<(u32, String)> {
    (0..class.len()).map(|row| (class.order[row], class_row(class, row))).collect()
}

/// Returns one event as text.
pub(crate) fn class_row(class: &ClassBatch, row: usize) -> String {
    let who =
        (class.cpu.get(row), class.pid.get(row), class.tid.get(row), class.comm.get(row), class.duration_ns.get(row));
    let ids = (class.trace_hi.get(row), class.trace_lo.get(row), class.span_id.get(row));
    let mut fields: Vec<String> = class
        .fields
        .iter()
        .filter_map(|field| Some(format!("{}={}", field.name, value(&field.values, row)?)))
        .collect();
    fields.sort();
    let class_name = (&class.class.provider, &class.class.name, &class.class.clock);
    format!("{class_name:?} {} {who:?} {ids:x?} {}", class.time_ns[row], fields.join(" "))
}

/// Returns a value as text.
pub(crate) fn value(values: &FieldValues, row: usize) -> Option<String> {
    match values {
        FieldValues::Int(column) => column.get(row).map(|value| format!("{value:?}")),
        FieldValues::Unsigned(column) => column.get(row).map(|value| format!("{value:?}u")),
        FieldValues::Double(column) => column.get(row).map(|value| format!("{value:?}")),
        FieldValues::Bool(column) => column.get(row).map(|value| format!("{value:?}")),
        FieldValues::Text(column) => column.get(row).map(|value| format!("{value:?}")),
        FieldValues::Json(column) => column.get(row).map(str::to_owned),
    }
}

/// Returns the value of a field of the first event of a class.
pub(crate) fn field(batch: &Batch, class: &str, name: &str) -> Option<String> {
    let class = batch.events.classes.iter().find(|one| one.class.name == class)?;
    class.fields.iter().filter(|field| field.name == name).find_map(|field| value(&field.values, 0))
}

/// Returns a class.
pub(crate) fn class<'a>(batch: &'a Batch, name: &str) -> &'a ClassBatch {
    batch.events.classes.iter().find(|class| class.class.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Returns a file of the shared captures, decompressed; nothing, aloud, where they are not here.
pub(crate) fn shared(name: &str) -> Option<(PathBuf, Vec<u8>)> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let named = std::env::var_os("RIFTLINE_SHARED_DATA").map(PathBuf::from);
    let folders = [named, Some(beside)];
    let Some(path) = folders.into_iter().flatten().map(|folder| folder.join(name)).find(|path| path.exists()) else {
        eprintln!("SKIPPED: no {name} among the shared captures");
        return None;
    };
    let bytes = std::fs::read(&path).unwrap();
    if path.extension().is_none_or(|extension| extension != "gz") {
        return Some((path, bytes));
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    Some((path, plain))
}

/// Decodes a file of the shared captures with the format that recognises it.
pub(crate) fn decode_shared(name: &str, expected: &str) -> Option<Vec<Batch>> {
    let (path, bytes) = shared(name)?;
    assert_eq!(recognised(&bytes), Some(expected), "{name}");
    Some(decode(expected, Some(&path), &bytes, usize::MAX))
}

/// Checks that every column has a value or none for each row, and that texts are texts.
pub(crate) fn check(batch: &Batch) {
    for class in &batch.events.classes {
        let len = class.len();
        for column in [&class.cpu, &class.pid, &class.tid, &class.duration_ns] {
            assert_eq!(column.len(), len);
        }
        for column in [&class.trace_hi, &class.trace_lo, &class.span_id] {
            assert_eq!(column.len(), len);
        }
        assert_eq!((class.order.len(), class.comm.len()), (len, len));
        for field in &class.fields {
            check_field(&field.values, len);
        }
    }
    let flows = &batch.flows;
    assert_eq!(
        (flows.kind.len(), flows.details.len(), flows.src.len(), flows.pid.len()),
        (flows.len(), flows.len(), flows.len(), flows.len())
    );
    let metrics = &batch.metrics;
    assert_eq!(
        (metrics.name.len(), metrics.resource.len(), metrics.buckets.len()),
        (metrics.len(), metrics.len(), metrics.len())
    );
    for column in [&flows.details, &metrics.attributes, &metrics.buckets] {
        check_json(column);
    }
}

fn check_field(values: &FieldValues, len: usize) {
    match values {
        FieldValues::Int(column) => assert_eq!(column.len(), len),
        FieldValues::Unsigned(column) => assert_eq!(column.len(), len),
        FieldValues::Double(column) => assert_eq!(column.len(), len),
        FieldValues::Bool(column) => assert_eq!(column.len(), len),
        FieldValues::Text(column) => {
            assert_eq!(column.len(), len);
            assert!(std::str::from_utf8(&column.bytes).is_ok());
        }
        FieldValues::Json(column) => {
            assert_eq!(column.len(), len);
            check_json(column);
        }
    }
}

fn check_json(column: &crate::column::TextColumn) {
    for text in (0..column.len()).filter_map(|row| column.get(row)) {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
    }
}
