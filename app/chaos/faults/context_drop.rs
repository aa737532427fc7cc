//! Context that does not arrive, as behind a hop that forwards only the headers it knows.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Level, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-drop",
    about: "takes the headers of the trace's context away",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[context::PARAMETER],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    Ok(Box::new(Drop(Chosen::read(fault, values)?)))
}

struct Drop(Chosen);

impl Effect for Drop {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        let present = self.0.present(&head.headers);
        present.iter().for_each(|name| {
            head.headers.remove(name);
        });
        !present.is_empty()
    }
}
