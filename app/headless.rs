//! Commands for scripts, one file each. Data goes to stdout, everything else to stderr.

pub mod answer;
pub mod completions;
pub mod man;
pub mod say;
pub mod themes;
pub mod trace;

pub mod chaos;
pub mod check;
pub mod doctor;
pub mod export;
pub mod findings;
pub mod formats;
pub mod ingest;
pub mod lab;
mod list;
pub mod listen;
pub mod named;
pub mod patterns;
pub mod progress;
pub mod proxy;
pub mod query;
pub mod retention;
pub mod rows;
pub mod source;
pub mod summary;
pub mod work;

use std::io::IsTerminal;

use riftline_queries::cancel::Cancel;
use riftline_queries::desk::Question;

use crate::cli::{Command, When};
use crate::config::Settings;
use crate::error::Failure;
use crate::format::Face;
use crate::signals;
use crate::theme::Depth;

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

    /// Returns how many colours the terminal shows, of those that were asked for.
    #[must_use]
    pub fn color_depth(&self) -> Depth {
        match (self.settings.color, Depth::detect(|name| std::env::var(name).ok())) {
            (When::Never, _) => Depth::None,
            (When::Always, Depth::None) => Depth::Ansi,
            (_, depth) => depth,
        }
    }
}

/// Runs one command to its end.
pub fn run(command: Command, context: &Context) -> Result<(), Failure> {
    // The workstation has its own way with signals.
    if let Command::Listen(args) = &command
        && !args.headless
    {
        return work::run(&listen::workstation(args, context)?, context);
    }
    signals::watch(&context.cancel)?;
    match command {
        Command::Listen(args) => listen::run(&args, context),
        Command::Ingest(args) => ingest::run(&args, context),
        Command::Query(args) => query::run(&args, context),
        Command::Traces(args) => list::run(&args, Question::Traces, context),
        Command::Services(args) => list::run(&args, Question::Services, context),
        Command::Edges(args) => list::run(&args, Question::Edges, context),
        Command::Logs(args) => list::run(&args, Question::Logs, context),
        Command::Flows(args) => list::run(&args, Question::Flows, context),
        Command::Trace(args) => trace::run(&args, context),
        Command::Findings(args) => findings::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Lab(command) => lab::run(&command, context),
        Command::Chaos(command) => chaos::run(&command, context),
        Command::Proxy(args) => proxy::run(&args, context),
        Command::Check(args) => check::run(args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Themes(args) => themes::run(args, context),
        Command::Completions(args) => completions::run(&args),
        Command::Man => man::run(),
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
