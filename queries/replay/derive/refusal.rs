//! Why no fault can be derived.

use serde::{Deserialize, Serialize};

use super::Candidate;

/// Why an incident cannot be replayed, and what comes nearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refused", rename_all = "kebab-case")]
pub enum Refusal {
    /// No such trace, no such finding.
    #[error("{about} is not in the recording")]
    Unknown { about: String },
    /// The trace begins with a span whose parent was never recorded, or has parts that hang nowhere.
    #[error("{about} is not complete: {reason}; choose another that is")]
    Incomplete { about: String, reason: String },
    /// Spans are missing because they were not sampled.
    #[error("{about} lacks spans that were not sampled: {reason}; record with one sampling decision for all services")]
    SampledOut { about: String, reason: String },
    /// The finding is about how spans were recorded, not about what happened to calls.
    #[error("{rule} is about the recording, not about calls: {reason}")]
    NotACall { rule: String, reason: String },
    /// Nothing is wrong with it.
    #[error(
        "nothing sets {about} apart from {others} other requests of {operation}: no error, no excess of time, no lost context"
    )]
    Nothing { about: String, operation: String, others: u64 },
    /// It happened inside of a service, and nobody saw it on the network.
    #[error("{what} inside of {service} cannot be replayed from the network; {nearest_words}")]
    Inside {
        service: String,
        what: String,
        nearest_words: String,
        /// The fault whose effect on others is the most alike.
        nearest: Option<Box<Candidate>>,
    },
}
