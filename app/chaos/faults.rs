//! The list of faults that the built-in proxy injects: one file each. Help texts, checks of experiments and the docs are made from
//! this list. A new fault is one more file and one more line in [`FAULTS`].

mod latency;
pub mod parameter;

use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::proxy::effect::Effect;
pub use parameter::{Kind, Parameter, Values};

/// Every fault.
pub const FAULTS: &[Entry] = &[latency::ENTRY];

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

/// One fault.
pub struct Entry {
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    pub level: Level,
    /// Where it can be put; the first is meant where nothing is said... see [`Fault::place`].
    pub places: &'static [Place],
    /// Whether it takes a magnitude in milliseconds.
    pub has_magnitude: bool,
    pub parameters: &'static [Parameter],
    /// Makes the effect; parameters are known and of their kind, and the place is one of [`Self::places`].
    pub compile: fn(&Fault, &Values) -> Result<Box<dyn Effect>, FaultError>,
}

/// A fault that cannot be armed as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// Not in the list.
    #[error("no fault is called {kind:?}; nearest: {nearest}")]
    Unknown { kind: String, nearest: String },
    /// Not one of its parameters.
    #[error("{kind} has no parameter {name:?}; {known}")]
    Parameter { kind: String, name: String, known: String },
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
    let names = FAULTS.iter().map(|entry| entry.name);
    FaultError::Unknown { kind: kind.to_owned(), nearest: parameter::nearest(kind, names).to_owned() }
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
