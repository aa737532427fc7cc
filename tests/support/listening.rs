//! A real `riftline listen` on loopback, on ports that are free.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::riftline;

/// A riftline that listens; killed when dropped.
pub struct Listening {
    child: Child,
    errors: BufReader<ChildStderr>,
    /// Addresses for OTLP over gRPC and HTTP.
    pub grpc: String,
    pub http: String,
}

/// Returns the command.
pub fn command(home: &Path, store: &Path) -> Command {
    let mut command = riftline(home);
    command.args(["listen", "--headless", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--store"]).arg(store);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Listening {
    /// Starts it and waits until it listens.
    pub fn start(home: &Path, store: &Path) -> Self {
        let mut child = command(home, store).spawn().expect("start");
        let mut errors = BufReader::new(child.stderr.take().expect("piped"));
        let mut address = |scheme: &str| {
            let mut line = String::new();
            while !line.starts_with("listening at ") {
                line.clear();
                assert!(errors.read_line(&mut line).expect("text") > 0, "ended before it listened");
            }
            line.trim().strip_prefix(&format!("listening at {scheme}://")).expect("an address").to_owned()
        };
        let (grpc, http) = (address("grpc"), address("http"));
        Self { child, errors, grpc, http }
    }

    /// Kills it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("end");
    }

    /// Asks it to end; returns its exit code and what it said.
    pub fn stop(mut self) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("signal");
        let mut said = String::new();
        self.errors.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("end").code(), said)
    }

    /// Sends OTLP JSON over HTTP; returns the whole answer.
    pub fn post(&self, path: &str, json: &str) -> String {
        let mut stream = TcpStream::connect(&self.http).expect("connect");
        let len = json.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n\r\n"
        );
        stream.write_all((head + json).as_bytes()).expect("send");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        answer
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
