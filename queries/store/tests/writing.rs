use std::sync::Arc;

use riftline_ingest::read::{Committed, History};
use riftline_ingest::rejects::Reject;

use super::support::{TestSpan, batch, conventions, count, folder, rows, source_info, store_spans, texts};
use crate::cancel::Cancel;
use crate::error::WriteError;
use crate::store::{Access, Store};

#[test]
fn a_group_that_is_not_committed_leaves_nothing() {
    let store = Store::temporary_with(conventions()).unwrap();
    {
        let mut group = store.begin().unwrap();
        let mut source = group.source(&source_info("a"), 0).unwrap();
        group.append(&mut source, batch(&conventions(), &[TestSpan::new(1, 1, 0).with("http.method", "GET")])).unwrap();
        group.save(&mut source).unwrap();
    }
    assert_eq!(count(&store, "SELECT count(*) FROM spans"), 0);
    assert_eq!(count(&store, "SELECT count(*) FROM sources"), 0);
    assert!(!store.needs_settling());
    store_spans(&store, "b", &[&[TestSpan::new(1, 1, 0).with("http.method", "GET")]]);
    assert_eq!(texts(&store, "SELECT service || http_request_method FROM spans"), ["cartGET"]);
}

#[test]
fn rows_are_numbered_on_across_openings() {
    let (_folder, path) = folder();
    for number in 0..3 {
        let store = Store::open(&path, Access::ReadWrite).unwrap();
        store_spans(
            &store,
            &number.to_string(),
            &[&[TestSpan::new(1, number + 1, 0), TestSpan::new(2, number + 9, 0)]],
        );
    }
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    assert_eq!(count(&store, "SELECT count(DISTINCT \"row\") FROM spans"), 6);
    assert_eq!(count(&store, "SELECT max(\"row\") FROM spans"), 6);
    assert_eq!(count(&store, "SELECT count(*) FROM raw_resources"), 1);
    assert_eq!(count(&store, "SELECT count(DISTINCT source_id) FROM spans"), 3);
}

#[test]
fn history_knows_what_is_committed() {
    let store = Store::temporary_with(conventions()).unwrap();
    let spans = [TestSpan::new(1, 1, 0), TestSpan::new(1, 2, 1)];
    store_spans(&store, "a", &[&spans]);
    assert_eq!(store.committed(99), [Committed { offset: 2, prefix_hash: 62 }]);
    assert_eq!(store.committed(98), []);
    let mut group = store.begin().unwrap();
    let resumed = group.source(&source_info("a"), 2).unwrap();
    assert_eq!((resumed.id, resumed.num_spans, resumed.offset), (1, 2, 2));
    assert_eq!(group.source(&source_info("a"), 0).unwrap().id, 2);
}

#[test]
fn rejects_are_kept_up_to_a_cap_and_all_counted() {
    let store = Store::temporary_with(conventions()).unwrap();
    let mut group = store.begin().unwrap();
    let mut source = group.source(&source_info("a"), 0).unwrap();
    for _ in 0..11 {
        let mut refused = batch(&conventions(), &[]);
        for offset in 0..1_500 {
            refused.rejects.push(Reject {
                offset,
                line: 1,
                column: 2,
                reason: "invalid number".to_owned(),
                excerpt: "{".to_owned(),
            });
        }
        group.append(&mut source, refused).unwrap();
    }
    group.save(&mut source).unwrap();
    group.commit().unwrap();
    assert_eq!(count(&store, "SELECT count(*) FROM rejects WHERE reason = 'invalid number' AND source = 'a'"), 10_000);
    assert_eq!(count(&store, "SELECT num_rejects::BIGINT FROM sources"), 16_500);
    assert_eq!(store.counts().unwrap().rejects, 16_500);
}

#[test]
fn a_copy_holds_the_same() {
    let (_folder, path) = folder();
    let store = Store::temporary_with(conventions()).unwrap();
    let spans = [TestSpan::new(1, 1, 0).with("http.method", "GET").with("x", 1), TestSpan::new(1, 2, 1)];
    store_spans(&store, "a", &[&spans]);
    store.settle(&Cancel::default()).unwrap();
    store.save_as(&path).unwrap();
    let copy = Store::open(&path, Access::ReadWrite).unwrap();
    for view in ["spans", "traces", "edges", "sources"] {
        let columns =
            if view == "spans" { "trace_id, span_id, attributes, http_request_method, service, start" } else { "*" };
        let sql = format!("SELECT {columns} FROM {view} ORDER BY ALL");
        assert_eq!(rows(&copy, &sql), rows(&store, &sql), "{view}");
    }
    assert!(!copy.needs_settling());
    assert!(matches!(store.save_as(&path), Err(WriteError::Store { .. })));
}

#[test]
fn readers_see_whole_commits_while_rows_are_written() {
    let store = Arc::new(Store::temporary_with(conventions()).unwrap());
    let writer = std::thread::spawn({
        let store = store.clone();
        move || {
            for number in 0..40 {
                let spans: Vec<TestSpan> = (0..50).map(|id| TestSpan::new(number, id + 1, 0)).collect();
                store_spans(&store, &number.to_string(), &[&spans]);
            }
        }
    });
    let mut last = 0;
    while last < 40 * 50 {
        let seen = count(&store, "SELECT count(*) FROM spans");
        assert!(seen % 50 == 0 && seen >= last, "{seen} after {last}");
        last = seen;
    }
    writer.join().unwrap();
}

/// Needs a small file system of its own: `RIFTLINE_SMALL_DISK` names a folder on it (`mount -t tmpfs -o size=24m`).
#[test]
fn a_full_disk_is_said_and_loses_nothing_that_was_committed() {
    let Some(folder) = std::env::var_os("RIFTLINE_SMALL_DISK") else {
        println!("skipped: RIFTLINE_SMALL_DISK names no folder on a small file system");
        return;
    };
    let path = std::path::Path::new(&folder).join("full.rift");
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    let mut num_committed = 0;
    let refused = (0..1_000_u64).find_map(|number| {
        let spans: Vec<TestSpan> = (0..2_000).map(|id| incompressible(number, id + 1)).collect();
        let written = try_store(&store, &number.to_string(), &spans);
        num_committed += i64::from(written.is_ok()) * 2_000;
        written.err()
    });
    assert_eq!(refused, Some(WriteError::NoSpace { path: path.canonicalize().unwrap() }));
    drop(store);
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    assert_eq!(count(&store, "SELECT count(*) FROM spans"), num_committed);
    assert_eq!(count(&store, "SELECT count(DISTINCT span_id || trace_id) FROM spans"), num_committed);
}

fn incompressible(trace: u64, id: u64) -> TestSpan {
    let mut span = TestSpan::new(trace, id, 0);
    span.name.clear();
    for part in 0..16 {
        let noise = xxhash_rust::xxh3::xxh3_64(&[trace, id, part].map(u64::to_le_bytes).concat());
        span.name.push_str(&format!("{noise:016x}"));
    }
    span
}

fn try_store(store: &Store, name: &str, spans: &[TestSpan]) -> Result<(), WriteError> {
    let mut group = store.begin()?;
    let mut source = group.source(&source_info(name), 0)?;
    group.append(&mut source, batch(&store.conventions(), spans))?;
    group.save(&mut source)?;
    group.commit()
}
