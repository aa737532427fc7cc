//! `perf data convert --to-json`: samples with their stacks.
//!
//! One pretty-printed object; `"samples"` is an array whose members begin and end on lines of their own, two tabs deep.

use serde_json::Value as Json;

use crate::clock::{SCHED, Times};
use crate::format::{Decoder, Format, Opening, Settings};
use crate::kernel::lines::{LineDecoder, Lines, cut_before};
use crate::kernel::out::{Out, Stamp};
use crate::kernel::value::Value;
use crate::lines;

/// Longest sample.
const MAX_BYTES: usize = 1 << 20;

/// The format `perf-json`.
#[derive(Debug)]
pub struct PerfJson;

impl Format for PerfJson {
    fn name(&self) -> &'static str {
        "perf-json"
    }

    fn description(&self) -> &'static str {
        "perf data convert --to-json: samples with stacks"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../../sample-traces/formats/perf.json")
    }

    fn recognises(&self, head: &[u8], _is_whole: bool) -> bool {
        let start = head.get(..512).unwrap_or(head);
        start.first() == Some(&b'{') && memchr::memmem::find(start, b"\"linux-perf-json-version\"").is_some()
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        cut_before(bytes, target, |line| line == "\t\t{")
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        lines::whole(bytes)
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(Samples::default(), Out::new("perf", settings, Times::of(opening))))
    }
}

/// Collects the lines of a sample.
#[derive(Debug, Default)]
struct Samples {
    text: String,
    is_open: bool,
}

impl Lines for Samples {
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str> {
        match line {
            "\t\t{" => {
                let was_open = std::mem::replace(&mut self.is_open, true);
                self.text.clear();
                self.text.push('{');
                return if was_open { Err("sample that does not end") } else { Ok(()) };
            }
            "\t\t}" | "\t\t}," if self.is_open => {
                self.is_open = false;
                self.text.push('}');
                return sample(out, &self.text).ok_or("not a sample of perf");
            }
            _ if self.is_open && self.text.len() + line.len() <= MAX_BYTES => self.text.push_str(line),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Out) {
        *self = Self::default();
    }

    fn is_open(&self) -> bool {
        self.is_open
    }
}

fn sample(out: &mut Out, text: &str) -> Option<()> {
    let Ok(Json::Object(members)) = serde_json::from_str(text) else { return None };
    let stamp = Stamp { clock: SCHED, ns: members.get("timestamp")?.as_i64()? };
    let mut row = out.event("sample", stamp)?;
    for (key, value) in &members {
        let number = value.as_i64();
        match (key.as_str(), number, value) {
            ("timestamp", ..) => {}
            ("pid", Some(pid), _) => row.pid(pid),
            ("tid", Some(tid), _) => row.tid(tid),
            ("cpu", Some(cpu), _) => row.cpu(cpu),
            ("comm", _, Json::String(comm)) => row.comm(comm),
            (_, Some(number), _) => row.field(key, Value::Int(number)),
            (_, _, Json::String(text)) => row.field(key, Value::of(text)),
            (_, _, Json::Bool(value)) => row.field(key, Value::Bool(*value)),
            _ => row.field(key, Value::Json(&value.to_string())),
        }
    }
    Some(())
}
