//! What the judge says, with all figures that it says it by. Times are milliseconds, shares 0 to 1.

use serde::{Deserialize, Serialize};

use super::asked::Expect;
use super::errors::Failure;
use crate::replay::assertions::Checked;
use crate::replay::edge::Class;

/// Whether staging failed the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub outcome: Outcome,
    pub expect: Expect,
    /// Whether the outcome is the expected one and all assertions hold; nothing where the run proves nothing.
    pub passed: Option<bool>,
    pub class: Class,
    /// In the order in which they were looked at; the first that failed decides.
    pub gates: Vec<Gate>,
    /// Nothing where there were no requests to compare.
    pub score: Option<Score>,
    pub parts: Vec<Part>,
    pub structure: Structure,
    pub latency: Vec<Times>,
    pub errors: Errors,
    pub findings: Vec<FindingLine>,
    pub tears: Vec<Count>,
    pub recovery: Option<Recovery>,
    pub assertions: Vec<Checked>,
    /// What a reader should know besides, one sentence each.
    pub remarks: Vec<String>,
}

/// The verdict in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Reproduced,
    Partial,
    NotReproduced,
    /// Nothing was injected.
    Invalid,
    /// Nothing can be said.
    Inconclusive,
}

impl Outcome {
    /// Returns the word that stands in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reproduced => "REPRODUCED",
            Self::Partial => "PARTIAL",
            Self::NotReproduced => "NOT REPRODUCED",
            Self::Invalid => "INVALID",
            Self::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// What must be so before a score means anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// `injected`, `requests`, `completeness`…
    pub name: String,
    /// What the verdict is where it is not so; nothing where it is.
    pub failed: Option<Outcome>,
    /// What was seen, in words with figures.
    pub words: String,
}

/// A score between what no fault at all would score and what can be achieved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    pub value: f64,
    /// The score of the incident against staging without fault.
    pub floor: f64,
    /// The score between two halves of the incident.
    pub ceiling: f64,
    /// Where the score lies between floor and ceiling: what the verdict goes by.
    pub share: f64,
    /// The 95 % interval of `share`.
    pub low: f64,
    pub high: f64,
}

/// What two samples are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    Structure,
    Latency,
    Errors,
    Findings,
    Propagation,
}

impl Aspect {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [Self::Structure, Self::Latency, Self::Errors, Self::Findings, Self::Propagation];

    /// Returns the word that stands in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Latency => "latency",
            Self::Errors => "errors",
            Self::Findings => "findings",
            Self::Propagation => "propagation",
        }
    }
}

/// One aspect of the score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub aspect: Aspect,
    /// 0 where there was nothing to compare, or the class of the fault does not ask for it.
    pub weight: f64,
    /// Nothing where there was nothing to compare.
    pub value: Option<f64>,
    pub floor: Option<f64>,
    pub ceiling: Option<f64>,
}

/// How often something occurs in a request, on average.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// A path or an operation.
    pub what: String,
    pub incident: f64,
    pub staging: f64,
}

/// Calls that differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Structure {
    /// How many paths were compared.
    pub compared: usize,
    /// In most requests of the incident, in few of staging.
    pub missing: Vec<Count>,
    /// The other way round.
    pub extra: Vec<Count>,
    /// In both, more or less often in a request.
    pub repeated: Vec<Count>,
    /// Calls that were made again after they failed: times a request.
    pub retries: Vec<Count>,
    /// Equal calls below one span, none of which failed: times a request.
    pub fan_out: Vec<Count>,
    /// Left out: both sides differ there without any fault. Counts are those of the baselines.
    pub excluded: Vec<Count>,
}

/// Quantiles in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    pub calls: usize,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    /// Median of the side's own baseline.
    pub baseline: f64,
}

/// Times of the calls of one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub path: String,
    pub incident: Quantiles,
    pub staging: Quantiles,
    /// How much it counts: by how much either side changed it.
    pub weight: f64,
    /// Earth mover's distance of ln(time / own baseline).
    pub distance: f64,
    pub likeness: f64,
    /// Kolmogorov-Smirnov D.
    pub ks: f64,
    /// Mann-Whitney: how likely by chance, and how probably staging's call is the longer one (0.5: no difference).
    pub p: f64,
    pub effect: f64,
}

/// Failures that differ and that do not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    pub lines: Vec<FailureLine>,
    /// Requests that failed, of all.
    pub incident: (f64, f64),
    pub staging: (f64, f64),
    /// How much larger staging's share of failed requests is: low bound, difference, high bound (95 %, Newcombe).
    pub difference: (f64, f64, f64),
}

/// How often one failure occurs in a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailureLine {
    pub path: String,
    pub failure: Failure,
    /// Whether failing begins here.
    pub is_first: bool,
    pub incident: f64,
    pub staging: f64,
}

/// A finding, and which side has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingLine {
    pub rule: String,
    pub subject: String,
    pub incident: bool,
    pub staging: bool,
    pub is_primary: bool,
}

/// Whether staging came back after the fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recovery {
    /// The effect outlives the fault: "sustained after rollback".
    pub is_sustained: bool,
    pub p95: f64,
    pub baseline_p95: f64,
    pub words: String,
}
