//! `riftline completions`: made from the definitions of the command line.

use clap::CommandFactory;

use super::answer;
use crate::cli::{Cli, CompletionsArgs};
use crate::error::Failure;

/// Prints the completion script of one shell.
pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "riftline", &mut script);
    answer::write_out(|out| Ok(out.write_all(&script)?))
}
