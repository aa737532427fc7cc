//! Context that arrives twice, and differs.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-duplicate",
    about: "sends the headers of the trace's context twice, the second time with other ids (or the same)",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "same",
            kind: Kind::Flag,
            default: Some("false"),
            about: "the second is the same as the first",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    Ok(Box::new(Duplicate { chosen: Chosen::read(fault, values)?, same: values.flag("same") }))
}

struct Duplicate {
    chosen: Chosen,
    same: bool,
}

impl Effect for Duplicate {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, dice: &mut Dice) -> bool {
        let present = self.chosen.present(&head.headers);
        let turn = 1 + dice.number() % 14;
        for name in &present {
            let Some(value) = head.headers.get(name).cloned() else { continue };
            let other = value.to_str().ok().map(|text| other(text, turn)).and_then(|text| text.parse().ok());
            head.headers.append(name.clone(), if self.same { value } else { other.unwrap_or(value) });
        }
        !present.is_empty()
    }
}

/// Turns every hexadecimal digit of an id by the same amount: another id of the same form.
fn other(value: &str, turn: u64) -> String {
    let is_long = |part: &str| part.len() >= 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let turned = |part: &str| part.chars().map(|digit| turned(digit, turn)).collect::<String>();
    let change = |part: &str| if is_long(part) { turned(part) } else { part.to_owned() };
    value.split('-').map(change).collect::<Vec<_>>().join("-")
}

fn turned(digit: char, turn: u64) -> char {
    let value = digit.to_digit(16).map_or(0, |value| (value + turn as u32) % 16);
    char::from_digit(value, 16).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_has_the_same_form_and_other_ids() {
        assert_eq!(other("00-0af7651916cd43dd-ffff6b7169203331-01", 1), "00-1b08762a27de54ee-00007c827a314442-01");
        assert_eq!(other("alice=1", 3), "alice=1");
    }
}
