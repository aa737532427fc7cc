use std::fs;

use super::*;
use crate::chaos::driver::{DriverError, Fidelity, Undo};
use riftline_queries::replay::fault::Fault;

/// A driver that says it hit so many.
struct Says(Injected);

impl Driver for Says {
    fn name(&self) -> &'static str {
        "says"
    }
    fn fidelity(&self, _: &Fault) -> Fidelity {
        Fidelity::default()
    }
    fn targets(&self) -> Vec<String> {
        Vec::new()
    }
    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        Ok(Vec::new())
    }
    fn preview(&self, _: &Fault) -> Vec<String> {
        Vec::new()
    }
    fn undo(&self) -> Undo {
        Undo::Nothing
    }
    fn arm(&mut self, _: &Fault) -> Result<(), DriverError> {
        Ok(())
    }
    fn injected(&mut self) -> Result<Injected, DriverError> {
        Ok(self.0)
    }
}

fn sent(arm: Arm, duration_ms: i64, status: Option<u16>) -> Sent {
    Sent {
        arm,
        trace_id: String::new(),
        span_id: String::new(),
        method: "GET".to_owned(),
        path: "/".to_owned(),
        at_ns: 0,
        duration_ns: duration_ms * 1_000_000,
        status,
        error: None,
    }
}

fn watch(plan: &Plan, folder: &std::path::Path) -> Watch {
    Watch::new(plan, folder.join("HALT"), folder.join("stop"), Cancel::default())
}

fn verdict(watch: &mut Watch, live: &Live, injected: Injected) -> Result<(), Stop> {
    watch.look(Arm::Fault, live, &mut Says(injected)).1
}

#[test]
fn a_file_or_a_signal_ends_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let watch = watch(&Plan::default(), folder.path());
    assert_eq!(watch.asked(), Ok(()));
    fs::write(folder.path().join("HALT"), "").unwrap();
    assert!(matches!(watch.asked(), Err(Stop::Halt(_))));
    fs::write(folder.path().join("stop"), "").unwrap();
    assert_eq!(watch.asked(), Err(Stop::Asked));
    watch.cancel.stop();
    assert!(matches!(watch.asked(), Err(Stop::Signal(_))));
}

#[test]
fn hitting_what_is_not_ours_or_too_much_ends_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = watch(&Plan::default(), folder.path());
    let live = Live::default();
    let hit = |faults, unmarked| Injected { faults: Some(faults), unmarked: Some(unmarked) };
    assert_eq!(verdict(&mut watch, &live, hit(9_999, 9)), Ok(()), "nothing is armed");
    watch.armed = Some(Instant::now());
    assert_eq!(verdict(&mut watch, &live, hit(10, 0)), Ok(()));
    assert_eq!(verdict(&mut watch, &live, hit(10, 1)), Err(Stop::Unmarked(1)));
    assert_eq!(verdict(&mut watch, &live, hit(501, 0)), Err(Stop::TooMany { hit: 501, limit: 500 }));
    watch.limits.duration_s = 0.0;
    assert_eq!(verdict(&mut watch, &live, hit(1, 0)), Err(Stop::TooLong(0.0)));
}

#[test]
fn a_control_arm_that_breaks_ends_a_run_once_it_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = Plan::default();
    plan.abort.push(AbortRule::Metric { metric: Metric::ControlErrorRate, gt: 0.2, for_s: 0.0 });
    let mut watch = watch(&plan, folder.path());
    let live = Live::default();
    live.push(
        (0..8).map(|_| sent(Arm::Control, 10, Some(200))).chain((0..2).map(|_| sent(Arm::Control, 10, Some(503)))),
    );
    assert_eq!(verdict(&mut watch, &live, Injected::default()), Ok(()), "a fifth is not more than a fifth");
    live.push([sent(Arm::Control, 10, None)]);
    let stop = verdict(&mut watch, &live, Injected::default()).unwrap_err();
    assert!(stop.to_string().starts_with("control.error_rate was 0.27"), "{stop}");
}

#[test]
fn a_sample_says_what_this_arm_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = watch(&Plan::default(), folder.path());
    let live = Live::default();
    live.push((0..20).map(|_| sent(Arm::Baseline, 10, Some(200))));
    watch.set_baseline(&live.since(0));
    live.push((0..20).map(|_| sent(Arm::Control, 25, Some(200))));
    live.push((0..4).map(|_| sent(Arm::Fault, 900, Some(504))));
    let (sample, _) = watch.look(Arm::Fault, &live, &mut Says(Injected::default()));
    assert_eq!((sample.answered, sample.failed), (4, 4));
    assert!((sample.p50_ms - 900.0).abs() < 1e-9 && sample.control_error_rate < 1e-9);
    assert!((sample.control_p95_ratio - 2.5).abs() < 1e-9);
}

#[test]
fn probes_that_fail_in_a_row_end_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = Plan::default();
    plan.abort.push(AbortRule::Probe { probe: "ready".to_owned(), fails: 3 });
    let mut watch = watch(&plan, folder.path());
    let count = Arc::new(AtomicU32::new(2));
    watch.probe_failures.push(("ready".to_owned(), count.clone()));
    assert_eq!(verdict(&mut watch, &Live::default(), Injected::default()), Ok(()));
    count.store(3, Ordering::Relaxed);
    assert!(matches!(verdict(&mut watch, &Live::default(), Injected::default()), Err(Stop::Rule(_))));
}
