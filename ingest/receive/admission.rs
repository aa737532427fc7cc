//! Bytes of requests that are being read, over all connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many bytes all requests that are being read may hold together.
const MAX_BYTES: u64 = 64 << 20;

/// What is held now.
#[derive(Debug, Default)]
pub(super) struct Load {
    bytes: AtomicU64,
}

/// The part of one request; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    load: Arc<Load>,
    bytes: u64,
}

impl Share {
    pub(super) fn new(load: Arc<Load>) -> Self {
        Self { load, bytes: 0 }
    }

    /// Returns how many bytes it is.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes more; false where all requests together would hold too much.
    pub(super) fn grow(&mut self, bytes: u64) -> bool {
        let before = self.load.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(bytes);
        before.saturating_add(bytes) <= MAX_BYTES
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_given_back() {
        let load = Arc::new(Load::default());
        let (mut one, mut two) = (Share::new(load.clone()), Share::new(load.clone()));
        assert!(one.grow(MAX_BYTES));
        assert!(!two.grow(1));
        drop((one, two));
        assert!(Share::new(load).grow(MAX_BYTES));
    }
}
