//! Against babeltrace2: counts and values; cut and flipped streams.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Ctf;
use crate::batch::Batch;
use crate::event::{ClassBatch, FieldValues};
use crate::format::{End, FolderFormat, Opening, Settings, Window, by_name};
use crate::read::tests::conventions;

fn settings() -> Settings {
    Settings { conventions: conventions(), ..Settings::default() }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sample-traces").join(name)
}

/// The folder of shared recordings, if it is there.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("RIFTLINE_SHARED_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let found = named.into_iter().chain([beside]).find(|folder| folder.join("lttng").is_dir());
    if found.is_none() {
        eprintln!("skipped: no shared recordings (RIFTLINE_SHARED_DATA)");
    }
    found
}

fn read(folder: &Path) -> Vec<Batch> {
    let mut recording = Ctf.open(folder, &settings()).unwrap_or_else(|error| panic!("{error}"));
    std::iter::from_fn(|| recording.next()).collect()
}

fn num_events(batches: &[Batch]) -> usize {
    batches.iter().map(|batch| batch.events.len()).sum()
}

fn rejects(batches: &[Batch]) -> u64 {
    batches.iter().map(|batch| batch.rejects.count).sum()
}

/// One event: time, name, and all that is known of it.
type Event = (i64, String, Map<String, Value>);

fn events(batches: &[Batch]) -> Vec<Event> {
    let mut events = Vec::new();
    for batch in batches {
        let mut ordered: Vec<(u32, Event)> = Vec::new();
        for class in &batch.events.classes {
            ordered.extend((0..class.len()).map(|row| (class.order[row], event(class, row))));
        }
        ordered.sort_by_key(|(order, _)| *order);
        events.extend(ordered.into_iter().map(|(_, event)| event));
    }
    events
}

fn event(class: &ClassBatch, row: usize) -> Event {
    let mut map = Map::new();
    for (name, column) in [("cpu", &class.cpu), ("pid", &class.pid), ("tid", &class.tid)] {
        column.get(row).into_iter().for_each(|value| _ = map.insert(name.to_owned(), json!(value)));
    }
    class.comm.get(row).into_iter().for_each(|comm| _ = map.insert("comm".to_owned(), json!(comm)));
    for field in &class.fields {
        let value = match &field.values {
            FieldValues::Int(column) => column.get(row).map(|value| json!(value)),
            FieldValues::Unsigned(column) => column.get(row).map(|value| json!(value)),
            // babeltrace2 prints six digits.
            FieldValues::Double(column) => column.get(row).map(|value| json!(format!("{value:.5e}"))),
            FieldValues::Bool(column) => column.get(row).map(|value| json!(i64::from(value))),
            FieldValues::Text(column) => column.get(row).map(|value| json!(value)),
            FieldValues::Json(column) => column.get(row).map(|text| serde_json::from_str(text).unwrap()),
        };
        // A number beyond 64 bits with a sign is printed as it is stored.
        value.into_iter().for_each(|value| _ = map.insert(field.name.clone(), value));
    }
    (class.time_ns[row], class.class.name.clone(), map)
}

/// Reads what babeltrace2 printed.
fn printed(text: &[u8], settings: &Settings) -> Vec<Batch> {
    let mut decoder = by_name("babeltrace-text").unwrap().decoder(settings, &Opening::default());
    let (mut at, mut batches) = (0, Vec::new());
    while at < text.len() {
        let window = Window { bytes: &text[at..], offset: at as u64, line: 1, line_offset: 0, end: End::Last };
        at += decoder.decode(&window).max(1);
        batches.extend(decoder.take(at >= text.len()));
    }
    batches
}

/// Compares events with those that babeltrace2 printed; whole numbers that it prints as fractions are alike.
fn assert_same(found: &[Event], expected: &[Event]) {
    assert_eq!(found.len(), expected.len());
    for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!((found.0, &found.1), (expected.0, &expected.1), "event {number}");
        for (name, value) in &expected.2 {
            let ours = found.2.get(name);
            // babeltrace2 2.0.4 and 2.1.1 print the text of an earlier event where this one's is empty: the bytes say which is right.
            let is_same =
                ours == Some(value) || ours == Some(&json!("")) || ours.is_some_and(|ours| is_alike(ours, value));
            assert!(is_same, "event {number} {name}: {ours:?}, printed {value:?}");
        }
        let ours: Vec<&String> = found.2.keys().filter(|name| !expected.2.contains_key(*name)).collect();
        assert_eq!(ours, Vec::<&String>::new(), "event {number}");
    }
}

/// A fraction that is whole is printed as a whole number, and a whole number may be stored as a fraction.
fn is_alike(ours: &Value, printed: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse::<f64>().ok(),
        other => other.as_f64(),
    };
    number(ours).zip(number(printed)).is_some_and(|(ours, printed)| (ours - printed).abs() <= 1e-5 * printed.abs())
}

#[test]
fn a_recorded_trace_has_the_values_that_babeltrace2_prints() {
    let found = read(&sample("ust/trace"));
    let text = fs::read(sample("ust/babeltrace2.txt")).unwrap();
    let settings = settings();
    assert_eq!(rejects(&found), 0);
    assert_same(&events(&found), &events(&printed(&text, &settings)));
    let first = &found[0].events.classes[0];
    assert_eq!(first.class.provider, "lttng-ust");
    assert_eq!((first.trace_hi.get(0), first.trace_lo.get(0)), (Some(0x1e_d6e7), Some(1)));
    assert_eq!(first.span_id.get(0), Some(100));
    assert!(found[0].clocks.iter().any(|clock| clock.offset_ns.is_some()), "{:?}", found[0].clocks);
}

#[test]
fn reading_again_gives_the_same_events_in_the_same_batches() {
    let summary = |batches: Vec<Batch>| -> Vec<(u64, u64)> {
        batches.iter().map(|batch| (batch.to_offset, batch.prefix_hash)).collect()
    };
    assert_eq!(summary(read(&sample("ust/trace"))), summary(read(&sample("ust/trace"))));
}

#[test]
fn counts_are_those_of_babeltrace2() {
    let Some(shared) = shared() else { return };
    let list = fs::read_to_string(shared.join("public/ctf-events.txt")).unwrap();
    for line in list.lines() {
        let Some((name, count)) = line.split_once(' ') else { continue };
        let folder = shared.join("public").join(name);
        let is_damaged = fs::read(folder.join("stream")).is_ok_and(|bytes| bytes.starts_with(b"00000000: "));
        match count.trim().parse::<usize>() {
            Ok(_) if is_damaged => eprintln!("skipped: {name} holds a dump instead of its stream"),
            Ok(count) => assert_eq!(num_events(&read(&folder)), count, "{name}"),
            // What babeltrace2 refuses may be read as far as it goes; it must not hang or panic.
            Err(_) => drop(Ctf.open(&folder, &settings()).map(|mut one| while one.next().is_some() {})),
        }
    }
}

#[test]
fn values_are_those_of_stored_texts_in_both_versions() {
    let Some(shared) = shared() else { return };
    let mut text = Vec::new();
    let file = fs::File::open(shared.join("lttng/ust-100k.babeltrace2-date.txt.gz")).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    let expected = events(&printed(&text, &settings()));
    for folder in ["lttng/ust-100k/ust/uid/0/64-bit", "lttng/ust-100k-ctf2"] {
        let found = read(&shared.join(folder));
        assert_eq!(rejects(&found), 0, "{folder}");
        assert_same(&events(&found), &expected);
    }
}

#[test]
fn lost_events_are_gaps() {
    let Some(shared) = shared() else { return };
    let found = read(&shared.join("lttng/ust-lost/ust/uid/0/64-bit"));
    let lost: u64 = found.iter().flat_map(|batch| &batch.gaps).filter_map(|gap| gap.lost).sum();
    assert_eq!((num_events(&found), lost), (73_382, 272_187));
    assert!(found.iter().flat_map(|batch| &batch.gaps).all(|gap| gap.from_ns <= gap.to_ns));
}

/// Reads a trace from memory; how much of it came, by name, and how much was refused.
fn decode(metadata: &[u8], stream: Vec<u8>) -> Option<(BTreeMap<String, usize>, u64)> {
    let mut recording = super::from_memory(metadata, stream, &settings()).ok()?;
    let mut counts = BTreeMap::new();
    let mut refused = 0;
    while let Some(batch) = recording.next() {
        refused += batch.rejects.count;
        for class in &batch.events.classes {
            *counts.entry(class.class.name.clone()).or_default() += class.len();
        }
    }
    Some((counts, refused))
}

#[test]
fn a_stream_cut_anywhere_gives_what_comes_before_the_cut() {
    let metadata = fs::read(sample("formats/ctf/metadata")).unwrap();
    let stream = fs::read(sample("formats/ctf/stream")).unwrap();
    let whole: usize = decode(&metadata, stream.clone()).unwrap().0.values().sum();
    assert_eq!(whole, 12);
    let mut last = 0;
    for len in 0..stream.len() {
        let (counts, refused) = decode(&metadata, stream[..len].to_vec()).unwrap();
        let count: usize = counts.values().sum();
        assert!((last..=whole).contains(&count), "{count} of {len} bytes");
        assert!(len == 0 || refused > 0, "{len} bytes");
        last = count;
    }
}

#[test]
fn flipped_bits_never_panic() {
    let metadata = fs::read(sample("formats/ctf/metadata")).unwrap();
    let stream = fs::read(sample("formats/ctf/stream")).unwrap();
    let used = stream.iter().rposition(|&byte| byte != 0).unwrap_or(0);
    for bit in 0..used * 8 {
        let mut flipped = stream.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        decode(&metadata, flipped);
    }
    for bit in (0..metadata.len() * 8).step_by(7) {
        let mut flipped = metadata.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        decode(&flipped, stream.clone());
    }
}

#[test]
fn a_metadata_bomb_is_refused() {
    let nested = format!(
        "/* CTF 1.8 */ trace {{ major = 1; minor = 8; byte_order = le; packet.header := {} uint8_t x; {} }};",
        "struct { ".repeat(100_000),
        "} y;".repeat(100_000)
    );
    assert!(decode(nested.as_bytes(), Vec::new()).is_none());
}
