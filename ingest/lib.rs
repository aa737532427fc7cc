//! The room that reads: turns bytes from files, pipes and sockets into [`batch::Batch`]es.
//!
//! Decoders never judge and never panic. A bad record is counted, kept as a [`rejects::Reject`] with its offset and
//! reason, and the next one is read. Nothing here knows `DuckDB` or the terminal.

pub mod babeltrace;
pub mod batch;
mod bpf;
mod clock;
pub mod column;
pub mod convention;
pub mod ctf;
pub mod error;
pub mod event;
pub mod format;
mod ftrace;
pub(crate) mod id;
pub mod jaeger;
pub(crate) mod json;
mod kernel;
pub mod lines;
pub mod log;
pub mod marks;
pub mod otlp;
pub mod pack;
mod perf;
pub mod read;
pub mod receive;
pub mod rejects;
pub mod source;
pub(crate) mod span_writer;
pub mod testing;
pub mod text;
pub mod zipkin;
