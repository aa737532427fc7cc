//! Opens a store whose log was damaged: what stands before the damage is kept, what is cut is set aside and said.
//!
//! A log that only ends early (a crash while it was written) needs nothing: DuckDB opens with the commits before the end.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use duckdb::Connection;

use super::Access;
use super::open::{classify, connect, is_damage};
use crate::error::OpenStoreError;

/// How often a log is cut before it is set aside whole. Each cut is at an earlier position than the one before.
const MAX_CUTS: usize = 8;

/// Opens the file; where its log is damaged, cuts the log at the place that is named and says so.
pub(super) fn open_salvaging(path: &Path, access: Access) -> Result<(Connection, Vec<String>), OpenStoreError> {
    let first = match connect(path, access) {
        Ok(connection) => return Ok((connection, Vec::new())),
        Err(error) => error,
    };
    let log = log_path(path);
    let is_log = is_log_damage(&first.to_string());
    if !is_log || access == Access::ReadOnly || !log.is_file() {
        return Err(classify(path, &first));
    }
    let io = |source| OpenStoreError::Io { path: log.clone(), source };
    let aside = set_aside(&log).map_err(io)?;
    salvage(path, &log, first, &aside).inspect_err(|_| {
        // Nothing could be salvaged: the log goes back to where it was.
        let _ = fs::copy(&aside, &log).and_then(|_| fs::remove_file(&aside));
    })
}

fn salvage(
    path: &Path,
    log: &Path,
    first: duckdb::Error,
    aside: &Path,
) -> Result<(Connection, Vec<String>), OpenStoreError> {
    let io = |source| OpenStoreError::Io { path: log.to_owned(), source };
    let len = fs::metadata(log).map_err(io)?.len();
    let mut error = first;
    let mut end = len;
    for _ in 0..MAX_CUTS {
        let Some(at) = byte_position(&error.to_string()).filter(|&at| at < end) else { break };
        cut(log, at).map_err(io)?;
        end = at;
        match connect(path, Access::ReadWrite) {
            Ok(connection) => return Ok((connection, vec![cut_warning(path, len, end, aside)])),
            Err(next) => error = next,
        }
    }
    fs::remove_file(log).map_err(io)?;
    let connection = connect(path, Access::ReadWrite).map_err(|error| classify(path, &error))?;
    Ok((connection, vec![cut_warning(path, len, 0, aside)]))
}

fn cut_warning(path: &Path, len: u64, kept: u64, aside: &Path) -> String {
    format!(
        "the log of {} was damaged: {} of its {len} bytes were cut and what they held is not in the store; the whole log was \
         set aside as {}",
        path.display(),
        len - kept,
        aside.display(),
    )
}

/// The log of a store lies beside it.
pub(super) fn log_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
}

fn is_log_damage(message: &str) -> bool {
    (message.contains("WAL") || message.contains("replay")) && (is_damage(message) || message.contains("Failure while"))
}

/// Reads `… entry at byte position 4711 …`.
fn byte_position(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("at byte position ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).map_or(rest, |end| &rest[..end]);
    digits.parse().ok()
}

fn cut(log: &Path, len: u64) -> std::io::Result<()> {
    let file = OpenOptions::new().write(true).open(log)?;
    file.set_len(len)?;
    file.sync_all()
}

/// Copies the log beside itself, durably, under a name that is free.
fn set_aside(log: &Path) -> std::io::Result<PathBuf> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut attempt = 0;
    loop {
        let mut name = log.as_os_str().to_owned();
        name.push(if attempt == 0 { format!(".damaged-{seconds}") } else { format!(".damaged-{seconds}-{attempt}") });
        let aside = PathBuf::from(name);
        match File::create_new(&aside) {
            Ok(_) => {
                fs::copy(log, &aside)?;
                File::open(&aside)?.sync_all()?;
                return Ok(aside);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}
