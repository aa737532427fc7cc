//! The journal of a run: one line of JSON an event, each with the hash of the one before, on disk before what it speaks of happens.

mod toolkit;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::driver::Undo;
use super::experiment::read::sha256;
use super::folder::private;
pub use toolkit::toolkit;

/// File name of a journal in its run's folder.
pub const FILE: &str = "journal.jsonl";

/// Longer lines are not ours.
const MAX_LINE: usize = 4 << 20;

/// Names of headers and fields whose values never reach a journal.
const SECRET: [&str; 7] = ["authorization", "cookie", "password", "secret", "token", "api-key", "apikey"];

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    Plan,
    Confirm,
    /// Something is about to be armed; says how to undo it.
    Intent,
    Armed,
    Injected,
    /// Rates of the moment.
    Sample,
    /// An arm begins.
    Arm,
    /// The run ends early; says why.
    Abort,
    /// Something is about to be undone.
    Disarm,
    /// Nothing is left of what was armed.
    Verified,
    /// Something is left, or nobody knows.
    Residue,
    Score,
    End,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub seq: u64,
    /// UTC, RFC 3339.
    pub ts: String,
    pub run: String,
    /// Who did it: `run`, `reaper`, `recover`, `stop`.
    pub actor: String,
    pub host: String,
    pub pid: u32,
    pub event: Event,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub driver: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// What there is to say beside: figures, reasons, calls.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
    /// Hash of the line before; zeros for the first one.
    pub prev_sha256: String,
}

/// Why a journal cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("journal {path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("journal {path}, line {line}: {reason}")]
    Broken { path: PathBuf, line: usize, reason: String },
}

/// A journal that is written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    run: String,
    actor: &'static str,
    next: u64,
    last_hash: String,
}

impl Journal {
    /// Opens the journal of a run to go on with it, or begins it. A last line that was cut off while it was written is taken away.
    pub fn open(folder: &Path, run: &str, actor: &'static str) -> Result<Self, JournalError> {
        let path = folder.join(FILE);
        let failed = |source| JournalError::File { path: path.clone(), source };
        let file = private(OpenOptions::new().append(true).read(true).create(true)).open(&path).map_err(failed)?;
        let told = Told::read(&path)?;
        file.set_len(told.num_bytes).map_err(failed)?;
        let next = told.records.last().map_or(0, |record| record.seq.saturating_add(1));
        Ok(Self { file, run: run.to_owned(), actor, next, last_hash: told.last_hash, path })
    }

    /// Writes one event and waits until the disk has it.
    pub fn write(
        &mut self,
        event: Event,
        driver: &str,
        undo: Option<Undo>,
        details: Value,
    ) -> Result<(), JournalError> {
        let record = Record {
            seq: self.next,
            ts: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            run: self.run.clone(),
            actor: self.actor.to_owned(),
            host: host(),
            pid: std::process::id(),
            event,
            driver: driver.to_owned(),
            undo,
            details: without_secrets(details),
            prev_sha256: self.last_hash.clone(),
        };
        let line = serde_json::to_string(&record).unwrap_or_default();
        let failed = |source| JournalError::File { path: self.path.clone(), source };
        self.file.write_all(format!("{line}\n").as_bytes()).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.last_hash = sha256(line.as_bytes());
        self.next += 1;
        Ok(())
    }

    /// Writes what is not about a driver.
    pub fn note(&mut self, event: Event, details: Value) -> Result<(), JournalError> {
        self.write(event, "", None, details)
    }
}

/// A journal as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub records: Vec<Record>,
    /// Where the last whole line ends.
    num_bytes: u64,
    last_hash: String,
    /// The line, counted from 1, from which on it was changed behind our back.
    pub changed_from: Option<usize>,
}

impl Told {
    /// Reads a journal. One that is not there tells nothing.
    pub fn read(path: &Path) -> Result<Self, JournalError> {
        let mut told = Self { records: Vec::new(), num_bytes: 0, last_hash: "0".repeat(64), changed_from: None };
        let failed = |source| JournalError::File { path: path.to_owned(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(told),
            Err(error) => return Err(failed(error)),
        };
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            if !told.take(path, &line)? {
                break;
            }
            line.clear();
        }
        Ok(told)
    }

    /// Takes one line; false for one that was cut off.
    fn take(&mut self, path: &Path, line: &[u8]) -> Result<bool, JournalError> {
        let Some(text) = line.strip_suffix(b"\n") else { return Ok(false) };
        let number = self.records.len() + 1;
        let broken = |reason: String| JournalError::Broken { path: path.to_owned(), line: number, reason };
        if text.len() > MAX_LINE {
            return Err(broken("longer than any event of ours".to_owned()));
        }
        let record: Record = serde_json::from_slice(text).map_err(|error| broken(error.to_string()))?;
        if record.prev_sha256 != self.last_hash && self.changed_from.is_none() {
            self.changed_from = Some(number.saturating_sub(1).max(1));
        }
        self.last_hash = sha256(text);
        self.num_bytes += line.len() as u64;
        self.records.push(record);
        Ok(true)
    }

    /// Returns what was to be armed and was not verified to be gone: how to undo it, and by which driver.
    #[must_use]
    pub fn open_undos(&self) -> Vec<(String, Undo)> {
        let mut open: Vec<(String, Undo)> = Vec::new();
        for record in &self.records {
            match (record.event, &record.undo) {
                (Event::Intent, Some(undo)) => open.push((record.driver.clone(), undo.clone())),
                (Event::Verified, Some(undo)) => open.retain(|(_, one)| one != undo),
                _ => {}
            }
        }
        open.retain(|(_, undo)| *undo != Undo::Nothing);
        open
    }

    /// Returns the first record of an event.
    #[must_use]
    pub fn first(&self, event: Event) -> Option<&Record> {
        self.records.iter().find(|record| record.event == event)
    }

    /// Returns the last record of an event.
    #[must_use]
    pub fn last(&self, event: Event) -> Option<&Record> {
        self.records.iter().rev().find(|record| record.event == event)
    }

    /// Returns when it began and ended, as far as it is told.
    #[must_use]
    pub fn interval(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let at = |record: &Record| record.ts.parse::<DateTime<Utc>>().ok();
        Some((at(self.records.first()?)?, at(self.records.last()?)?))
    }
}

/// Takes out the values of fields that sound secret, however deep they lie.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(|(key, value)| redacted(key, value)).collect()),
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        other => other,
    }
}

fn redacted(key: String, value: Value) -> (String, Value) {
    let name = key.to_lowercase().replace('_', "-");
    let is_secret = value.is_string() && SECRET.iter().any(|secret| name.contains(secret));
    let value = if is_secret { Value::from("(not kept)") } else { without_secrets(value) };
    (key, value)
}

/// Returns the name of this machine.
#[must_use]
pub fn host() -> String {
    let told =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    told.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests;
