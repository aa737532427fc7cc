//! Time that is added: before the request, before the answer, or to every piece of data on its way.

use std::time::Duration;

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Magnitude, Place};

use crate::chaos::faults::{Entry, FaultError, Level, STREAM, Values, stream};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect, RequestPlan};
use crate::chaos::proxy::stage::{Stage, Step, Stream};

pub(super) const ENTRY: Entry = Entry {
    name: "latency",
    about: "adds time, drawn anew for every request (of a connection: for every piece of data)",
    level: Level::Request,
    places: &[Place::Request, Place::Response, Place::Connection],
    has_magnitude: true,
    parameters: &[STREAM],
    compile,
};

/// More than this is not added at once.
const MOST: Duration = Duration::from_hours(1);

struct Latency {
    place: Place,
    stream: Stream,
    magnitude: Magnitude,
}

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let magnitude = fault.magnitude.clone().unwrap_or(Magnitude::Fixed { ms: 0.0 });
    Ok(Box::new(Latency { place: fault.place, stream: stream(values), magnitude }))
}

impl Effect for Latency {
    fn connect(&self, plan: &mut ConnectionPlan, dice: &mut Dice) {
        let stage = Slow { magnitude: self.magnitude.clone(), dice: Dice::new(&[dice.number()]) };
        plan.stages.push((self.stream, Box::new(stage)));
    }

    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, dice: &mut Dice) -> bool {
        plan.delay_at(self.place, draw(&self.magnitude, dice));
        true
    }
}

struct Slow {
    magnitude: Magnitude,
    dice: Dice,
}

impl Stage for Slow {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let due = step.due() + draw(&self.magnitude, &mut self.dice);
        out.push(step.not_before(due));
    }
}

fn draw(magnitude: &Magnitude, dice: &mut Dice) -> Duration {
    let ms = magnitude.quantile(dice.share());
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or(MOST).min(MOST)
}
