//! No more than so many connections at a time.

use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values, abort};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Cut, Effect};

pub(super) const ENTRY: Entry = Entry {
    name: "connection-limit",
    about: "refuses connections beyond so many; those that exist go on",
    level: Level::Connection,
    places: &[Place::Connection],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "max",
            kind: Kind::Whole { least: 0, most: 1_000_000 },
            is_required: true,
            about: "how many connections there may be",
            ..Parameter::OPTIONAL
        },
        Parameter {
            name: "how",
            kind: Kind::Choice(&["reset", "close"]),
            default: Some("\"reset\""),
            about: "how the others are refused: RST or FIN",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(_fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let most = usize::try_from(values.whole("max").unwrap_or_default()).unwrap_or(usize::MAX);
    Ok(Box::new(ConnectionLimit { most, how: abort::cut(values.text("how")) }))
}

struct ConnectionLimit {
    most: usize,
    how: Cut,
}

impl Effect for ConnectionLimit {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        if plan.is_new && plan.num_open > self.most {
            plan.refuse = Some(self.how);
        }
    }
}
