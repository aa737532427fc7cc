//! `riftline ingest --follow` with the real binary.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{otlp, riftline, stdout_of};

/// A riftline that follows; killed when dropped.
struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn follow(home: &Path, store: &Path, file: &Path) -> Follower {
    let mut command = riftline(home);
    command.args(["ingest", "--follow", "--store"]).arg(store).arg(file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Follower(command.spawn().expect("start"))
}

fn stop(mut child: Follower) {
    kill_process(Pid::from_child(&child.0), Signal::TERM).expect("signal");
    assert_eq!(child.0.wait().expect("end").code(), Some(143));
}

fn count(home: &Path, store: &Path, what: &str) -> String {
    if !store.exists() {
        return String::new();
    }
    stdout_of(riftline(home).args(["query", "--format", "csv", "--store"]).arg(store).arg(what)).replace("\r\n", " ")
}

fn wait_for(home: &Path, store: &Path, what: &str, expected: &str) {
    let begun = Instant::now();
    loop {
        let found = count(home, store, what);
        if found.contains(expected) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{expected}: {found}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn log(number: usize) -> String {
    format!(
        "{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{{\"timeUnixNano\":\"17000000000000{number:05}\",\"body\":{{\"stringValue\":\"{number}\"}}}}]}}]}}]}}\n"
    )
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).expect("file");
    file.write_all(text.as_bytes()).expect("append");
}

#[test]
fn a_followed_file_is_read_once_through_growth_rotation_and_restarts() {
    let home = tempfile::tempdir().expect("folder");
    let (store, file) = (home.path().join("x.rift"), home.path().join("app.jsonl"));
    let logs = "select count(*) as logs, count(distinct body) as bodies from logs";
    append(&file, &log(0));
    let child = follow(home.path(), &store, &file);
    wait_for(home.path(), &store, logs, "1,1");
    append(&file, &(log(1) + &otlp::lines(2, 3)));
    wait_for(home.path(), &store, logs, "2,2");
    stop(child);
    // It is a small file: its head is another one now. Half a record is there, too.
    let next = log(3);
    append(&file, &(log(2) + &next[..50]));
    let child = follow(home.path(), &store, &file);
    wait_for(home.path(), &store, logs, "3,3");
    append(&file, &next[50..]);
    wait_for(home.path(), &store, logs, "4,4");
    fs::rename(&file, home.path().join("app.jsonl.1")).expect("rotate");
    append(&file, &log(4));
    wait_for(home.path(), &store, logs, "5,5");
    stop(child);
    let sources = "select count(*), sum(num_rejects), sum(duplicates), sum(num_logs) from sources";
    wait_for(home.path(), &store, sources, "2,0,0,5");
}
