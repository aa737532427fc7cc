//! Context under a name that nobody looks for.

use hyper::http::HeaderName;
use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values, unable};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-rename",
    about: "gives the headers of the trace's context other names",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "to",
            kind: Kind::Text,
            is_required: true,
            about: "the new name; a * in it stands for the old one: `x-old-*`",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let to = values.text("to").to_owned();
    if renamed(&to, "b3").is_none() {
        return unable(ENTRY.name, &format!("{to:?} is no name of a header"));
    }
    Ok(Box::new(Rename { chosen: Chosen::read(fault, values)?, to }))
}

fn renamed(to: &str, name: &str) -> Option<HeaderName> {
    HeaderName::try_from(to.replace('*', name)).ok()
}

struct Rename {
    chosen: Chosen,
    to: String,
}

impl Effect for Rename {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        let present = self.chosen.present(&head.headers);
        for name in &present {
            let Some(to) = renamed(&self.to, name.as_str()) else { continue };
            let values: Vec<_> = head.headers.get_all(name).iter().cloned().collect();
            head.headers.remove(name);
            values.into_iter().for_each(|value| {
                head.headers.append(to.clone(), value);
            });
        }
        !present.is_empty()
    }
}
