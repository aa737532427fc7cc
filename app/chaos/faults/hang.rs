//! Accepted, and never answered.

use std::time::Duration;

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Place};
use tokio::time::Instant;

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect, RequestPlan};
use crate::chaos::proxy::stage::{Stage, Step, Stream};

pub(super) const ENTRY: Entry = Entry {
    name: "hang",
    about: "accepts and never answers, until it is released: put at response the server has done its work",
    level: Level::Request,
    places: &[Place::Request, Place::Response, Place::Connection],
    has_magnitude: false,
    parameters: &[Parameter {
        name: "release_ms",
        kind: Kind::Number { least: 0.0, most: 3_600_000.0 },
        unit: "ms",
        about: "goes on after so long; without it only when the fault is disarmed or the client leaves",
        ..Parameter::OPTIONAL
    }],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let release = values.number_opt("release_ms").map(|ms| Duration::from_secs_f64(ms / 1e3));
    Ok(Box::new(Hang { place: fault.place, release }))
}

struct Hang {
    place: Place,
    release: Option<Duration>,
}

impl Effect for Hang {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        for stream in [Stream::Up, Stream::Down] {
            let release = self.release.map(|release| Instant::now() + release);
            plan.stages.push((stream, Box::new(Hold { release, held: Vec::new() })));
        }
    }

    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        plan.delay_at(self.place, self.release.unwrap_or(Duration::MAX));
        true
    }
}

/// Keeps everything until it is released.
struct Hold {
    release: Option<Instant>,
    held: Vec<Step>,
}

/// How many pieces are held before no more is read: nobody may fill the memory of the proxy.
const ROOM: usize = 64;

impl Stage for Hold {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        match self.release {
            Some(release) => out.push(step.not_before(release)),
            None => self.held.push(step),
        }
    }

    fn is_full(&self) -> bool {
        self.held.len() >= ROOM
    }

    fn removed(&mut self, _now: Instant) -> Vec<Step> {
        std::mem::take(&mut self.held)
    }
}
