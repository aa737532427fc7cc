//! What is derived from recordings of a real shop, where they are: in `shop` of the folder that `RIFTLINE_SHARED_DATA` names, or
//! of `../shared/data`.

use std::path::PathBuf;

use riftline_ingest::read::Input;

use crate::detect::{Case, Rules, detect};
use crate::replay::derive::{About, Derived, Options, Refusal, derive};
use crate::replay::fault::Place;
use crate::replay::id::TraceId;
use crate::stitch::stitch;
use crate::trace::window::{Window, Without};

/// Reads a run of the shop; nothing, aloud, where it is not there.
fn run(name: &str) -> Option<Window> {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let folders = [std::env::var_os("RIFTLINE_SHARED_DATA").map(PathBuf::from), Some(beside)];
    let files = folders.into_iter().flatten().map(|folder| folder.join("shop").join(name).join("traces.jsonl.gz"));
    let Some(traces) = files.into_iter().find(|file| file.exists()) else {
        eprintln!("skipped: no recording {name} of the shop (set RIFTLINE_SHARED_DATA)");
        return None;
    };
    let inputs = [Input::Path(traces.to_string_lossy().into_owned())];
    Some(crate::lab::read::window(&inputs, Without::default()).unwrap())
}

fn derived(window: &Window, about: impl Fn(&Window) -> About) -> Result<Derived, Refusal> {
    let stitches = stitch(window);
    let findings = detect(&Case::new(window, &stitches), &Rules::bundled());
    derive(window, &stitches, &findings, &about(window), &Options::default())
}

/// The trace of the first root that failed.
fn failed(window: &Window) -> About {
    let root = window.spans().find(|&span| window.is_root(span) && window.status[span as usize] == 2).unwrap();
    About::Trace(TraceId(window.trace_id(root)))
}

#[test]
fn errors_of_a_database_are_errors_of_the_service_that_asked_it() {
    let Some(window) = run("errors") else { return };
    let derived = derived(&window, failed).unwrap();
    let first = &derived.candidates[0];
    assert_eq!((first.fault.kind.as_str(), first.edge.server.as_str()), ("error", "inventory"));
    assert_eq!(first.fault.with["status"], serde_json::json!(500));
    assert!(derived.num_baseline >= 30, "{}", derived.num_baseline);
}

#[test]
fn a_slow_payment_is_a_stall_longer_than_the_deadline() {
    let Some(window) = run("slowpay") else { return };
    let derived = derived(&window, failed).unwrap();
    let first = &derived.candidates[0];
    assert_eq!((first.fault.kind.as_str(), first.fault.place), ("latency", Place::Response));
    assert_eq!((first.edge.client.as_str(), first.edge.server.as_str()), ("orders", "payments"));
    assert!(first.fault.magnitude.as_ref().unwrap().quantile(0.0) >= 180.0);
    assert_eq!((first.share.hits, first.share.calls), (133, 305));
}

#[test]
fn formats_that_differ_lose_the_headers_on_both_edges() {
    let Some(window) = run("b3split") else { return };
    let derived = derived(&window, |_| About::Finding("propagator-format-mismatch".to_owned())).unwrap();
    let edges: Vec<&str> = derived.candidates.iter().map(|one| one.edge.server.as_str()).collect();
    assert_eq!(edges, ["orders", "inventory"]);
    assert!(derived.candidates.iter().all(|one| one.fault.kind == "context-drop"));
}

#[test]
fn nothing_is_derived_from_a_healthy_request() {
    let Some(window) = run("healthy") else { return };
    let any = |window: &Window| {
        let roots = window.spans().filter(|&span| window.is_root(span));
        About::Trace(TraceId(window.trace_id(roots.into_iter().nth(20).unwrap())))
    };
    assert!(matches!(derived(&window, any), Err(Refusal::Nothing { .. })));
}
