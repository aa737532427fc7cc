//! Where a fault is, and what it changes first: what a derivation says, an experiment keeps and a judge reads.

use serde::{Deserialize, Serialize};

/// A call from one service to another, by production's names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    pub client: String,
    /// The service; its address or system where it has no spans.
    pub server: String,
    /// `POST /orders/{id}`, `shop.v1.Payments/Charge`; empty: all of them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub operation: String,
}

impl Edge {
    /// Tells whether calls of `operation` are meant.
    #[must_use]
    pub fn means(&self, operation: &str) -> bool {
        self.operation.is_empty() || self.operation.eq_ignore_ascii_case(operation)
    }
}

/// What a fault changes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Calls take longer.
    Latency,
    /// Calls fail.
    Error,
    /// Calls lose their trace context.
    Context,
}
