//! Live receivers: OTLP over gRPC and HTTP, Zipkin and Jaeger over HTTP.
//!
//! ```text
//! connection ─► body (bounded, timed) ─► decompress ─► check (counts what is refused) ─► spool (fsync) ─► answer
//! ```
//!
//! A request is acknowledged once it is durable in the [`spool::Spool`]; rows are made of it later, by whoever reads the spool.
//! Everything is bounded: connections, streams, bytes of a request, bytes of all requests, bytes that wait for the disk or for
//! the store. What is over a bound is refused with a hint when to try again.

mod admission;
mod answer;
mod body;
mod check;
mod connection;
mod desk;
mod doors;
pub(crate) mod grpc;
mod host;
mod http;
pub mod kind;
pub mod spool;
#[cfg(test)]
mod tests;
mod trouble;

pub use check::{decode_request, decoder};
pub use doors::{Bound, Doors, ListenError, ListenOptions, Receivers};

/// Longest request, decompressed.
pub const MAX_REQUEST_BYTES: usize = 16 << 20;
