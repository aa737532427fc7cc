//! A workstation holds a store; a second terminal asks it and reads into it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::fs::{FlockOperation, fcntl_lock};
use tempfile::TempDir;

use crate::support::riftline;
use crate::support::terminal::Terminal;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli").join(name)
}

/// A home with a store in it.
struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { home: tempfile::tempdir().unwrap() };
        let read = desk.run(&["ingest", &golden("checkout.jsonl").display().to_string(), "--store", "x.rift"]);
        assert_eq!(read.status.code(), Some(0), "{}", String::from_utf8_lossy(&read.stderr));
        desk
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = riftline(self.home.path());
        command.args(args).current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn ask(&self, sql: &str) -> String {
        let output = self.run(&["query", sql, "--store", "x.rift"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Opens the workstation on the store and waits until it shows a trace of it.
    fn open(&self) -> Terminal {
        let store = self.home.path().join("x.rift").display().to_string();
        let workstation = Terminal::start(self.home.path(), &["--store", &store], 120, 30);
        workstation.wait_for_text("POST /checkout");
        workstation
    }
}

/// Leaves with `q` and returns the exit code.
fn quit(mut workstation: Terminal) -> u32 {
    workstation.type_keys("q");
    workstation.wait_for_end().0.exit_code()
}

#[test]
fn a_second_terminal_gets_the_same_answers_as_a_first() {
    let desk = Desk::new();
    let questions: [&[&str]; 6] = [
        &["query", "select service, count(*) as spans from spans group by 1 order by 1", "--store", "x.rift"],
        &["traces", "--store", "x.rift", "--traceql", "{ status = error }"],
        &["services", "--store", "x.rift", "--format", "csv"],
        &["trace", "4bf9", "--store", "x.rift"],
        &["trace", "ffff", "--store", "x.rift"],
        &["query", "select servce from spans", "--store", "x.rift"],
    ];
    let alone: Vec<Output> = questions.iter().map(|question| desk.run(question)).collect();
    let workstation = desk.open();
    for (question, alone) in questions.iter().zip(alone) {
        let beside = desk.run(question);
        assert_eq!(
            beside.status.code(),
            alone.status.code(),
            "{question:?}: {}",
            String::from_utf8_lossy(&beside.stderr)
        );
        assert_eq!(String::from_utf8_lossy(&beside.stdout), String::from_utf8_lossy(&alone.stdout), "{question:?}");
        assert_eq!(String::from_utf8_lossy(&beside.stderr), String::from_utf8_lossy(&alone.stderr), "{question:?}");
    }
    assert_eq!(quit(workstation), 0);
}

#[test]
fn what_a_second_terminal_reads_in_shows_in_the_workstation() {
    let desk = Desk::new();
    let workstation = desk.open();
    assert_eq!(desk.ask("select count(*) as spans from spans"), "{\"spans\":6}\n");
    let more =
        fs::read_to_string(golden("checkout.jsonl")).unwrap().replace("4bf92f", "abcdef").replace("checkout", "refund");
    fs::write(desk.home.path().join("more.jsonl"), more).unwrap();
    let output = desk.run(&["ingest", "more.jsonl", "--store", "x.rift"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("\"event\":\"committed\"") && text.contains("\"event\":\"summary\""), "{text}");
    assert_eq!(desk.ask("select count(distinct trace_id) as traces from spans"), "{\"traces\":3}\n");
    workstation.wait_for_text("POST /refund");
    assert_eq!(quit(workstation), 0);
    assert_eq!(desk.ask("select count(distinct trace_id) as traces from spans"), "{\"traces\":3}\n");
}

#[test]
fn stdin_of_a_second_terminal_is_read_in_too() {
    let desk = Desk::new();
    let workstation = desk.open();
    let more = fs::read_to_string(golden("checkout.jsonl")).unwrap().replace("4bf92f", "abcdef");
    let mut command = desk.command(&["ingest", "-", "--store", "x.rift"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(more.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(desk.ask("select count(distinct trace_id) as traces from spans"), "{\"traces\":3}\n");
    assert_eq!(quit(workstation), 0);
}

#[test]
fn a_foreign_holder_is_named() {
    let desk = Desk::new();
    // Whoever locks the file as DuckDB does is a foreign holder: here the process of this test.
    let file = fs::File::options().read(true).write(true).open(desk.home.path().join("x.rift")).unwrap();
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    let output = desk.run(&["query", "select 1", "--store", "x.rift"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
}
