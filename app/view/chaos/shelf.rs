//! What lies in the folder of runs: experiments, what became of them, the run under way, and what was left behind.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::chaos::experiment::{Experiment, check, read};
use crate::chaos::folder::Runs;
use crate::chaos::journal::{self, Event, Record, Told};
use crate::chaos::standing::Standing;
use crate::chaos::undo::{Orphan, cut_off};

/// Older runs than so many are not listed.
const MAX_RUNS: usize = 200;
/// More files than so many are no experiments.
const MAX_EXPERIMENTS: usize = 500;

/// Everything that is listed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shelf {
    /// The newest first.
    pub experiments: Vec<Card>,
    /// The newest first.
    pub runs: Vec<RunCard>,
    /// The run that is under way, in any process.
    pub live: Option<String>,
    /// Runs that were cut off, or could not undo what they armed.
    pub left: Vec<Orphan>,
}

/// An experiment file.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    pub path: PathBuf,
    /// What is in it, or why it cannot be read.
    pub read: Result<Box<Draft>, String>,
}

/// An experiment that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub experiment: Experiment,
    /// Signs all that a run does.
    pub hash: String,
    pub mistakes: Vec<String>,
}

/// A run, as a line of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCard {
    pub run: String,
    pub title: String,
    /// Hash of the experiment that was confirmed.
    pub hash: String,
    /// In nanoseconds since 1970, as far as it is told.
    pub began_ns: Option<i64>,
    pub standing: Standing,
}

/// Returns the folder of experiments that the workstation lists.
#[must_use]
pub fn experiments_folder(data_folder: &Path) -> PathBuf {
    data_folder.join("chaos").join("experiments")
}

impl Shelf {
    /// Reads the folder. What cannot be read is listed with the reason.
    #[must_use]
    pub fn read(data_folder: &Path) -> Self {
        let runs = Runs::of(data_folder);
        let is_busy = runs.is_busy();
        let mut shelf = Self::default();
        for run in runs.list().into_iter().take(MAX_RUNS) {
            // One run is under way at a time: an older one without an end was cut off.
            let card = RunCard::read(&runs, run, is_busy && shelf.live.is_none());
            if card.standing == Standing::UnderWay {
                shelf.live = Some(card.run.clone());
            }
            shelf.runs.push(card);
        }
        let left = if is_busy { Vec::new() } else { cut_off(&runs) };
        shelf.left = left.into_iter().filter(|orphan| !orphan.open.is_empty()).collect();
        shelf.experiments = cards_of(&experiments_folder(data_folder));
        shelf
    }

    /// Returns the experiment that a run belongs to: the same to the letter, else one with its title.
    #[must_use]
    pub fn experiment_of(&self, run: &RunCard) -> Option<usize> {
        let draft = |card: &Card| card.read.as_ref().ok().cloned();
        let is_same = |card: &Card| draft(card).is_some_and(|draft| draft.hash == run.hash);
        let is_alike = |card: &Card| draft(card).is_some_and(|draft| draft.experiment.title == run.title);
        self.experiments.iter().position(is_same).or_else(|| self.experiments.iter().position(is_alike))
    }
}

impl RunCard {
    fn read(runs: &Runs, run: String, is_busy: bool) -> Self {
        let Ok(told) = Told::read(&runs.folder(&run).join(journal::FILE)) else {
            let standing = Standing::Unreadable;
            return Self { run, title: String::new(), hash: String::new(), began_ns: None, standing };
        };
        let text = |record: Option<&Record>, name: &str| {
            record.and_then(|record| Some(record.details[name].as_str()?.to_owned())).unwrap_or_default()
        };
        Self {
            title: text(told.first(Event::Plan), "title"),
            hash: text(told.first(Event::Confirm), "hash"),
            began_ns: told.interval().and_then(|(began, _)| began.timestamp_nanos_opt()),
            standing: Standing::of(&told, is_busy),
            run,
        }
    }
}

fn cards_of(folder: &Path) -> Vec<Card> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<(Reverse<SystemTime>, PathBuf)> =
        entries.map(|entry| entry.path()).filter(|path| is_experiment(path)).map(|path| (age(&path), path)).collect();
    files.sort_unstable();
    files.into_iter().take(MAX_EXPERIMENTS).map(|(_, path)| Card::read(path)).collect()
}

fn age(path: &Path) -> Reverse<SystemTime> {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified());
    Reverse(changed.unwrap_or(SystemTime::UNIX_EPOCH))
}

fn is_experiment(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml", "json"].contains(&extension) && path.is_file()
}

impl Card {
    fn read(path: PathBuf) -> Self {
        let draft = |experiment: Experiment| {
            let (hash, mistakes) = (experiment.hash(), check::check(&experiment));
            Box::new(Draft { experiment, hash, mistakes })
        };
        // The folder is the same for all of them; its name takes the room of the reason.
        let folder = path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
        let read = read::read(&path).map(draft).map_err(|error| error.to_string().replace(&folder, ""));
        Self { path, read }
    }

    /// Returns the name of the file.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Returns the experiment's title, or the file's name where it has none.
    #[must_use]
    pub fn title(&self) -> String {
        let title = self.read.as_ref().map(|draft| draft.experiment.title.trim().to_owned()).unwrap_or_default();
        if title.is_empty() { self.name() } else { title }
    }
}
