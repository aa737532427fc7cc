//! What is known of a faulted request: counted, and told as a span, once it is over, in whatever way it ends.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper::http::request::Parts;
use tokio::time::{Instant, sleep};

use crate::chaos::proxy::http::{FOR_EVER, Hit};
use crate::chaos::proxy::link::Link;
use crate::chaos::proxy::otlp::{Parent, Proven};
use crate::chaos::proxy::registry::House;

/// The faults of one request. Dropping it counts and tells.
pub(super) struct Proof {
    parent: Option<Parent>,
    method: String,
    path: String,
    began: SystemTime,
    actual: Duration,
    faulted: Option<Faulted>,
}

struct Faulted {
    hits: Vec<Hit>,
    link: Arc<Link>,
    house: Arc<House>,
}

impl Proof {
    /// Notes what the request is, as it came.
    pub(super) fn of(head: &Parts) -> Self {
        Self {
            parent: Parent::of(&head.headers),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            began: SystemTime::now(),
            actual: Duration::ZERO,
            faulted: None,
        }
    }

    /// Notes what hit it.
    pub(super) fn begin(&mut self, hits: Vec<Hit>, link: Arc<Link>, house: Arc<House>) {
        if !hits.is_empty() {
            self.faulted = Some(Faulted { hits, link, house });
        }
    }

    /// Waits, but not longer than its faults are armed.
    pub(super) async fn pause(&mut self, planned: Duration) {
        let Some(faulted) = self.faulted.as_ref().filter(|_| !planned.is_zero()) else { return };
        let mut armed = faulted.link.watch_armed();
        let pause = Pause { began: Instant::now(), actual: &mut self.actual };
        let disarmed = armed.wait_for(|now| {
            let is_armed = |hit: &Hit| now.iter().any(|armed| armed.number == hit.armed.number);
            !faulted.hits.iter().any(is_armed)
        });
        tokio::select! {
            () = sleep(planned) => {}
            _ = disarmed => {}
        }
        drop(pause);
    }
}

/// Measures, also where the client leaves meanwhile.
struct Pause<'a> {
    began: Instant,
    actual: &'a mut Duration,
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        *self.actual += self.began.elapsed();
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        let Some(faulted) = self.faulted.take() else { return };
        let total: Duration = faulted.hits.iter().fold(Duration::ZERO, |sum, hit| sum.saturating_add(hit.planned));
        for hit in faulted.hits {
            let actual = share(self.actual, hit.planned, total);
            // What was to last until it ends was planned as long as it lasted.
            let planned = if hit.planned > FOR_EVER { actual } else { hit.planned };
            hit.armed.counts.spent(planned, actual);
            if let Some(reporter) = &faulted.house.reporter {
                reporter.send(Proven {
                    parent: self.parent,
                    kind: hit.armed.fault.as_ref().map_or_else(|| hit.armed.name.clone(), |fault| fault.kind.clone()),
                    run: hit.armed.run.clone(),
                    link: faulted.link.name.clone(),
                    method: self.method.clone(),
                    path: self.path.clone(),
                    began: self.began,
                    ended: SystemTime::now(),
                    planned,
                    actual,
                });
            }
        }
    }
}

/// Returns the part of `actual` that a fault has for its part of what was planned.
fn share(actual: Duration, planned: Duration, total: Duration) -> Duration {
    if total.is_zero() { Duration::ZERO } else { actual.mul_f64(planned.as_secs_f64() / total.as_secs_f64()) }
}
