//! Data passes as it comes; that no more comes is told `delay` later.

use std::sync::Arc;

use super::{Attributes, Entry};
use crate::chaos::proxy::stage::{Stage, Step};

pub(super) const ENTRY: Entry = Entry {
    name: "slow_close",
    about: "delays the closing of a connection",
    attributes: &[("delay", "ms")],
    make: |attributes, _| Box::new(SlowClose(attributes)),
};

struct SlowClose(Arc<Attributes>);

impl Stage for SlowClose {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let is_end = matches!(step, Step::End { .. });
        let due = if is_end { step.due() + self.0.ms("delay") } else { step.due() };
        out.push(step.not_before(due));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::chaos::proxy::toxics::testing::Bench;

    #[test]
    fn only_the_end_is_late() {
        let mut bench = Bench::new("slow_close", &json!({"delay": 70}));
        assert_eq!((bench.send(3, 1), bench.end(2)), (vec!["3 bytes at 1".to_owned()], vec!["end at 72".to_owned()]));
    }
}
