//! OpenTelemetry's own format: traces, logs and metrics requests, as JSON and as protobuf.
//!
//! Both decoders walk the bytes and write straight into the columns of a batch. What they share is here: ids, times and
//! attributes are normalised, marked and written in one place, so that the same data gives the same batch in both.
//!
//! Specification: <https://opentelemetry.io/docs/specs/otlp/>, opentelemetry-proto 1.x.

pub mod json;
pub mod proto;

pub(crate) mod attribute;
pub(crate) mod builder;
pub(crate) mod draft;
pub(crate) mod id;
pub(crate) mod key;
mod log;
mod metric;
pub(crate) mod span;
pub(crate) mod text;

pub use builder::{MAX_RECORDS, Settings};

#[cfg(test)]
pub(crate) mod tests;
