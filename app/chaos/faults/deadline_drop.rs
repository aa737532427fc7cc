//! A deadline that is not passed on: the server works on for a client that has left.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::{Entry, FaultError, Level, Values, context};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "deadline-drop",
    about: "takes the deadline of a gRPC call (grpc-timeout) away",
    level: Level::Request,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(_fault: &Fault, _values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    Ok(Box::new(DeadlineDrop))
}

struct DeadlineDrop;

impl Effect for DeadlineDrop {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        head.headers.remove("grpc-timeout").is_some()
    }
}
