//! What is judged: an incident, what staging did, and what of it should be the same.

use serde::{Deserialize, Serialize};

use crate::detect::Finding;
use crate::replay::assertions::Asked;
use crate::replay::edge::{Class, Edge};
use crate::replay::path_key::Names;
use crate::stitch::Stitch;
use crate::trace::window::Window;

/// A recorded incident.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    pub window: &'a Window,
    /// Of `window`, ordered by child.
    pub stitches: &'a [Stitch],
    /// Of `window`.
    pub findings: &'a [Finding],
    /// Ids of the traces that show the fault.
    pub faulty: &'a [u128],
    /// Ids of traces of the same operation that do not: the incident's own baseline.
    pub healthy: &'a [u128],
}

/// What staging did, from before the fault until after it.
#[derive(Debug, Clone, Copy)]
pub struct Staging<'a> {
    pub window: &'a Window,
    /// Of `window`, ordered by child.
    pub stitches: &'a [Stitch],
    /// Of `window`.
    pub findings: &'a [Finding],
    /// Before the fault.
    pub baseline: Arm<'a>,
    /// Requests that were to meet the fault. Where it hits only a share of them and the driver tells which, only these.
    pub fault: Arm<'a>,
    /// Requests sent in between that were not to meet it.
    pub control: Arm<'a>,
    /// After the fault was taken away.
    pub recovery: Arm<'a>,
    /// How many faults were injected; nothing where the driver cannot tell.
    pub injected: Option<u64>,
    /// How many were planned.
    pub planned: Option<u64>,
    /// Services that a request passes in staging, by their names there; empty where nobody said.
    pub services: &'a [String],
}

/// Requests that were sent under one condition.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arm<'a> {
    /// Trace ids that the requests were sent with.
    pub traces: &'a [u128],
    /// How many requests were sent.
    pub sent: u64,
    /// Nanoseconds since 1970, UTC: from the first request to the end of the last, and what belongs to them.
    pub from_ns: i64,
    pub to_ns: i64,
}

/// What should be the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    pub class: Class,
    pub edge: Edge,
    /// What the incident was found by, where a detector found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<Primary>,
    #[serde(default)]
    pub expect: Expect,
    /// Names of services: production's to staging's. Others have the same name in both.
    #[serde(default, skip_serializing_if = "Names::is_empty")]
    pub names: Names,
    /// The share of the fault arm's requests that were to be hit: 0 to 1. Below 1 the incident's faulty traces are mixed with its
    /// healthy ones in the same proportion.
    #[serde(default = "all")]
    pub share: f64,
    /// What must hold besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Asked>,
}

fn all() -> f64 {
    1.0
}

/// A finding by its rule and subject, by production's names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Primary {
    pub rule: String,
    /// `service`, or `client -> server`.
    pub subject: String,
}

/// What is hoped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// Staging fails the same way: the incident is understood.
    #[default]
    Reproduced,
    /// Staging does not: the fix holds.
    Tolerated,
}

/// Bounds of the gates, and how much is drawn by chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Fewer requests in an arm prove nothing.
    pub min_requests: usize,
    /// At least this share of requests and services must have been recorded: 0 to 1.
    pub min_completeness: f64,
    /// A lower distance between the incident and no fault at all cannot be told from noise: 0 to 1.
    pub min_contrast: f64,
    /// From this share of the achievable on it is reproduced, and from that partly: 0 to 1.
    pub reproduced: f64,
    pub partial: f64,
    /// How often the traces are drawn again for the interval; 0 for none.
    pub num_resamples: usize,
    /// How often the incident is split in halves for what can be achieved.
    pub num_splits: usize,
    /// So long after the fault staging must be as before, in nanoseconds.
    pub settled_after_ns: i64,
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_requests: 20,
            min_completeness: 0.8,
            min_contrast: 0.1,
            reproduced: 0.75,
            partial: 0.45,
            num_resamples: 1_000,
            num_splits: 20,
            settled_after_ns: 60_000_000_000,
            seed: 42,
        }
    }
}
