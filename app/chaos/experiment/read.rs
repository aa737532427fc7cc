//! Reads experiment files, and writes them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{EXTENSION, Experiment, Plan};
use crate::mistake::suggestion;

/// Larger files are no experiments.
const MAX_BYTES: u64 = 4 << 20;

/// Why an experiment cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("read {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is larger than {} MiB: no experiment", MAX_BYTES >> 20)]
    TooLarge { path: PathBuf },
    /// With line and column where they are known.
    #[error("{path}{}: {message}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
    Content { path: PathBuf, line: Option<usize>, message: String },
    #[error(
        "{path}: no item named {EXTENSION} in `extensions`: only `riftline chaos plan` writes experiments that riftline can judge"
    )]
    NotOurs { path: PathBuf },
}

/// Reads the experiment in a file.
pub fn read(path: &Path) -> Result<Experiment, ReadError> {
    let failed = |source| ReadError::File { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
        return Err(ReadError::TooLarge { path: path.to_owned() });
    }
    parse(&std::fs::read_to_string(path).map_err(failed)?, path)
}

/// Reads the text of an experiment; `path` is for messages.
pub fn parse(text: &str, path: &Path) -> Result<Experiment, ReadError> {
    let wrong = |line, message: String| ReadError::Content { path: path.to_owned(), line, message };
    let file: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| wrong(Some(error.line()), error.to_string()))?
    } else {
        let line = |error: &serde_norway::Error| error.location().map(|location| location.line());
        serde_norway::from_str(text).map_err(|error| wrong(line(&error), error.to_string()))?
    };
    let mut experiment: Experiment = typed(file, "").map_err(|message| wrong(None, message))?;
    let is_ours = |item: &Value| item["name"] == EXTENSION;
    let at = experiment.extensions.iter().position(is_ours);
    let ours =
        at.map(|at| experiment.extensions.remove(at)).ok_or_else(|| ReadError::NotOurs { path: path.to_owned() })?;
    experiment.plan = typed::<Plan>(ours, "extensions.").map_err(|message| wrong(line_of(text, &message), message))?;
    Ok(experiment)
}

/// Takes a value as a `T`; fails with where in it something is wrong, and the nearest name where one is not known.
fn typed<T: serde::de::DeserializeOwned>(value: Value, place: &str) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let message = error.inner().to_string();
        format!("{place}{}: {message}{}", error.path(), nearest(&message))
    })
}

/// Returns the nearest known name for one that a message calls unknown.
fn nearest(message: &str) -> String {
    static UNKNOWN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^unknown (?:field|variant) `([^`]*)`").ok());
    let name = UNKNOWN.as_ref().and_then(|regex| regex.captures(message)).and_then(|found| found.get(1));
    let Some(name) = name else { return String::new() };
    let known = message[name.end()..].split('`').skip(2).step_by(2);
    suggestion(name.as_str(), known)
}

/// Returns the line, counted from 1, in which the unknown field of a message stands, where it stands in just one.
fn line_of(text: &str, message: &str) -> Option<usize> {
    let name = message.split("unknown field `").nth(1)?.split('`').next()?;
    let is_key = |line: &str| {
        let line = line.trim_start_matches([' ', '-', '{', '\t']).trim_start_matches(['"', '\'']);
        line.strip_prefix(name).is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
    };
    let mut lines = text.lines().enumerate().filter(|(_, line)| is_key(line)).map(|(at, _)| at + 1);
    lines.next().filter(|_| lines.next().is_none())
}

impl Experiment {
    /// Returns the whole file as one value, our part among the extensions.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut file = self.clone();
        file.extensions.insert(0, serde_json::to_value(&self.plan).unwrap_or_default());
        serde_json::to_value(&file).unwrap_or_default()
    }

    /// Returns the file as YAML.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_norway::to_string(&self.to_value()).unwrap_or_default()
    }

    /// Returns the hash of all that a run does: what `--yes` signs. Twelve hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        sha256(self.to_value().to_string().as_bytes())[..12].to_owned()
    }
}

/// Returns the SHA-256 of some bytes in lower-case hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
