//! riftline: traces in the terminal. This room acts: the command line, the workstation, and the edge where exit codes are made.

pub mod chaos;
pub mod cli;
pub mod config;
pub mod error;
pub mod format;
pub mod headless;
pub mod humane;
pub mod mistake;
pub mod rules;
pub mod signals;
pub mod theme;
pub mod tui;
pub mod view;
pub mod widget;

use std::ffi::OsString;
use std::process::ExitCode;

use cli::parse::{Action, Invocation, parse};
use config::Settings;
use error::Failure;
use headless::Context;

/// Does what `args` (the program's name first) ask for and returns the exit code. Errors are printed here, once.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match parse(args).and_then(perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            headless::say::failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn perform(invocation: Invocation) -> Result<(), Failure> {
    let common = match (&invocation.action, invocation.common) {
        (Action::Print(text), _) => return headless::answer::write_out(|out| Ok(out.write_all(text.as_bytes())?)),
        (_, common) => common.unwrap_or_default(),
    };
    let context = Context::new(Settings::load(&common)?);
    headless::say::config_mistakes(&context);
    match invocation.action {
        Action::Command(command) => headless::run(command, &context),
        Action::Work(args) => headless::work::run(&args, &context),
        Action::Print(_) => Ok(()),
    }
}
