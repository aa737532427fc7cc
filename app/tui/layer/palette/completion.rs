//! What may stand at the end of a command line.

use std::fs;
use std::path::Path;

use crate::tui::command::{Argument, ArgumentKind, COMMANDS, Command, CommandInfo, Context};
use crate::tui::export::{FORMATS, expand};
use crate::tui::state::Shared;
use crate::view::VIEWS;

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Byte of the line that `text` replaces everything from.
    pub from: usize,
    pub text: String,
    pub doc: String,
}

/// How many files of a folder are offered.
const MAX_FILES: usize = 200;

/// Returns the ways to go on from `line`.
#[must_use]
pub fn complete(line: &str, shared: &Shared) -> Vec<Completion> {
    let Some((name, argument)) = line.split_once(' ') else { return commands(line) };
    let kind = match Command::named(name).map(|command| command.info().argument) {
        Some(Argument::Optional(kind) | Argument::Required(kind)) => kind,
        Some(Argument::None) | None => return Vec::new(),
    };
    let from = line.len() - argument.len();
    match kind {
        ArgumentKind::Theme => fitting(from, argument, shared.themes.names()),
        ArgumentKind::View => fitting(from, argument, VIEWS.iter().map(|entry| entry.name.to_lowercase()).collect()),
        ArgumentKind::Column => {
            fitting(from, argument, crate::view::traces::columns().map(ToOwned::to_owned).collect())
        }
        ArgumentKind::File => files(from, argument),
        ArgumentKind::Export => match argument.split_once(' ') {
            Some((format, path)) => files(from + format.len() + 1, path),
            None => fitting(from, argument, FORMATS.map(|(name, _)| name.to_owned()).to_vec()),
        },
        ArgumentKind::TraceQl | ArgumentKind::TraceId | ArgumentKind::Text => Vec::new(),
    }
}

/// Returns the commands whose names begin with `typed`, then those that have it elsewhere.
#[must_use]
pub fn commands(typed: &str) -> Vec<Completion> {
    let completion = |info: &CommandInfo| {
        let gap = if info.argument == Argument::None { "" } else { " " };
        Completion { from: 0, text: format!("{}{gap}", info.name), doc: info.doc.to_owned() }
    };
    let begins = givable().filter(|info| info.name.starts_with(typed));
    let holds = givable().filter(|info| !info.name.starts_with(typed) && info.name.contains(typed));
    begins.chain(holds).map(completion).collect()
}

/// Returns the commands that make sense by name.
pub fn givable() -> impl Iterator<Item = &'static CommandInfo> {
    COMMANDS.iter().filter(|info| !matches!(info.context, Context::Prompt | Context::Moving | Context::Editor))
}

/// Returns the command whose name alone begins with `typed`.
#[must_use]
pub fn only(typed: &str) -> Option<Command> {
    let mut fitting = givable().filter(|info| info.name.starts_with(typed));
    fitting.next().filter(|_| fitting.next().is_none()).map(|info| info.command)
}

fn fitting(from: usize, typed: &str, words: Vec<String>) -> Vec<Completion> {
    let words = words.into_iter().filter(|word| word.starts_with(typed));
    words.map(|text| Completion { from, text, doc: String::new() }).collect()
}

/// Returns the files and folders whose paths begin with `typed`.
fn files(from: usize, typed: &str) -> Vec<Completion> {
    let (folder, name) = typed.rsplit_once('/').map_or(("", typed), |(folder, name)| (folder, name));
    let prefix = if typed.contains('/') { format!("{folder}/") } else { String::new() };
    let place = if prefix.is_empty() { Path::new(".").to_owned() } else { expand(&prefix) };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let mut found: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let end = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { "/" } else { "" };
            Some(format!("{prefix}{}{end}", entry.file_name().to_str().filter(|file| file.starts_with(name))?))
        })
        .take(MAX_FILES)
        .collect();
    found.sort();
    found.into_iter().map(|text| Completion { from, text, doc: String::new() }).collect()
}
