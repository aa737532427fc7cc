//! Parameters of faults: what there is, and how they are read.

use serde_json::{Map, Value};

use crate::chaos::faults::{Entry, FaultError};
use crate::mistake::suggestion;

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A number in a range, both ends included.
    Number { least: f64, most: f64 },
    /// A number without a fraction in a range, both ends included.
    Whole { least: u64, most: u64 },
    /// Yes or no.
    Flag,
    /// Any text.
    Text,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Names of headers.
    Headers,
}

impl Kind {
    /// Says what is taken.
    #[must_use]
    pub fn wanted(&self) -> String {
        match self {
            Self::Number { least, most } => format!("a number from {least} to {most}"),
            Self::Whole { least, most } => format!("a whole number from {least} to {most}"),
            Self::Flag => "true or false".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Choice(choices) => format!("one of {}", choices.join(", ")),
            Self::Headers => "a list of header names".to_owned(),
        }
    }

    pub(super) fn takes(&self, value: &Value) -> bool {
        match self {
            Self::Number { least, most } => value.as_f64().is_some_and(|number| (*least..=*most).contains(&number)),
            Self::Whole { least, most } => value.as_u64().is_some_and(|number| (*least..=*most).contains(&number)),
            Self::Flag => value.is_boolean(),
            Self::Text => value.is_string(),
            Self::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
            Self::Headers => value.as_array().is_some_and(|names| names.iter().all(Value::is_string)),
        }
    }
}

/// One parameter of a fault.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: Kind,
    /// `ms`, `KB/s`, `bytes`; empty where it has none.
    pub unit: &'static str,
    /// As in JSON; nothing where it must be given or where not giving it means something.
    pub default: Option<&'static str>,
    pub is_required: bool,
    pub about: &'static str,
}

impl Parameter {
    /// What is the same for most.
    pub const OPTIONAL: Self =
        Self { name: "", kind: Kind::Text, unit: "", default: None, is_required: false, about: "" };
}

/// Parameters as given, checked against what the fault has.
pub struct Values {
    given: Map<String, Value>,
}

impl Values {
    /// Checks `given` against the parameters of `entry`, and fills in what is usual.
    pub fn read(entry: &Entry, given: &Map<String, Value>) -> Result<Self, FaultError> {
        given.iter().try_for_each(|(name, value)| check(entry, name, value))?;
        let mut values = given.clone();
        for parameter in entry.parameters {
            match (values.contains_key(parameter.name), parameter.default) {
                (false, Some(default)) => {
                    let value = serde_json::from_str(default).unwrap_or(Value::Null);
                    values.insert(parameter.name.to_owned(), value);
                }
                (false, None) if parameter.is_required => return Err(missing(entry, parameter)),
                _ => {}
            }
        }
        Ok(Self { given: values })
    }

    /// Returns a number; 0 where it is not there.
    #[must_use]
    pub fn number(&self, name: &str) -> f64 {
        self.given.get(name).and_then(Value::as_f64).unwrap_or_default()
    }

    /// Returns a whole number, if it is there.
    #[must_use]
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.given.get(name).and_then(Value::as_u64)
    }

    /// Returns a number, if it is there.
    #[must_use]
    pub fn number_opt(&self, name: &str) -> Option<f64> {
        self.given.get(name).and_then(Value::as_f64)
    }

    /// Returns a text; empty where it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.given.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Tells whether a flag is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.given.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns a list of names, if it is there.
    #[must_use]
    pub fn names(&self, name: &str) -> Option<Vec<&str>> {
        Some(self.given.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }
}

fn check(entry: &Entry, name: &str, value: &Value) -> Result<(), FaultError> {
    let Some(parameter) = entry.parameters.iter().find(|parameter| parameter.name == name) else {
        return Err(unknown(entry, name));
    };
    if parameter.kind.takes(value) {
        return Ok(());
    }
    Err(FaultError::Value {
        kind: entry.name.to_owned(),
        name: name.to_owned(),
        value: value.to_string(),
        wanted: parameter.kind.wanted(),
    })
}

fn unknown(entry: &Entry, name: &str) -> FaultError {
    let names: Vec<&str> = entry.parameters.iter().map(|parameter| parameter.name).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let hint = suggestion(name, names);
    FaultError::Parameter { kind: entry.name.to_owned(), name: name.to_owned(), hint, known }
}

fn missing(entry: &Entry, parameter: &Parameter) -> FaultError {
    FaultError::Unable {
        kind: entry.name.to_owned(),
        reason: format!("needs {}: {}", parameter.name, parameter.kind.wanted()),
    }
}
