//! Runs from the Chaos view, in a real terminal: seen to their end, refused, and undone when the workstation is left.

use std::fs;
use std::path::Path;

use super::{LIMIT, PATIENCE, Staging, wait};
use crate::support::terminal::Terminal;
use crate::support::{otlp, riftline, stdout_of};

/// Opens the Chaos view on what `change` makes of an experiment.
fn open(staging: &Staging, change: impl Fn(String) -> String) -> Terminal {
    let text = change(fs::read_to_string(staging.experiment()).unwrap());
    let folder = staging.data().join("chaos").join("experiments");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("stall.yaml"), text).unwrap();
    let spans = spans(staging.home.path());
    let data = staging.data();
    let set = |command: &mut portable_pty::CommandBuilder| command.env("RIFTLINE_DATA", &data);
    let mut terminal = Terminal::start_with(staging.home.path(), &[&spans], 80, 24, set);
    terminal.wait_for_text("operation 0");
    terminal.type_keys("8");
    terminal.wait_for_text("must hold");
    terminal
}

fn spans(home: &Path) -> String {
    let file = home.join("spans.jsonl");
    fs::write(&file, otlp::lines(3, 2)).unwrap();
    file.display().to_string()
}

fn run(terminal: &mut Terminal, environment: &str) {
    terminal.type_keys("R");
    terminal.wait_for_text(&format!("Type {environment} to run it"));
    terminal.type_keys(&format!("{environment}\r"));
}

#[test]
fn a_run_is_seen_from_its_dry_run_to_its_verdict() {
    let staging = Staging::new("builtin").unwrap();
    let mut terminal = open(&staging, |text| text);
    terminal.type_keys("d");
    terminal.wait_for_text("what a run would do");
    terminal.wait_for("the dry run", |screen| screen.contains("environment  staging"));
    run(&mut terminal, "staging");
    terminal.wait_for("the verdict", |screen| screen.contains("INVALID") || screen.contains("INCONCLUSIVE"));
    assert!(!staging.is_armed());
    terminal.type_keys(":quit\r");
    assert!(terminal.wait_for_end().0.success());
}

#[test]
fn a_run_that_is_refused_says_why() {
    let staging = Staging::new("builtin").unwrap();
    let mut terminal = open(&staging, |text| text.replace("environment: staging", "environment: shop-prod"));
    run(&mut terminal, "shop-prod");
    terminal.wait_for_text("shop-prod looks like");
    assert_eq!(staging.journal(), "", "nothing was done");
}

/// Opens a trace in a workstation of its own, and asks to replay it.
fn replay(home: &Path, source: &str, trace: &str) -> Terminal {
    let data = home.join("data");
    let set = |command: &mut portable_pty::CommandBuilder| command.env("RIFTLINE_DATA", &data);
    let mut terminal = Terminal::start_with(home, &[source], 140, 40, set);
    terminal.wait_for_text("gateway");
    terminal.wait_for("the end of reading", |screen| !screen.contains("reading"));
    terminal.type_keys(&format!(":open {trace}\r"));
    terminal.wait_for_text("no log line carries");
    terminal.type_keys("r");
    terminal
}

/// Returns a trace that lasted longer than payments usually takes.
fn slow_trace(home: &Path, source: &str) -> String {
    let mut command = riftline(home);
    command.args(["traces", source, "--traceql", "{ duration > 800ms }", "--limit", "1", "--format", "csv"]);
    let answer = stdout_of(&mut command);
    let id = answer.lines().nth(1).and_then(|line| line.split(',').next());
    id.expect("a slow trace").to_owned()
}

#[test]
fn a_recorded_incident_becomes_an_experiment_by_one_key() {
    let home = tempfile::tempdir().unwrap();
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/sample-traces/replay-latency/traces.jsonl.gz");
    let terminal = replay(home.path(), source, &slow_trace(home.path(), source));
    terminal.wait_for("the experiment", |screen| screen.contains("must hold") && screen.contains("orders -> payments"));
    let files = fs::read_dir(home.path().join("data/chaos/experiments")).unwrap().flatten();
    let mut names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert_eq!(names.len(), 2, "the experiment and the incident's spans: {names:?}");
}

#[test]
fn a_trace_with_nothing_wrong_is_refused_with_the_reason() {
    let home = tempfile::tempdir().unwrap();
    let terminal = replay(home.path(), &spans(home.path()), &format!("{:032x}", 1));
    terminal.wait_for_text("this cannot be replayed");
    assert!(!home.path().join("data/chaos/experiments").exists());
}

#[test]
fn leaving_the_workstation_undoes_what_it_runs() {
    let staging = Staging::new("builtin").unwrap();
    let mut terminal = open(&staging, |text| text.replace("requests: 20, rps: 20", "requests: 400, rps: 100"));
    run(&mut terminal, "staging");
    terminal.wait_for_text("a fault may be armed");
    wait(PATIENCE, "the fault is armed", || staging.is_armed());
    terminal.type_keys("q");
    let (status, ended) = terminal.wait_for_end();
    assert!(status.success(), "{status:?}");
    ended.assert_restored();
    wait(LIMIT, "no fault is left", || !staging.is_armed());
    let journal = staging.journal();
    assert!(journal.contains("\"event\":\"verified\"") && journal.contains("riftline chaos stop"), "{journal}");
}
