//! Common Trace Format: what `LTTng`, perf and others record, as a folder of binary streams and their metadata.
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

use crate::format::{Recording, Settings};

/// Opens a trace of one stream that is in memory; fails with what is wrong with its metadata.
pub fn from_memory(metadata: &[u8], stream: Vec<u8>, settings: &Settings) -> Result<Box<dyn Recording>, String> {
    let bytes = stream.len() as u64;
    let stores = vec![("stream".to_owned(), Box::new(stream) as Box<dyn stream::Store>)];
    let recording = recording::CtfRecording::new(metadata, stores, bytes, settings.conventions.clone())?;
    Ok(Box::new(recording))
}

#[cfg(test)]
mod tests;
