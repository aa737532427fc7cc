//! So many bytes a second, and no more.

use std::time::Duration;

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Place};
use tokio::time::Instant;

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, STREAM, Values, stream};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect, RequestPlan};
use crate::chaos::proxy::stage::{Stage, Step, Stream};

pub(super) const ENTRY: Entry = Entry {
    name: "bandwidth",
    about: "limits bytes a second: of the body of the request, of the body of the answer, or of the connection",
    level: Level::Response,
    places: &[Place::Request, Place::Response, Place::Connection],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "kb_per_s",
            kind: Kind::Number { least: 0.001, most: 10_000_000.0 },
            unit: "KB/s",
            is_required: true,
            about: "1000 bytes a second",
            ..Parameter::OPTIONAL
        },
        STREAM,
    ],
    compile,
};

/// How finely bytes are spread.
const SLICE: Duration = Duration::from_millis(20);

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let bytes_per_s = values.number("kb_per_s") * 1e3;
    Ok(Box::new(Bandwidth { place: fault.place, stream: stream(values), bytes_per_s }))
}

struct Bandwidth {
    place: Place,
    stream: Stream,
    bytes_per_s: f64,
}

impl Bandwidth {
    fn stage(&self) -> Box<dyn Stage> {
        Box::new(Narrow { bytes_per_s: self.bytes_per_s, free: None })
    }
}

impl Effect for Bandwidth {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        plan.stages.push((self.stream, self.stage()));
    }

    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        plan.stage_at(self.place, self.stage());
        true
    }
}

struct Narrow {
    bytes_per_s: f64,
    /// When what came before is through.
    free: Option<Instant>,
}

impl Stage for Narrow {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let Step::Send { mut bytes, due } = step else {
            out.push(step);
            return;
        };
        let slice = ((self.bytes_per_s * SLICE.as_secs_f64()) as usize).max(1);
        while !bytes.is_empty() {
            let piece = bytes.split_to(slice.min(bytes.len()));
            let begins = self.free.map_or(due, |free| free.max(due));
            let due = begins + Duration::from_secs_f64(piece.len() as f64 / self.bytes_per_s);
            out.push(Step::Send { bytes: piece, due });
            self.free = Some(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn the_last_byte_comes_when_the_rate_allows() {
        let start = Instant::now();
        let mut out = Vec::new();
        let mut narrow = Narrow { bytes_per_s: 1_000.0, free: None };
        narrow.step(Step::Send { bytes: Bytes::from(vec![0; 500]), due: start }, &mut out);
        narrow.step(Step::End { due: start }, &mut out);
        let sent: Vec<&Step> = out.iter().filter(|step| matches!(step, Step::Send { .. })).collect();
        assert_eq!(sent.len(), 25);
        let took = sent.last().unwrap().due() - start;
        assert!((499..=501).contains(&took.as_millis()), "{took:?}");
    }
}
