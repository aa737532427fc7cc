//! Lines of ftrace as events.

use crate::clock::SCHED;
use crate::ftrace::line::{Head, head};
use crate::kernel::lines::Lines;
use crate::kernel::out::{Out, Place, Stamp};
use crate::kernel::trace::{self, Who};
use crate::kernel::value::Value;
use crate::otlp::text::{write_list, write_string};

/// Most frames of a stack that are kept.
const MAX_FRAMES: usize = 256;

/// Reads the lines of one stream.
#[derive(Debug, Default)]
pub(super) struct Ftrace {
    /// Where events were lost and how many, until the next event tells when.
    lost: Vec<(String, Option<u64>)>,
    last_ns: Option<i64>,
    stack: Option<Stack>,
}

#[derive(Debug)]
struct Stack {
    place: Place,
    frames: Vec<String>,
}

impl Lines for Ftrace {
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str> {
        if let Some(head) = head(line) {
            self.close_stack(out);
            self.event(out, &head);
            return Ok(());
        }
        if let Some(frame) = line.trim_start().strip_prefix("=> ") {
            if let Some(stack) = self.stack.as_mut().filter(|stack| stack.frames.len() < MAX_FRAMES) {
                stack.frames.push(frame.trim().to_owned());
            }
            return Ok(());
        }
        self.close_stack(out);
        self.notice(line)
    }

    fn finish(&mut self, out: &mut Out) {
        self.close_stack(out);
        let time_ns = self.last_ns.unwrap_or_default();
        self.close_gaps(out, time_ns);
        *self = Self::default();
    }

    fn is_open(&self) -> bool {
        self.stack.is_some() || !self.lost.is_empty()
    }
}

impl Ftrace {
    fn event(&mut self, out: &mut Out, head: &Head<'_>) {
        let stamp = Stamp { clock: SCHED, ns: head.time_ns };
        let time_ns = out.time(stamp);
        self.close_gaps(out, time_ns);
        self.last_ns = Some(time_ns);
        if head.rest.trim_end() == "<stack trace>" {
            trace::event(out, "kernel_stack", "", stamp, head.who, "");
            self.stack = Some(Stack { place: out.place(), frames: Vec::new() });
            return;
        }
        let (name, body) = named(head.rest);
        match body.strip_prefix("<-") {
            Some(caller) => function(out, name, caller, stamp, head.who),
            None => trace::event(out, name, "", stamp, head.who, body),
        }
        if !head.flags.is_empty() {
            out.row_at(out.place()).into_iter().for_each(|mut row| row.field("flags", Value::Text(head.flags)));
        }
    }

    fn close_stack(&mut self, out: &mut Out) {
        let Some(stack) = self.stack.take() else { return };
        let frames: Vec<&str> = stack.frames.iter().map(String::as_str).collect();
        let mut json = Vec::new();
        write_list(&mut json, &frames, |json, frame| write_string(json, frame.as_bytes()));
        if let (Some(mut row), Ok(json)) = (out.row_at(stack.place), std::str::from_utf8(&json)) {
            row.field("frames", Value::Json(json));
        }
    }

    fn close_gaps(&mut self, out: &mut Out, time_ns: i64) {
        for (stream, lost) in std::mem::take(&mut self.lost) {
            out.gap(self.last_ns.unwrap_or(time_ns), time_ns, &stream, lost, "events");
        }
    }

    /// Takes a line that is no event: lost events, headers.
    fn notice(&mut self, line: &str) -> Result<(), &'static str> {
        if let Some((cpu, rest)) = line.split_once(" [LOST ").filter(|(cpu, _)| cpu.starts_with("CPU:")) {
            let lost = rest.split(' ').next().and_then(|number| number.parse().ok());
            self.lost.push((cpu.replace("CPU:", "cpu "), lost));
            return Ok(());
        }
        if let Some(counts) = line.strip_prefix("# entries-in-buffer/entries-written: ") {
            self.overwritten(counts);
            return Ok(());
        }
        let is_header = line.trim().is_empty() || line.starts_with('#') || line.starts_with("cpus=");
        if is_header { Ok(()) } else { Err("not a line of ftrace") }
    }

    /// `8/20 #P:2`: the buffer held 8 of the 20 entries that were written.
    fn overwritten(&mut self, counts: &str) {
        let counts = counts.split_whitespace().next().and_then(|counts| counts.split_once('/'));
        let numbers = counts.and_then(|(held, all)| Some((held.parse::<u64>().ok()?, all.parse::<u64>().ok()?)));
        if let Some(lost) = numbers.and_then(|(held, all)| all.checked_sub(held)).filter(|lost| *lost > 0) {
            self.lost.push(("ring buffer".to_owned(), Some(lost)));
        }
    }
}

/// Splits the name of an event from what it says: `name: …`, `name(…)`, `name -> result`, `function <-caller`.
fn named(rest: &str) -> (&str, &str) {
    let end =
        rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '.')).unwrap_or(rest.len());
    let (name, body) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if name.is_empty() {
        return ("text", rest);
    }
    (name, body.strip_prefix(':').unwrap_or(body).trim_start())
}

/// A call of a function, as the function tracer prints it.
fn function(out: &mut Out, name: &str, caller: &str, stamp: Stamp, who: Who<'_>) {
    trace::event(out, "function", "", stamp, who, "");
    if let Some(mut row) = out.row_at(out.place()) {
        row.field("func", Value::Text(name));
        row.field("caller", Value::Text(caller.trim_end()));
    }
}
