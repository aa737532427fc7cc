//! eBPF tools: bpftrace, as text and as JSON, and the tables, histograms and stacks of bcc and libbpf-tools.

mod column;
mod hist;
mod json;
mod map;
mod notice;
mod object;
mod printf;
mod recognise;
mod stack;
mod table;
mod text;
mod tool;

use crate::bpf::json::Objects;
use crate::bpf::text::Text;
use crate::clock::Times;
use crate::format::{Decoder, Format, Opening, Settings};
use crate::kernel::lines::{LineDecoder, cut_before};
use crate::kernel::out::Out;
use crate::lines;

const PROVIDER: &str = "bpf";

/// The formats of eBPF tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bpf {
    /// `bpftrace -f json`.
    Json,
    /// `bpftrace`.
    Text,
    /// The tools of bcc and libbpf-tools.
    Tools,
}

impl Format for Bpf {
    fn name(&self) -> &'static str {
        match self {
            Self::Json => "bpftrace-json",
            Self::Text => "bpftrace-text",
            Self::Tools => "bcc",
        }
    }

    fn description(&self) -> &'static str {
        match self {
            Self::Json => "bpftrace -f json: printf, maps, histograms",
            Self::Text => "bpftrace: printf, maps, histograms",
            Self::Tools => "bcc and libbpf-tools: tcplife, tcpstates, runqslower, offcputime and others",
        }
    }

    fn sample(&self) -> &'static [u8] {
        match self {
            Self::Json => include_bytes!("../sample-traces/formats/bpftrace.json"),
            Self::Text => include_bytes!("../sample-traces/formats/bpftrace.txt"),
            Self::Tools => include_bytes!("../sample-traces/formats/bcc.txt"),
        }
    }

    fn recognises(&self, head: &[u8], is_whole: bool) -> bool {
        match self {
            Self::Json => recognise::json(head, is_whole),
            Self::Text => recognise::text(head, is_whole),
            Self::Tools => recognise::tools(head, is_whole),
        }
    }

    /// JSON is cut before a line that begins a `printf` after one that ended its line. Text is cut where nothing but rows
    /// stands around.
    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        match self {
            Self::Json => recognise::cut_json(bytes, target),
            Self::Text | Self::Tools if recognise::is_flat(bytes, target) => {
                cut_before(bytes, target, |line| !line.is_empty())
            }
            Self::Text | Self::Tools => None,
        }
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        lines::whole(bytes)
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        let out = Out::new(PROVIDER, settings, Times::of(opening));
        let text = Text::new(opening);
        match self {
            Self::Json => Box::new(LineDecoder::new(Objects::new(text), out)),
            Self::Text | Self::Tools => Box::new(LineDecoder::new(text, out)),
        }
    }
}
