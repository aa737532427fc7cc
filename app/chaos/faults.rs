//! The list of faults that the built-in proxy injects: one file each. Help texts, checks of experiments and the docs are made from
//! this list. A new fault is one more file and one more line in [`FAULTS`].

mod abort;
mod bandwidth;
mod connection_limit;
mod context;
mod context_case;
mod context_corrupt;
mod context_drop;
mod context_duplicate;
mod context_rename;
mod context_sampled;
mod context_short_id;
mod context_swap;
mod deadline_drop;
mod drip;
mod error;
mod hang;
mod idle_reset;
mod latency;
pub mod parameter;
mod truncate;

use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::proxy::effect::Effect;
use crate::chaos::proxy::stage::Stream;
use crate::mistake::suggestion;
pub use parameter::{Kind, Parameter, Values};

/// Every fault.
pub const FAULTS: &[Entry] = &[
    latency::ENTRY,
    error::ENTRY,
    abort::ENTRY,
    hang::ENTRY,
    idle_reset::ENTRY,
    connection_limit::ENTRY,
    drip::ENTRY,
    bandwidth::ENTRY,
    truncate::ENTRY,
    context_drop::ENTRY,
    context_rename::ENTRY,
    context_case::ENTRY,
    context_corrupt::ENTRY,
    context_duplicate::ENTRY,
    context_swap::ENTRY,
    context_short_id::ENTRY,
    context_sampled::ENTRY,
    deadline_drop::ENTRY,
];

/// What a fault needs to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Bytes, whatever they mean: works on every link, TLS that passes through among it.
    Connection,
    /// Requests of HTTP or gRPC.
    Request,
    /// Answers of HTTP or gRPC.
    Response,
    /// Headers that carry the context of a trace.
    Context,
}

impl Level {
    /// Tells whether requests must be readable: not inside of TLS that passes through, not raw TCP.
    #[must_use]
    pub fn needs_http(self) -> bool {
        self != Self::Connection
    }
}

/// Makes what a fault does.
pub type Compile = fn(&Fault, &Values) -> Result<Box<dyn Effect>, FaultError>;

/// One fault.
pub struct Entry {
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    pub level: Level,
    /// Where it can be put.
    pub places: &'static [Place],
    /// Whether it takes a magnitude in milliseconds.
    pub has_magnitude: bool,
    pub parameters: &'static [Parameter],
    /// Makes the effect; parameters are known and of their kind, and the place is one of [`Self::places`].
    pub compile: Compile,
}

/// A fault that cannot be armed as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not in the list.
    #[error("no fault is called {kind:?}{hint}; there are {known}")]
    Unknown { kind: String, hint: String, known: String },
    /// Not one of its parameters.
    #[error("{kind} has no parameter {name:?}{hint}; it has {known}")]
    Parameter { kind: String, name: String, hint: String, known: String },
    /// Of the wrong kind or out of range.
    #[error("{kind}: {name} is {value}, but must be {wanted}")]
    Value { kind: String, name: String, value: String, wanted: String },
    /// Anything else.
    #[error("{kind}: {reason}")]
    Unable { kind: String, reason: String },
}

/// Returns the fault of this name.
#[must_use]
pub fn find(kind: &str) -> Option<&'static Entry> {
    FAULTS.iter().find(|entry| entry.name == kind)
}

/// Checks `fault` and makes what does it.
pub fn compile(fault: &Fault) -> Result<(Level, Box<dyn Effect>), FaultError> {
    let entry = find(&fault.kind).ok_or_else(|| unknown(&fault.kind))?;
    check(entry, fault)?;
    let values = Values::read(entry, &fault.with)?;
    let effect = (entry.compile)(fault, &values)?;
    let level = if fault.place == Place::Connection { Level::Connection } else { entry.level };
    Ok((level, effect))
}

fn unknown(kind: &str) -> FaultError {
    let names: Vec<&str> = FAULTS.iter().map(|entry| entry.name).collect();
    FaultError::Unknown { kind: kind.to_owned(), known: names.join(", "), hint: suggestion(kind, names) }
}

/// Checks what is the same for all faults.
fn check(entry: &Entry, fault: &Fault) -> Result<(), FaultError> {
    let unable = |reason: String| Err(FaultError::Unable { kind: entry.name.to_owned(), reason });
    let when = &fault.when;
    if !(0.0..=1.0).contains(&when.share) {
        return unable(format!("share is {}, but must be from 0 to 1", when.share));
    }
    if when.nth == Some(0) {
        return unable("nth counts from 1".to_owned());
    }
    if !entry.places.contains(&fault.place) {
        let places: Vec<String> = entry.places.iter().map(|place| place_name(*place).to_owned()).collect();
        return unable(format!("cannot be put at {}; it can at {}", place_name(fault.place), places.join(" or ")));
    }
    if entry.has_magnitude != fault.magnitude.is_some() {
        let reason = if entry.has_magnitude { "needs a magnitude: how many ms" } else { "takes no magnitude" };
        return unable(reason.to_owned());
    }
    let chooses_requests = when.method.is_some() || when.path.is_some() || when.mark.is_some();
    if fault.place == Place::Connection && chooses_requests {
        return unable("bytes of a connection have no method, path or mark to choose by".to_owned());
    }
    Ok(())
}

/// Returns the place in the words of files.
#[must_use]
pub fn place_name(place: Place) -> &'static str {
    match place {
        Place::Connection => "connection",
        Place::Request => "request",
        Place::Response => "response",
    }
}

/// Which direction of a connection a fault acts on.
const STREAM: Parameter = Parameter {
    name: "stream",
    kind: Kind::Choice(&["up", "down"]),
    default: Some("\"down\""),
    about: "put at connection: up to the server, or down to the client",
    ..Parameter::OPTIONAL
};

fn stream(values: &Values) -> Stream {
    if values.text(STREAM.name) == "up" { Stream::Up } else { Stream::Down }
}

fn unable<T>(kind: &str, reason: &str) -> Result<T, FaultError> {
    Err(FaultError::Unable { kind: kind.to_owned(), reason: reason.to_owned() })
}

#[cfg(test)]
mod tests;
