//! Context that arrives and cannot be used.

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-corrupt",
    about: "spoils the headers of the trace's context",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "how",
            kind: Kind::Choice(&["bad-version", "zero-ids", "garbage", "truncated"]),
            default: Some("\"garbage\""),
            about: "traceparent of version ff, ids of zeros only, letters without meaning, or the first half of it",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let how = match values.text("how") {
        "bad-version" => How::BadVersion,
        "zero-ids" => How::ZeroIds,
        "truncated" => How::Truncated,
        _ => How::Garbage,
    };
    Ok(Box::new(Corrupt { chosen: Chosen::read(fault, values)?, how }))
}

#[derive(Debug, Clone, Copy)]
enum How {
    BadVersion,
    ZeroIds,
    Garbage,
    Truncated,
}

struct Corrupt {
    chosen: Chosen,
    how: How,
}

impl Effect for Corrupt {
    fn request(&self, _plan: &mut RequestPlan, head: &mut Parts, dice: &mut Dice) -> bool {
        self.chosen.change(&mut head.headers, |name, value| match self.how {
            // Only traceparent has a version, and ff is the one that can never be (W3C Trace Context, 3.2.2.1).
            How::BadVersion if name == "traceparent" => Some(format!("ff{}", value.get(2..).unwrap_or_default())),
            How::BadVersion => None,
            How::ZeroIds => Some(zeroed(value)),
            How::Garbage => Some(format!("{:016x}?{:08x}", dice.number(), dice.number() >> 32)),
            How::Truncated => value.get(..value.len() / 2).map(str::to_owned),
        })
    }
}

/// Replaces every run of hexadecimal digits that is long enough for an id by zeros; a number in decimal, too.
fn zeroed(value: &str) -> String {
    let is_digit = |letter: char| letter.is_ascii_hexdigit();
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|letter| is_digit(letter) != is_digit(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(length);
        let is_id = is_digit(first) && run.len() >= 8;
        text.push_str(&if is_id { "0".repeat(run.len()) } else { run.to_owned() });
        rest = after;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_become_zeros() {
        assert_eq!(
            zeroed("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            format!("00-{}-{}-01", "0".repeat(32), "0".repeat(16))
        );
        assert_eq!(
            zeroed("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"),
            format!("Root=1-{}-{};Sampled=1", "0".repeat(8), "0".repeat(24))
        );
        assert_eq!(zeroed("ünï=1"), "ünï=1");
    }
}
