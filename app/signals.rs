//! Signals that end a command: everything is undone first.
//!
//! The first signal asks the running work to stop; the command then ends by itself, removes what was temporary, and leaves
//! with 128 + the signal's number. Work that cannot notice (it waits for a pipe that stays silent) is given a moment, then
//! what was registered as temporary is removed from here and the process leaves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use riftline_queries::cancel::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long work is given to notice that it was asked to stop.
const GRACE: Duration = Duration::from_secs(1);

/// More of it, for work that has much to put in order.
static MORE_GRACE_SECONDS: AtomicU64 = AtomicU64::new(0);

static RECEIVED: AtomicI32 = AtomicI32::new(0);
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Returns the number of the signal that came first, if one came.
#[must_use]
pub fn received() -> Option<i32> {
    Some(RECEIVED.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
}

/// Gives the work more time to end after the first signal; a second signal still ends it at once.
pub fn allow_more(grace: Duration) {
    MORE_GRACE_SECONDS.store(grace.as_secs(), Ordering::Relaxed);
}

/// Stops `cancel` on SIGINT, SIGTERM and SIGHUP from now on.
pub fn watch(cancel: &Cancel) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let cancel = cancel.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        RECEIVED.store(signal, Ordering::Relaxed);
        cancel.stop();
        // A second signal ends the wait at once.
        let (again, wait) = crossbeam_channel::bounded::<()>(1);
        let _ = thread::Builder::new().spawn(move || {
            let _ = signals.forever().next();
            let _ = again.send(());
        });
        let more = Duration::from_secs(MORE_GRACE_SECONDS.load(Ordering::Relaxed));
        let _ = wait.recv_timeout(GRACE.saturating_add(more));
        leave(signal);
    })?;
    Ok(())
}

/// Removes what is temporary and ends the process.
fn leave(signal: i32) -> ! {
    for folder in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = std::fs::remove_dir_all(folder);
    }
    std::process::exit(signal.saturating_add(128))
}

/// A folder that is removed even if the process is stopped while its owner waits for something.
#[derive(Debug)]
pub struct Temporary {
    folder: PathBuf,
}

impl Temporary {
    /// Registers `folder`; its owner removes it in all other cases.
    #[must_use]
    pub fn register(folder: &Path) -> Self {
        TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
        Self { folder: folder.to_owned() }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).retain(|folder| *folder != self.folder);
    }
}
