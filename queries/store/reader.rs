//! Connections to read with: each its own, all on the one open file.

use std::sync::Arc;
use std::time::Duration;

use duckdb::{Connection, InterruptHandle};

use super::{Access, Shared, views};
use crate::cancel::Cancel;
use crate::error::AskError;

/// How often a running question looks whether it was cancelled.
const CANCEL_CHECK: Duration = Duration::from_millis(10);

/// A connection to read with. The store stays open for as long as it lives.
#[derive(Debug)]
pub struct Reader {
    // Closed before the store is: fields drop in this order.
    connection: Connection,
    shared: Arc<Shared>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>) -> Result<Self, AskError> {
        let connection = shared.connection().map_err(|error| ask_error(&error))?;
        if shared.access == Access::ReadOnly {
            shadow_views(&connection).map_err(|error| ask_error(&error))?;
        }
        Ok(Self { connection, shared })
    }

    /// Returns the connection.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the handle that stops what the connection is doing.
    #[must_use]
    pub fn interrupt_handle(&self) -> Arc<InterruptHandle> {
        self.connection.interrupt_handle()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Runs `work` on the connection and interrupts it once `cancel` is stopped.
    pub fn run<T>(&self, cancel: &Cancel, work: impl FnOnce(&Connection) -> duckdb::Result<T>) -> Result<T, AskError> {
        if cancel.is_stopped() {
            return Err(AskError::Cancelled);
        }
        let result = interruptible(&self.connection, cancel, work);
        if cancel.is_stopped() {
            return Err(AskError::Cancelled);
        }
        result.map_err(|error| ask_error(&error))
    }
}

/// Runs `work` while a second thread waits for it to end or for `cancel`.
pub(crate) fn interruptible<T>(connection: &Connection, cancel: &Cancel, work: impl FnOnce(&Connection) -> T) -> T {
    let interrupt = connection.interrupt_handle();
    let (ended, end) = crossbeam_channel::bounded::<()>(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while end.recv_timeout(CANCEL_CHECK) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
                if cancel.is_stopped() {
                    interrupt.interrupt();
                }
            }
        });
        let result = work(connection);
        drop(ended);
        result
    })
}

/// On a read-only store the views must read the derived tables in memory: views of this connection go before the file's.
fn shadow_views(connection: &Connection) -> duckdb::Result<()> {
    let sql = views::of_store(connection, Access::ReadOnly)?;
    connection.execute_batch(
        &sql.replace("CREATE OR REPLACE VIEW", "CREATE OR REPLACE TEMP VIEW")
            .replace("CREATE OR REPLACE MACRO", "CREATE OR REPLACE TEMP MACRO"),
    )
}

/// Returns DuckDB's error as an answer.
pub(crate) fn ask_error(error: &duckdb::Error) -> AskError {
    let message = error.to_string();
    AskError::Store { message: message.lines().next().unwrap_or_default().to_owned() }
}
