//! The connection is closed once `bytes` bytes have passed.

use std::sync::Arc;

use super::{Attributes, Entry};
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "limit_data",
    about: "closes the connection after so many bytes",
    attributes: &[("bytes", "bytes")],
    make: |attributes, _| Box::new(LimitData { attributes, num_passed: 0 }),
};

struct LimitData {
    attributes: Arc<Attributes>,
    num_passed: u64,
}

impl Stage for LimitData {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let Step::Send { mut bytes, due } = step else {
            out.push(step);
            return;
        };
        let left = self.attributes.number("bytes").saturating_sub(self.num_passed);
        bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let is_full = bytes.len() as u64 == left;
        self.num_passed += bytes.len() as u64;
        if !bytes.is_empty() {
            out.push(Step::Send { bytes, due });
        }
        if is_full {
            out.push(Step::Close { due });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn bytes_are_counted_over_the_whole_connection() {
        let mut bench = Bench::new("limit_data", &json!({"bytes": 10}));
        assert_eq!(bench.send(6, 0), ["6 bytes at 0"]);
        assert_eq!(bench.send(6, 1), ["4 bytes at 1", "close at 1"]);
        assert_eq!(bench.send(6, 2), ["close at 2"]);
    }

    #[test]
    fn the_last_byte_closes_too() {
        assert_eq!(Bench::new("limit_data", &json!({"bytes": 3})).send(3, 0), ["3 bytes at 0", "close at 0"]);
        assert_eq!(Bench::new("limit_data", &json!({})).send(3, 0), ["close at 0"]);
    }
}
