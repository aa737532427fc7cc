//! Traces whose sampling decision is turned round on the way: half of a trace is missing.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-sampled",
    about: "turns the sampled flag of the trace's context round",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "to",
            kind: Kind::Choice(&["flip", "on", "off"]),
            default: Some("\"flip\""),
            about: "round, or to one side",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let to = match values.text("to") {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    Ok(Box::new(Sampled { chosen: Chosen::read(fault, values)?, to }))
}

struct Sampled {
    chosen: Chosen,
    to: Option<bool>,
}

impl Effect for Sampled {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        self.chosen.change(&mut head.headers, |name, value| match name.as_str() {
            "traceparent" => self.flag(value, '-', 3, 2),
            "b3" => self.flag(value, '-', 2, 1),
            "x-b3-sampled" | "x-datadog-sampling-priority" | "sw8" => self.flag(value, '-', 0, 1),
            "uber-trace-id" => self.flag(value, ':', 3, 1),
            "x-amzn-trace-id" => self.amazon(value),
            _ => None,
        })
    }
}

impl Sampled {
    /// Sets the lowest bit of the hexadecimal part at `index`, written with at least `width` digits.
    fn flag(&self, value: &str, separator: char, index: usize, width: usize) -> Option<String> {
        let mut parts: Vec<String> = value.split(separator).map(str::to_owned).collect();
        let part = parts.get_mut(index)?;
        // B3 says `d` for "debug", which is sampled.
        let flags = if part == "d" { 1 } else { u8::from_str_radix(part, 16).ok()? };
        *part = format!("{:0width$x}", self.turned(flags));
        Some(parts.join(&separator.to_string()))
    }

    fn turned(&self, flags: u8) -> u8 {
        match self.to {
            Some(true) => flags | 1,
            Some(false) => flags & !1,
            None => flags ^ 1,
        }
    }

    fn amazon(&self, value: &str) -> Option<String> {
        let (before, flag) = value.rsplit_once("Sampled=")?;
        let (flag, after) = flag.split_at_checked(1)?;
        Some(format!("{before}Sampled={}{after}", self.turned(flag.parse().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_turns_and_nothing_else() {
        let flip = Sampled { chosen: Chosen::All, to: None };
        assert_eq!(flip.flag("00-ab-cd-01", '-', 3, 2).unwrap(), "00-ab-cd-00");
        assert_eq!(flip.flag("00-ab-cd-02", '-', 3, 2).unwrap(), "00-ab-cd-03");
        assert_eq!(flip.flag("ab-cd-d", '-', 2, 1).unwrap(), "ab-cd-0");
        assert_eq!(flip.flag("ab-cd", '-', 2, 1), None);
        assert_eq!(flip.amazon("Root=1-a-b;Sampled=0;Parent=1").unwrap(), "Root=1-a-b;Sampled=1;Parent=1");
        let on = Sampled { chosen: Chosen::All, to: Some(true) };
        assert_eq!(on.flag("1", '-', 0, 1).unwrap(), "1");
    }
}
