//! OTLP as protobuf: a walk over the bytes, straight into columns.
//!
//! ```text
//! bare      = request                             one ExportTraceServiceRequest (or logs, metrics) and nothing else
//! delimited = { varint length, request }
//! framed    = { 4 bytes big-endian length, request }         as the Collector's file exporter writes
//! request   = { 0a length resource }
//! resource  = { 0a length Resource | 12 length scope | 1a length schema URL }
//! scope     = { 0a length Scope | 12 length record | 1a length schema URL }
//! ```
//!
//! The three kinds of requests look the same down to their records; the first record whose fields fit only one kind tells.
//! Specification: opentelemetry-proto 1.x, <https://protobuf.dev/programming-guides/encoding/>.

mod log;
mod machine;
mod metric;
mod shape;
mod span;
mod value;
pub(crate) mod wire;

use crate::format::{Decoder, Format, Opening};
use crate::otlp::Settings;
use crate::otlp::json::Signal;
use crate::otlp::proto::machine::ProtoDecoder;
use crate::otlp::proto::wire::Wire;

/// The formats `otlp-proto`, `otlp-proto-delimited` and `otlp-proto-framed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProto {
    /// One request.
    Bare,
    /// Requests after their lengths as varints.
    Delimited,
    /// Requests after their lengths as 4 bytes, the most significant first.
    Framed,
}

/// Where a unit of a stream begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// How many bytes stand before its content.
    pub header: usize,
    pub len: u64,
}

impl OtlpProto {
    /// Returns a decoder of bare requests that are known to carry `signal`.
    pub(crate) fn request_decoder(signal: Signal, settings: &Settings) -> Box<dyn Decoder> {
        Box::new(ProtoDecoder::of_signal(signal, settings))
    }

    /// Returns the unit that `bytes` begin with; nothing where they end inside its header, an error where it is none.
    pub(crate) fn unit(self, bytes: &[u8]) -> Result<Option<Unit>, wire::Why> {
        match self {
            Self::Framed => {
                Ok(bytes.first_chunk().map(|len| Unit { header: 4, len: u64::from(u32::from_be_bytes(*len)) }))
            }
            Self::Delimited => {
                let mut wire = Wire::new(bytes);
                wire.header_varint().map(|len| len.map(|len| Unit { header: wire.at, len }))
            }
            Self::Bare => {
                let mut wire = Wire::new(bytes);
                let Some(tag) = wire.header_varint()? else { return Ok(None) };
                if tag != 0x0a {
                    return Err(wire::Why::NoRequest);
                }
                Ok(wire.header_varint()?.map(|len| Unit { header: wire.at, len }))
            }
        }
    }

    /// Returns the ends of the whole units that `bytes` begin with.
    fn unit_ends(self, bytes: &[u8]) -> impl Iterator<Item = usize> {
        let mut at = 0_usize;
        std::iter::from_fn(move || {
            let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            let unit = self.unit(rest).ok()??;
            let len = usize::try_from(unit.len).ok()?.checked_add(unit.header)?;
            at = at.checked_add(len).filter(|&end| end <= bytes.len())?;
            Some(at)
        })
    }
}

impl Format for OtlpProto {
    fn name(&self) -> &'static str {
        match self {
            Self::Bare => "otlp-proto",
            Self::Delimited => "otlp-proto-delimited",
            Self::Framed => "otlp-proto-framed",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::Bare => "one OTLP request as protobuf, as SDKs send it",
            Self::Delimited => "OTLP requests as protobuf, each after its length as varint",
            Self::Framed => {
                "OTLP requests as protobuf, each after its length in 4 bytes: the Collector's file exporter"
            }
        }
    }

    fn sample(&self) -> &'static [u8] {
        match self {
            Self::Bare => include_bytes!("../../sample-traces/formats/otlp.pb"),
            Self::Delimited => include_bytes!("../../sample-traces/formats/otlp.delimited.pb"),
            Self::Framed => include_bytes!("../../sample-traces/formats/otlp.framed.pb"),
        }
    }

    fn recognises(&self, head: &[u8], is_whole: bool) -> bool {
        match self {
            Self::Bare => !head.is_empty() && shape::is_request(head, None, is_whole),
            _ => shape::is_framed(head, *self, is_whole),
        }
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        let mut last = None;
        for end in self.unit_ends(bytes) {
            if end > target {
                return last.or(Some(end));
            }
            last = Some(end);
        }
        last
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        self.unit_ends(bytes).last().unwrap_or_default()
    }

    fn decoder(&self, settings: &Settings, _opening: &Opening) -> Box<dyn Decoder> {
        Box::new(ProtoDecoder::new(*self, settings))
    }
}
