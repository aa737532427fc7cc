//! What a command can fail with, and the exit code of each: the only place that knows exit codes.

use std::fmt::Write as _;
use std::io;

use riftline_queries::error::AskError;
use riftline_queries::error::{OpenStoreError, WriteError};

use crate::signals;

/// Why a command ends without having done what was asked. Messages are lower-case fragments that fit behind `error: `.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Done, and the answer is no. What there is to say stands in the answer.
    #[error("no")]
    No,
    /// Done, and the answer is no because nothing has the id that was asked for.
    #[error("{0}")]
    Absent(String),
    /// What was typed is wrong.
    #[error("{0}")]
    Usage(String),
    /// Nothing could be read of a source, or the answer could not be written.
    #[error("{0}")]
    Input(String),
    /// The store is held, damaged, or newer than this program.
    #[error("{0}")]
    Store(String),
    /// Refused for safety.
    #[error("refused: {0}")]
    Refused(String),
    /// Stopped by the signal of this number.
    #[error("stopped")]
    Stopped(i32),
    /// Nobody reads the answer any more.
    #[error("output closed")]
    Closed,
}

impl Failure {
    /// Returns a usage mistake.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Returns a usage mistake in `text`, which the user wrote, with a caret under byte `at`.
    #[must_use]
    pub fn usage_at(message: &str, text: &str, at: Option<usize>) -> Self {
        Self::Usage(match at {
            Some(at) => format!("{message}\n{}", caret(text, at)),
            None => message.to_owned(),
        })
    }

    /// Returns what failed when the answer to `text` (SQL or TraceQL, where a user wrote it) was not given.
    #[must_use]
    pub fn asking(error: AskError, text: Option<&str>) -> Self {
        match error {
            AskError::Bad { message, at } => {
                Self::usage_at(&message, text.unwrap_or_default(), at.filter(|_| text.is_some()))
            }
            AskError::NotFound { .. } => Self::Absent(error.to_string()),
            AskError::Refused { reason } => Self::Refused(reason),
            AskError::Cancelled => match signals::received() {
                Some(signal) => Self::Stopped(signal),
                None => Self::Store("the riftline that holds the store was closed before it answered".to_owned()),
            },
            other => Self::Store(other.to_string()),
        }
    }

    /// Returns the exit code, as `docs/cli.md` lists them.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::No | Self::Absent(_) => 1,
            Self::Usage(_) => 2,
            Self::Input(_) => 3,
            Self::Store(_) => 4,
            Self::Refused(_) => 5,
            Self::Stopped(signal) => u8::try_from(signal.saturating_add(128)).unwrap_or(u8::MAX),
        }
    }

    /// Returns what is said on stderr, nothing where all has been said.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        match self {
            Self::No | Self::Closed | Self::Stopped(_) => None,
            other => Some(other.to_string()),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Input(format!("write the answer: {error}")),
        }
    }
}

impl From<OpenStoreError> for Failure {
    fn from(error: OpenStoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Self::Store(error.to_string())
    }
}

/// Returns the line of `text` that byte `at` stands in, and a caret under it.
fn caret(text: &str, at: usize) -> String {
    let at = (0..=at.min(text.len())).rev().find(|&byte| text.is_char_boundary(byte)).unwrap_or_default();
    let (before, after) = text.split_at(at);
    let line_start = before.rsplit_once('\n').map_or(before, |(_, line)| line);
    let line_end = after.lines().next().unwrap_or_default();
    let shown = riftline_ingest::text::inert(line_start);
    let column = unicode_width::UnicodeWidthStr::width(shown.as_ref());
    let mut lines = String::new();
    let number = before.matches('\n').count() + 1;
    if text.trim_end().contains('\n') {
        let _ = writeln!(lines, "  line {number}:");
    }
    let _ = write!(lines, "  {shown}{}\n  {:column$}^", riftline_ingest::text::inert(line_end), "");
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caret_stands_under_the_place() {
        assert_eq!(caret("select x frm spans", 9), "  select x frm spans\n           ^");
        assert_eq!(caret("select 1\nfrm spans", 9), "  line 2:\n  frm spans\n  ^");
        assert_eq!(caret("select 'ü' frm", 12), "  select 'ü' frm\n             ^");
    }

    #[test]
    fn a_caret_never_leaves_the_text() {
        assert_eq!(caret("ü", 1), "  ü\n  ^");
        assert_eq!(caret("abc", 99), "  abc\n     ^");
        assert_eq!(caret("", 0), "  \n  ^");
    }

    #[test]
    fn every_failure_has_the_code_of_the_contract() {
        let cases = [
            (Failure::Closed, 0),
            (Failure::No, 1),
            (Failure::usage("x"), 2),
            (Failure::Input("x".into()), 3),
            (Failure::Store("x".into()), 4),
            (Failure::Refused("x".into()), 5),
            (Failure::Stopped(2), 130),
            (Failure::Stopped(15), 143),
        ];
        for (failure, code) in cases {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
        }
    }
}
