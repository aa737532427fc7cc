//! Opens the database file with every door to the outside shut, and tells apart why that can fail.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex};

use duckdb::{AccessMode, Config, Connection};
use riftline_ingest::convention::Conventions;
use tempfile::TempDir;

use super::registry::Registration;
use super::{Access, Shared, events, holder, pending, recover, schema, views};
use crate::error::OpenStoreError;

/// What DuckDB's buffers may take; decoders, indexes and results come on top.
const MEMORY_LIMIT: &str = "256MB";

/// The log grows to this size before it is written into the file: a checkpoint stops commits for its duration.
const CHECKPOINT_THRESHOLD: &str = "256MB";

/// Opens the file at the canonical `path`, salvaging a damaged log, and brings its tables up to this version.
pub(super) fn open(
    path: &Path,
    access: Access,
    conventions: Arc<Conventions>,
    folder: Option<TempDir>,
) -> Result<Shared, OpenStoreError> {
    let (root, warnings) = recover::open_salvaging(path, access)?;
    let registration = Registration::of(path).map_err(|source| OpenStoreError::Io { path: path.to_owned(), source })?;
    pending::register(&root).map_err(|error| database(path, &error))?;
    schema::prepare(&root, path, access, &conventions)?;
    // From here on no statement can change a setting, whoever wrote it.
    root.execute_batch("SET lock_configuration = true").map_err(|error| database(path, &error))?;
    let last_row = single(&root, "SELECT coalesce(max(\"row\"), 0) FROM raw_spans", path)?;
    let settled = format!("SELECT \"row\" FROM {}settle_state", views::derived_prefix(access));
    let settled_row = single(&root, &settled, path)?;
    let last_event = events::last_row(&root).map_err(|error| classify(path, &error))?;
    let settled = format!("SELECT \"row\" FROM {}settle_events", views::derived_prefix(access));
    let settled_event = single(&root, &settled, path)?;
    Ok(Shared {
        path: path.to_owned(),
        access,
        conventions,
        warnings,
        root: Mutex::new(Some(root)),
        writer: Mutex::new(None),
        is_listening: AtomicBool::new(false),
        settling: Mutex::new(()),
        last_row: AtomicI64::new(last_row),
        settled_row: AtomicI64::new(settled_row),
        last_event: AtomicI64::new(last_event),
        settled_event: AtomicI64::new(settled_event),
        analysed: Mutex::new(None),
        rules: Mutex::default(),
        registration,
        folder,
    })
}

/// Opens the file as it is, without any repair.
#[expect(clippy::disallowed_methods, reason = "the one place that opens store files, behind the registry")]
pub(super) fn connect(path: &Path, access: Access) -> duckdb::Result<Connection> {
    let mode = match access {
        Access::ReadWrite => AccessMode::ReadWrite,
        Access::ReadOnly => AccessMode::ReadOnly,
    };
    let config = Config::default()
        .access_mode(mode)?
        .max_memory(MEMORY_LIMIT)?
        .with("checkpoint_threshold", CHECKPOINT_THRESHOLD)?
        .with("autoload_known_extensions", "false")?
        .with("autoinstall_known_extensions", "false")?
        .with("enable_external_access", "false")?;
    Connection::open_with_flags(path, config)
}

fn single(root: &Connection, sql: &str, path: &Path) -> Result<i64, OpenStoreError> {
    root.query_row(sql, [], |row| row.get(0)).map_err(|error| classify(path, &error))
}

pub(super) fn database(path: &Path, error: &duckdb::Error) -> OpenStoreError {
    OpenStoreError::Database { path: path.to_owned(), message: first_line(&error.to_string()).to_owned() }
}

/// Names why the file could not be opened.
pub(super) fn classify(path: &Path, error: &duckdb::Error) -> OpenStoreError {
    let message = error.to_string();
    let reason = first_line(&message).to_owned();
    let path = path.to_owned();
    if let Some(holder) = holder::find(&message, &path) {
        return OpenStoreError::Held { path, program: holder.program, pid: holder.pid };
    }
    if message.contains("not a valid DuckDB database file") {
        return OpenStoreError::NotAStore { path, reason };
    }
    if message.contains("database file with version number") {
        return OpenStoreError::NotAStore { path, reason };
    }
    if is_damage(&message) {
        return OpenStoreError::Damaged { path, reason };
    }
    OpenStoreError::Database { path, message: reason }
}

/// Tells whether DuckDB says that bytes on disk are not what it wrote.
pub(crate) fn is_damage(message: &str) -> bool {
    [
        "Corrupt",
        "corrupt",
        "checksum",
        "Serialization Error",
        "Failed to deserialize",
        "INTERNAL Error",
        "Could not read enough bytes",
    ]
    .iter()
    .any(|sign| message.contains(sign))
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}
