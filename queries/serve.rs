//! The private socket: the process that holds a store answers for others.
//!
//! ```text
//! client                                    server (holds the store)
//!   connect                                   peer's user id must be ours, both ways
//!   length, JSON request      ─────►
//!                             ◄─────          any number of frames: progress
//!                             ◄─────          one last frame: table (an Arrow IPC stream), error, summary or greeting
//!   close                                     a client that closes early cancels its question
//! ```
//!
//! One request a connection. The socket lies in a folder that only its user may enter, under a name made of the store file's
//! device and inode, so that whoever finds the file locked finds the socket too.

mod client;
mod frame;
mod message;
mod server;
mod socket;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::OpenStoreError;
use crate::listen::{self, StartError};
use crate::store::{Access, Store};
pub use client::Client;
pub use message::{LoadError, LoadRequest};
pub use server::{ServeError, Server};

/// Where a store can be asked.
#[derive(Debug)]
pub enum Place {
    /// In this process.
    Here(Store),
    /// In the riftline that holds it.
    There(Client),
}

/// How long to wait for a process that reads the store and will be gone soon.
const PATIENCE: Duration = Duration::from_secs(5);

/// Locks of other processes cannot be waited for with a deadline: look again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Opens the store at `path`, or connects to the riftline that holds it.
///
/// Waits for holders that do not serve, up to 5 seconds: a question from a script has the file open for a moment. A store on
/// a read-only file system is opened for reading.
pub fn open_or_connect(path: &Path) -> Result<Place, OpenStoreError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let held = match open(path) {
            Ok(store) => {
                recover_received(&store)?;
                return Ok(Place::Here(store));
            }
            Err(error @ OpenStoreError::Held { .. }) => error,
            Err(error) => return Err(error),
        };
        if let Ok(client) = Client::connect(path) {
            return Ok(Place::There(client));
        }
        if Instant::now() >= deadline {
            return Err(held);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

fn open(path: &Path) -> Result<Store, OpenStoreError> {
    match Store::open(path, Access::ReadWrite) {
        Err(OpenStoreError::Io { source, .. }) if is_read_only(&source) => Store::open(path, Access::ReadOnly),
        result => result,
    }
}

/// What a riftline that was killed had acknowledged is in the store before anybody asks it.
fn recover_received(store: &Store) -> Result<(), OpenStoreError> {
    if store.access() == Access::ReadOnly {
        return Ok(());
    }
    let failed = |error: StartError| OpenStoreError::Database {
        path: store.path().to_owned(),
        message: format!("take in what was received: {error}"),
    };
    listen::recover(store).map(drop).map_err(failed)
}

fn is_read_only(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests;
