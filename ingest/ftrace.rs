//! Linux ftrace: `trace` and `trace_pipe` of tracefs, also what `trace-cmd report` prints.
//!
//! ```text
//! # tracer: nop                                                   header, only in `trace`
//!  cat-31127 (  31127) [000] d..2. 2219.076416: sched_switch: …   task-tid, perhaps process, CPU, flags, time, event
//! CPU:1 [LOST 77 EVENTS]                                          what the reader was too slow for
//!  => schedule                                                    a stack that belongs to the event before it
//! ```
//! See <https://docs.kernel.org/trace/ftrace.html>.

mod line;
mod reader;

use crate::clock::Times;
use crate::format::{Decoder, Format, Opening, Settings};
use crate::ftrace::line::head;
use crate::ftrace::reader::Ftrace as Reader;
use crate::kernel::lines::{LineDecoder, cut_before, first};
use crate::kernel::out::Out;
use crate::lines;

/// The format `ftrace`.
#[derive(Debug)]
pub struct Ftrace;

impl Format for Ftrace {
    fn name(&self) -> &'static str {
        "ftrace"
    }

    fn description(&self) -> &'static str {
        "Linux ftrace: trace and trace_pipe of tracefs"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../sample-traces/formats/ftrace.txt")
    }

    fn recognises(&self, text: &[u8], is_whole: bool) -> bool {
        text.starts_with(b"# tracer: ")
            || first(text, is_whole).any(|line| !is_noise(line) && head(line).is_some())
                && first(text, is_whole).all(|line| is_noise(line) || head(line).is_some())
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        cut_before(bytes, target, |line| head(line).is_some())
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        lines::whole(bytes)
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(Reader::default(), Out::new("ftrace", settings, Times::of(opening))))
    }
}

/// Tells whether a line may stand among events without being one.
fn is_noise(line: &str) -> bool {
    line.is_empty()
        || line.starts_with('#')
        || line.starts_with("CPU:")
        || line.starts_with("cpus=")
        || line.starts_with(" => ")
}
