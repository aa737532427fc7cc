//! No more than `rate` thousand bytes a second pass; at 0 none do.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Attributes, Entry, LONGEST};
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "bandwidth",
    about: "limits a connection to so many kilobytes per second",
    attributes: &[("rate", "KB/s")],
    make: |attributes, _| Box::new(Bandwidth { attributes, free_at: None }),
};

/// What would take longer than this is cut in pieces.
const PIECE_MS: u64 = 100;

struct Bandwidth {
    attributes: Arc<Attributes>,
    /// When what was sent so far has passed.
    free_at: Option<Instant>,
}

impl Bandwidth {
    /// Returns when `length` bytes have passed that could begin at `from`.
    fn pass(&mut self, length: usize, from: Instant, rate: u64) -> Instant {
        let micros = (length as u64).saturating_mul(1_000).checked_div(rate);
        let takes = micros.map_or(LONGEST, Duration::from_micros).min(LONGEST);
        let passed = self.free_at.map_or(from, |free_at| free_at.max(from)) + takes;
        self.free_at = Some(passed);
        passed
    }

    fn send(&mut self, mut bytes: Bytes, from: Instant, out: &mut Vec<Step>) {
        let rate = self.attributes.number("rate");
        let most = rate.saturating_mul(PIECE_MS).max(1) as usize;
        while rate > 0 && bytes.len() > most {
            let piece = bytes.split_to(most);
            out.push(Step::Send { due: self.pass(piece.len(), from, rate), bytes: piece });
        }
        out.push(Step::Send { due: self.pass(bytes.len(), from, rate), bytes });
    }
}

impl Stage for Bandwidth {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        match step {
            Step::Send { bytes, due } => self.send(bytes, due, out),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn bytes_take_their_time_one_after_the_other() {
        let mut bench = Bench::new("bandwidth", &json!({"rate": 1}));
        assert_eq!(bench.send(50, 0), ["50 bytes at 50"]);
        assert_eq!(bench.send(10, 20), ["10 bytes at 60"]);
        assert_eq!(bench.send(10, 100), ["10 bytes at 110"]);
    }

    #[test]
    fn a_large_piece_comes_in_pieces() {
        let mut bench = Bench::new("bandwidth", &json!({"rate": 1}));
        assert_eq!(bench.send(250, 0), ["100 bytes at 100", "100 bytes at 200", "50 bytes at 250"]);
    }

    #[test]
    fn nothing_passes_at_no_rate() {
        let mut bench = Bench::new("bandwidth", &json!({}));
        assert_eq!(bench.send(1, 0), ["1 bytes at 86400000"]);
    }
}
