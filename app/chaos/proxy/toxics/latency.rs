//! Every piece of data comes later: by `latency`, and up to `jitter` more or less.

use std::sync::Arc;
use std::time::Duration;

use super::{Attributes, Entry};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "latency",
    about: "adds latency +/- jitter to every piece of data",
    attributes: &[("latency", "ms"), ("jitter", "ms")],
    make: |attributes, dice| Box::new(Latency { attributes, dice }),
};

struct Latency {
    attributes: Arc<Attributes>,
    dice: Dice,
}

impl Latency {
    fn draw(&mut self) -> Duration {
        let (latency, jitter) = (self.attributes.ms("latency"), self.attributes.ms("jitter"));
        // From the latest to the earliest, so that what would be earlier than now becomes now.
        (latency + jitter).saturating_sub(jitter.mul_f64(2.0 * self.dice.share()))
    }
}

impl Stage for Latency {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let is_data = matches!(step, Step::Send { .. });
        let due = step.due() + if is_data { self.draw() } else { Duration::ZERO };
        out.push(step.not_before(due));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn data_is_late_and_its_end_is_not_later_than_that() {
        let mut bench = Bench::new("latency", &json!({"latency": 100}));
        assert_eq!(bench.send(3, 5), ["3 bytes at 105"]);
        assert_eq!(bench.end(6), ["end at 6"]);
    }

    #[test]
    fn jitter_goes_both_ways_and_never_back_in_time() {
        let mut bench = Bench::new("latency", &json!({"latency": 100, "jitter": 50}));
        let mut drawn: Vec<f64> = Vec::new();
        for _ in 0..1_000 {
            let words = bench.send(1, 0).remove(0);
            drawn.push(words.strip_prefix("1 bytes at ").unwrap().parse().unwrap());
        }
        assert!(drawn.iter().all(|ms| (50.0..=150.0).contains(ms)));
        assert!(drawn.iter().any(|ms| *ms < 60.0) && drawn.iter().any(|ms| *ms > 140.0));
        let mut wide = Bench::new("latency", &json!({"latency": 0, "jitter": 50}));
        assert!((0..100).any(|_| wide.send(1, 7) == ["1 bytes at 7"]));
    }

    #[test]
    fn no_latency_changes_nothing() {
        assert_eq!(Bench::new("latency", &json!({})).send(3, 5), ["3 bytes at 5"]);
    }
}
