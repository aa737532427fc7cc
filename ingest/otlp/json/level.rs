//! The levels above a record, and the keys that lead from one to the next.

use crate::otlp::json::Signal;
use crate::otlp::json::cursor::Skeleton;

/// One thing that is open.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// Whether a key was known, and whether there was none at all.
    Request {
        is_known: bool,
        is_empty: bool,
    },
    Resources(Signal),
    /// With the field before.
    Resource(Signal, u8),
    Scopes(Signal),
    /// With the field before.
    Scope(Signal, u8),
    Records(Signal),
    /// A value that is larger than the window and left out.
    Skip(Skeleton),
    /// Looking for a record or a request after something that made no sense.
    Lost,
}

pub(crate) const RESOURCE: u8 = 1;
pub(crate) const CHILDREN: u8 = 2;
pub(crate) const SCHEMA_URL: u8 = 3;

pub(crate) fn resource_field(name: &[u8]) -> u8 {
    match name {
        b"resource" => RESOURCE,
        b"scopeSpans"
        | b"scope_spans"
        | b"scopeLogs"
        | b"scope_logs"
        | b"scopeMetrics"
        | b"scope_metrics"
        | b"instrumentationLibrarySpans"
        | b"instrumentation_library_spans" => CHILDREN,
        b"schemaUrl" | b"schema_url" => SCHEMA_URL,
        _ => 0,
    }
}

pub(crate) fn scope_field(name: &[u8]) -> u8 {
    match name {
        b"scope" | b"instrumentationLibrary" | b"instrumentation_library" => RESOURCE,
        b"spans" | b"logRecords" | b"log_records" | b"metrics" => CHILDREN,
        b"schemaUrl" | b"schema_url" => SCHEMA_URL,
        _ => 0,
    }
}

/// Fields of the resource itself and of the scope itself.
pub(crate) fn origin_field(name: &[u8]) -> u8 {
    match name {
        b"name" => 1,
        b"version" => 2,
        b"attributes" => 3,
        b"droppedAttributesCount" | b"dropped_attributes_count" => 4,
        _ => 0,
    }
}

impl Level {
    /// What is inside, for messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Request { .. } => "a request",
            Self::Resources(_) | Self::Resource(..) => "a resource",
            Self::Scopes(_) | Self::Scope(..) => "a scope",
            Self::Records(Signal::Spans) => "a list of spans",
            Self::Records(Signal::Logs) => "a list of log records",
            Self::Records(Signal::Metrics) => "a list of metrics",
            Self::Skip(_) => "a value that is too long",
            Self::Lost => "what could not be read",
        }
    }
}
