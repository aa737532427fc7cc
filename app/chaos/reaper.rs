//! A process that outlives its run: it waits for the other end of a pipe to close, which the system does however the run ends, and
//! undoes what the run's journal leaves open.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::folder::Runs;
use super::undo::{self, Undone};

/// Watches over one run, until dropped.
#[derive(Debug)]
pub struct Reaper {
    child: Child,
    /// Open as long as the run lives.
    pipe: Option<ChildStdin>,
}

impl Reaper {
    /// Starts to watch over a run. `program` is riftline itself. Returns once the reaper says that it watches.
    pub fn start(program: &Path, data_folder: &Path, run: &str) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(["chaos", "reap", run, "--data"])
            .arg(data_folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut ready = [0];
        if let Some(mut says) = child.stdout.take() {
            says.read_exact(&mut ready)?;
        }
        let pipe = child.stdin.take();
        Ok(Self { child, pipe })
    }

    /// Tells whether it still watches.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.child.wait();
    }
}

/// The reaper's own work: says that it watches, waits for the run to end, and undoes what it left.
pub fn watch(runs: &Runs, run: &str, ready: &mut dyn io::Write) -> io::Result<Undone> {
    // Whoever stops the run's whole group, or closes its terminal, must not stop this.
    let _ = rustix::process::setsid();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, std::sync::Arc::default())?;
    }
    ready.write_all(b".")?;
    ready.flush()?;
    wait_for_the_end();
    undo::undo(runs, run, "reaper").map_err(io::Error::other)
}

fn wait_for_the_end() {
    let mut bytes = [0; 64];
    let mut pipe = io::stdin().lock();
    loop {
        match pipe.read(&mut bytes) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}
