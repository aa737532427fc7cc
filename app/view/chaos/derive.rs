//! From a finding or a trace on the screen to an experiment file in the folder that the view lists.

use std::fs;
use std::path::{Path, PathBuf};

use riftline_queries::cancel::Cancel;
use riftline_queries::error::AskError;
use riftline_queries::replay::derive::About;
use riftline_queries::trace::window::Window;

use super::ask::{Ask, Errand};
use super::shelf::experiments_folder;
use crate::chaos::experiment::read;
use crate::chaos::plan::{self, Choice, Planned};
use crate::rules;
use crate::tui::effect::{Effect, Owner, Request, Slot};
use crate::view::Turn;

/// What an experiment is wanted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub about: About,
    /// File name, without what stands behind the dot: letters, digits and `-` of it are used.
    pub name: String,
    /// What it is, in words.
    pub words: String,
    /// When it happened, in nanoseconds since 1970.
    pub time_ns: i64,
}

/// Reads what was recorded around a time, in nanoseconds since 1970.
pub type Recording<'a> = &'a dyn Fn(i64, &Cancel) -> Result<Window, AskError>;

/// Files of the same name, at most.
const MAX_FILES: u32 = 99;

/// The question goes on while other views are shown; the workstation itself shows its answer.
pub const REPLAY: Slot = Slot { owner: Owner::State, name: "replay" };

/// Has an experiment derived, which the Chaos view then shows.
pub fn ask(wanted: Wanted, turn: &mut Turn<'_>) {
    let Some(data_folder) = turn.shared.chaos_folder.clone() else {
        return turn.push(Effect::complain("no home folder: set RIFTLINE_DATA to a folder for experiments"));
    };
    let errand = Errand { data_folder, ask: Ask::Plan(Box::new(wanted)) };
    turn.push(Effect::ask(REPLAY, Request::Chaos(Box::new(errand))));
    turn.push(Effect::say("deriving an experiment; Ctrl-C stops it"));
}

/// Derives an experiment and returns its file. One that was derived from the same before stays as it is: it may have been edited.
pub fn plan(recording: Recording<'_>, wanted: &Wanted, data: &Path, cancel: &Cancel) -> Result<PathBuf, AskError> {
    let refused = |error: &dyn std::fmt::Display| AskError::Refused { reason: error.to_string() };
    let window = recording(wanted.time_ns, cancel)?;
    stay(cancel)?;
    let derived = plan::derived(&window, &rules::load().0, &wanted.about).map_err(|error| refused(&error))?;
    stay(cancel)?;
    let mut planned = plan::plan(&window, derived, &choice()).map_err(|error| refused(&error))?;
    stay(cancel)?;
    let folder = experiments_folder(data);
    let failed = |error| AskError::Store { message: format!("make folder {}: {error}", folder.display()) };
    fs::create_dir_all(&folder).map_err(failed)?;
    match place(&folder, &wanted.name, &planned) {
        Place::Free(path) => planned.write(&path, &wanted.words).map(|()| path).map_err(|error| refused(&error)),
        Place::Taken(path) => Ok(path),
        Place::None => Err(refused(&format!("{} has {MAX_FILES} experiments of that name", folder.display()))),
    }
}

fn stay(cancel: &Cancel) -> Result<(), AskError> {
    if cancel.is_stopped() { Err(AskError::Cancelled) } else { Ok(()) }
}

/// The usual choice, at the place that `riftline chaos plan` would take from the environment too.
fn choice() -> Choice {
    let usual = Choice::default();
    let variable = |name: &str, otherwise: String| std::env::var(name).unwrap_or(otherwise);
    Choice {
        environment: variable("RIFTLINE_ENVIRONMENT", usual.environment),
        url: variable("RIFTLINE_TARGET", usual.url),
        ..Choice::default()
    }
}

/// Where an experiment goes.
enum Place {
    Free(PathBuf),
    /// The same lies there.
    Taken(PathBuf),
    None,
}

fn place(folder: &Path, name: &str, planned: &Planned) -> Place {
    let name = file_stem(name);
    for number in 1..=MAX_FILES {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{name}{suffix}.yaml"));
        if !path.exists() {
            return Place::Free(path);
        }
        if is_same(&path, planned) {
            return Place::Taken(path);
        }
    }
    Place::None
}

/// Tells whether the experiment at `path` was derived from the same traces, as the same fault at the same edge.
fn is_same(path: &Path, planned: &Planned) -> bool {
    let new = &planned.experiment.plan;
    read::read(path).is_ok_and(|experiment| {
        let old = &experiment.plan;
        old.incident.traces == new.incident.traces
            && old.target.edge == new.target.edge
            && old.fault.kind == new.fault.kind
    })
}

/// Returns the part of a name that is safe in a file name everywhere.
fn file_stem(name: &str) -> String {
    let is_safe = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    let stem: String = name.chars().filter(is_safe).take(64).collect();
    if stem.is_empty() { "incident".to_owned() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_nowhere_else() {
        assert_eq!(file_stem("b3-not-extracted"), "b3-not-extracted");
        assert_eq!(file_stem("../../etc/passwd"), "etcpasswd");
        assert_eq!(file_stem("\u{1b}[31m/"), "31m");
        assert_eq!(file_stem("…"), "incident");
    }
}
