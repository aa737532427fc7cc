//! From what was typed to one action.

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::{Cli, Command, CommonArgs, WorkstationArgs};
use crate::error::Failure;

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Open the workstation.
    Work(WorkstationArgs),
    /// Run one command for scripts.
    Command(Command),
    /// Print a text that was asked for: help or the version.
    Print(String),
}

/// One action with the options that every command takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    pub action: Action,
    pub common: Option<CommonArgs>,
}

/// Returns what `args` (the program's name first) ask for.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, Failure> {
    match Cli::try_parse_from(args) {
        Ok(cli) => invocation(cli),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Invocation { action: Action::Print(error.to_string()), common: None })
        }
        Err(error) => Err(Failure::usage(strip_prefix(&error.to_string()))),
    }
}

fn invocation(cli: Cli) -> Result<Invocation, Failure> {
    let action = match cli.command {
        Some(command) => {
            refuse_early_sources(&cli.workstation)?;
            Action::Command(command)
        }
        None => {
            cli.workstation.from.sources.first().map_or(Ok(()), |first| refuse_unknown_command(first))?;
            Action::Work(cli.workstation)
        }
    };
    Ok(Invocation { action, common: Some(cli.common) })
}

/// Sources in front of a command would be lost.
fn refuse_early_sources(workstation: &WorkstationArgs) -> Result<(), Failure> {
    match workstation.from.sources.first() {
        Some(source) => Err(Failure::usage(format!("write the command first, then {source}"))),
        None => Ok(()),
    }
}

/// A bare word that names no file was meant as a command.
fn refuse_unknown_command(word: &str) -> Result<(), Failure> {
    let is_bare = word.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if !is_bare || Path::new(word).symlink_metadata().is_ok() {
        return Ok(());
    }
    let hint = match nearest_command(word) {
        Some(name) => format!("did you mean `riftline {name}`?"),
        None => "`riftline --help` lists the commands".to_owned(),
    };
    Err(Failure::usage(format!("`{word}` is neither a command nor a file\n\n  {hint}")))
}

/// Returns the command whose name is at most two changes away from `word`.
fn nearest_command(word: &str) -> Option<String> {
    let command = Cli::command();
    let names = command.get_subcommands().map(|sub| (distance(sub.get_name(), word), sub.get_name().to_owned()));
    names.min().filter(|(distance, name)| *distance <= 2 && *distance < name.len() / 2 + 1).map(|(_, name)| name)
}

/// Returns how many letters must be changed, added or left out to make one word of the other.
pub fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut left = line + 1;
        let mut diagonal = line;
        for (above, against) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = diagonal + usize::from(letter != against);
            diagonal = *above;
            left = changed.min(left + 1).min(diagonal + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Failures say `error: ` themselves.
fn strip_prefix(message: &str) -> String {
    message.strip_prefix("error: ").unwrap_or(message).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &[&str]) -> Result<Invocation, Failure> {
        parse(std::iter::once(&"riftline").chain(words).map(OsString::from))
    }

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sources_without_a_command_open_the_workstation() {
        let invocation = parse_words(&["-", "traces/*.jsonl"]).unwrap();
        let Action::Work(workstation) = invocation.action else { panic!("not the workstation") };
        assert_eq!(workstation.from.sources, ["-", "traces/*.jsonl"]);
    }

    #[test]
    fn common_options_stand_before_and_after_the_command() {
        for words in [["--quiet", "themes"], ["themes", "--quiet"]] {
            let invocation = parse_words(&words).unwrap();
            assert!(matches!(invocation.action, Action::Command(Command::Themes(_))), "{words:?}");
            assert!(invocation.common.is_some_and(|common| common.quiet), "{words:?}");
        }
    }

    #[test]
    fn a_word_that_is_neither_command_nor_file_is_a_usage_mistake() {
        let failure = parse_words(&["querry"]).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("did you mean `riftline query`"), "{failure}");
        let failure = parse_words(&["mcp"]).unwrap_err();
        assert!(failure.to_string().contains("--help"), "{failure}");
    }

    #[test]
    fn a_source_before_a_command_is_a_usage_mistake() {
        let failure = parse_words(&["a.jsonl", "themes"]).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn distance_counts_changes() {
        let cases = [
            ("trace", "trace", 0),
            ("trace", "traces", 1),
            ("query", "querry", 1),
            ("logs", "lgos", 2),
            ("", "abc", 3),
        ];
        for (one, other, changes) in cases {
            assert_eq!(distance(one, other), changes, "{one} {other}");
            assert_eq!(distance(other, one), changes, "{other} {one}");
        }
    }
}
