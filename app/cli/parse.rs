//! From what was typed to one action.

use std::ffi::OsString;
use std::path::Path;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use super::{Cli, Command, CommonArgs, StoreArgs, WorkstationArgs};
use crate::error::Failure;
use crate::mistake::suggestion;

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
    let parsed = Cli::command().try_get_matches_from(args);
    match parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches))) {
        Ok((cli, matches)) => invocation(cli, &matches),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            Ok(Invocation { action: Action::Print(error.to_string()), common: None })
        }
        Err(error) => Err(Failure::usage(strip_prefix(&error.to_string()))),
    }
}

fn invocation(mut cli: Cli, matches: &ArgMatches) -> Result<Invocation, Failure> {
    let sub = matches.subcommand().map_or(matches, |(_, sub)| sub);
    let is_typed = sub.try_contains_id("store").is_ok() && sub.value_source("store") == Some(ValueSource::CommandLine);
    let action = if let Some(mut command) = cli.command.take() {
        refuse_early_sources(&cli.workstation)?;
        if let Some(store) = store_of(&mut command) {
            store.is_typed = is_typed;
        }
        Action::Command(command)
    } else {
        refuse_lost_commands(&cli.workstation.from.sources)?;
        cli.workstation.from.store.is_typed = is_typed;
        Action::Work(cli.workstation)
    };
    Ok(Invocation { action, common: Some(cli.common) })
}

fn store_of(command: &mut Command) -> Option<&mut StoreArgs> {
    match command {
        Command::Ingest(args) => Some(&mut args.store),
        Command::Query(args) => Some(&mut args.store),
        Command::Traces(args)
        | Command::Services(args)
        | Command::Edges(args)
        | Command::Logs(args)
        | Command::Flows(args) => Some(&mut args.from.store),
        Command::Trace(args) => Some(&mut args.from.store),
        _ => None,
    }
}

/// Sources in front of a command would be lost.
fn refuse_early_sources(workstation: &WorkstationArgs) -> Result<(), Failure> {
    match workstation.from.sources.first() {
        Some(source) => Err(Failure::usage(format!("write the command first, then {source}"))),
        None => Ok(()),
    }
}

/// A command behind a source, or a word that is no file, would be taken for a source.
fn refuse_lost_commands(sources: &[String]) -> Result<(), Failure> {
    let command = Cli::command();
    let is_command = |word: &&String| command.find_subcommand(word).is_some() && !Path::new(word.as_str()).exists();
    if let Some(name) = sources.iter().find(is_command) {
        return Err(Failure::usage(format!("write the command first: `riftline {name} …`")));
    }
    sources.first().map_or(Ok(()), |first| refuse_unknown_command(first))
}

/// A bare word that names no file was meant as a command.
fn refuse_unknown_command(word: &str) -> Result<(), Failure> {
    let is_bare = word.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if !is_bare || Path::new(word).symlink_metadata().is_ok() {
        return Ok(());
    }
    let command = Cli::command();
    let hint = suggestion(word, command.get_subcommands().map(clap::Command::get_name));
    Err(Failure::usage(format!("`{word}` is neither a command nor a file{hint}; `riftline --help` lists the commands")))
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
        assert!(failure.to_string().contains("did you mean `query`"), "{failure}");
        let failure = parse_words(&["mcp"]).unwrap_err();
        assert!(failure.to_string().contains("--help"), "{failure}");
    }

    #[test]
    fn a_source_before_a_command_is_a_usage_mistake() {
        let failure = parse_words(&["a.jsonl", "doctor"]).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
    }
}
