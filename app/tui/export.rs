//! Writes what is shown to a file.

use std::path::{Path, PathBuf};

use riftline_queries::error::AskError;
use riftline_queries::table::Table;

/// Formats that a table can be written in, the likeliest first.
pub const FORMATS: [&str; 5] = ["csv", "json", "ndjson", "markdown", "parquet"];

/// Returns the path that a user typed, with `~` as the home folder.
#[must_use]
pub fn expand(typed: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    }
}

/// Writes `table` to `path` in the format called `format`.
pub fn write(table: &Table, format: &str, path: &Path) -> Result<(), AskError> {
    let _ = (table, path);
    Err(AskError::Store { message: format!("export to {format} is not built yet") })
}
