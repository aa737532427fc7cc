//! `perf script`.
//!
//! ```text
//! # captured on    : Fri Nov 20 12:22:05 2026                                header, with --header
//! cc1plus 22643/22643 [000] 2221.338089:  250000 sched:sched_switch: …       task, time, perhaps a period, event
//!         ffffffff813af60a update_se+0x1a (/usr/lib/debug/vmlinux)           stack, where one was recorded
//! ```

use crate::clock::{SCHED, Times};
use crate::format::{Decoder, Format, Opening, Settings};
use crate::kernel::lines::{LineDecoder, Lines, cut_before, first};
use crate::kernel::out::{Out, Place, Stamp};
use crate::kernel::trace::{self, Who, split_cpu, split_time};
use crate::kernel::value::{Value, int};
use crate::lines;
use crate::otlp::text::{write_list, write_string};

/// Most frames of a stack that are kept.
const MAX_FRAMES: usize = 256;

/// The format `perf-script`.
#[derive(Debug)]
pub struct PerfScript;

impl Format for PerfScript {
    fn name(&self) -> &'static str {
        "perf-script"
    }

    fn description(&self) -> &'static str {
        "perf script: tracepoints and samples as text"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../../sample-traces/formats/perf-script.txt")
    }

    fn recognises(&self, text: &[u8], is_whole: bool) -> bool {
        let is_noise = |line: &str| {
            line.trim().is_empty() || line.starts_with('#') || frame(line).is_some() || notice(line).is_some()
        };
        first(text, is_whole).any(|line| head(line).is_some())
            && first(text, is_whole).all(|line| is_noise(line) || head(line).is_some())
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        cut_before(bytes, target, |line| head(line).is_some())
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        lines::whole(bytes)
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(Script::default(), Out::new("perf", settings, Times::of(opening))))
    }
}

/// The beginning of an event.
#[derive(Debug)]
struct Head<'a> {
    who: Who<'a>,
    time_ns: i64,
    period: Option<i64>,
    subsystem: &'a str,
    name: &'a str,
    body: &'a str,
}

/// Reads the lines of one stream.
#[derive(Debug, Default)]
struct Script {
    /// The event that frames belong to.
    place: Option<Place>,
    frames: Vec<String>,
    last_ns: i64,
}

impl Lines for Script {
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str> {
        if let Some(head) = head(line) {
            self.close(out);
            self.event(out, &head);
            return Ok(());
        }
        if line.trim().is_empty() || line.starts_with('#') {
            self.close(out);
            return Ok(());
        }
        if let Some(lost) = notice(line) {
            self.close(out);
            if lost > 0 {
                out.gap(self.last_ns, self.last_ns, "perf", Some(lost), "events");
            }
            return Ok(());
        }
        match frame(line).filter(|_| self.place.is_some()) {
            Some(frame) if self.frames.len() < MAX_FRAMES => self.frames.push(frame.to_owned()),
            Some(_) => {}
            None => return Err("not a line of perf script"),
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out) {
        self.close(out);
        *self = Self::default();
    }

    fn is_open(&self) -> bool {
        !self.frames.is_empty()
    }

    fn continues(&self, line: &[u8]) -> bool {
        self.place.is_some() && std::str::from_utf8(line).ok().and_then(frame).is_some()
    }
}

impl Script {
    fn event(&mut self, out: &mut Out, head: &Head<'_>) {
        let stamp = Stamp { clock: SCHED, ns: head.time_ns };
        let time_ns = out.time(stamp);
        if head.name.starts_with("PERF_RECORD_LOST") {
            let lost = head.body.split_whitespace().rev().find_map(|word| word.parse().ok());
            out.gap(self.last_ns.max(1).min(time_ns), time_ns, &stream(head.who), lost, "events");
            return;
        }
        self.last_ns = time_ns;
        trace::event(out, head.name, head.subsystem, stamp, head.who, head.body);
        let place = out.place();
        if let Some((period, mut row)) = head.period.zip(out.row_at(place)) {
            row.field("period", Value::Int(period));
        }
        self.place = Some(place);
    }

    fn close(&mut self, out: &mut Out) {
        let frames = std::mem::take(&mut self.frames);
        let Some(place) = self.place.take().filter(|_| !frames.is_empty()) else { return };
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        let mut json = Vec::new();
        write_list(&mut json, &frames, |json, frame| write_string(json, frame.as_bytes()));
        if let (Some(mut row), Ok(json)) = (out.row_at(place), std::str::from_utf8(&json)) {
            row.field("frames", Value::Json(json));
        }
    }
}

/// Reads what perf says about itself: `Processed 1200 events and lost 3 chunks!`, warnings. Returns how many were lost, 0 where it
/// is about something else.
fn notice(line: &str) -> Option<u64> {
    if line.starts_with("Warning:") || line.starts_with("Check IO/CPU overload") {
        return Some(0);
    }
    let (_, lost) = line.strip_prefix("Processed ")?.split_once(" lost ")?;
    lost.split(' ').next()?.parse().ok()
}

fn stream(who: Who<'_>) -> String {
    who.cpu.map_or_else(|| "perf".to_owned(), |cpu| format!("cpu {cpu}"))
}

#[inline]
fn head(line: &str) -> Option<Head<'_>> {
    let (before, time_ns, rest) = split_time(line)?;
    let (task, cpu) = split_cpu(before).map_or((before, None), |(task, cpu)| (task, Some(cpu)));
    let (comm, ids) = task.trim_end().rsplit_once([' ', '\t'])?;
    let (pid, tid) = match ids.split_once('/') {
        Some((pid, tid)) => (Some(int(pid)?), int(tid)?),
        None => (None, int(ids)?),
    };
    let who = Who { comm: comm.trim(), pid, tid: Some(tid), cpu };
    let (period, subsystem, name, body) = named(rest.trim_start())?;
    (!who.comm.is_empty()).then_some(Head { who, time_ns, period, subsystem, name, body })
}

/// Reads `[period] [subsystem:]name[:modifiers]: body`.
fn named(rest: &str) -> Option<(Option<i64>, &str, &str, &str)> {
    let (word, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    if let Some(period) = int(word) {
        let (_, subsystem, name, body) = named(after.trim_start()).filter(|named| named.0.is_none())?;
        return Some((Some(period), subsystem, name, body));
    }
    if word.starts_with("PERF_RECORD_LOST") {
        return Some((None, "", word.trim_end_matches(':'), after));
    }
    let event = word.strip_suffix(':').filter(|event| !event.is_empty())?;
    let is_event =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.' | b'/' | b'=' | b',');
    if !event.bytes().all(is_event) {
        return None;
    }
    match event.split_once(':') {
        None => Some((None, "", event, after)),
        Some((name, modifiers)) if is_modifiers(modifiers) => Some((None, "", name, after)),
        Some((subsystem, name)) => Some((None, subsystem, name, after)),
    }
}

/// `cycles:ppp`, `cpu-clock:uH`: where and how precisely samples were taken.
fn is_modifiers(text: &str) -> bool {
    text.len() <= 6 && text.bytes().all(|byte| b"ukhpPGHSDWeIb".contains(&byte))
}

/// Reads a line of a stack: an address, a symbol, the file that holds it.
fn frame(line: &str) -> Option<&str> {
    let text = line.strip_prefix([' ', '\t'])?.trim();
    let (address, symbol) = text.split_once(' ')?;
    let is_address = address.len() >= 3 && address.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_address && symbol.ends_with(')')).then_some(symbol.trim_start())
}
