//! Where runs keep what they did: one folder a run, and what all runs share.
//!
//! ```text
//! <data folder>/chaos/HALT              while it is there, nothing is armed
//!                     lock              held by the run that is under way
//!                     <run>/journal.jsonl  experiment.yaml  requests.jsonl  spans.rift  verdict.json  journal.json  stop
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::FlockOperation;

use super::experiment::read::sha256;

/// The folder of all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runs {
    root: PathBuf,
}

/// Why the folder of runs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("use folder {path}: {source}")]
    Folder { path: PathBuf, source: io::Error },
    #[error("another run is under way: stop it with `riftline chaos stop`, or wait for its end")]
    Busy,
    #[error("no run begins with {0}: `riftline chaos list` lists them")]
    Unknown(String),
    #[error("several runs begin with {0}: {1}")]
    Several(String, String),
}

/// The right to be the only run, until dropped; the system takes it back from a process that dies.
#[derive(Debug)]
pub struct Turn {
    _lock: File,
}

impl Runs {
    /// Returns the runs of a data folder.
    #[must_use]
    pub fn of(data_folder: &Path) -> Self {
        Self { root: data_folder.join("chaos") }
    }

    /// Returns the folder of one run, whether or not it is there.
    #[must_use]
    pub fn folder(&self, run: &str) -> PathBuf {
        self.root.join(run)
    }

    /// Returns the file that keeps everything from being armed while it is there.
    #[must_use]
    pub fn halt_file(&self) -> PathBuf {
        self.root.join("HALT")
    }

    /// Returns the file that asks a run to stop.
    #[must_use]
    pub fn stop_file(&self, run: &str) -> PathBuf {
        self.folder(run).join("stop")
    }

    /// Makes the folder of a new run, which nobody else can read, and returns the run's name: the time, and digits that tell it from others.
    pub fn create(&self, now: DateTime<Utc>) -> Result<String, FolderError> {
        Self::make(&self.root)?;
        let seed = format!("{}{}", now.timestamp_nanos_opt().unwrap_or_default(), std::process::id());
        let run = format!("{}-{}", now.format("%m%dT%H%M%S"), &sha256(seed.as_bytes())[..4]);
        Self::make(&self.folder(&run))?;
        Ok(run)
    }

    fn make(path: &Path) -> Result<(), FolderError> {
        let failed = |source| FolderError::Folder { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
    }

    /// Takes the turn; fails while another run has it.
    pub fn take_turn(&self) -> Result<Turn, FolderError> {
        Self::make(&self.root)?;
        let path = self.root.join("lock");
        let failed = |source| FolderError::Folder { path: path.clone(), source };
        let lock = private(OpenOptions::new().write(true).create(true)).open(&path).map_err(failed)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Turn { _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(FolderError::Busy),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Tells whether a run is under way, in any process.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.take_turn(), Err(FolderError::Busy))
    }

    /// Returns the names of all runs, the newest first.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut runs: Vec<String> = entries
            .filter(|entry| entry.path().join(super::journal::FILE).is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        runs.sort_unstable_by(|a, b| b.cmp(a));
        runs
    }

    /// Returns the one run whose name begins with `prefix`; the newest for `last`.
    pub fn find(&self, prefix: &str) -> Result<String, FolderError> {
        let runs = self.list();
        if prefix == "last" {
            return runs.into_iter().next().ok_or_else(|| FolderError::Unknown(prefix.to_owned()));
        }
        let mut found = runs.into_iter().filter(|run| run.starts_with(prefix));
        match (found.next(), found.next()) {
            (Some(run), None) => Ok(run),
            (None, _) => Err(FolderError::Unknown(prefix.to_owned())),
            (Some(one), Some(other)) => Err(FolderError::Several(prefix.to_owned(), format!("{one}, {other}"))),
        }
    }
}

/// Has files made that only their owner can read.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_at_a_time_and_each_has_a_folder_of_its_own() {
        let data = tempfile::tempdir().unwrap();
        let runs = Runs::of(data.path());
        let turn = runs.take_turn().unwrap();
        assert!(runs.is_busy());
        assert!(matches!(runs.take_turn(), Err(FolderError::Busy)));
        drop(turn);
        assert!(!runs.is_busy());
        let first = runs.create(DateTime::from_timestamp_nanos(1)).unwrap();
        let second = runs.create(DateTime::from_timestamp_nanos(2)).unwrap();
        assert_ne!(first, second);
        assert_eq!(runs.list(), Vec::<String>::new(), "a run without a journal did nothing");
        fs::write(runs.folder(&first).join(crate::chaos::journal::FILE), "").unwrap();
        assert_eq!(runs.find(&first[..6]).unwrap(), first);
        assert_eq!(runs.find("last").unwrap(), first);
        assert!(runs.find("nothing").is_err());
    }
}
