//! The semantic conventions that have columns of their own, read from `sql/semconv.toml`.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use riftline_ingest::convention::{Convention, Conventions, ValueType};
use serde::Deserialize;
use toml::Spanned;
use xxhash_rust::xxh3::Xxh3;

const BUNDLED: &str = include_str!("sql/semconv.toml");

/// Columns of the view `spans` that a convention must not take.
pub const RESERVED_COLUMNS: [&str; 24] = [
    "attributes",
    "duration_ns",
    "events",
    "flags",
    "kind",
    "links",
    "marks",
    "name",
    "parent_span_id",
    "resource",
    "row",
    "run_id",
    "scope_name",
    "scope_version",
    "service",
    "source_id",
    "span_id",
    "start",
    "start_ns",
    "status",
    "status_message",
    "time",
    "trace_id",
    "trace_state",
];

/// A list of conventions could not be read; `line` is 1-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read conventions: line {line}: {kind}")]
pub struct SemconvError {
    pub line: usize,
    pub kind: SemconvErrorKind,
}

/// What is wrong with a list of conventions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SemconvErrorKind {
    /// Not TOML, or not of the documented shape.
    #[error("{0}")]
    Syntax(String),
    #[error("key {0:?} is not lower-case words joined by dots")]
    BadKey(String),
    #[error("{key:?} is listed on line {first_line} already")]
    Twice { key: String, first_line: usize },
    #[error("column {column} of {key:?} is one that spans have anyway")]
    Reserved { key: String, column: String },
    #[error("column {column} of {key:?} belongs to {other:?} already")]
    SameColumn { key: String, column: String, other: String },
    #[error("{key:?} has {count} aliases, more than the 254 that a row can tell apart")]
    TooManyAliases { key: String, count: usize },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    spans: Vec<Spanned<Entry>>,
    #[serde(default)]
    resources: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    key: String,
    #[serde(rename = "type")]
    value: EntryType,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryType {
    Text,
    Int,
    Double,
    Bool,
}

/// Returns the bundled conventions, read once per process.
#[must_use]
pub fn conventions() -> Arc<Conventions> {
    static CONVENTIONS: OnceLock<Arc<Conventions>> = OnceLock::new();
    // A test reads the bundled list, so that an empty one is never shipped.
    CONVENTIONS.get_or_init(|| Arc::new(Conventions::new(parse(BUNDLED).unwrap_or_default()))).clone()
}

/// Returns a number that changes with anything that changes the columns: keys, types, aliases, their order.
#[must_use]
pub fn conventions_version() -> u64 {
    version_of(conventions().all())
}

/// Reads a list of conventions in the form of `sql/semconv.toml`.
pub fn parse(text: &str) -> Result<Vec<Convention>, SemconvError> {
    let file: File = toml::from_str(text).map_err(|error| SemconvError {
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        kind: SemconvErrorKind::Syntax(error.message().to_owned()),
    })?;
    let mut checker = Checker::default();
    let spans = file.spans.into_iter().map(|entry| (entry, true));
    let resources = file.resources.into_iter().map(|entry| (entry, false));
    spans
        .chain(resources)
        .map(|(entry, on_spans)| {
            let line = line_of(text, entry.span().start);
            let convention = convention(entry.into_inner(), on_spans);
            checker.check(&convention, line).map_err(|kind| SemconvError { line, kind })?;
            Ok(convention)
        })
        .collect()
}

fn convention(entry: Entry, on_spans: bool) -> Convention {
    let value = match entry.value {
        EntryType::Text => ValueType::Text,
        EntryType::Int => ValueType::Int,
        EntryType::Double => ValueType::Double,
        EntryType::Bool => ValueType::Bool,
    };
    Convention { column: entry.key.replace('.', "_"), key: entry.key, value, aliases: entry.aliases, on_spans }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

fn version_of(conventions: &[Convention]) -> u64 {
    let mut hasher = Xxh3::new();
    for convention in conventions {
        hasher.update(format!("{:?} {}\n", convention.value, convention.on_spans).as_bytes());
        for key in std::iter::once(&convention.key).chain(&convention.aliases) {
            hasher.update(key.as_bytes());
            hasher.update(b"\n");
        }
    }
    hasher.digest()
}

/// What earlier lines have taken.
#[derive(Default)]
struct Checker {
    lines: HashMap<String, usize>,
    columns: HashMap<String, String>,
}

impl Checker {
    fn check(&mut self, convention: &Convention, line: usize) -> Result<(), SemconvErrorKind> {
        let key = convention.key.clone();
        for name in std::iter::once(&convention.key).chain(&convention.aliases) {
            self.check_key(name, line)?;
        }
        if convention.aliases.len() > 254 {
            return Err(SemconvErrorKind::TooManyAliases { key, count: convention.aliases.len() });
        }
        let column = convention.column.clone();
        if RESERVED_COLUMNS.contains(&column.as_str()) {
            return Err(SemconvErrorKind::Reserved { key, column });
        }
        match self.columns.insert(column.clone(), key.clone()) {
            Some(other) => Err(SemconvErrorKind::SameColumn { key, column, other }),
            None => Ok(()),
        }
    }

    fn check_key(&mut self, key: &str, line: usize) -> Result<(), SemconvErrorKind> {
        if !is_key(key) {
            return Err(SemconvErrorKind::BadKey(key.to_owned()));
        }
        match self.lines.insert(key.to_owned(), line) {
            Some(first_line) => Err(SemconvErrorKind::Twice { key: key.to_owned(), first_line }),
            None => Ok(()),
        }
    }
}

/// Column names are written into SQL without quotes, so that keys must be plain.
fn is_key(key: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.split('.').all(|part| !part.is_empty() && part.bytes().all(is_plain))
}

#[cfg(test)]
mod tests;
