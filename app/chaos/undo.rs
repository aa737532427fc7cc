//! Undoes what runs armed, from their journals alone: by the run itself, by the process that watches it, or by `riftline chaos recover`.
//!
//! A run that may have something armed has a file of its name in `armed`. Whoever finds one there whose run is gone knows that it was
//! cut off.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde_json::json;

use super::driver::Undo;
use super::drivers;
use super::folder::{Runs, private};
use super::journal::{self, Event, Journal, JournalError, Told};

/// What was undone of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// How many faults were found and are gone now.
    pub gone: usize,
    /// What is left, or could not be looked at, with what to do by hand.
    pub residue: Vec<String>,
}

/// A run that was cut off.
#[derive(Debug, Clone, PartialEq)]
pub struct Orphan {
    pub run: String,
    /// What may still be armed: driver and how to undo it. Empty where somebody undid it already.
    pub open: Vec<(String, Undo)>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

/// Returns the file that says that a run may have something armed.
fn marker(runs: &Runs, run: &str) -> PathBuf {
    runs.folder("armed").join(run)
}

/// Says that a run is about to arm something. Durable when it returns.
pub fn mark(runs: &Runs, run: &str) -> io::Result<()> {
    let path = marker(runs, run);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
        private(OpenOptions::new().write(true).create(true)).open(&path)?.sync_all()?;
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Says that a run has nothing armed any more.
pub fn unmark(runs: &Runs, run: &str) {
    // Where it stays, the next start looks at the journal again.
    let _ = fs::remove_file(marker(runs, run));
}

/// Undoes what the journal of a run leaves open, and makes sure that it is gone. As often as wanted.
pub fn undo(runs: &Runs, run: &str, actor: &'static str) -> Result<Undone, JournalError> {
    let folder = runs.folder(run);
    let _turn = turn(&folder);
    let told = Told::read(&folder.join(journal::FILE))?;
    let open = told.open_undos();
    // Undoing must not wait for a journal that cannot be written: the disk may be full.
    let mut journal = if open.is_empty() { None } else { Journal::open(&folder, run, actor).ok() };
    let mut undone = Undone::default();
    for (driver, undo) in open {
        let note = |journal: &mut Option<Journal>, event, details| {
            let _ = journal.as_mut().map(|journal| journal.write(event, &driver, Some(undo.clone()), details));
        };
        note(&mut journal, Event::Disarm, json!(null));
        match gone(&undo) {
            Ok(()) => {
                undone.gone += 1;
                note(&mut journal, Event::Verified, json!(null));
            }
            Err(residue) => {
                note(&mut journal, Event::Residue, json!({ "residue": residue }));
                undone.residue.extend(residue);
            }
        }
    }
    Ok(undone)
}

/// Undoes one fault; fails with what is left.
pub fn gone(undo: &Undo) -> Result<(), Vec<String>> {
    let by_hand = |reason: String| vec![format!("{reason}; by hand: {}", manual(undo))];
    drivers::undo(undo).map_err(|error| by_hand(error.to_string()))?;
    match drivers::verify_clean(undo) {
        Ok(residue) if residue.is_empty() => Ok(()),
        Ok(residue) => Err(residue.into_iter().flat_map(by_hand).collect()),
        Err(error) => Err(by_hand(error.to_string())),
    }
}

/// Returns the commands that undo a fault by hand.
#[must_use]
pub fn manual(undo: &Undo) -> String {
    match undo {
        Undo::Nothing => "nothing to do".to_owned(),
        Undo::Http { calls, .. } => {
            let command = |call: &super::driver::Call| {
                let body = call.body.as_ref().map(|body| format!(" -d '{body}'")).unwrap_or_default();
                format!("curl -X {} {}{body}", call.method, call.url)
            };
            calls.iter().map(command).collect::<Vec<_>>().join(" && ")
        }
        Undo::Kubernetes { context, namespace, kind, name, route: Some(route) } => {
            format!("kubectl --context {context} -n {namespace} edit {kind} {name}, and take the route {route} out")
        }
        Undo::Kubernetes { context, namespace, kind, name, route: None } => {
            format!("kubectl --context {context} -n {namespace} delete {kind} {name}")
        }
    }
}

/// Only one process undoes a run at a time; the others wait for it and find nothing left.
fn turn(folder: &Path) -> Option<File> {
    let lock = private(OpenOptions::new().write(true).create(true)).open(folder.join("undo.lock")).ok()?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).ok()?;
    Some(lock)
}

/// Returns the runs that were cut off with something armed, or were until somebody undid it. Nothing while a run is under way.
#[must_use]
pub fn orphans(runs: &Runs) -> Vec<Orphan> {
    if runs.is_busy() { Vec::new() } else { cut_off(runs) }
}

/// The same for whoever has the turn.
#[must_use]
pub fn cut_off(runs: &Runs) -> Vec<Orphan> {
    let entries = fs::read_dir(runs.folder("armed")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names.into_iter().filter_map(|run| orphan(runs, run)).collect()
}

fn orphan(runs: &Runs, run: String) -> Option<Orphan> {
    let told = Told::read(&runs.folder(&run).join(journal::FILE)).ok()?;
    let undone_by = told.last(Event::Verified).map(|record| record.actor.clone());
    Some(Orphan { open: told.open_undos(), undone_by, run })
}

impl Orphan {
    /// Says in one line what is known, and what to do.
    #[must_use]
    pub fn sentence(&self) -> String {
        let run = &self.run;
        match (self.open.as_slice(), &self.undone_by) {
            ([], Some(by)) => format!("run {run} was cut off; its fault was undone by the {by}"),
            ([], None) => format!("run {run} was cut off before anything was armed"),
            (open, _) => {
                let by_hand: Vec<String> = open.iter().map(|(_, undo)| manual(undo)).collect();
                format!(
                    "run {run} was cut off and may have left a fault: `riftline chaos recover` undoes it (by hand: {})",
                    by_hand.join("; ")
                )
            }
        }
    }
}
