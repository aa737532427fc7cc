//! From a recorded incident to faults that may have caused it: which edge, which fault, how strong, how often.
//!
//! The incident's requests are compared with requests of the same operation that went well. Errors are followed to the deepest span
//! that failed, time along the critical path, lost context by the findings about it. What cannot be replayed from the network is
//! refused, with the fault that comes nearest.

mod by_context;
mod by_error;
mod by_time;
mod candidate;
mod cohort;
mod context;
mod deep;
mod errors;
mod failure;
mod faults;
mod ground;
mod hosts;
mod idle;
mod keyed;
mod latency;
mod magnitude;
mod make;
mod refusal;
mod requests;
mod sent;
mod share;

use serde::{Deserialize, Serialize};

use crate::detect::Finding;
use crate::replay::edge::{Class, Edge};
use crate::replay::fault::Fault;
use crate::replay::id::{SpanId, TraceId};
use crate::replay::path_key::PathKey;
use crate::stitch::Stitch;
use crate::trace::window::Window;

pub use keyed::Keyed;
pub use refusal::Refusal;
pub use requests::RootRequest;
pub use share::Share;

/// What the incident is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// One trace that shows it; its like are found.
    Trace(TraceId),
    /// A finding: its id, its rule, or its rule and subject with a space between.
    Finding(String),
}

/// A stretch of time: nanoseconds since 1970, UTC; the end is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    pub from_ns: i64,
    pub to_ns: i64,
}

/// What may be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Only requests that begin in this time can be the incident.
    pub incident: Option<Stretch>,
    /// Only requests that begin in this time can be its baseline.
    pub baseline: Option<Stretch>,
    pub max_candidates: usize,
    /// Traces that are named of each side.
    pub max_traces: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { incident: None, baseline: None, max_candidates: 3, max_traces: 400 }
    }
}

/// A span that shows what is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    /// One sentence.
    pub says: String,
}

/// A fault that may have caused the incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    pub class: Class,
    pub edge: Edge,
    /// Where the first of the evidence stands in its request.
    pub path: PathKey,
    pub fault: Fault,
    /// How likely this explains the incident: 0 to 1.
    pub confidence: f64,
    pub share: Share,
    /// The value of an attribute that tells the calls that were hit from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyed: Option<Keyed>,
    /// Callers gave up at this time, in milliseconds: the magnitude is at least as large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_ms: Option<f64>,
    /// One sentence with the numbers.
    pub why: String,
    /// What to know about it besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    pub evidence: Vec<Evidence>,
}

/// What was derived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derived {
    pub about: About,
    /// Service and operation that the incident's requests begin with.
    pub operation: String,
    /// The likeliest first; at least one.
    pub candidates: Vec<Candidate>,
    /// Rule and subject of the finding that must come again, where the incident has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<(String, String)>,
    /// From the first request of the incident to the end of its last.
    pub window: Stretch,
    /// The same of the baseline; nothing where there is none.
    pub baseline_window: Option<Stretch>,
    /// How many requests each side has.
    pub num_incident: u64,
    pub num_baseline: u64,
    /// Traces of each side, evenly chosen where there are many; fragments that were stitched to them too.
    pub incident: Vec<TraceId>,
    pub baseline: Vec<TraceId>,
    pub requests: Vec<RootRequest>,
    /// Hosts, addresses, clusters and namespaces of the incident's spans: never targets.
    pub hosts: Vec<String>,
    pub environments: Vec<String>,
    /// Services that the incident's requests pass.
    pub services: Vec<String>,
    pub warnings: Vec<String>,
}

/// Derives the faults that may have caused what `about` names. `stitches` and `findings` are those of `window`.
pub fn derive(
    window: &Window,
    stitches: &[Stitch],
    findings: &[Finding],
    about: &About,
    options: &Options,
) -> Result<Derived, Refusal> {
    let ground = ground::Ground::new(window, stitches);
    let facts = cohort::Facts::of(&ground, options);
    make::derived(&facts, findings, about)
}

#[cfg(test)]
mod tests;
