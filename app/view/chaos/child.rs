//! riftline itself as a child: dry runs, runs, and undoing. The workstation never arms anything by itself.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use riftline_queries::cancel::Cancel;
use riftline_queries::error::AskError;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

use crate::chaos::folder::Runs;
use crate::chaos::journal::{self, Told};

/// How often a child is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long leaving waits for a run to undo its fault; after that the run goes on doing it by itself.
const FAREWELL: Duration = Duration::from_secs(10);
/// More of what a child says is not shown.
const MAX_SAID: usize = 256 << 10;

/// What a child said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    /// Whether it ended well.
    pub is_good: bool,
}

/// A run that this workstation started. Clones are the same run.
#[derive(Debug, Clone)]
pub struct Launched {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    child: Mutex<Child>,
    pid: u32,
    runs: Runs,
    /// What it says; goes away with this.
    log: NamedTempFile,
}

impl PartialEq for Launched {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Launched {
    /// Starts `riftline chaos run` on an experiment whose plan has this hash. It stays in the workstation's group of processes: it
    /// hears when the terminal goes away.
    pub fn start(data_folder: &Path, experiment: &Path, hash: &str) -> io::Result<Self> {
        let mut command = riftline()?;
        command.args(["chaos", "run"]).arg(experiment).args(["--yes", hash, "--data"]).arg(data_folder);
        let (child, log) = spawn(&mut command)?;
        let inner = Inner { pid: child.id(), child: Mutex::new(child), runs: Runs::of(data_folder), log };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Tells whether it has ended, and if so whether it ended well.
    #[must_use]
    pub fn ended(&self) -> Option<bool> {
        match self.child().try_wait() {
            Ok(status) => status.map(|status| status.success()),
            Err(_) => Some(false),
        }
    }

    /// Returns the name of the run once it has a journal: the one that this process writes.
    #[must_use]
    pub fn run(&self) -> Option<String> {
        let is_ours = |run: &String| {
            let told = Told::read(&self.inner.runs.folder(run).join(journal::FILE));
            told.is_ok_and(|told| told.records.first().is_some_and(|record| record.pid == self.inner.pid))
        };
        self.inner.runs.list().into_iter().take(1).find(is_ours)
    }

    /// Returns what it said so far.
    #[must_use]
    pub fn said(&self) -> Said {
        Said { text: text_of(self.inner.log.path()), is_good: self.ended() == Some(true) }
    }

    /// Asks it to stop: by its stop file, or by a signal while it has no folder yet.
    pub fn stop(&self) -> io::Result<()> {
        match (self.ended(), self.run()) {
            (Some(_), _) => Ok(()),
            (None, Some(run)) => fs::write(self.inner.runs.stop_file(&run), b""),
            (None, None) => self.terminate(),
        }
    }

    /// Stops it and waits a moment for it to undo its fault.
    pub fn farewell(&self) {
        if self.ended().is_some() {
            return;
        }
        if self.stop().is_err() {
            // The disk may be full: a signal needs none of it.
            let _ = self.terminate();
        }
        let start = Instant::now();
        while self.ended().is_none() && start.elapsed() < FAREWELL {
            thread::sleep(LOOK);
        }
    }

    fn terminate(&self) -> io::Result<()> {
        let pid = i32::try_from(self.inner.pid).ok().and_then(Pid::from_raw);
        pid.map_or(Ok(()), |pid| Ok(kill_process(pid, Signal::TERM)?))
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.inner.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says what a run of an experiment would do.
pub fn dry_run(data_folder: &Path, experiment: &Path, cancel: &Cancel) -> Result<Said, AskError> {
    let mut command = riftline().map_err(|error| failed(&error))?;
    command.args(["chaos", "run"]).arg(experiment).args(["--dry-run", "--data"]).arg(data_folder);
    hear_out(&mut command, cancel)
}

/// Undoes what runs left that were cut off.
pub fn recover(data_folder: &Path, cancel: &Cancel) -> Result<Said, AskError> {
    let mut command = riftline().map_err(|error| failed(&error))?;
    command.args(["chaos", "recover", "--data"]).arg(data_folder);
    hear_out(&mut command, cancel)
}

fn riftline() -> io::Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// Starts a command that nobody can type into; both of its outputs go to one file.
fn spawn(command: &mut Command) -> io::Result<(Child, NamedTempFile)> {
    let log = NamedTempFile::new()?;
    let out = fs::OpenOptions::new().append(true).open(log.path())?;
    let child = command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).spawn()?;
    Ok((child, log))
}

/// Waits for a command that arms nothing and can be given again, and returns what it said. Cancelled, it is ended.
fn hear_out(command: &mut Command, cancel: &Cancel) -> Result<Said, AskError> {
    let (mut child, log) = spawn(command).map_err(|error| failed(&error))?;
    let status = wait(&mut child, cancel).map_err(|error| failed(&error))?;
    match status {
        Some(status) => Ok(Said { text: text_of(log.path()), is_good: status.success() }),
        None => Err(AskError::Cancelled),
    }
}

/// Returns how the child ended; nothing where it was cancelled.
fn wait(child: &mut Child, cancel: &Cancel) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if cancel.is_stopped() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// Returns the end of what was said.
fn text_of(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let start = bytes.len().saturating_sub(MAX_SAID);
    String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
}

fn failed(error: &io::Error) -> AskError {
    AskError::Store { message: format!("start riftline itself: {error}") }
}
