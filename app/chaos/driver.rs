//! What arms and disarms a fault: one file a driver.
//!
//! Whatever a driver changes somewhere can be undone from the [`Undo`] alone, which stands in the journal before anything is armed:
//! by the run itself, by the process that watches it, or by `riftline chaos recover` the next day.

use std::time::Duration;

use riftline_queries::replay::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An HTTP call, as it is sent and as it stands in plans and journals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub method: String,
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Statuses that mean it is done; any 2xx where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<u16>,
}

/// How to undo what one run armed: as often as wanted, by anyone, with the same result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum Undo {
    /// Nothing stays behind: the fault goes with the request that carries it.
    Nothing,
    /// HTTP calls, in this order. `verify` must then answer without `residue` anywhere in its text.
    Http { calls: Vec<Call>, verify: Call, residue: String },
    /// A Kubernetes object of ours is deleted and must be gone; where `route` is named, only that route is taken out of an object of
    /// others. `kind` may list several, as `kubectl` takes them: `NetworkChaos,HTTPChaos`.
    Kubernetes {
        context: String,
        namespace: String,
        kind: String,
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<String>,
    },
}

/// How much of a fault a driver can represent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fidelity {
    /// What is lost, one sentence each: "18 % per request becomes 18 % per connection".
    pub losses: Vec<String>,
    /// Why it cannot be done at all.
    pub refusal: Option<String>,
}

/// How much a fault really hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Injected {
    /// Requests or connections that were hit; nothing where the driver cannot tell.
    pub faults: Option<u64>,
    /// Of those, the ones that did not carry the run's mark; nothing where the driver cannot tell.
    pub unmarked: Option<u64>,
}

/// What goes wrong at a driver.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// Nobody answers there.
    #[error("{target} does not answer: {reason}")]
    Unreachable { target: String, reason: String },
    /// It answers, but not as it should.
    #[error("{call} answered {answer}")]
    Refused { call: String, answer: String },
    /// What should be there is not: the proxy, the filter, the object.
    #[error("{0}")]
    Missing(String),
    /// Did not happen in time.
    #[error("{what} did not happen within {} s", .within.as_secs())]
    Late { what: String, within: Duration },
    /// The fault cannot be represented.
    #[error("{0}")]
    Unable(String),
}

/// Arms one fault of one run.
pub trait Driver: Send {
    /// Name, as in experiment files.
    fn name(&self) -> &'static str;

    /// Says what of `fault` is lost here.
    fn fidelity(&self, fault: &Fault) -> Fidelity;

    /// Tells whether requests without the run's mark are left alone: then they are a control group.
    fn spares_unmarked(&self) -> bool {
        false
    }

    /// Returns the hosts and ports that this driver talks to, for the rails: `127.0.0.1:8474`.
    fn targets(&self) -> Vec<String>;

    /// Looks, without changing anything, whether arming can work; returns what it found, in words.
    fn preflight(&mut self) -> Result<Vec<String>, DriverError>;

    /// Returns what [`Self::arm`] will send, for people to read: calls, headers, manifests.
    fn preview(&self, fault: &Fault) -> Vec<String>;

    /// Returns the HTTP calls of [`Self::arm`], for programs of others that make them; nothing where arming is more than that.
    fn calls(&self, _fault: &Fault) -> Vec<Call> {
        Vec::new()
    }

    /// Returns how to undo what [`Self::arm`] will do; known before it is done.
    fn undo(&self) -> Undo;

    /// Returns headers that the run's own requests must carry for the fault to happen.
    fn request_headers(&self, _fault: &Fault) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Injects from now on.
    fn arm(&mut self, fault: &Fault) -> Result<(), DriverError>;

    /// Says "still here"; called every second while armed.
    fn keep(&mut self) -> Result<(), DriverError> {
        Ok(())
    }

    /// Tells how much was injected since arming.
    fn injected(&mut self) -> Result<Injected, DriverError>;
}
