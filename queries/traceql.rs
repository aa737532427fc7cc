//! TraceQL's spanset filters: `{ resource.service.name = "orders" && duration > 100ms }`.
//!
//! Selects traces that have a matching span, as SQL over the views. Pipelines, structural operators and arithmetic are
//! refused with a message that says so. See <https://grafana.com/docs/tempo/latest/traceql/construct-traceql-queries/>.

mod ast;
mod compile;
mod complete;
mod field;
mod literal;
mod parser;
mod print;
mod scan;
mod values;

pub use ast::{Condition, Field, Intrinsic, Kind, Operator, Query, Scope, Status, Value};
pub use compile::{compile, compile_spans, compile_spans_condition};
pub use complete::{Completion, CompletionKind, complete};
pub use parser::parse;

/// A query that is not TraceQL, or a part of TraceQL that is not understood yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TraceqlError {
    /// Byte offset into the query.
    pub at: usize,
    pub message: String,
}

/// Returns the nanoseconds of a duration such as `250ms` or `1h30m`, or nothing where `text` is none.
#[must_use]
pub fn duration_ns(text: &str) -> Option<i64> {
    let mut scanner = scan::Scanner { text, at: 0 };
    match scanner.number() {
        Ok(Value::Duration(nanoseconds)) if scanner.rest().is_empty() => Some(nanoseconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
