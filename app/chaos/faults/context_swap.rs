//! Two requests in flight that carry each other's context, as after a mix-up of thread-local state.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};
use crate::chaos::proxy::swap::Swap;

pub(super) const ENTRY: Entry = Entry {
    name: "context-swap",
    about: "exchanges the trace's context of two requests that are in flight at the same time",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "patience_ms",
            kind: Kind::Number { least: 0.0, most: 60_000.0 },
            unit: "ms",
            default: Some("1000"),
            about: "how long a request waits for another; then it goes on with its own context, and is not counted",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let patience = Duration::from_secs_f64(values.number("patience_ms") / 1e3);
    let names = Chosen::read(fault, values)?.names();
    Ok(Box::new(Exchange(Arc::new(Swap::new(names, patience)))))
}

struct Exchange(Arc<Swap>);

impl Effect for Exchange {
    fn request(&self, plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        if self.0.headers.iter().any(|name| head.headers.contains_key(name)) {
            plan.swap = Some(self.0.clone());
        }
        false
    }
}
