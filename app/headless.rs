//! Commands for scripts, one file each. Data goes to stdout, everything else to stderr.

pub mod answer;
pub mod completions;
pub mod man;
pub mod say;
pub mod trace;

use std::io::IsTerminal;

use riftline_queries::cancel::Cancel;

use crate::cli::Command;
use crate::cli::When;
use crate::config::Settings;
use crate::error::Failure;
use crate::format::Face;

/// What every command works with.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub settings: Settings,
    /// What stdout is.
    pub face: Face,
    /// Stopped by signals.
    pub cancel: Cancel,
}

impl Context {
    /// Returns the context of a command that prints on stdout.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let face = face(&settings);
        Self { settings, face, cancel: Cancel::default() }
    }
}

/// Runs one command to its end.
pub fn run(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Completions(args) => completions::run(&args),
        Command::Man => man::run(),
        _ => Err(Failure::Store("not built yet".to_owned())),
    }
}

fn face(settings: &Settings) -> Face {
    let stdout = std::io::stdout();
    let is_terminal = stdout.is_terminal();
    let width = is_terminal.then(|| rustix::termios::tcgetwinsize(&stdout).ok()).flatten();
    let width = width.map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0);
    Face {
        is_terminal,
        width: width.or(is_terminal.then_some(80)),
        has_color: has_color(settings.color, is_terminal),
        zone: settings.zone,
    }
}

/// What was asked for decides; otherwise `NO_COLOR`, a dumb terminal or a pipe mean none.
fn has_color(when: When, is_terminal: bool) -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => is_terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}
