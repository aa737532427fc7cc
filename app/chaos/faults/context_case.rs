//! Context in other letters: names of headers, which some look for letter by letter, or keys inside of `baggage`.

use hyper::http::Version;
use hyper::http::request::Parts;
use riftline_queries::replay::fault::Fault;

use crate::chaos::faults::context::{self, Chosen};
use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Effect, Letters, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "context-case",
    about: "writes names of headers, or keys of baggage, in other letters; names have letters in HTTP/1 only (HTTP/2 has small ones)",
    level: Level::Context,
    places: context::PLACES,
    has_magnitude: false,
    parameters: &[
        context::PARAMETER,
        Parameter {
            name: "letters",
            kind: Kind::Choice(&["upper", "lower", "title"]),
            default: Some("\"upper\""),
            about: "TRACEPARENT, traceparent or Traceparent",
            ..Parameter::OPTIONAL
        },
        Parameter {
            name: "of",
            kind: Kind::Choice(&["names", "baggage-keys"]),
            default: Some("\"names\""),
            about: "what is written differently",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let letters = match values.text("letters") {
        "lower" => Letters::Lower,
        "title" => Letters::Title,
        _ => Letters::Upper,
    };
    let chosen = Chosen::read(fault, values)?;
    Ok(Box::new(Case { chosen, letters, of_keys: values.text("of") == "baggage-keys" }))
}

struct Case {
    chosen: Chosen,
    letters: Letters,
    of_keys: bool,
}

impl Effect for Case {
    fn request(&self, plan: &mut RequestPlan, head: &mut Parts, _dice: &mut Dice) -> bool {
        if self.of_keys {
            let spell = |name: &hyper::http::HeaderName, value: &str| (name == "baggage").then(|| self.keys(value));
            return self.chosen.change(&mut head.headers, spell);
        }
        let present = self.chosen.present(&head.headers);
        if present.is_empty() || head.version >= Version::HTTP_2 {
            return false;
        }
        plan.letters.extend(present.into_iter().map(|name| (name, self.letters)));
        true
    }
}

impl Case {
    /// `userId=alice,plan=gold;p=1`: keys are before the first `=` of each member.
    fn keys(&self, baggage: &str) -> String {
        let member = |member: &str| match member.split_once('=') {
            Some((key, value)) => format!("{}={value}", self.spell(key)),
            None => member.to_owned(),
        };
        baggage.split(',').map(member).collect::<Vec<_>>().join(",")
    }

    fn spell(&self, key: &str) -> String {
        match self.letters {
            Letters::Upper => key.to_ascii_uppercase(),
            Letters::Lower => key.to_ascii_lowercase(),
            Letters::Title => {
                let lower = key.to_ascii_lowercase();
                let begins = lower.len() - lower.trim_start().len();
                let (blank, word) = lower.split_at(begins);
                let mut letters = word.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                blank.chars().chain(first).chain(letters).collect()
            }
        }
    }
}
