//! Stacks with a number below them, as offcputime, wakeuptime, profile and stackcount print them.
//!
//! ```text
//!     finish_task_switch                     target:          node
//!     __schedule                             ffffffff813aa3e5 ttwu_do_activate
//!     -                cp (9036)                       waker: python
//!         1                                  14901
//! ```

use crate::clock::WRITTEN;
use crate::kernel::out::{Out, Stamp};
use crate::kernel::value::{Value, int};
use crate::otlp::text::{write_list, write_string};

/// Most lines of a stack that are kept.
const MAX_LINES: usize = 512;

/// Tools whose number is microseconds.
const TIMES: [&str; 3] = ["offcputime", "wakeuptime", "offwaketime"];

/// The stack that is being read.
#[derive(Debug, Default)]
pub(super) struct Stack {
    lines: Vec<String>,
}

impl Stack {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn push(&mut self, line: &str) {
        if self.lines.len() < MAX_LINES {
            self.lines.push(line.trim().to_owned());
        }
    }

    /// Takes the lines out.
    pub(super) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

/// Returns the frames as a JSON array.
pub(super) fn frames(lines: &[&str]) -> String {
    let mut json = Vec::new();
    write_list(&mut json, lines, |json, line| write_string(json, line.as_bytes()));
    String::from_utf8(json).unwrap_or_default()
}

/// Appends the event of a stack that ends in a number; false where it does not.
pub(super) fn event(out: &mut Out, tool: &str, lines: &[String], stamp: Option<Stamp>) -> bool {
    let Some((value, rest)) = lines.split_last().and_then(|(last, rest)| Some((int(last)?, rest))) else {
        return false;
    };
    let stamp = stamp.unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
    let Some(mut row) = out.event(tool, stamp) else { return true };
    let mut kept = Vec::new();
    for line in rest {
        if let Some((comm, pid)) = task(line) {
            row.comm(comm);
            row.pid(pid);
        } else if let Some((label, text)) = labelled(line) {
            row.field(label, Value::Text(text));
        } else {
            kept.push(symbol(line));
        }
    }
    row.field("frames", Value::Json(&frames(&kept)));
    row.field("value", Value::Int(value));
    if TIMES.contains(&tool) {
        row.duration_ns(value.saturating_mul(1_000));
    }
    true
}

/// Reads `-                cp (9036)`.
fn task(line: &str) -> Option<(&str, i64)> {
    let (comm, pid) = line.strip_prefix("- ")?.trim().strip_suffix(')')?.rsplit_once(" (")?;
    Some((comm.trim(), int(pid)?))
}

/// Reads `target:          node`.
fn labelled(line: &str) -> Option<(&str, &str)> {
    let (label, text) = line.split_once(':')?;
    let is_label = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_label && text.starts_with(' ')).then(|| (label, text.trim()))
}

/// Leaves out the address before a symbol.
fn symbol(line: &str) -> &str {
    match line.split_once(' ') {
        Some((address, symbol)) if address.len() >= 8 && address.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            symbol.trim_start()
        }
        _ => line,
    }
}

/// Reads a stack on one line: `comm;frame;frame 42`.
pub(super) fn folded(line: &str) -> Option<(&str, Vec<&str>, i64)> {
    let (stack, value) = line.rsplit_once(' ')?;
    let value = int(value).filter(|value| *value >= 0)?;
    let mut parts = stack.split(';');
    let comm = parts.next().filter(|comm| !comm.is_empty() && comm.len() <= 64)?;
    let frames: Vec<&str> = parts.take(MAX_LINES).collect();
    (!frames.is_empty() && !stack.contains(['=', '"'])).then_some((comm, frames, value))
}

/// Appends the event of a stack on one line.
pub(super) fn folded_event(out: &mut Out, tool: &str, line: &str, stamp: Option<Stamp>) -> bool {
    let Some((comm, parts, value)) = folded(line) else { return false };
    let stamp = stamp.unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
    if let Some(mut row) = out.event(tool, stamp) {
        row.comm(comm);
        row.field("frames", Value::Json(&frames(&parts)));
        row.field("value", Value::Int(value));
        if TIMES.contains(&tool) {
            row.duration_ns(value.saturating_mul(1_000));
        }
    }
    true
}
