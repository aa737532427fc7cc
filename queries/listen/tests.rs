use std::thread;
use std::time::Duration;

use riftline_ingest::receive::kind::Protocol;
use riftline_ingest::testing::{Blocking, Template};

use super::*;
use crate::store::Access;

const SPANS: usize = 32;

fn options(limits: SpoolLimits) -> ListenOptions {
    ListenOptions { grpc: Some("127.0.0.1:0".to_owned()), limits, ..ListenOptions::default() }
}

fn start(store: &Store, limits: SpoolLimits) -> (Listener, String) {
    let listener = Listener::start(store, &options(limits), false, drop).unwrap();
    let bound = listener.bound().iter().find(|bound| bound.protocol == Protocol::Grpc).unwrap();
    let address = bound.address.to_string();
    (listener, address)
}

fn num_spans(store: &Store) -> u64 {
    store.settle(&crate::cancel::Cancel::default()).unwrap();
    store.num_spans().unwrap()
}

#[test]
fn what_was_sent_is_stored_or_refused() {
    let store = Store::temporary().unwrap();
    let (listener, address) = start(&store, SpoolLimits { unstored_bytes: 100_000, ..SpoolLimits::default() });
    let (mut sender, mut template) = (Blocking::connect(&address).unwrap(), Template::new(SPANS));
    // While another writer is at work, nothing becomes rows.
    let busy = store.begin().unwrap();
    let (mut taken, mut refused) = (0, 0);
    for number in 0..40 {
        match sender.send_traces(template.request(number)) {
            Ok(_) => taken += 1,
            Err(status) => {
                assert_eq!(status.code() as i32, 14, "{status}");
                refused += 1;
            }
        }
    }
    assert!(taken > 2 && refused > 2, "{taken} taken, {refused} refused");
    drop(busy);
    let begun = std::time::Instant::now();
    while sender.send_traces(template.request(1_000)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(50));
    }
    let summary = listener.close().unwrap();
    assert_eq!(summary.spans, (taken + 1) * SPANS as u64);
    assert_eq!(num_spans(&store), (taken + 1) * SPANS as u64);
}

fn wait_for_spans(store: &Store, wanted: u64) {
    let begun = std::time::Instant::now();
    while num_spans(store) < wanted {
        assert!(begun.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_store_that_lost_its_log_gets_its_rows_back_from_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("x.rift"), folder.path().join("y.rift"));
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    let (listener, address) = start(&store, SpoolLimits::default());
    let (mut sender, mut template) = (Blocking::connect(&address).unwrap(), Template::new(SPANS));
    // The first commit adds columns, which a checkpoint follows; those after it are in the log alone.
    for (from, to) in [(0, 1), (1, 4)] {
        (from..to).for_each(|number| assert_eq!(sender.send_traces(template.request(number)).unwrap(), 0));
        wait_for_spans(&store, to * SPANS as u64);
    }
    // What a crash leaves that takes the log with it: the file as of the last checkpoint, and the spool.
    std::fs::copy(&path, &copy).unwrap();
    let (from, to) = (Spool::folder_of(&path), Spool::folder_of(&copy));
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    listener.close().unwrap();
    let copied = Store::open(&copy, Access::ReadWrite).unwrap();
    let before = num_spans(&copied);
    let recovered = recover(&copied).unwrap().unwrap().spans;
    assert!(recovered >= 3 * SPANS as u64, "{recovered} after {before}");
    assert_eq!((before + recovered, num_spans(&copied)), (4 * SPANS as u64, 4 * SPANS as u64));
    assert_eq!(recover(&copied).unwrap(), None, "the spool is gone");
}

#[test]
fn one_store_is_listened_for_once() {
    let store = Store::temporary().unwrap();
    let (listener, _) = start(&store, SpoolLimits::default());
    assert!(matches!(
        Listener::start(&store, &options(SpoolLimits::default()), false, drop),
        Err(StartError::Busy { .. })
    ));
    assert_eq!(recover(&store).unwrap(), None);
    listener.close().unwrap();
    drop(start(&store, SpoolLimits::default()));
}
