//! No data passes. After `timeout` without any the connection is closed; at 0 it stays open, and closes when the toxic is taken away.

use std::sync::Arc;

use tokio::time::Instant;

use super::{Attributes, Entry};
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "timeout",
    about: "lets no data through and closes the connection after a time; never at 0",
    attributes: &[("timeout", "ms")],
    make: |attributes, _| Box::new(Timeout { attributes, quiet_since: Instant::now() }),
};

struct Timeout {
    attributes: Arc<Attributes>,
    quiet_since: Instant,
}

impl Stage for Timeout {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        match step {
            Step::Send { due, .. } => self.quiet_since = self.quiet_since.max(due),
            other => out.push(other),
        }
    }

    fn alarm(&self) -> Option<Instant> {
        let timeout = self.attributes.ms("timeout");
        (!timeout.is_zero()).then(|| self.quiet_since + timeout)
    }

    fn ring(&mut self, now: Instant, out: &mut Vec<Step>) {
        self.quiet_since = now;
        out.push(Step::Close { due: now });
    }

    /// What was swallowed cannot be given back: a connection that goes on would lack it.
    fn removed(&mut self, now: Instant) -> Vec<Step> {
        vec![Step::Close { due: now }]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn data_is_swallowed_and_silence_closes() {
        let mut bench = Bench::new("timeout", &json!({"timeout": 100}));
        assert_eq!(bench.send(3, 40), Vec::<String>::new());
        assert_eq!(bench.stage.alarm(), Some(bench.at(140)));
        let mut out = Vec::new();
        bench.stage.ring(bench.at(140), &mut out);
        assert_eq!(bench.words(&out[0]), "close at 140");
        assert_eq!(bench.stage.alarm(), Some(bench.at(240)), "it does not ring for ever at the same time");
    }

    #[test]
    fn without_a_time_it_hangs_until_it_is_taken_away() {
        let mut bench = Bench::new("timeout", &json!({}));
        assert_eq!((bench.send(3, 40), bench.stage.alarm()), (Vec::new(), None));
        let steps = bench.stage.removed(bench.at(50));
        assert_eq!(bench.words(&steps[0]), "close at 50");
    }

    #[test]
    fn a_time_that_changes_counts_at_once() {
        let bench = Bench::new("timeout", &json!({}));
        bench.attributes.set(json!({"timeout": 30}).as_object().unwrap()).unwrap();
        assert!(bench.stage.alarm().unwrap() >= bench.start + Duration::from_millis(30));
    }
}
