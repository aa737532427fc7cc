//! A few bytes at a time.

use std::time::Duration;

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Place};
use tokio::time::Instant;

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, STREAM, Values, stream};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect, RequestPlan};
use crate::chaos::proxy::stage::{Stage, Step, Stream};

pub(super) const ENTRY: Entry = Entry {
    name: "drip",
    about: "lets a few bytes through at a time: of the body of the request, of the body of the answer, or of the connection",
    level: Level::Response,
    places: &[Place::Request, Place::Response, Place::Connection],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "bytes",
            kind: Kind::Whole { least: 1, most: 1 << 20 },
            unit: "bytes",
            default: Some("1"),
            about: "how many bytes go at once",
            ..Parameter::OPTIONAL
        },
        Parameter {
            name: "every_ms",
            kind: Kind::Number { least: 0.0, most: 60_000.0 },
            unit: "ms",
            default: Some("100"),
            about: "time between two of them",
            ..Parameter::OPTIONAL
        },
        STREAM,
    ],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let every = Duration::from_secs_f64(values.number("every_ms") / 1e3);
    let bytes = usize::try_from(values.whole("bytes").unwrap_or(1)).unwrap_or(1).max(1);
    Ok(Box::new(Drip { place: fault.place, stream: stream(values), bytes, every }))
}

struct Drip {
    place: Place,
    stream: Stream,
    bytes: usize,
    every: Duration,
}

impl Drip {
    fn stage(&self) -> Box<dyn Stage> {
        Box::new(Drops { bytes: self.bytes, every: self.every, next: None })
    }
}

impl Effect for Drip {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        plan.stages.push((self.stream, self.stage()));
    }

    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        plan.stage_at(self.place, self.stage());
        true
    }
}

struct Drops {
    bytes: usize,
    every: Duration,
    /// When the next one may go.
    next: Option<Instant>,
}

impl Stage for Drops {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let Step::Send { mut bytes, due } = step else {
            out.push(step);
            return;
        };
        // Without a pause between them, pieces are the same as the whole.
        if self.every.is_zero() {
            out.push(Step::Send { bytes, due });
            return;
        }
        while !bytes.is_empty() {
            let due = self.next.map_or(due, |next| next.max(due));
            out.push(Step::Send { bytes: bytes.split_to(self.bytes.min(bytes.len())), due });
            self.next = Some(due + self.every);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn drops_fall_one_after_the_other() {
        let (start, every) = (Instant::now(), Duration::from_millis(10));
        let mut drops = Drops { bytes: 2, every, next: None };
        let mut out = Vec::new();
        drops.step(Step::Send { bytes: Bytes::from_static(b"abc"), due: start }, &mut out);
        drops.step(Step::Send { bytes: Bytes::from_static(b"d"), due: start }, &mut out);
        let send = |text: &'static [u8], n: u32| Step::Send { bytes: Bytes::from_static(text), due: start + every * n };
        assert_eq!(out, [send(b"ab", 0), send(b"c", 1), send(b"d", 2)]);
    }
}
