use std::fs;
use std::path::Path;

use super::support::{TestSpan, count, folder, store_spans};
use crate::error::OpenStoreError;
use crate::store::recover::log_path;
use crate::store::{Access, Store};

const COMMITS: u64 = 6;
const SPANS_PER_COMMIT: u64 = 7;

/// Copies a store with a log of several commits, as a crash would leave it.
fn crashed(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let store = Store::open(path, Access::ReadWrite).unwrap();
    store_spans(&store, "first", &[&[TestSpan::new(1, 1, 0).with("http.method", "GET")]]);
    store.checkpoint().unwrap();
    for number in 0..COMMITS {
        let spans: Vec<TestSpan> =
            (0..SPANS_PER_COMMIT).map(|id| TestSpan::new(number + 2, id + 1, 0).with("http.method", "GET")).collect();
        store_spans(&store, &number.to_string(), &[&spans]);
    }
    // A file that this process has open must not be read through a second handle: closing that gives up the lock.
    let copy = path.with_extension("copy");
    let copied = std::process::Command::new("cp").arg(path).arg(&copy).status().unwrap();
    assert!(copied.success());
    (fs::read(&copy).unwrap(), fs::read(log_path(path)).unwrap())
}

/// Opens the copy and checks that it holds a prefix of the commits, each whole.
fn check_prefix(path: &Path, what: &str) -> Store {
    let store = Store::open(path, Access::ReadWrite).unwrap_or_else(|error| panic!("{what}: {error}"));
    let spans = count(&store, "SELECT count(*) FROM spans") as u64;
    assert!(spans >= 1 && (spans - 1).is_multiple_of(SPANS_PER_COMMIT), "{what}: {spans} spans");
    let commits = (spans - 1) / SPANS_PER_COMMIT;
    assert!(commits <= COMMITS, "{what}");
    let last = count(&store, "SELECT coalesce(max(\"row\"), 0) FROM spans") as u64;
    assert_eq!(last, spans, "{what}: rows are a prefix");
    assert_eq!(count(&store, "SELECT count(*) FROM sources") as u64, commits + 1, "{what}");
    store
}

#[test]
fn a_log_cut_anywhere_opens_with_a_prefix() {
    let (folder, path) = folder();
    let (file, log) = crashed(&path);
    let torn = folder.path().join("torn.rift");
    for len in (0..log.len()).step_by(log.len() / 40).chain([log.len() - 1, log.len()]) {
        fs::write(&torn, &file).unwrap();
        fs::write(log_path(&torn), &log[..len]).unwrap();
        let store = check_prefix(&torn, &format!("log of {} bytes cut at {len}", log.len()));
        store_spans(&store, "after", &[&[TestSpan::new(99, 1, 0)]]);
        drop(store);
        fs::remove_file(&torn).unwrap();
        let _ = fs::remove_file(log_path(&torn));
    }
}

#[test]
fn a_log_with_a_flipped_bit_is_salvaged_and_said() {
    let (folder, path) = folder();
    let (file, log) = crashed(&path);
    let torn = folder.path().join("torn.rift");
    let mut num_warned = 0;
    for at in (0..log.len()).step_by(log.len() / 40) {
        let mut damaged = log.clone();
        damaged[at] ^= 0x10;
        fs::write(&torn, &file).unwrap();
        fs::write(log_path(&torn), &damaged).unwrap();
        let store = check_prefix(&torn, &format!("bit flipped at {at} of {}", log.len()));
        num_warned += store.warnings().len();
        if let Some(warning) = store.warnings().first() {
            let aside = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.path());
            let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains(".damaged-")).collect();
            assert_eq!(aside.len(), 1, "{warning}");
            assert_eq!(fs::read(&aside[0]).unwrap(), damaged);
            assert!(warning.contains("was damaged"), "{warning}");
            fs::remove_file(&aside[0]).unwrap();
        }
        drop(store);
        fs::remove_file(&torn).unwrap();
        let _ = fs::remove_file(log_path(&torn));
    }
    assert!(num_warned > 0);
}

#[test]
fn a_corrupted_file_is_refused_with_its_name() {
    let (folder, path) = folder();
    let (mut file, _) = crashed(&path);
    let torn = folder.path().join("torn.rift");
    for byte in &mut file[4096 * 3..4096 * 4] {
        *byte ^= 0xa5;
    }
    fs::write(&torn, &file).unwrap();
    match Store::open(&torn, Access::ReadWrite) {
        Err(OpenStoreError::Damaged { path, reason }) => {
            assert_eq!(path, torn.canonicalize().unwrap());
            assert!(!reason.is_empty());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(&torn).unwrap(), file);
}
