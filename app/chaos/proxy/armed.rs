//! A fault that is armed on a link: what it does, whom it hits, and how much it has hit so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use riftline_queries::replay::fault::{Fault, Unit, When};
use serde::Serialize;
use tokio::time::Instant;

use crate::chaos::faults::{self, FaultError, Level};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::Effect;
use crate::chaos::proxy::when::Decision;

/// A fault on a link.
pub struct Armed {
    /// Its name on the link: unique there.
    pub name: String,
    /// The run that it belongs to. It lives as long as the run's lease.
    pub run: Option<String>,
    /// The fault as it was asked for; nothing for toxics, which have their own words.
    pub fault: Option<Fault>,
    /// What it needs to see.
    pub level: Level,
    pub counts: Counts,
    pub(super) number: u64,
    pub(super) effect: Box<dyn Effect>,
    decision: Decision,
}

impl fmt::Debug for Armed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Armed").field("name", &self.name).field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl Armed {
    /// Compiles `fault`. The same seed chooses the same requests, by their order of arrival.
    pub fn new(name: String, run: Option<String>, fault: Fault, seed: u64) -> Result<Self, FaultError> {
        let (level, effect) = faults::compile(&fault)?;
        let when = fault.when.clone();
        Ok(Self { run, fault: Some(fault), ..Self::from_effect(name, level, effect, when, seed) })
    }

    /// Arms an effect that is not in the list of faults: a toxic.
    #[must_use]
    pub fn from_effect(name: String, level: Level, effect: Box<dyn Effect>, when: When, seed: u64) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            name,
            run: None,
            fault: None,
            level,
            counts: Counts::default(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            effect,
            decision: Decision::new(when, seed),
        }
    }

    /// Returns what is chosen: requests or connections.
    #[must_use]
    pub fn unit(&self) -> Unit {
        if self.level == Level::Connection { Unit::Connection } else { self.decision.unit() }
    }

    /// Returns what it did so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Tally {
            matched: self.decision.matched(),
            hit: read(&self.counts.hit),
            unmarked: read(&self.counts.unmarked),
            planned_ms: read(&self.counts.planned_us) as f64 / 1e3,
            actual_ms: read(&self.counts.actual_us) as f64 / 1e3,
        }
    }

    pub(super) fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Decides for one that matches and counts it; returns its luck if it is hit.
    pub(super) fn choose(&self, now: Instant) -> Option<Dice> {
        self.decision.choose(now)
    }
}

/// Running counts of an armed fault.
#[derive(Debug, Default)]
pub struct Counts {
    hit: AtomicU64,
    unmarked: AtomicU64,
    planned_us: AtomicU64,
    actual_us: AtomicU64,
}

impl Counts {
    /// One was hit.
    pub fn hit(&self, is_marked: bool) {
        self.hit.fetch_add(1, Ordering::Relaxed);
        self.unmarked.fetch_add(u64::from(!is_marked), Ordering::Relaxed);
    }

    /// So much time was to be added, and so much was.
    pub fn spent(&self, planned: Duration, actual: Duration) {
        self.planned_us.fetch_add(planned.as_micros() as u64, Ordering::Relaxed);
        self.actual_us.fetch_add(actual.as_micros() as u64, Ordering::Relaxed);
    }
}

/// What an armed fault did so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Tally {
    /// Requests or connections that match.
    pub matched: u64,
    /// Of those, the ones that were hit.
    pub hit: u64,
    /// Of those, the ones that carried no mark of a run (`tracestate: riftline=…`, or the mark that the fault asks for). Connections
    /// carry no marks and are not counted here.
    pub unmarked: u64,
    /// Milliseconds that were to be added, all together.
    pub planned_ms: f64,
    /// Milliseconds that were added, all together.
    pub actual_ms: f64,
}
