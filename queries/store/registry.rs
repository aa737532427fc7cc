//! Which stores this process has open. DuckDB silently loses data when one process opens a file twice.

use std::collections::HashMap;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError, Weak};

use super::{Access, Shared, Store, lock};
use crate::error::OpenStoreError;

/// Device and inode: one file, whatever its name.
type Identity = (u64, u64);

#[derive(Default)]
struct Registry {
    open: Mutex<HashMap<Identity, Weak<Shared>>>,
    closed: Condvar,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::default);

/// The entry of one open store.
#[derive(Debug)]
pub(super) struct Registration {
    identity: Identity,
}

impl Registration {
    /// Returns the entry of the file that DuckDB has just opened.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Self { identity: identity(&std::fs::metadata(path)?) })
    }

    /// Closes the file and takes the entry out, so that nobody opens the file in between.
    pub(super) fn close(&self, close: impl FnOnce()) {
        let mut open = lock(&REGISTRY.open);
        close();
        // An entry that can be upgraded belongs to a later opening of the same file.
        if open.get(&self.identity).is_some_and(|shared| shared.strong_count() == 0) {
            open.remove(&self.identity);
        }
        drop(open);
        REGISTRY.closed.notify_all();
    }
}

/// Returns the store at `path`: the one that is open, or what `open_file` opens.
pub(super) fn open(
    path: &Path,
    access: Access,
    open_file: impl FnOnce(&Path) -> Result<Shared, OpenStoreError>,
) -> Result<Store, OpenStoreError> {
    let mut open = lock(&REGISTRY.open);
    let (canonical, found) = identify(path, access)?;
    while let Some(entry) = found.and_then(|identity| open.get(&identity)) {
        if let Some(shared) = entry.upgrade() {
            return same(shared.access, access, path).map(|()| Store { shared });
        }
        // Its last user is closing it right now.
        open = REGISTRY.closed.wait(open).unwrap_or_else(PoisonError::into_inner);
    }
    let shared = Arc::new(open_file(&canonical)?);
    open.insert(shared.registration.identity, Arc::downgrade(&shared));
    Ok(Store { shared })
}

fn same(is: Access, asked: Access, path: &Path) -> Result<(), OpenStoreError> {
    if is == Access::ReadOnly && asked == Access::ReadWrite {
        let message = "is open for reading only in this process".to_owned();
        return Err(OpenStoreError::Database { path: path.to_owned(), message });
    }
    Ok(())
}

/// Returns the canonical path, and the identity of the file where there is one.
fn identify(path: &Path, access: Access) -> Result<(PathBuf, Option<Identity>), OpenStoreError> {
    let io = |source| OpenStoreError::Io { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let reason = "not a regular file".to_owned();
            Err(OpenStoreError::NotAStore { path: path.to_owned(), reason })
        }
        Ok(metadata) if metadata.len() == 0 && access == Access::ReadWrite => {
            // DuckDB makes a database of a missing file, but not of an empty one.
            std::fs::remove_file(path).and_then(|()| canonical(path)).map(|path| (path, None)).map_err(io)
        }
        Ok(metadata) => Ok((path.canonicalize().map_err(io)?, Some(identity(&metadata)))),
        Err(error) if error.kind() == ErrorKind::NotFound && access == Access::ReadWrite => {
            canonical(path).map(|path| (path, None)).map_err(io)
        }
        Err(error) => Err(io(error)),
    }
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// Returns the canonical path of a file that is not there yet.
fn canonical(path: &Path) -> std::io::Result<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    Ok(folder.canonicalize()?.join(name))
}
