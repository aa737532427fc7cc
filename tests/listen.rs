//! Live receivers with the real binary: what is acknowledged is there, once, whatever is killed when.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use riftline_ingest::testing::{Blocking, Template};
use serde_json::Value;

use crate::support::listening::{Listening, command};
use crate::support::terminal::Terminal;
use crate::support::{describe, otlp, riftline, stdout_of};

const SPANS_PER_REQUEST: usize = 64;
const NUM_SENDERS: usize = 3;

/// How often to kill: `RIFTLINE_LISTEN_KILLS`, else a number that keeps the test short.
fn num_kills() -> u64 {
    std::env::var("RIFTLINE_LISTEN_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

fn rows(home: &Path, store: &Path, sql: &str) -> Vec<Value> {
    let mut query = riftline(home);
    let text = stdout_of(query.args(["query", "--limit", "0", "--format", "ndjson", "--store"]).arg(store).arg(sql));
    text.lines().map(|line| serde_json::from_str(line).expect("ndjson")).collect()
}

/// Sends until the receiver is gone; returns the numbers of the requests that were acknowledged.
fn send_until_gone(address: &str, next: &AtomicU64) -> Vec<u64> {
    let mut template = Template::new(SPANS_PER_REQUEST);
    let mut acknowledged = Vec::new();
    let Some(mut sender) = Blocking::connect(address) else { return acknowledged };
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        match sender.send_traces(template.request(number)) {
            Ok(_) => acknowledged.push(number),
            Err(_) => return acknowledged,
        }
    }
}

#[test]
fn what_was_acknowledged_survives_kill_9_once() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("live.rift");
    let next = Arc::new(AtomicU64::new(0));
    let mut acknowledged: Vec<u64> = Vec::new();
    let mut logs = 0;
    let mut random = RandomState::new().build_hasher();
    for kill in 0..num_kills() {
        random.write_u64(kill);
        let listening = Listening::start(home.path(), &store);
        let answer = listening.post("/v1/logs", LOG);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        logs += 1;
        let senders: Vec<_> = (0..NUM_SENDERS)
            .map(|_| {
                let (address, next) = (listening.grpc.clone(), next.clone());
                thread::spawn(move || send_until_gone(&address, &next))
            })
            .collect();
        // Not to wait for anything: the kill is to fall anywhere, also into commits and checkpoints.
        thread::sleep(Duration::from_millis(random.finish() % 1_500));
        listening.kill();
        senders.into_iter().for_each(|sender| acknowledged.extend(sender.join().expect("sender")));
    }
    let (code, said) = Listening::start(home.path(), &store).stop();
    assert_eq!(code, Some(143), "{said}");
    let stored = rows(home.path(), &store, "select span_id, count(*) as copies from spans group by 1");
    assert!(stored.iter().all(|row| row["copies"] == 1), "a span is there twice");
    let ids: HashSet<&str> = stored.iter().filter_map(|row| row["span_id"].as_str()).collect();
    let template = Template::new(SPANS_PER_REQUEST);
    for number in &acknowledged {
        let missing = template.span_ids(*number).find(|id| !ids.contains(format!("{id:016x}").as_str()));
        assert_eq!(missing, None, "request {number} of {} was acknowledged", acknowledged.len());
    }
    assert!(!acknowledged.is_empty(), "nothing was acknowledged at all");
    let counted = rows(home.path(), &store, "select count(*) as logs from logs");
    assert_eq!(counted[0]["logs"].as_u64(), Some(logs), "log records are there once");
    assert!(!home.path().join("live.rift.spool").exists(), "everything is in the store's file");
}

const LOG: &str = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000000000000","body":{"stringValue":"once"}}]}]}]}"#;

#[test]
fn a_second_terminal_is_answered_while_spans_come() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("live.rift");
    let listening = Listening::start(home.path(), &store);
    let lines = otlp::lines(20, 4);
    for line in lines.lines() {
        let answer = listening.post("/v1/traces", line);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("{}"), "{answer}");
    }
    let counted = || rows(home.path(), &store, "select count(*) as spans from spans")[0]["spans"].as_u64();
    while counted() != Some(80) {
        thread::sleep(Duration::from_millis(50));
    }
    let traces = stdout_of(riftline(home.path()).args(["traces", "--format", "ndjson", "--store"]).arg(&store));
    assert_eq!(traces.lines().count(), 20);
    let (code, said) = listening.stop();
    assert_eq!((code, said.trim()), (Some(143), "received 80 spans"));
    let sources = rows(home.path(), &store, "select name, format, num_spans from sources");
    assert_eq!(sources.len(), 1);
    assert_eq!((sources[0]["format"].as_str(), sources[0]["num_spans"].as_u64()), (Some("otlp-json"), Some(80)));
    assert!(sources[0]["name"].as_str().is_some_and(|name| name.starts_with("http://127.0.0.1:")));
}

#[test]
fn what_a_killed_riftline_acknowledged_shows_in_the_next_question() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("live.rift");
    let listening = Listening::start(home.path(), &store);
    assert!(listening.post("/v1/traces", otlp::lines(1, 4).trim()).starts_with("HTTP/1.1 200"));
    listening.kill();
    assert_eq!(rows(home.path(), &store, "select count(*) as spans from spans")[0]["spans"].as_u64(), Some(4));
}

#[test]
fn refused_records_are_kept_with_their_reason() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("live.rift");
    let listening = Listening::start(home.path(), &store);
    let line = otlp::lines(1, 2).replacen("\"startTimeUnixNano\":\"1", "\"startTimeUnixNano\":\"x", 1);
    let answer = listening.post("/v1/traces", line.trim());
    assert!(answer.contains("partialSuccess") && answer.contains("\"rejectedSpans\":\"1\""), "{answer}");
    let (_, said) = listening.stop();
    assert!(said.contains("received 1 spans, 1 refused"), "{said}");
    let rejects = rows(home.path(), &store, "select reason from rejects");
    assert!(rejects[0]["reason"].as_str().is_some_and(|reason| reason.contains("startTimeUnixNano")), "{rejects:?}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = tempfile::tempdir().expect("folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("port");
    let address = taken.local_addr().expect("address").to_string();
    let store = home.path().join("live.rift");
    let output = command(home.path(), &store).args(["--http", &address]).output().expect("run");
    assert_eq!(output.status.code(), Some(2), "given twice: {}", describe(&output));
    let mut command = riftline(home.path());
    command.args(["listen", "--headless", "--grpc", "off", "--http", &address, "--store"]).arg(&store);
    let output = command.output().expect("run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&address) && said.contains("in use"), "{said}");
}

#[test]
fn spans_that_come_show_in_the_workstation() {
    let home = tempfile::tempdir().expect("folder");
    let store = home.path().join("live.rift").display().to_string();
    let options = ["listen", "--grpc", "127.0.0.1:0", "--http", "off", "--store", &store];
    let mut workstation = Terminal::start(home.path(), &options, 140, 30);
    let mark = "listening at grpc://";
    workstation.wait_for("where it listens", |screen| screen.contains(mark));
    let screen = workstation.with_screen(vt100::Screen::contents);
    let (_, rest) = screen.split_once(mark).expect("address");
    let address = rest.split_whitespace().next().expect("address").to_owned();
    let mut sender = Blocking::connect(&address).expect("connect");
    assert_eq!(sender.send_traces(Template::new(8).request(0)).expect("send"), 0);
    workstation.wait_for_text("GET /orders/{id} 0");
    workstation.type_keys("q");
    assert!(workstation.wait_for_end().0.success());
    assert!(!home.path().join("live.rift.spool").exists(), "everything is in the store's file");
}
