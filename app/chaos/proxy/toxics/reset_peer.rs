//! `timeout` after the first data, or at its end if there is none, both sides get a reset.

use std::sync::Arc;

use super::{Attributes, Entry};
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "reset_peer",
    about: "resets the connection a time after its first data",
    attributes: &[("timeout", "ms")],
    make: |attributes, _| Box::new(ResetPeer { attributes, is_under_way: false }),
};

struct ResetPeer {
    attributes: Arc<Attributes>,
    is_under_way: bool,
}

impl Stage for ResetPeer {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        if !self.is_under_way {
            self.is_under_way = true;
            out.push(Step::Reset { due: step.due() + self.attributes.ms("timeout") });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn the_first_data_brings_the_reset_and_nothing_passes() {
        let mut bench = Bench::new("reset_peer", &json!({"timeout": 30}));
        assert_eq!(bench.send(3, 5), ["reset at 35"]);
        assert_eq!((bench.send(3, 6), bench.end(7)), (Vec::new(), Vec::new()));
        assert_eq!(Bench::new("reset_peer", &json!({})).end(5), ["reset at 5"]);
    }
}
