//! One run as its folder tells it: journal, verdict, the experiment as it was run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::chaos::experiment::{Experiment, read};
use crate::chaos::folder::Runs;
use crate::chaos::journal::{self, Event, Told};
use crate::chaos::run::watch::Sample;

/// Longer verdicts are not ours.
const MAX_VERDICT: u64 = 1 << 20;

/// What is known about one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub run: String,
    pub folder: PathBuf,
    /// The journal, or why it cannot be read.
    pub told: Result<Told, String>,
    /// Size of the journal when it was read.
    pub num_bytes: u64,
    /// The verdict as text: incident and staging side by side.
    pub verdict: Option<String>,
    /// As it was run.
    pub experiment: Option<Experiment>,
}

/// Returns the size of a run's journal; 0 where there is none.
#[must_use]
pub fn journal_bytes(runs: &Runs, run: &str) -> u64 {
    fs::metadata(runs.folder(run).join(journal::FILE)).map_or(0, |metadata| metadata.len())
}

impl Report {
    /// Reads the folder of a run.
    #[must_use]
    pub fn read(runs: &Runs, run: &str) -> Self {
        let folder = runs.folder(run);
        // Looked at before it is read: what is written in between is seen the next time.
        let num_bytes = journal_bytes(runs, run);
        Self {
            run: run.to_owned(),
            told: Told::read(&folder.join(journal::FILE)).map_err(|error| error.to_string()),
            num_bytes,
            verdict: verdict(&folder.join("verdict.txt")),
            experiment: read::read(&folder.join("experiment.yaml")).ok(),
            folder,
        }
    }

    /// Returns the rates of the moment, the newest last.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let records = self.told.iter().flat_map(|told| &told.records);
        let samples = records.filter(|record| record.event == Event::Sample);
        samples.filter_map(|record| serde_json::from_value(record.details.clone()).ok()).collect()
    }

    /// Tells whether something may be armed.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.told.as_ref().is_ok_and(|told| !told.open_undos().is_empty())
    }

    /// Tells whether the run wrote down its end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.told.as_ref().is_ok_and(|told| told.first(Event::End).is_some())
    }
}

fn verdict(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|metadata| metadata.len() <= MAX_VERDICT);
    if is_small { fs::read_to_string(path).ok() } else { None }
}
