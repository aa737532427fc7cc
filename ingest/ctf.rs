//! Common Trace Format: what LTTng, perf and others record, as a folder of binary streams and their metadata.
//!
//! ```text
//! metadata ─► tsdl (1.8) or json (2) ─► model ─► resolve, build ─► plan
//! streams  ─► packet ─► stream (events of one) ─► merge (of all, by time) ─► columns of a batch
//! ```
//!
//! Specifications: <https://diamon.org/ctf/v1.8.3/>, <https://diamon.org/ctf/files/CTF2-SPEC-2.0.html>.

mod bits;
mod build;
mod columns;
mod ids;
mod json;
mod merge;
mod metadata;
mod model;
mod packet;
mod plan;
mod recording;
mod resolve;
mod stream;
mod tsdl;
mod value;

pub use recording::Ctf;

#[cfg(test)]
mod tests;
