//! What the view asks workers: everything that touches files or starts a process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::bounded;
use riftline_queries::cancel::Cancel;
use riftline_queries::error::AskError;

use super::child::{self, Launched, Said};
use super::derive::{self, Recording, Wanted};
use super::report::{Report, journal_bytes};
use super::shelf::Shelf;
use crate::chaos::folder::Runs;

/// How often a run that is under way is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// A question, and the data folder that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Errand {
    pub data_folder: PathBuf,
    pub ask: Ask,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    Shelf,
    Report(String),
    /// News of the run under way, once there are some.
    Follow(Followed),
    DryRun(PathBuf),
    Begin {
        experiment: PathBuf,
        hash: String,
    },
    Stop(Followed),
    Recover,
    /// Derives an experiment from what was recorded.
    Plan(Box<Wanted>),
}

/// The run under way: by its name, by the process that this workstation started for it, or both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Followed {
    pub run: Option<String>,
    pub launched: Option<Launched>,
    /// Size of its journal when it was read last.
    pub num_bytes: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Brought {
    Shelf(Shelf),
    Report(Report),
    /// News of the run under way; nothing to report while it has no journal.
    News {
        report: Option<Report>,
        is_over: bool,
    },
    DryRun(Said),
    Begun(Launched),
    /// A run was asked to stop.
    Stopping,
    Recovered(Said),
    /// An experiment lies there.
    Planned(PathBuf),
}

impl Errand {
    /// Does it, on a worker. `recording`: where the spans of an incident come from.
    pub fn go(self, recording: Recording<'_>, cancel: &Cancel) -> Result<Brought, AskError> {
        let folder = self.data_folder.as_path();
        let runs = Runs::of(folder);
        match self.ask {
            Ask::Shelf => Ok(Brought::Shelf(Shelf::read(folder))),
            Ask::Report(run) => Ok(Brought::Report(Report::read(&runs, &run))),
            Ask::Follow(followed) => follow(&runs, followed, cancel),
            Ask::DryRun(experiment) => child::dry_run(folder, &experiment, cancel).map(Brought::DryRun),
            Ask::Begin { experiment, hash } => begin(folder, &experiment, &hash),
            Ask::Stop(followed) => stop(&runs, &followed),
            Ask::Recover => child::recover(folder, cancel).map(Brought::Recovered),
            Ask::Plan(wanted) => derive::plan(recording, &wanted, folder, cancel).map(Brought::Planned),
        }
    }
}

fn begin(data_folder: &Path, experiment: &Path, hash: &str) -> Result<Brought, AskError> {
    let launched = Launched::start(data_folder, experiment, hash);
    let failed = |error| AskError::Store { message: format!("start the run: {error}") };
    launched.map(Brought::Begun).map_err(failed)
}

fn stop(runs: &Runs, followed: &Followed) -> Result<Brought, AskError> {
    let asked = match (&followed.run, &followed.launched) {
        (Some(run), _) => fs::write(runs.stop_file(run), b""),
        (None, Some(launched)) => launched.stop(),
        (None, None) => Ok(()),
    };
    let failed = |error| AskError::Store { message: format!("ask the run to stop: {error}") };
    asked.map(|()| Brought::Stopping).map_err(failed)
}

/// Waits until the journal grows or the run is over.
fn follow(runs: &Runs, mut followed: Followed, cancel: &Cancel) -> Result<Brought, AskError> {
    let (send, stopped) = bounded(1);
    let _hook = cancel.on_stop(move || _ = send.send(()));
    loop {
        followed.run = followed.run.or_else(|| followed.launched.as_ref().and_then(Launched::run));
        // Asked before the journal is read, so that its last lines are not missed.
        let is_over = is_over(runs, &followed);
        let run = followed.run.as_deref();
        if is_over || run.is_some_and(|run| journal_bytes(runs, run) != followed.num_bytes) {
            return Ok(Brought::News { report: run.map(|run| Report::read(runs, run)), is_over });
        }
        if stopped.recv_timeout(LOOK).is_ok() {
            return Err(AskError::Cancelled);
        }
    }
}

/// Tells whether the run's process is gone. Of a run of our own the process is asked, so that nobody holds up its turn.
fn is_over(runs: &Runs, followed: &Followed) -> bool {
    match &followed.launched {
        Some(launched) => launched.ended().is_some(),
        None => !runs.is_busy(),
    }
}

#[cfg(test)]
mod tests;
