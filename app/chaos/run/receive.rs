//! Takes the spans that staging sends during a run, into a store of the run's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use riftline_ingest::receive::{Bound, ListenOptions};
use riftline_queries::listen::{ListenEvent, Listener};
use riftline_queries::store::{Access, Store};

use super::RunError;
use super::watch::Stop;
use crate::chaos::experiment::{Limits, Traffic};

/// File name of a run's store in its folder.
pub const STORE: &str = "spans.rift";
const LOOK: Duration = Duration::from_millis(100);

/// Receivers at work for one run.
pub struct Receiver {
    store: Store,
    listener: Listener,
    num_spans: Arc<AtomicU64>,
    last_ms: Arc<AtomicI64>,
    began: Instant,
}

impl Receiver {
    /// Begins to receive. `last_ms`: set to the milliseconds since `began` whenever spans came.
    pub fn start(folder: &Path, plan: &Traffic, began: Instant, last_ms: Arc<AtomicI64>) -> Result<Self, RunError> {
        let store =
            Store::open(&folder.join(STORE), Access::ReadWrite).map_err(|error| RunError::Store(error.to_string()))?;
        let num_spans = Arc::new(AtomicU64::new(0));
        let (count, last) = (num_spans.clone(), last_ms.clone());
        let note = move |event| {
            if let ListenEvent::Committed { spans, .. } = event
                && spans > 0
            {
                count.fetch_add(spans, Ordering::Relaxed);
                last.store(began.elapsed().as_millis() as i64, Ordering::Relaxed);
            }
        };
        let listener = Listener::start(&store, &options(plan), true, note).map_err(|error| {
            RunError::Receive(format!(
                "{error}: set traffic.otlp_http and traffic.otlp_grpc to where staging sends its spans, or to off"
            ))
        })?;
        Ok(Self { store, listener, num_spans, last_ms, began })
    }

    /// Returns where spans are taken.
    #[must_use]
    pub fn bound(&self) -> &[Bound] {
        self.listener.bound()
    }

    /// Returns the store that everything goes into.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns how many spans came.
    #[must_use]
    pub fn num_spans(&self) -> u64 {
        self.num_spans.load(Ordering::Relaxed)
    }

    /// Waits until no more spans come: `quiet_s` after the last one, and no longer than `patience_s` in all.
    pub fn wait(&self, limits: &Limits, asked: &dyn Fn() -> Result<(), Stop>) -> Result<(), Stop> {
        let seconds = |value: f64| Duration::from_secs_f64(value.clamp(0.0, 600.0));
        let start = Instant::now();
        let is_quiet = || {
            let last =
                u64::try_from(self.last_ms.load(Ordering::Relaxed)).map_or(Duration::ZERO, Duration::from_millis);
            self.began.elapsed().saturating_sub(last).min(start.elapsed()) >= seconds(limits.quiet_s)
        };
        while !is_quiet() && start.elapsed() < seconds(limits.patience_s) {
            asked()?;
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Takes no more, and returns the store with all that came.
    pub fn close(self) -> Result<Store, RunError> {
        self.listener.close().map_err(|error| RunError::Store(error.to_string()))?;
        Ok(self.store)
    }
}

fn options(plan: &Traffic) -> ListenOptions {
    let door = |address: &str| Some(address.to_owned()).filter(|address| address != "off");
    ListenOptions { grpc: door(&plan.otlp_grpc), http: door(&plan.otlp_http), ..ListenOptions::default() }
}

/// Returns the store of a run.
#[must_use]
pub fn store_of(folder: &Path) -> PathBuf {
    folder.join(STORE)
}
