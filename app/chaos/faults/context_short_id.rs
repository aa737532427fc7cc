//! Trace ids of 128 bit that lose their upper half on the way, as between libraries of different age.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-short-id",
    about: "cuts trace ids from 128 bit to the lower 64",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "pad",
            kind: Kind::Flag,
            default: Some("true"),
            about: "traceparent keeps its 32 digits, the upper ones being 0; otherwise it has 16 and is invalid",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    Ok(Box::new(ShortId { chosen: Chosen::read(fault, values)?, pad: values.flag("pad") }))
}

struct ShortId {
    chosen: Chosen,
    pad: bool,
}

impl Effect for ShortId {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        self.chosen.change(&mut head.headers, |name, value| match name.as_str() {
            "traceparent" => shorten(value, '-', 1, self.pad),
            "b3" => shorten(value, '-', 0, false),
            "x-b3-traceid" => short(value),
            "uber-trace-id" => shorten(value, ':', 0, false),
            "x-datadog-tags" => Some(without_upper(value)),
            _ => None,
        })
    }
}

/// Shortens the part at `index`.
fn shorten(value: &str, separator: char, index: usize, pad: bool) -> Option<String> {
    let mut parts: Vec<String> = value.split(separator).map(str::to_owned).collect();
    let id = parts.get_mut(index)?;
    let lower = short(id)?;
    *id = if pad { format!("{lower:0>32}") } else { lower };
    Some(parts.join(&separator.to_string()))
}

fn short(id: &str) -> Option<String> {
    id.len().checked_sub(16).filter(|from| *from > 0).and_then(|from| id.get(from..)).map(str::to_owned)
}

/// Datadog keeps the upper half among its tags.
fn without_upper(tags: &str) -> String {
    tags.split(',').filter(|tag| !tag.trim().starts_with("_dd.p.tid=")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_half_is_left() {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(shorten(parent, '-', 1, true).unwrap(), "00-00000000000000008448eb211c80319c-b7ad6b7169203331-01");
        assert_eq!(shorten(parent, '-', 1, false).unwrap(), "00-8448eb211c80319c-b7ad6b7169203331-01");
        assert_eq!(short("8448eb211c80319c"), None);
        assert_eq!(without_upper("a=1,_dd.p.tid=0af7651916cd43dd,b=2"), "a=1,b=2");
    }
}
