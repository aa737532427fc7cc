//! Tables of findings about riftline itself: what was looked at, how it is, and what to do.

use riftline_queries::table::{Column, Table, Values};

use crate::error::Failure;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    /// Works, but not as well as it could or not as its writer thinks.
    Warning,
    /// Does not work.
    Bad,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub part: &'static str,
    pub state: State,
    /// File that has to be changed, where one has.
    pub file: Option<String>,
    /// 1-based.
    pub line: Option<usize>,
    pub message: String,
}

impl Row {
    /// Returns a row about a part as a whole.
    #[must_use]
    pub fn new(part: &'static str, state: State, message: impl Into<String>) -> Self {
        Self { part, state, file: None, line: None, message: message.into() }
    }

    /// Returns a row about one line of a file.
    #[must_use]
    pub fn at(part: &'static str, state: State, file: String, line: usize, message: String) -> Self {
        Self { part, state, file: Some(file), line: Some(line), message }
    }
}

/// Returns the rows as a table.
#[must_use]
pub fn table(rows: &[Row]) -> Table {
    let text = |value: &dyn Fn(&Row) -> Option<String>| {
        Values::Text(rows.iter().map(|row| value(row).map(Into::into)).collect())
    };
    let line = |row: &Row| row.line.and_then(|line| u64::try_from(line).ok());
    let columns = [
        ("part", text(&|row| Some(row.part.to_owned()))),
        ("state", text(&|row| Some(row.state.name().to_owned()))),
        ("message", text(&|row| Some(row.message.clone()))),
        ("file", text(&|row| row.file.clone())),
        ("line", Values::UInt(rows.iter().map(line).collect())),
    ];
    let columns = columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect();
    Table { columns, is_cut: false }
}

/// Fails with "no" where something does not work.
pub fn judge(rows: &[Row]) -> Result<(), Failure> {
    if rows.iter().any(|row| row.state == State::Bad) { Err(Failure::No) } else { Ok(()) }
}
