//! `riftline chaos`: from an incident to a fault in staging, and back.

mod export;
mod judge;
mod plan;
mod run;
mod show;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Context, say};
use crate::chaos::experiment::read::ReadError;
use crate::chaos::experiment::{Experiment, check, read};
use crate::chaos::folder::{FolderError, Runs};
use crate::chaos::journal::{Event, JournalError, Told};
use crate::chaos::run::RunError;
use crate::chaos::{journal, reaper, undo};
use crate::cli::chaos::{ChaosCommand, DataArgs, ReapArgs};
use crate::config;
use crate::error::Failure;

/// How long a run is given to undo its fault by itself before it is done from here.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(100);

/// Runs one command.
pub fn run(command: &ChaosCommand, context: &Context) -> Result<(), Failure> {
    match command {
        ChaosCommand::Plan(args) => plan::run(args, context),
        ChaosCommand::Check(args) => checked(&args.experiment).map(|_| ()),
        ChaosCommand::Run(args) => run::run(args, context),
        ChaosCommand::Drive(args) => run::drive(args, context),
        ChaosCommand::Stop(args) => stop(args, context),
        ChaosCommand::Recover(args) => recover(args),
        ChaosCommand::List(args) => show::list(args, context),
        ChaosCommand::Show(args) => show::show(args),
        ChaosCommand::Import(args) => export::import(args),
        ChaosCommand::Judge(args) => judge::run(args),
        ChaosCommand::Export(args) => export::run(args),
        ChaosCommand::Faults(print) => show::faults(*print, context),
        ChaosCommand::Reap(args) => reap(args),
    }
}

/// Says which runs were cut off, as every start does; forgets those that are undone.
pub fn report_orphans(runs: &Runs) {
    for orphan in undo::orphans(runs) {
        say::always(&orphan.sentence());
        if orphan.open.is_empty() {
            undo::unmark(runs, &orphan.run);
        }
    }
}

/// Returns the folder that runs are kept in.
pub fn data_folder(args: &DataArgs) -> Result<PathBuf, Failure> {
    if let Some(folder) = &args.data {
        return Ok(folder.clone());
    }
    let folders =
        config::folders().ok_or_else(|| Failure::usage("no home folder: name a folder for runs with --data"))?;
    Ok(folders.data_dir().to_owned())
}

/// Reads an experiment; fails with everything that is wrong with it.
fn checked(path: &Path) -> Result<Experiment, Failure> {
    let experiment = read::read(path)?;
    let mistakes = check::check(&experiment);
    if mistakes.is_empty() {
        return Ok(experiment);
    }
    let lines: Vec<String> = mistakes.iter().map(|mistake| format!("{}: {mistake}", path.display())).collect();
    Err(Failure::usage(lines.join("\n")))
}

/// Asks the run that is under way to stop; where it does not, undoes its fault from here.
fn stop(args: &DataArgs, context: &Context) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(args)?);
    if !runs.is_busy() {
        report_orphans(&runs);
        return Err(Failure::Absent("no run is under way".to_owned()));
    }
    let run = runs.find("last")?;
    std::fs::write(runs.stop_file(&run), b"")
        .map_err(|error| Failure::Input(format!("ask run {run} to stop: {error}")))?;
    let start = Instant::now();
    while is_open(&runs, &run) && start.elapsed() < PATIENCE && !context.cancel.is_stopped() {
        std::thread::sleep(LOOK);
    }
    if !is_open(&runs, &run) {
        say::plain(&format!("run {run} has nothing armed any more"));
        return Ok(());
    }
    say::always(&format!("run {run} does not answer: undoing its fault from here"));
    undo_one(&runs, &run, "stop")
}

/// Tells whether the journal of a run says that something may be armed.
fn is_open(runs: &Runs, run: &str) -> bool {
    let told = Told::read(&runs.folder(run).join(journal::FILE));
    told.is_ok_and(|told| !told.open_undos().is_empty() || (told.first(Event::End).is_none() && runs.is_busy()))
}

/// Undoes what was left by all runs that were cut off.
fn recover(args: &DataArgs) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(args)?);
    if runs.is_busy() {
        return Err(Failure::Refused("a run is under way: `riftline chaos stop` ends it".to_owned()));
    }
    let orphans = undo::orphans(&runs);
    if orphans.is_empty() {
        say::plain("nothing to undo");
    }
    orphans.iter().try_for_each(|orphan| undo_one(&runs, &orphan.run, "recover"))
}

fn undo_one(runs: &Runs, run: &str, actor: &'static str) -> Result<(), Failure> {
    let undone = undo::undo(runs, run, actor)?;
    if undone.residue.is_empty() {
        undo::unmark(runs, run);
        say::plain(&format!("run {run}: {} undone, nothing is left", undone.gone));
        return Ok(());
    }
    Err(Failure::Input(format!("run {run} left a fault:\n{}", undone.residue.join("\n"))))
}

fn reap(args: &ReapArgs) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(&args.data)?);
    let undone = reaper::watch(&runs, &args.run, &mut std::io::stdout().lock());
    undone.map(|_| ()).map_err(|error| Failure::Input(error.to_string()))
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Busy => Self::Refused(error.to_string()),
            FolderError::Unknown(_) | FolderError::Several(..) => Self::Absent(error.to_string()),
            FolderError::Folder { .. } => Self::Input(error.to_string()),
        }
    }
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Rail(_) | RunError::Refused(_) => Self::Refused(error.to_string()),
            RunError::Folder(folder) => folder.into(),
            RunError::Experiment(_) | RunError::Unable(_) => Self::usage(error.to_string()),
            RunError::Store(_) => Self::Store(error.to_string()),
            _ => Self::Input(error.to_string()),
        }
    }
}
