//! Writes what is shown to a file.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use riftline_queries::error::AskError;
use riftline_queries::table::Table;
use tempfile::NamedTempFile;

use crate::format::{Face, Format, print};

/// Formats that a table can be written in, the likeliest first.
pub const FORMATS: [(&str, Format); 5] = [
    ("csv", Format::Csv),
    ("json", Format::Json),
    ("ndjson", Format::Ndjson),
    ("markdown", Format::Markdown),
    ("parquet", Format::Parquet),
];

/// Returns the format called `name`.
#[must_use]
pub fn format(name: &str) -> Option<Format> {
    FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
}

/// Returns the path that a user typed, with `~` as the home folder.
#[must_use]
pub fn expand(typed: &str) -> PathBuf {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    }
}

/// Writes `table` to `path`, whole or not at all.
pub fn write(table: &Table, format: Format, path: &Path) -> Result<(), AskError> {
    let failed = |why: String| AskError::Store { message: format!("write {}: {why}", path.display()) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
    let mut out = BufWriter::new(file);
    print(table, format, &Face::default(), &mut out).map_err(|error| failed(error.to_string()))?;
    out.flush().map_err(|error| failed(error.to_string()))?;
    let file = out.into_inner().map_err(|error| failed(error.to_string()))?;
    file.persist(path).map_err(|error| failed(error.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use riftline_queries::table::{Column, Values};

    use super::*;

    #[test]
    fn a_table_is_written_whole_and_a_folder_that_is_not_there_is_named() {
        let values = Values::Text(vec![Some("orders".into())]);
        let table = Table { columns: vec![Column { name: "service".to_owned(), values }], is_cut: false };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        write(&table, Format::Csv, &path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().collect::<Vec<_>>(), ["service", "orders"]);
        let error = write(&table, Format::Csv, &folder.path().join("no/out.csv")).unwrap_err();
        assert!(error.to_string().contains("no/out.csv"), "{error}");
    }
}
