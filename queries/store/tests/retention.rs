//! What is too old or too much goes by whole minutes.

use super::support::*;
use crate::cancel::Cancel;
use crate::store::{Retention, Store, TraceId};

const MINUTE_NS: i64 = 60_000_000_000;

/// One trace of two spans a minute, for so many minutes.
fn store(minutes: i64) -> Store {
    let store = Store::temporary().unwrap();
    let spans: Vec<TestSpan> = (0..minutes)
        .flat_map(|minute| {
            let id = minute.unsigned_abs() * 2 + 1;
            let span = |id, parent| TestSpan {
                start_ns: 1_700_000_040_000_000_000 + minute * MINUTE_NS,
                ..TestSpan::new(minute.unsigned_abs(), id, parent)
            };
            [span(id, 0), span(id + 1, id)]
        })
        .collect();
    store_spans(&store, "a", &[&spans]);
    store.settle(&Cancel::default()).unwrap();
    store
}

#[test]
fn old_minutes_go_and_kept_traces_stay() {
    let store = store(10);
    let keep = vec![TraceId { hi: 7, lo: 2 }];
    let removed = store.retain(&Retention { age_ns: Some(3 * MINUTE_NS), bytes: None, keep }).unwrap();
    assert_eq!(removed.spans, 10);
    assert_eq!(count(&store, "SELECT count(*) FROM traces"), 5);
    assert_eq!(count(&store, "SELECT count(*) FROM spans"), 10);
    assert_eq!(count(&store, "SELECT count(*) FROM spans WHERE trace_id LIKE '%2'"), 2);
}

#[test]
fn nothing_goes_that_may_stay() {
    let store = store(3);
    for retention in [
        Retention::default(),
        Retention { age_ns: Some(i64::MAX), ..Retention::default() },
        Retention { bytes: Some(1 << 30), ..Retention::default() },
    ] {
        assert_eq!(store.retain(&retention).unwrap().spans, 0);
    }
    assert_eq!(count(&store, "SELECT count(*) FROM spans"), 6);
}

#[test]
fn what_is_too_much_goes_oldest_first() {
    let store = store(50);
    let removed = store.retain(&Retention { bytes: Some(1), ..Retention::default() }).unwrap();
    assert!(removed.spans > 0);
    let first = count(&store, "SELECT coalesce(min(start_ns), 1800000000000000000) FROM spans");
    assert!(first > 1_700_000_040_000_000_000);
    assert_eq!(count(&store, "SELECT count(*) FROM traces") * 2, count(&store, "SELECT count(*) FROM spans"));
}
