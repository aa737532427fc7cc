use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::support::{TestSpan, count, folder, store_spans};
use crate::cancel::Cancel;
use crate::error::{OpenStoreError, WriteError};
use crate::store::{Access, Store};

#[test]
fn a_second_opening_is_the_same_store() {
    let (folder, path) = folder();
    let first = Store::open(&path, Access::ReadWrite).unwrap();
    let link = folder.path().join("link.rift");
    fs::hard_link(&path, &link).unwrap();
    let second = Store::open(&link, Access::ReadWrite).unwrap();
    store_spans(&second, "a", &[&[TestSpan::new(1, 1, 0)]]);
    assert_eq!(count(&first, "SELECT count(*) FROM spans"), 1);
    drop((first, second));
    let again = Store::open(&path, Access::ReadWrite).unwrap();
    assert_eq!(count(&again, "SELECT count(*) FROM spans"), 1);
}

#[test]
fn a_store_is_closed_when_its_last_reader_goes() {
    let (_folder, path) = folder();
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    store_spans(&store, "a", &[&[TestSpan::new(1, 1, 0)]]);
    let reader = store.reader().unwrap();
    drop(store);
    let again = Store::open(&path, Access::ReadWrite).unwrap();
    store_spans(&again, "b", &[&[TestSpan::new(1, 2, 0)]]);
    let seen = reader.connection().query_row("SELECT count(*) FROM spans", [], |row| row.get::<_, i64>(0));
    assert_eq!(seen.unwrap(), 2);
}

#[test]
fn an_empty_file_becomes_a_store() {
    let (_folder, path) = folder();
    fs::write(&path, b"").unwrap();
    assert_eq!(Store::open(&path, Access::ReadWrite).unwrap().counts().unwrap().spans, 0);
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let (folder, path) = folder();
    fs::write(&path, "not a database, but some text that is long enough to look at".repeat(100)).unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path, Access::ReadWrite), Err(OpenStoreError::NotAStore { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(matches!(Store::open(folder.path(), Access::ReadWrite), Err(OpenStoreError::NotAStore { .. })));
    let missing = folder.path().join("no/such/folder.rift");
    assert!(matches!(Store::open(&missing, Access::ReadWrite), Err(OpenStoreError::Io { .. })));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "makes a database that is not a store")]
fn databases_of_others_are_refused() {
    let (_folder, path) = folder();
    duckdb::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (a INTEGER)").unwrap();
    assert!(matches!(Store::open(&path, Access::ReadWrite), Err(OpenStoreError::NotAStore { .. })));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "makes a store of a newer version")]
fn newer_stores_are_refused() {
    let (_folder, path) = folder();
    drop(Store::open(&path, Access::ReadWrite).unwrap());
    duckdb::Connection::open(&path).unwrap().execute_batch("UPDATE store_info SET schema_version = 1000").unwrap();
    let refused = Store::open(&path, Access::ReadWrite);
    assert!(matches!(refused, Err(OpenStoreError::Newer { found: 1000, .. })), "{refused:?}");
}

#[test]
fn a_read_only_store_settles_into_memory() {
    let (_folder, path) = folder();
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    store_spans(&store, "a", &[&[TestSpan::new(1, 1, 0), TestSpan::new(1, 2, 1).of("stock", 2)]]);
    drop(store);
    let before = fs::read(&path).unwrap();
    let store = Store::open(&path, Access::ReadOnly).unwrap();
    assert!(store.needs_settling());
    store.settle(&Cancel::default()).unwrap();
    assert_eq!(count(&store, "SELECT count(*) FROM traces"), 1);
    assert_eq!(count(&store, "SELECT count(*) FROM edges"), 1);
    assert_eq!(count(&store, "SELECT count(*) FROM spans"), 2);
    assert!(matches!(store.begin().err(), Some(WriteError::Store { .. })));
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn nothing_outside_can_be_reached() {
    let store = Store::temporary().unwrap();
    let reader = store.reader().unwrap();
    for sql in [
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/riftline-must-not-exist'",
        "ATTACH '/tmp/riftline-must-not-exist.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
    ] {
        assert!(reader.connection().execute_batch(sql).is_err(), "{sql}");
    }
}

/// Runs in a process of its own: holds the store until its stdin ends.
#[test]
fn holder_process() {
    let Some(path) = std::env::var_os("RIFTLINE_TEST_HOLD") else { return };
    let store = Store::open(path.as_ref(), Access::ReadWrite).unwrap();
    println!("holding {}", store.path().display());
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[test]
fn a_foreign_holder_is_named() {
    let (_folder, path) = folder();
    drop(Store::open(&path, Access::ReadWrite).unwrap());
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::opening::holder_process", "--nocapture"])
        .env("RIFTLINE_TEST_HOLD", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding ")));
    let refused = Store::open(&path, Access::ReadWrite);
    let Err(OpenStoreError::Held { program, pid, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(pid, holder.id());
    assert!(program.starts_with("riftline_querie"), "{program}");
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert!(Store::open(&path, Access::ReadWrite).is_ok());
}
