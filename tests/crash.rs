//! Kills `riftline ingest` at random points and checks that what it acknowledged is in the store, exactly once.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{otlp, riftline, stdout_of};

const SPANS_PER_LINE: usize = 8;
const LINES: usize = 4_000;
const ROWS_PER_COMMIT: &str = "1000";

/// How often to kill: `RIFTLINE_CRASH_POINTS`, else a number that keeps the test short.
fn num_points() -> usize {
    std::env::var("RIFTLINE_CRASH_POINTS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

fn ingest(home: &Path, store: &Path, file: &Path) -> Command {
    let mut command = riftline(home);
    command.args(["ingest", "--format", "ndjson", "--commit-rows", ROWS_PER_COMMIT, "--store"]).arg(store).arg(file);
    command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::piped());
    command
}

fn rows(home: &Path, store: &Path, sql: &str) -> Vec<Value> {
    let text = stdout_of(riftline(home).args(["query", "--format", "ndjson", "--store"]).arg(store).arg(sql));
    text.lines().map(|line| serde_json::from_str(line).expect("ndjson")).collect()
}

/// Reads acknowledgements until `count` came or the end; returns the last acknowledged offset.
fn read_acknowledgements(child: &mut Child, count: usize) -> u64 {
    let lines = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    let offsets = lines.map_while(Result::ok).filter_map(|line| {
        let event: Value = serde_json::from_str(&line).expect("ndjson");
        (event["event"] == "committed").then(|| event["offset"].as_u64().expect("offset"))
    });
    offsets.take(count).last().unwrap_or(0)
}

/// Fails unless the store holds exactly the lines before its committed offset, and at least those before `acknowledged`.
fn check(home: &Path, store: &Path, acknowledged: u64, ends: &[u64]) -> usize {
    if !store.exists() {
        assert_eq!(acknowledged, 0, "acknowledged, but there is no store");
        return 0;
    }
    let spans = "select count(*) as spans, count(distinct trace_id || span_id) as distinct_spans from spans";
    let counted = &rows(home, store, spans)[0];
    assert_eq!(counted["spans"], counted["distinct_spans"], "a span is there twice");
    let sources = rows(
        home,
        store,
        "select coalesce(max(committed_offset), 0) as at, coalesce(sum(duplicates), 0) as copies from sources",
    );
    assert_eq!(sources[0]["copies"].as_u64(), Some(0), "a batch was written twice");
    let committed = sources[0]["at"].as_u64().expect("offset");
    assert!(committed >= acknowledged, "acknowledged up to {acknowledged}, stored up to {committed}");
    let lines = ends.partition_point(|end| *end <= committed);
    assert_eq!(counted["spans"].as_u64(), Some((lines * SPANS_PER_LINE) as u64), "a part of a batch is there");
    lines
}

#[test]
fn what_was_acknowledged_survives_kill_9_exactly_once() {
    let home = tempfile::tempdir().expect("folder");
    let (file, store) = (home.path().join("spans.jsonl"), home.path().join("crash.rift"));
    let text = otlp::lines(LINES, SPANS_PER_LINE);
    std::fs::write(&file, &text).expect("input");
    let ends: Vec<u64> = text.match_indices('\n').map(|(at, _)| at as u64 + 1).collect();
    let mut random = RandomState::new().build_hasher();
    let mut killed = 0;
    while killed < num_points() {
        random.write_usize(killed);
        let mut child = ingest(home.path(), &store, &file).spawn().expect("start");
        let acknowledged = read_acknowledgements(&mut child, random.finish() as usize % 6);
        // Not to wait for anything: the point of the kill is to fall anywhere.
        std::thread::sleep(Duration::from_micros(random.finish() >> 8 & 0x3fff));
        child.kill().expect("kill -9");
        child.wait().expect("end");
        killed += 1;
        if check(home.path(), &store, acknowledged, &ends) == LINES {
            remove_store(&store);
        }
    }
    assert!(ingest(home.path(), &store, &file).stdout(Stdio::null()).status().expect("run").success());
    assert_eq!(check(home.path(), &store, text.len() as u64, &ends), LINES);
}

fn remove_store(store: &Path) {
    for entry in std::fs::read_dir(store.parent().expect("folder")).expect("folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("crash.rift") {
            std::fs::remove_file(entry.path()).expect("remove");
        }
    }
}

#[test]
fn every_acknowledgement_comes_after_an_fsync() {
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: strace is not installed");
        return;
    }
    let home = tempfile::tempdir().expect("folder");
    let (file, store, log) = (home.path().join("a.jsonl"), home.path().join("a.rift"), home.path().join("calls"));
    std::fs::write(&file, otlp::lines(1_000, SPANS_PER_LINE)).expect("input");
    let plain = ingest(home.path(), &store, &file);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-s", "200", "-e", "trace=write,writev,fsync,fdatasync", "-o"]).arg(&log);
    traced.arg(plain.get_program()).args(plain.get_args()).stdout(Stdio::null()).stderr(Stdio::null());
    traced.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    if !traced.status().expect("run strace").success() {
        eprintln!("skipped: strace cannot trace here");
        return;
    }
    let (mut synced, mut acknowledged) = (false, 0);
    for call in std::fs::read_to_string(&log).expect("calls").lines() {
        let is_store = call.contains("a.rift");
        synced |= is_store && (call.contains("fsync(") || call.contains("fdatasync("));
        if call.contains(r#"{\"event\":\"committed\""#) {
            assert!(synced, "acknowledged without an fsync since the last one: {call}");
            acknowledged += call.matches(r#"\"event\":\"committed\""#).count();
            synced = false;
        }
    }
    assert!(acknowledged >= 3, "expected one acknowledgement a commit, saw {acknowledged}");
}
