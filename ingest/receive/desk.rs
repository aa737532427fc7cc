//! Takes requests of any protocol: checks them, makes them durable, and tells what became of them.

use std::sync::Arc;

use bytes::Bytes;

use crate::format::Settings;
use crate::receive::admission::Load;
use crate::receive::check::{Checked, Checker};
use crate::receive::kind::{Kind, Payload};
use crate::receive::spool::Spool;
use crate::receive::trouble::Trouble;

/// Larger requests are decoded beside the threads that serve connections.
const LARGE_BYTES: usize = 1 << 20;

/// What all connections share.
pub(super) struct Desk {
    spool: Arc<Spool>,
    checker: Checker,
    pub(super) load: Arc<Load>,
}

impl Desk {
    pub(super) fn new(spool: Arc<Spool>, settings: Settings) -> Self {
        Self { spool, checker: Checker::new(settings), load: Arc::default() }
    }

    /// Takes a request. When this returns without trouble, it is durable.
    ///
    /// A request of which nothing can be used is kept too, so that what was wrong with it can be looked up.
    pub(super) async fn take(&self, kind: Kind, bytes: Bytes) -> Result<Checked, Trouble> {
        self.spool.check()?;
        let checked = self.check(kind.payload, &bytes)?;
        if checked.records > 0 || checked.rejects > 0 {
            self.spool.append(kind, bytes).await?;
        }
        match checked {
            Checked { records: 0, rejects: 1.., first_reason } => {
                Err(Trouble::Malformed(first_reason.unwrap_or_default()))
            }
            checked => Ok(checked),
        }
    }

    fn check(&self, payload: Payload, bytes: &[u8]) -> Result<Checked, Trouble> {
        let check = || self.checker.check(payload, bytes);
        let checked = if bytes.len() > LARGE_BYTES { tokio::task::block_in_place(check) } else { check() };
        checked.ok_or_else(|| Trouble::Missing(format!("this riftline does not read {}", payload.format())))
    }
}
