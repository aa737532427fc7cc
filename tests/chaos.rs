//! Runs that are cut off at every step leave no fault behind: with the built-in proxy and with the real Toxiproxy server.

mod workstation;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::riftline;

/// The longest that a fault may outlive its run.
const LIMIT: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(2);

/// A service that answers everything, behind an injector.
struct Staging {
    home: TempDir,
    injector: Child,
    api: SocketAddr,
    front: SocketAddr,
    driver: &'static str,
}

impl Staging {
    fn new(driver: &'static str) -> Option<Self> {
        let home = tempfile::tempdir().unwrap();
        let (api, front) = (free(), free());
        let links = format!(r#"[{{"name":"edge","listen":"{front}","upstream":"{}","enabled":true}}]"#, answers());
        let file = home.path().join("links.json");
        fs::write(&file, links).unwrap();
        let mut command = if driver == "builtin" {
            let mut command = riftline(home.path());
            command.arg("proxy").arg("--links").arg(&file).arg("--api").arg(api.to_string());
            command
        } else {
            let mut command = Command::new(toxiproxy()?);
            command.arg("-config").arg(&file).args(["-host", "127.0.0.1", "-port"]).arg(api.port().to_string());
            command
        };
        let injector = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let staging = Self { home, injector, api, front, driver };
        wait(PATIENCE, "the injector listens", || {
            TcpStream::connect(staging.front).is_ok() && TcpStream::connect(staging.api).is_ok()
        });
        Some(staging)
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Writes an experiment that takes its time, and returns its file.
    fn experiment(&self) -> PathBuf {
        let text = format!(
            "title: a stall\ndescription: for tests\nmethod: []\nextensions:\n- name: riftline.chaos/v1\n  \
             target: {{environment: staging, url: 'http://{}', edge: {{client: front, server: edge}}}}\n  \
             driver: {{name: {}, api: 'http://{}', proxy: edge}}\n  \
             fault: {{kind: latency, magnitude: {{dist: fixed, ms: 5}}}}\n  \
             traffic: {{requests: 20, rps: 20, otlp_http: '127.0.0.1:0', otlp_grpc: 'off', list: [{{method: GET, path: /}}]}}\n  \
             limits: {{quiet_s: 0, patience_s: 0}}\n",
            self.front, self.driver, self.api
        );
        let file = self.home.path().join("stall.yaml");
        fs::write(&file, text).unwrap();
        file
    }

    fn chaos(&self, args: &[&str]) -> Command {
        let mut command = riftline(self.home.path());
        command.arg("chaos").args(args).arg("--data").arg(self.data()).stdin(Stdio::null());
        command
    }

    fn hash(&self, file: &str) -> String {
        let output = self.chaos(&["run", file, "--dry-run"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let hash = text.lines().find_map(|line| line.strip_prefix("hash")).map(|hash| hash.trim().to_owned());
        hash.unwrap_or_else(|| panic!("no hash: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Starts a run and waits until its journal tells of `event`.
    fn run_until(&self, event: &str) -> Child {
        let file = self.experiment().display().to_string();
        let hash = self.hash(&file);
        let mut command = self.chaos(&["run", &file, "--yes", &hash]);
        let run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        wait(PATIENCE, &format!("the journal tells of {event}"), || {
            self.journal().contains(&format!("\"event\":\"{event}\""))
        });
        run
    }

    /// All journals, one after the other.
    fn journal(&self) -> String {
        let runs = fs::read_dir(self.data().join("chaos")).into_iter().flatten().flatten();
        runs.filter_map(|run| fs::read_to_string(run.path().join("journal.jsonl")).ok()).collect()
    }

    /// Tells whether a fault of ours is armed.
    fn is_armed(&self) -> bool {
        get(self.api, "/proxies/edge").contains("riftline_")
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = self.injector.kill();
        let _ = self.injector.wait();
    }
}

#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn toxiproxy() -> Option<PathBuf> {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/riftline/peers");
    let peers = std::env::var_os("RIFTLINE_PEERS").map_or(home, PathBuf::from);
    let server = peers.join("bin/toxiproxy-server");
    if !server.is_file() {
        eprintln!("skipped: no {} (see .ci/peers)", server.display());
        return None;
    }
    Some(server)
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn wait(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "in {patience:?} not: {what}");
        thread::sleep(LOOK);
    }
}

/// Serves HTTP for as long as the tests run: 200 to everything.
fn answers() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(&stream));
        }
    });
    address
}

fn answer(stream: &TcpStream) {
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        match lines.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line == "\r\n" => {
                let sent = (&*stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
                if sent.is_err() {
                    return;
                }
            }
            Ok(_) => {}
        }
    }
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn ends(mut run: Child) -> Output {
    // Its pipes are read to their end, which comes when the last process that holds them is gone.
    run.stdin.take();
    run.wait_with_output().unwrap()
}

/// Kills a run when its journal tells of `event`; the fault must go, and the next start must tell.
fn is_undone_after_kill_9_at(staging: &Staging, event: &str) {
    let mut run = staging.run_until(event);
    run.kill().unwrap();
    run.wait().unwrap();
    wait(LIMIT, &format!("no fault is left after kill -9 at {event}"), || !staging.is_armed());
    // A reaper that still works has the right to write; `list` tells once nobody does.
    let mut told = String::new();
    wait(PATIENCE, "the next start tells of it", || {
        told.push_str(&String::from_utf8_lossy(&staging.chaos(&["list"]).output().unwrap().stderr));
        told.contains("was cut off")
    });
    assert!(
        !told.contains("may have left a fault") || staging.chaos(&["recover"]).status().unwrap().success(),
        "{told}"
    );
    assert!(!staging.is_armed());
}

fn kill_9_at_every_step(driver: &'static str) {
    for event in ["intent", "armed", "disarm"] {
        let Some(staging) = Staging::new(driver) else { return };
        is_undone_after_kill_9_at(&staging, event);
    }
}

#[test]
fn kill_9_at_every_step_leaves_no_fault_in_the_built_in_proxy() {
    kill_9_at_every_step("builtin");
}

#[test]
fn kill_9_at_every_step_leaves_no_fault_in_toxiproxy() {
    kill_9_at_every_step("toxiproxy");
}

fn signals_undo_first(driver: &'static str) {
    let Some(staging) = Staging::new(driver) else { return };
    for (what, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let run = staging.run_until("armed");
        assert!(staging.is_armed());
        signal(&run, what);
        let output = ends(run);
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!staging.is_armed(), "{what:?}");
        fs::remove_dir_all(staging.data()).unwrap();
    }
}

#[test]
fn signals_undo_first_in_the_built_in_proxy() {
    signals_undo_first("builtin");
}

#[test]
fn signals_undo_first_in_toxiproxy() {
    signals_undo_first("toxiproxy");
}

#[test]
fn another_terminal_stops_a_run() {
    let staging = Staging::new("builtin").unwrap();
    let run = staging.run_until("armed");
    let stopped = staging.chaos(&["stop"]).output().unwrap();
    assert_eq!(stopped.status.code(), Some(0), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(!staging.is_armed());
    let output = ends(run);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("stopped by `riftline chaos stop`; its fault is undone"), "{told}");
}

#[test]
fn two_runs_at_once_are_refused_and_so_is_one_beside_a_halt_file() {
    let staging = Staging::new("builtin").unwrap();
    let file = staging.experiment().display().to_string();
    let hash = staging.hash(&file);
    let run = staging.run_until("armed");
    let second = staging.chaos(&["run", &file, "--yes", &hash]).output().unwrap();
    assert_eq!(second.status.code(), Some(5), "{}", String::from_utf8_lossy(&second.stderr));
    fs::write(staging.data().join("chaos/HALT"), "").unwrap();
    let output = ends(run);
    assert!(String::from_utf8_lossy(&output.stderr).contains("HALT"), "the lever stops what is under way");
    assert!(!staging.is_armed());
    let third = staging.chaos(&["run", &file, "--yes", &hash]).output().unwrap();
    assert_eq!(third.status.code(), Some(5));
}

#[test]
fn a_changed_plan_needs_a_new_signature() {
    let staging = Staging::new("builtin").unwrap();
    let file = staging.experiment();
    let name = file.display().to_string();
    let hash = staging.hash(&name);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("ms: 5", "ms: 5000")).unwrap();
    let output = staging.chaos(&["run", &name, "--yes", &hash]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8_lossy(&output.stderr).contains("it changed since it was signed off"));
    assert_eq!(staging.journal(), "", "nothing was done");
}

#[test]
fn production_and_unknown_hosts_are_refused() {
    let staging = Staging::new("builtin").unwrap();
    let file = staging.experiment();
    let text = fs::read_to_string(&file).unwrap();
    for (from, to, says) in [
        ("environment: staging", "environment: shop-prod", "looks like production"),
        (&format!("http://{}", staging.front) as &str, "http://192.0.2.1:80", "no entry of `chaos_allow`"),
        ("method: GET", "method: DELETE", "--allow-unsafe-methods"),
    ] {
        fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let output = staging.chaos(&["run", &file.display().to_string(), "--dry-run"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{told}");
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn a_full_disk_ends_a_run_and_the_fault_with_it() {
    let staging = Staging::new("builtin").unwrap();
    let file = staging.experiment().display().to_string();
    let hash = staging.hash(&file);
    let data = staging.data();
    fs::create_dir_all(&data).unwrap();
    let script = "mount -t tmpfs -o size=16m full \"$1\" || exit 77\n\
                  (until grep -qs '\"event\":\"armed\"' \"$1\"/chaos/*/journal.jsonl; do :; done; cat /dev/zero > \"$1\"/fill 2>/dev/null) &\n\
                  shift; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&data);
    command.arg(env!("CARGO_BIN_EXE_riftline")).args(["chaos", "run", &file, "--yes", &hash, "--data"]).arg(&data);
    command.env("HOME", staging.home.path()).stdin(Stdio::null());
    let Ok(output) = command.output() else {
        eprintln!("skipped: no unshare");
        return;
    };
    if output.status.code() == Some(77) || !Path::new("/proc/self/ns/user").exists() {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("No space left"), "{told}");
    wait(LIMIT, "no fault is left on a full disk", || !staging.is_armed());
}
