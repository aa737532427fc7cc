//! Proof of injection: one span for every faulted request, sent as OTLP/JSON.

/// Takes spans and sends them; never makes a request wait.
pub struct Reporter;
