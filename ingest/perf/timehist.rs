//! `perf sched timehist`: how long tasks ran and what they waited for.
//!
//! ```text
//!            time    cpu  task name                       wait time  sch delay   run time
//!                         [tid/pid]                          (msec)     (msec)     (msec)
//! --------------- ------  ------------------------------  ---------  ---------  ---------
//!     2221.337665 [0000]  perf[31184/31180]                   0.000      0.000      0.000
//! ```

use crate::clock::{SCHED, Times, seconds};
use crate::format::{Decoder, Format, Opening, Settings};
use crate::kernel::lines::{LineDecoder, Lines, first};
use crate::kernel::out::{Out, Stamp};
use crate::kernel::trace::split_cpu;
use crate::kernel::value::{Value, int, number};
use crate::lines;

/// The format `perf-timehist`.
#[derive(Debug)]
pub struct PerfTimehist;

impl Format for PerfTimehist {
    fn name(&self) -> &'static str {
        "perf-timehist"
    }

    fn description(&self) -> &'static str {
        "perf sched timehist: run and wait times of tasks"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../../sample-traces/formats/perf-timehist.txt")
    }

    fn recognises(&self, text: &[u8], is_whole: bool) -> bool {
        let mut lines = first(text, is_whole).filter(|line| !line.trim().is_empty());
        let is_header = |line: &str| line.contains("task name") && line.contains("run time");
        lines.by_ref().take(8).any(is_header) && lines.next().is_some_and(|line| line.contains("[tid/pid]"))
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        lines::cut(bytes, target)
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        lines::whole(bytes)
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(Timehist, Out::new("perf", settings, Times::of(opening))))
    }
}

struct Timehist;

impl Lines for Timehist {
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str> {
        const HEADERS: [&str; 5] = ["time ", "[tid/pid]", "---", "Samples", "Idle"];
        let text = line.trim();
        if text.is_empty() || HEADERS.iter().any(|header| text.starts_with(header)) {
            return Ok(());
        }
        row(out, text).ok_or("not a line of perf sched timehist")
    }

    fn finish(&mut self, _out: &mut Out) {}

    fn is_open(&self) -> bool {
        false
    }
}

fn row(out: &mut Out, text: &str) -> Option<()> {
    let (time, rest) = text.split_once(' ')?;
    let (cpu, rest) = rest.trim_start().split_once(']')?;
    let (_, cpu) = split_cpu(&format!("{cpu}]"))?;
    let stamp = Stamp { clock: SCHED, ns: seconds(time)? };
    // A name may hold brackets and spaces: the last bracket before the numbers ends it.
    let (task, numbers) = rest.trim_start().rsplit_once("] ").unwrap_or((rest.trim(), ""));
    let (comm, ids) = task.trim_end_matches(']').rsplit_once('[').unwrap_or((task, ""));
    let mut words = numbers.split_whitespace();
    let mut row = out.event("timehist", stamp)?;
    row.cpu(cpu);
    row.comm(comm.trim());
    let (tid, pid) = ids.split_once('/').unwrap_or((ids, ""));
    int(tid).into_iter().for_each(|tid| row.tid(tid));
    int(pid).into_iter().for_each(|pid| row.pid(pid));
    for name in ["wait_time_ms", "sch_delay_ms", "run_time_ms"] {
        let value = words.next().and_then(number);
        value.into_iter().for_each(|value| row.field(name, Value::Double(value)));
        if let (Some(value), "run_time_ms") = (value, name) {
            row.duration_ns((value * 1e6).round() as i64);
        }
    }
    let rest = words.collect::<Vec<_>>().join(" ");
    if !rest.is_empty() {
        row.field("text", Value::Text(&rest));
    }
    Some(())
}
