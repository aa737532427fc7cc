//! The list of drivers: one file each. A new driver is one more file and one more line in [`DRIVERS`].

pub mod builtin;
pub mod envoy;
mod lossy;
mod settings;
pub mod toxiproxy;
mod undo;

#[cfg(test)]
pub(crate) mod peers;

use riftline_queries::replay::fault::Fault;
use serde_json::{Map, Value};

pub use self::settings::{Setting, Settings};
pub use self::undo::{undo, undo_with, verify_clean, verify_clean_with};
use crate::chaos::driver::{Call, Driver, DriverError};
use crate::chaos::http::{Answer, Client, Endpoint, HttpError};
use crate::chaos::kubernetes::entry;

/// Every driver.
pub const DRIVERS: &[Entry] =
    &[builtin::ENTRY, envoy::ENTRY, toxiproxy::ENTRY, entry::CHAOS_MESH, entry::ISTIO, entry::LITMUS];

/// A driver, or why it cannot be made.
pub type Made = Result<Box<dyn Driver>, DriverError>;

/// One driver.
pub struct Entry {
    /// As in experiment files.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    pub settings: &'static [Setting],
    /// Makes it; nothing is called yet.
    pub make: fn(&Settings, &Order) -> Made,
}

/// What a driver is made for.
#[derive(Debug, Clone)]
pub struct Order {
    /// Id of the run: letters, digits, `-` and `_`.
    pub run: String,
    /// Which fault of the run, counted from 1.
    pub number: u32,
    /// The same seed chooses the same requests.
    pub seed: u64,
    /// Makes all calls of the driver. The rails pin the addresses that they checked on it, also after the driver was made.
    pub client: Client,
}

impl Order {
    /// Returns the name of this fault wherever it is armed: `riftline_<run>_<number>`.
    #[must_use]
    pub fn fault_name(&self) -> String {
        format!("riftline_{}_{}", self.run, self.number)
    }
}

/// Makes the driver called `name` with the options of an experiment file.
pub fn make(name: &str, options: &Map<String, Value>, order: &Order) -> Made {
    let entry = DRIVERS.iter().find(|entry| entry.name == name).ok_or_else(|| {
        let nearest = settings::nearest(name, DRIVERS.iter().map(|entry| entry.name));
        DriverError::Unable(format!("no driver is called `{name}`; nearest: `{nearest}`"))
    })?;
    check_run(&order.run)?;
    (entry.make)(&Settings::read(entry, options)?, order)
}

/// The run's id stands in URLs and in names of objects.
fn check_run(run: &str) -> Result<(), DriverError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if run.is_empty() || !run.chars().all(is_plain) {
        return Err(DriverError::Unable(format!("run `{run}` may only have letters, digits, - and _")));
    }
    Ok(())
}

fn call(method: &str, url: String, body: Option<Value>, accept: &[u16]) -> Call {
    Call { method: method.to_owned(), url, body, accept: accept.to_vec() }
}

fn get(url: String) -> Call {
    call("GET", url, None, &[])
}

/// Makes a call and returns its answer if it is one that counts as done.
fn ask(client: &Client, call: &Call) -> Result<Answer, DriverError> {
    let answer = client.send(call).map_err(|error| failed(call, &error))?;
    if answer.is_accepted(call) { Ok(answer) } else { Err(refused(call, &answer)) }
}

/// Makes a call and reads its answer as JSON.
fn ask_json(client: &Client, call: &Call) -> Result<Value, DriverError> {
    let answer = ask(client, call)?;
    serde_json::from_str(&answer.body).map_err(|error| DriverError::Refused {
        call: format!("{} {}", call.method, call.url),
        answer: format!("{}, which is not JSON: {error}", answer.status),
    })
}

fn refused(call: &Call, answer: &Answer) -> DriverError {
    let text: String = answer.body.trim().chars().take(300).collect();
    DriverError::Refused {
        call: format!("{} {}", call.method, call.url),
        answer: format!("{} {text}", answer.status).trim_end().to_owned(),
    }
}

fn failed(call: &Call, error: &HttpError) -> DriverError {
    match error {
        HttpError::Late { within, .. } => {
            DriverError::Late { what: format!("{} {}", call.method, call.url), within: *within }
        }
        HttpError::Url { .. } | HttpError::Unable(_) => DriverError::Unable(error.to_string()),
        _ => DriverError::Unreachable { target: target(&call.url), reason: error.to_string() },
    }
}

/// Returns host and port of a URL that was checked when the driver was made.
fn target(url: &str) -> String {
    Endpoint::parse(url).map_or_else(|_| url.to_owned(), |endpoint| endpoint.target())
}

/// Returns a call as people read it before it is sent.
fn shown(call: &Call) -> String {
    let body = call.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
    format!("{} {}{body}", call.method, call.url)
}

/// Refuses to arm what cannot be represented.
fn refuse(fault: &Fault, refusal: Option<String>) -> Result<(), DriverError> {
    refusal.map_or(Ok(()), |reason| Err(DriverError::Unable(format!("{}: {reason}", fault.kind))))
}

#[cfg(test)]
mod tests;
