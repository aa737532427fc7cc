//! Which stores this process has open. DuckDB silently loses data when one process opens a file twice.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, LazyLock, Mutex, Weak};

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
    open_file: impl FnOnce(Registration, &Path) -> Result<Shared, OpenStoreError>,
) -> Result<Store, OpenStoreError> {
    let mut open = lock(&REGISTRY.open);
    let (canonical, identity) = identify(path, access)?;
    while let Some(entry) = open.get(&identity) {
        if let Some(shared) = entry.upgrade() {
            return same(shared.access, access, path).map(|()| Store { shared });
        }
        // Its last user is closing it right now.
        open = REGISTRY.closed.wait(open).unwrap_or_else(std::sync::PoisonError::into_inner);
    }
    let result = open_file(Registration { identity }, &canonical);
    let shared = std::sync::Arc::new(result?);
    open.insert(identity, std::sync::Arc::downgrade(&shared));
    Ok(Store { shared })
}

fn same(is: Access, asked: Access, path: &Path) -> Result<(), OpenStoreError> {
    if is == Access::ReadOnly && asked == Access::ReadWrite {
        let message = "is open for reading only in this process".to_owned();
        return Err(OpenStoreError::Database { path: path.to_owned(), message });
    }
    Ok(())
}

/// Returns the canonical path and identity of the file; a missing file is created empty.
fn identify(path: &Path, access: Access) -> Result<(PathBuf, Identity), OpenStoreError> {
    let io = |source| OpenStoreError::Io { path: path.to_owned(), source };
    let metadata = match access {
        Access::ReadOnly => std::fs::metadata(path).map_err(io)?,
        Access::ReadWrite => touch(path).map_err(io)?,
    };
    if !metadata.is_file() {
        let reason = "not a regular file".to_owned();
        return Err(OpenStoreError::NotAStore { path: path.to_owned(), reason });
    }
    Ok((path.canonicalize().map_err(io)?, (metadata.dev(), metadata.ino())))
}

fn touch(path: &Path) -> std::io::Result<Metadata> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => File::create_new(path)?.metadata(),
        Err(error) => Err(error),
    }
}
