//! A workstation holds a store; a second terminal asks it and reads into it.

use std::fs;
use std::io::{Read, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::fs::{FlockOperation, fcntl_lock};
use tempfile::TempDir;

const RIFTLINE: &str = env!("CARGO_BIN_EXE_riftline");
/// Only for a workstation that hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli").join(name)
}

/// A folder with a store in it, and a home of its own.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        let read = desk.run(&["ingest", &golden("checkout.jsonl").display().to_string(), "--store", "x.rift"]);
        assert_eq!(read.status.code(), Some(0), "{}", String::from_utf8_lossy(&read.stderr));
        desk
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let folder = self.folder.path().display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        vec![
            ("HOME", folder.clone()),
            ("XDG_RUNTIME_DIR", folder),
            ("PATH", path),
            ("TERM", "xterm-256color".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
        ]
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(RIFTLINE);
        command.args(args).current_dir(self.folder.path()).env_clear().envs(self.variables());
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn ask(&self, sql: &str) -> String {
        let output = self.run(&["query", sql, "--store", "x.rift"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// A workstation in a terminal of its own.
struct Workstation {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    _terminal: Box<dyn MasterPty + Send>,
}

impl Workstation {
    /// Opens the workstation on the store of `desk` and waits until it shows a trace of it.
    fn open(desk: &Desk) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows: 30, cols: 120, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(RIFTLINE);
        command.args(["--store", "x.rift"]);
        command.cwd(desk.folder.path());
        command.env_clear();
        desk.variables().into_iter().for_each(|(name, value)| command.env(name, value));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (send, output) = sync_channel(64);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = reader.read(&mut bytes) {
                if send.send(bytes[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let mut workstation = Self {
            child,
            keys,
            output,
            screen: vt100::Parser::new(NonZero::new(30).unwrap(), NonZero::new(120).unwrap(), 0),
            _terminal: pair.master,
        };
        workstation.wait_for("POST /checkout");
        workstation
    }

    fn wait_for(&mut self, text: &str) {
        while !self.screen.screen().contents().contains(text) {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(_) => panic!("never showed {text:?}:\n{}", self.screen.screen().contents()),
            }
        }
    }

    /// Leaves with `q` and returns the exit code.
    fn quit(mut self) -> u32 {
        self.keys.write_all(b"q").unwrap();
        while self.output.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().unwrap().exit_code()
    }
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
    let workstation = Workstation::open(&desk);
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
    assert_eq!(workstation.quit(), 0);
}

#[test]
fn what_a_second_terminal_reads_in_shows_in_the_workstation() {
    let desk = Desk::new();
    let mut workstation = Workstation::open(&desk);
    assert_eq!(desk.ask("select count(*) as spans from spans"), "{\"spans\":6}\n");
    let more =
        fs::read_to_string(golden("checkout.jsonl")).unwrap().replace("4bf92f", "abcdef").replace("checkout", "refund");
    fs::write(desk.folder.path().join("more.jsonl"), more).unwrap();
    let output = desk.run(&["ingest", "more.jsonl", "--store", "x.rift"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("\"event\":\"committed\"") && text.contains("\"event\":\"summary\""), "{text}");
    assert_eq!(desk.ask("select count(distinct trace_id) as traces from spans"), "{\"traces\":3}\n");
    workstation.wait_for("POST /refund");
    assert_eq!(workstation.quit(), 0);
    assert_eq!(desk.ask("select count(distinct trace_id) as traces from spans"), "{\"traces\":3}\n");
}

#[test]
fn stdin_of_a_second_terminal_is_read_in_too() {
    let desk = Desk::new();
    let workstation = Workstation::open(&desk);
    let more = fs::read_to_string(golden("checkout.jsonl")).unwrap().replace("4bf92f", "abcdef");
    let mut command = Command::new(RIFTLINE);
    command
        .args(["ingest", "-", "--store", "x.rift"])
        .current_dir(desk.folder.path())
        .env_clear()
        .envs(desk.variables());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(more.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(desk.ask("select count(distinct trace_id) as traces from spans"), "{\"traces\":3}\n");
    assert_eq!(workstation.quit(), 0);
}

#[test]
fn a_foreign_holder_is_named() {
    let desk = Desk::new();
    // Whoever locks the file as DuckDB does is a foreign holder: here the process of this test.
    let file = fs::File::options().read(true).write(true).open(desk.folder.path().join("x.rift")).unwrap();
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    let output = desk.run(&["query", "select 1", "--store", "x.rift"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
}
