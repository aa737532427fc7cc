//! What is said on stderr. Nobody listening there is no failure.

use std::io::Write;

use riftline_ingest::text::{Lines, inert_as};

use super::Context;
use crate::error::Failure;

/// Says why a command failed.
pub fn failure(failure: &Failure) {
    if let Some(message) = failure.message() {
        line("error: ", &message);
    }
}

/// Says that something is not as it should be, though the command goes on.
pub fn warning(context: &Context, message: &str) {
    if !context.settings.is_quiet {
        line("warning: ", message);
    }
}

/// Says what is wrong with the configuration file. Commands go on with what is right in it.
pub fn config_mistakes(context: &Context) {
    let file = context.settings.config_file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    for mistake in &context.settings.mistakes {
        warning(context, &format!("{file}:{}: {}", mistake.line, mistake.message));
    }
}

/// Says what must not be missed, such as that a damaged store was salvaged.
pub fn always(message: &str) {
    line("warning: ", message);
}

/// Says something about the answer.
pub fn note(context: &Context, message: &str) {
    if !context.settings.is_quiet {
        line("", message);
    }
}

/// Says how something goes on.
pub fn plain(message: &str) {
    line("", message);
}

/// Asks for an answer on the same line.
pub fn ask(question: &str) {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{}", inert_as(question, Lines::Keep));
    let _ = err.flush();
}

fn line(prefix: &str, message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{prefix}{}", inert_as(message, Lines::Keep));
}
