//! Leases of runs: a run's faults live only while somebody says that the run does. Kept on the monotonic clock, so that setting the
//! clock of the machine changes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long a run's faults live without a word from it, where it does not say.
pub const TTL: Duration = Duration::from_secs(5);

/// How long a proxy waits for its first lease.
const GRACE: Duration = Duration::from_secs(30);

/// No lease lasts longer without being renewed.
pub const LONGEST: Duration = Duration::from_mins(10);

/// When each run is over unless it is heard of again.
#[derive(Debug)]
pub(super) struct Leases {
    ends: BTreeMap<String, Instant>,
    /// Until when it is not yet time to ask why there is none.
    grace_ends: Instant,
}

impl Default for Leases {
    fn default() -> Self {
        Self { ends: BTreeMap::new(), grace_ends: Instant::now() + GRACE }
    }
}

impl Leases {
    /// Makes a lease or renews it; returns whether it was there.
    pub(super) fn renew(&mut self, run: &str, ttl: Duration, now: Instant) -> bool {
        self.grace_ends = now;
        self.ends.insert(run.to_owned(), now + ttl.min(LONGEST)).is_some()
    }

    /// Makes a lease of the usual length if there is none.
    pub(super) fn ensure(&mut self, run: &str, now: Instant) {
        self.grace_ends = now;
        self.ends.entry(run.to_owned()).or_insert(now + TTL);
    }

    /// Ends a lease; returns whether it was there.
    pub(super) fn release(&mut self, run: &str) -> bool {
        self.ends.remove(run).is_some()
    }

    /// Ends leases that were not renewed, and returns their runs.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<String> {
        let late: Vec<String> = self.ends.iter().filter(|(_, end)| **end <= now).map(|(run, _)| run.clone()).collect();
        late.iter().for_each(|run| {
            self.ends.remove(run);
        });
        late
    }

    /// Returns when the next lease ends.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.values().min().copied()
    }

    /// Tells whether there were leases, or time enough for one, and none is left.
    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.grace_ends <= now && self.ends.is_empty()
    }

    /// Returns runs and the time that is left to them.
    pub(super) fn list(&self, now: Instant) -> Vec<(String, Duration)> {
        self.ends.iter().map(|(run, end)| (run.clone(), end.saturating_duration_since(now))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_unless_it_is_renewed() {
        let (mut leases, start) = (Leases::default(), Instant::now());
        let at = |s| start + Duration::from_secs(s);
        assert!(!leases.is_lost(start) && leases.is_lost(at(31)));
        assert!(!leases.renew("a", TTL, start));
        leases.ensure("b", at(1));
        assert!(leases.renew("a", TTL, at(4)));
        assert_eq!(leases.expire(at(6)), ["b"]);
        assert_eq!(leases.list(at(7)), [("a".to_owned(), Duration::from_secs(2))]);
        assert_eq!(leases.next_end(), Some(at(9)));
        assert_eq!(leases.expire(at(9)), ["a"]);
        assert!(leases.is_lost(at(9)) && !leases.release("a"));
    }
}
