//! What a detector found.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use super::rule::Rule;

use crate::trace::window::Symbol;

/// How bad a finding is; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Crit,
    High,
    Med,
    Low,
    Info,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [Self::Crit, Self::High, Self::Med, Self::Low, Self::Info];

    /// Returns the name that stands in the view `findings`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crit => "crit",
            Self::High => "high",
            Self::Med => "med",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Service(Symbol),
    /// Caller and callee.
    Edge(Symbol, Symbol),
}

/// Spans that show what is meant, side by side: before and after the break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    pub before: u32,
    /// The same span where there is only one.
    pub after: u32,
}

/// What a detector says, in terms of the window's spans.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub subject: Subject,
    /// Nothing: the rule's.
    pub severity: Option<Severity>,
    /// 0 to 1.
    pub confidence: f64,
    pub occurrences: u64,
    /// How many could have had it.
    pub out_of: u64,
    /// The service that has to change something.
    pub side: Symbol,
    /// One sentence with the numbers: "0 of 312 calls of gateway arrive in orders with their context".
    pub why: String,
    /// The spans that it happened to, one an occurrence where that makes sense; findings that share them are grouped.
    pub spans: Vec<u32>,
    /// At most three are kept.
    pub examples: Vec<Example>,
    /// Numbers and names that prove it.
    pub evidence: Map<String, Value>,
}

impl Draft {
    /// Returns a draft that says nothing yet but what it is about.
    #[must_use]
    pub fn new(subject: Subject, side: Symbol, confidence: f64) -> Self {
        Self {
            subject,
            severity: None,
            confidence,
            occurrences: 0,
            out_of: 0,
            side,
            why: String::new(),
            spans: Vec::new(),
            examples: Vec::new(),
            evidence: Map::new(),
        }
    }

    /// Adds something that proves it.
    #[must_use]
    pub fn proof(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.evidence.insert(name.to_owned(), value.into());
        self
    }
}

/// Returns the id of a finding: eight hexadecimal digits made of rule and subject.
#[must_use]
pub(crate) fn id_of(rule: &Rule, subject: &str) -> String {
    format!("{:08x}", xxh3_64(format!("{}\n{subject}", rule.id).as_bytes()) >> 32)
}

/// Returns what the evidence of every finding of a rule says.
#[must_use]
pub(crate) fn evidence_of(rule: &Rule, side: &str) -> Map<String, Value> {
    let head = [("definition", json!(rule.definition)), ("side", json!(side)), ("rule_version", json!(rule.version))];
    head.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A finding as the view `findings` shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Eight hexadecimal digits made of rule and subject: the same in every run.
    pub id: String,
    pub rule: String,
    pub group: String,
    pub severity: Severity,
    pub confidence: f64,
    /// `service`, or `client -> server`.
    pub subject: String,
    pub services: Vec<String>,
    /// Nanoseconds since 1970, UTC.
    pub first_seen_ns: i64,
    pub last_seen_ns: i64,
    pub occurrences: u64,
    pub out_of: u64,
    /// Pairs of (trace id, span id): before and after.
    pub examples: Vec<[(u128, u64); 2]>,
    /// `definition`, `why`, `side`, `symptoms`, and what proves it.
    pub evidence: Map<String, Value>,
    pub fix: String,
    /// Traces that it touches.
    pub traces: Vec<u128>,
}
