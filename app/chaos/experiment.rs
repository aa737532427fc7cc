//! Experiment files: those of the Chaos Toolkit (JSON or YAML), with what riftline needs in one item of `extensions`.
//!
//! Format: <https://chaostoolkit.org/reference/api/experiment/>. Stock `chaos` runs such a file too; what it leaves opaque is ours.

pub mod check;
pub mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use riftline_queries::replay::assertions::Asked;
use riftline_queries::replay::edge::Edge;
use riftline_queries::replay::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Name of our item in `extensions`.
pub const EXTENSION: &str = "riftline.chaos/v1";

/// Longest time that a fault may stay armed, and the usual one, in seconds.
pub const MAX_DURATION_S: f64 = 600.0;
const DURATION_S: f64 = 120.0;

/// An experiment as a file holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Experiment {
    pub title: String,
    pub description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub configuration: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steady_state_hypothesis: Option<SteadyState>,
    /// For the stock runner: riftline arms by the driver of its own part.
    #[serde(default)]
    pub method: Vec<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollbacks: Vec<Value>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub runtime: Map<String, Value>,
    /// Ours is taken out of it while it is in memory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Value>,
    #[serde(skip)]
    pub plan: Plan,
}

/// What must be so before, during and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SteadyState {
    pub title: String,
    #[serde(default)]
    pub probes: Vec<Value>,
}

/// Our part of an experiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`EXTENSION`].
    pub name: String,
    #[serde(default)]
    pub incident: Incident,
    pub target: Target,
    pub driver: DriverChoice,
    pub fault: Fault,
    pub traffic: Traffic,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub abort: Vec<AbortRule>,
    #[serde(default)]
    pub expect: Expect,
    /// Further checks of the fault arm, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assertions: Vec<Asked>,
    #[serde(default)]
    pub seed: u64,
}

/// The incident that the experiment was derived from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Incident {
    /// A trace, or a finding.
    pub about: String,
    /// File of the incident's and its baseline's spans, beside the experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
    /// Traces that show it.
    pub traces: Vec<String>,
    /// Traces of the same requests that do not.
    pub baseline: Vec<String>,
    /// Hosts, clusters and environments seen in its spans: never targets.
    pub hosts: Vec<String>,
    pub environments: Vec<String>,
    /// Rule and subject of the finding that must come again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<(String, String)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Where the experiment happens.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What people call it; typed to confirm a run.
    pub environment: String,
    /// Where the incident's requests are sent: `http://127.0.0.1:18080`.
    pub url: String,
    /// Hosts and ports that this experiment may reach, of those that the configuration allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    pub edge: Edge,
    /// Names of services where staging calls them otherwise: production to staging.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: BTreeMap<String, String>,
}

/// Who injects: the name of a driver, and its own options.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct DriverChoice {
    pub name: String,
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// What is sent to staging.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traffic {
    /// Requests of each arm.
    pub requests: u32,
    /// Requests a second.
    pub rps: f64,
    /// Methods that may be sent.
    pub methods: Vec<String>,
    pub list: Vec<Request>,
    /// Headers of every request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Headers whose values stand in environment variables: staging's own credentials.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers_from_env: BTreeMap<String, String>,
    pub timeout_s: f64,
    /// Requests that may wait for their answer at the same time.
    pub in_flight: u32,
    /// Where staging sends its spans to: address of our receiver for OTLP over HTTP; `off` for none.
    pub otlp_http: String,
    pub otlp_grpc: String,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            requests: 60,
            rps: 5.0,
            methods: vec!["GET".to_owned(), "HEAD".to_owned()],
            list: Vec::new(),
            headers: BTreeMap::new(),
            headers_from_env: BTreeMap::new(),
            timeout_s: 30.0,
            in_flight: 50,
            otlp_http: "127.0.0.1:4318".to_owned(),
            otlp_grpc: "127.0.0.1:4317".to_owned(),
        }
    }
}

/// One of the incident's own root requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: String,
    /// With its query.
    pub path: String,
    /// How often, against the others.
    #[serde(default = "once")]
    pub times: u32,
}

const fn once() -> u32 {
    1
}

/// How far the experiment may go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long the fault stays armed, at most, in seconds.
    pub duration_s: f64,
    pub max_faults: u64,
    /// How long spans are waited for behind the last request of an arm: until so long none came, and at most so long in all.
    pub quiet_s: f64,
    pub patience_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { duration_s: DURATION_S, max_faults: 500, quiet_s: 5.0, patience_s: 30.0 }
    }
}

/// What ends a run early, beside what always does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AbortRule {
    Metric {
        metric: Metric,
        gt: f64,
        #[serde(rename = "for_s")]
        for_s: f64,
    },
    Probe {
        probe: String,
        fails: u32,
    },
}

/// What abort rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// Share of failed requests among those without the fault.
    #[serde(rename = "control.error_rate")]
    ControlErrorRate,
    /// 95th percentile of their durations, as a multiple of the baseline's.
    #[serde(rename = "control.p95_ratio")]
    ControlP95Ratio,
    /// Share of failed requests among those with the fault.
    #[serde(rename = "fault.error_rate")]
    FaultErrorRate,
}

/// What the run should show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// Staging fails the same way.
    #[default]
    Reproduced,
    /// Staging stands it: the fix holds.
    Tolerated,
}

impl Limits {
    /// Returns the rules that hold for every run, whatever its file says.
    #[must_use]
    pub fn always() -> [AbortRule; 2] {
        [
            AbortRule::Metric { metric: Metric::ControlErrorRate, gt: 0.05, for_s: 10.0 },
            AbortRule::Metric { metric: Metric::ControlP95Ratio, gt: 3.0, for_s: 10.0 },
        ]
    }
}

impl Plan {
    /// Returns all rules that end a run: those that always hold, then its own.
    #[must_use]
    pub fn rules(&self) -> Vec<AbortRule> {
        Limits::always().into_iter().chain(self.abort.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests;
