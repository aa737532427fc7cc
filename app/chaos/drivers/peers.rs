//! Real servers for tests: found in `RIFTLINE_PEERS`, in the folder that `.ci/peers` fills, or in `PATH`.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

/// Returns where a peer's program is; says that the test is skipped where it is not.
pub fn find(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let name = PathBuf::from(program);
    let in_path = folders.into_iter().flatten().map(|folder| folder.join(name.file_name().unwrap()));
    let found = [folder().join(program)].into_iter().chain(in_path).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: no {program} in {} or PATH (see .ci/peers)", folder().display());
    }
    found
}

/// Returns the folder that `.ci/peers` fills.
pub fn folder() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/riftline/peers");
    std::env::var_os("RIFTLINE_PEERS").map_or_else(home, PathBuf::from)
}

/// Returns a port that nobody listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server that ends with the test.
pub struct Server(Child);

impl Server {
    /// Starts `command` and waits until it listens on `port`.
    pub fn start(mut command: Command, port: u16) -> Self {
        let mut server = Self(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(server.0.try_wait().unwrap().is_none(), "the server ended at once");
            assert!(Instant::now() < deadline, "the server does not listen");
            thread::yield_now();
            thread::park_timeout(Duration::from_millis(10));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves HTTP for as long as the test runs: every request is answered `200` with its own head as the body.
pub fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            thread::spawn(move || serve(&stream));
        }
    });
    address
}

/// Answers requests without a body until the client leaves.
fn serve(stream: &TcpStream) {
    use std::io::Write;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.by_ref().read_line(&mut head).is_ok_and(|count| count > 0) {
        if head.ends_with("\r\n\r\n") {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{head}", head.len());
            if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
                return;
            }
            head.clear();
        }
    }
}
