//! Data comes in slices of about `average_size` bytes, give or take `size_variation`, with `delay` between them.

use std::iter;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Attributes, Entry, LONGEST};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "slicer",
    about: "cuts data into small slices, with a delay between them",
    attributes: &[("average_size", "bytes"), ("size_variation", "bytes"), ("delay", "us")],
    make: |attributes, dice| Box::new(Slicer { attributes, dice, free_at: None }),
};

struct Slicer {
    attributes: Arc<Attributes>,
    dice: Dice,
    /// When the next slice may come.
    free_at: Option<Instant>,
}

impl Slicer {
    /// Halves what is too long until nothing is; halves vary, so that no slice is the odd one.
    fn slices(&mut self, length: usize) -> Vec<Range<usize>> {
        let average = self.attributes.number("average_size").max(1);
        let variation = self.attributes.number("size_variation").min(average - 1);
        let most = average.saturating_add(variation) as usize;
        let (mut todo, mut done): (Vec<Range<usize>>, _) = (iter::once(0..length).collect(), Vec::new());
        while let Some(slice) = todo.pop() {
            if slice.len() <= most {
                done.push(slice);
                continue;
            }
            let middle = self.near_the_middle(&slice, variation as usize);
            todo.push(middle..slice.end);
            todo.push(slice.start..middle);
        }
        done
    }

    fn near_the_middle(&mut self, slice: &Range<usize>, variation: usize) -> usize {
        let off = (2.0 * variation as f64 * self.dice.share()) as usize;
        let middle = (slice.start + slice.len() / 2 + off).saturating_sub(variation);
        middle.clamp(slice.start + 1, slice.end - 1)
    }

    fn send(&mut self, bytes: &Bytes, from: Instant, out: &mut Vec<Step>) {
        let delay = Duration::from_micros(self.attributes.number("delay")).min(LONGEST);
        for slice in self.slices(bytes.len()) {
            let due = self.free_at.map_or(from, |free_at| free_at.max(from));
            self.free_at = Some(due + delay);
            out.push(Step::Send { bytes: bytes.slice(slice), due });
        }
    }
}

impl Stage for Slicer {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        match step {
            Step::Send { bytes, due } => self.send(&bytes, due, out),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn slices_come_one_after_the_other() {
        let mut bench = Bench::new("slicer", &json!({"average_size": 25, "delay": 10_000}));
        let slices = ["25 bytes at 0", "25 bytes at 10", "25 bytes at 20", "25 bytes at 30"];
        assert_eq!(bench.send(100, 0), slices);
        assert_eq!(bench.send(5, 0), ["5 bytes at 40"]);
    }

    #[test]
    fn slices_vary_and_nothing_is_lost() {
        for (average, variation) in [(10, 5), (1, 0), (0, 0), (3, 100), (7, 6)] {
            let mut bench = Bench::new("slicer", &json!({"average_size": average, "size_variation": variation}));
            let lengths: Vec<u64> =
                bench.send(1_000, 0).iter().map(|words| words.split(' ').next().unwrap().parse().unwrap()).collect();
            assert_eq!(lengths.iter().sum::<u64>(), 1_000, "{average} {variation}");
            assert!(lengths.iter().all(|length| (1..=average.max(1) * 2).contains(length)), "{lengths:?}");
        }
    }
}
