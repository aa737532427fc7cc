//! What a service must do under a fault, whatever the incident did: stop waiting, stop retrying, stop calling (after Heorhiadi et
//! al., Gremlin, ICDCS 2016).
//!
//! Checked on the requests of the fault arm, at the edge that the fault is at. Another one is another file and a line in
//! [`ASSERTIONS`].

mod backoff_grows;
mod baggage_survives;
mod bounded_retries;
mod calls;
mod has_bulkhead;
mod has_circuit_breaker;
mod has_timeouts;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::calls::{Call, Calls};
use super::judge::{Judged, Staging};

/// Something that must hold, by name, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// A name of [`ASSERTIONS`].
    pub assert: String,
    /// Parameters by name.
    #[serde(flatten)]
    pub with: Map<String, Value>,
}

/// A kind of assertion.
#[derive(Debug, Clone, Copy)]
pub struct Assertion {
    pub name: &'static str,
    /// What must hold, with the names of parameters in braces.
    pub sentence: &'static str,
    pub parameters: &'static [Parameter],
    check: fn(&Calls<'_>, &Given<'_>) -> Seen,
}

/// A parameter of an assertion.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    /// What it means, and its unit.
    pub sentence: &'static str,
    /// Nothing where it must be given.
    pub default: Option<f64>,
    /// Whether it is a text; a number of 0 or more otherwise.
    pub is_text: bool,
}

/// All assertions, by name.
pub const ASSERTIONS: &[Assertion] = &[
    backoff_grows::ASSERTION,
    baggage_survives::ASSERTION,
    bounded_retries::ASSERTION,
    has_bulkhead::ASSERTION,
    has_circuit_breaker::ASSERTION,
    has_timeouts::ASSERTION,
];

/// What became of an assertion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    pub name: String,
    /// What must hold, with the parameters in place.
    pub sentence: String,
    /// Nothing where the run did not put it to the test.
    pub holds: Option<bool>,
    /// What was seen, in words with figures.
    pub words: String,
    /// At most three spans that show it.
    pub examples: Vec<Example>,
}

/// A span by its ids, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    pub trace_id: String,
    pub span_id: String,
}

/// An assertion cannot be checked as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    #[error("no assertion is named {name:?}: known are {known}")]
    Unknown { name: String, known: String },
    #[error("{assertion} has no parameter {name:?}: known are {known}")]
    UnknownParameter { assertion: &'static str, name: String, known: String },
    #[error("{assertion} needs {name}: {sentence}")]
    Missing { assertion: &'static str, name: &'static str, sentence: &'static str },
    #[error("{name} of {assertion} is {found}: give {sentence}")]
    Type { assertion: &'static str, name: &'static str, found: String, sentence: &'static str },
}

/// What a check saw.
#[derive(Debug)]
struct Seen {
    holds: Option<bool>,
    words: String,
    examples: Vec<u32>,
}

impl Seen {
    fn untested(words: &str) -> Self {
        Self { holds: None, words: words.to_owned(), examples: Vec::new() }
    }
}

/// Parameters as they were given.
#[derive(Debug)]
struct Given<'a> {
    assertion: &'a Assertion,
    with: &'a Map<String, Value>,
}

impl Given<'_> {
    /// Returns a number: the given, else the default.
    fn number(&self, name: &str) -> f64 {
        let default = self.assertion.parameters.iter().find(|one| one.name == name).and_then(|one| one.default);
        self.with.get(name).and_then(Value::as_f64).or(default).unwrap_or_default()
    }

    fn text(&self, name: &str) -> &str {
        self.with.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns milliseconds as nanoseconds.
    fn nanos(&self, name: &str) -> i64 {
        (self.number(name) * 1e6) as i64
    }

    fn sentence(&self) -> String {
        let put = |sentence: String, parameter: &Parameter| {
            let number = || format!("{}", self.number(parameter.name));
            let value = if parameter.is_text { self.text(parameter.name).to_owned() } else { number() };
            sentence.replace(&format!("{{{}}}", parameter.name), &value)
        };
        self.assertion.parameters.iter().fold(self.assertion.sentence.to_owned(), put)
    }
}

/// Tells whether an assertion can be checked as it is asked for.
pub fn validate(asked: &Asked) -> Result<&'static Assertion, AssertionError> {
    let names = |names: Vec<&str>| names.join(", ");
    let Some(assertion) = ASSERTIONS.iter().find(|one| one.name == asked.assert) else {
        let known = names(ASSERTIONS.iter().map(|one| one.name).collect());
        return Err(AssertionError::Unknown { name: asked.assert.clone(), known });
    };
    let is_known = |name: &String| assertion.parameters.iter().any(|one| one.name == name);
    if let Some(name) = asked.with.keys().find(|name| !is_known(name)) {
        let known = names(assertion.parameters.iter().map(|one| one.name).collect());
        return Err(AssertionError::UnknownParameter { assertion: assertion.name, name: name.clone(), known });
    }
    assertion.parameters.iter().try_for_each(|parameter| validate_one(assertion, parameter, asked))?;
    Ok(assertion)
}

fn validate_one(assertion: &Assertion, parameter: &Parameter, asked: &Asked) -> Result<(), AssertionError> {
    let (assertion, Parameter { name, sentence, default, is_text }) = (assertion.name, *parameter);
    let Some(value) = asked.with.get(name) else {
        let missing = AssertionError::Missing { assertion, name, sentence };
        return if default.is_some() { Ok(()) } else { Err(missing) };
    };
    let is_number = value.as_f64().is_some_and(|number| number.is_finite() && number >= 0.0);
    let is_right = if is_text { value.as_str().is_some_and(|text| !text.is_empty()) } else { is_number };
    let wrong = || AssertionError::Type { assertion, name, found: value.to_string(), sentence };
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// Checks all that a plan asks for on the requests of the fault arm. What cannot be checked does not hold, and says why.
#[must_use]
pub fn check(staging: &Staging<'_>, plan: &Judged) -> Vec<Checked> {
    if plan.assertions.is_empty() {
        return Vec::new();
    }
    let calls = Calls::of(staging, plan);
    plan.assertions.iter().map(|asked| check_one(&calls, asked)).collect()
}

fn check_one(calls: &Calls<'_>, asked: &Asked) -> Checked {
    let name = asked.assert.clone();
    let assertion = match validate(asked) {
        Ok(assertion) => assertion,
        Err(error) => {
            let (words, examples) = (error.to_string(), Vec::new());
            return Checked { sentence: name.clone(), name, holds: Some(false), words, examples };
        }
    };
    let given = Given { assertion, with: &asked.with };
    let seen = (assertion.check)(calls, &given);
    let examples = seen.examples.iter().take(3).map(|&span| calls.example(span)).collect();
    Checked { name, sentence: given.sentence(), holds: seen.holds, words: seen.words, examples }
}

#[cfg(test)]
mod tests;
