//! Proof of injection: one span for every fault of a request, sent as OTLP/JSON over HTTP. Nothing waits for it: what finds no room is
//! counted and dropped.

mod send;
mod span;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::registry::Say;
pub use send::{Endpoint, EndpointError};
pub use span::{Parent, Proven};

/// How many spans may wait.
const ROOM: usize = 4_096;

/// Takes spans and sends them.
#[derive(Clone)]
pub struct Reporter {
    queue: mpsc::Sender<Proven>,
    counts: Arc<Counts>,
}

/// What became of spans.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) sent: AtomicU64,
    pub(super) dropped: AtomicU64,
}

impl Reporter {
    /// Sends to `endpoint` from a task of the runtime that this is called on.
    #[must_use]
    pub fn start(endpoint: Endpoint, say: Say) -> Self {
        let (queue, receiver) = mpsc::channel(ROOM);
        let counts = Arc::new(Counts::default());
        // Ids of spans must differ from those of any other process.
        let dice = Dice::new(&[RandomState::new().build_hasher().finish()]);
        tokio::spawn(send::run(endpoint, receiver, counts.clone(), say, dice));
        Self { queue, counts }
    }

    /// Takes a span, or drops it where there is no room.
    pub fn send(&self, proven: Proven) {
        if self.queue.try_send(proven).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many spans were accepted by the endpoint.
    #[must_use]
    pub fn num_sent(&self) -> u64 {
        self.counts.sent.load(Ordering::Relaxed)
    }

    /// Returns how many spans were lost: for want of room, or since the endpoint did not take them.
    #[must_use]
    pub fn num_dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
    }
}
