//! Less than was announced.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, STREAM, Values, stream};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect, RequestPlan};
use crate::chaos::proxy::stage::{Stage, Step, Stream};

pub(super) const ENTRY: Entry = Entry {
    name: "truncate",
    about: "lets so many bytes of a body (or of a connection) through and then closes, whatever was announced",
    level: Level::Response,
    places: &[Place::Request, Place::Response, Place::Connection],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "bytes",
            kind: Kind::Whole { least: 0, most: u64::MAX },
            unit: "bytes",
            is_required: true,
            about: "how many bytes pass",
            ..Parameter::OPTIONAL
        },
        STREAM,
    ],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let bytes = values.whole("bytes").unwrap_or_default();
    Ok(Box::new(Truncate { place: fault.place, stream: stream(values), bytes }))
}

struct Truncate {
    place: Place,
    stream: Stream,
    bytes: u64,
}

impl Effect for Truncate {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        plan.stages.push((self.stream, Box::new(Limit { left: self.bytes })));
    }

    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        plan.stage_at(self.place, Box::new(Limit { left: self.bytes }));
        true
    }
}

struct Limit {
    left: u64,
}

impl Stage for Limit {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let Step::Send { mut bytes, due } = step else {
            out.push(step);
            return;
        };
        let fits = bytes.len() as u64 <= self.left;
        bytes.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= bytes.len() as u64;
        if !bytes.is_empty() {
            out.push(Step::Send { bytes, due });
        }
        if !fits {
            out.push(Step::Close { due });
        }
    }
}
