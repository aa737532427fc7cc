//! What babeltrace2 prints of a CTF trace, read back into events.
//!
//! ```text
//! [12:05:12.210685948] (+?.?????????) host name: { cpu_id = 1 }, { vpid = 7, procname = "x" }, { text = "a", kind = ( "GET" : container = 0 ) }
//! timestamp = 1795176312.210685948, delta = …, trace = …, name = shop:start, stream.packet.context = { … }, event.fields = { … }
//! ```
//! Times are seconds since 1970, a date with a time of day, or a time of day alone; all are taken as UTC.
//! See <https://babeltrace.org/docs/v2.0/man7/babeltrace2-sink.text.pretty.7/>.

mod line;
mod value;

use crate::babeltrace::line::{Line, stamp};
use crate::babeltrace::value::{Member, members};
use crate::clock::Times;
use crate::format::{Decoder, Format, Opening, Settings};
use crate::kernel::http::{span_id, trace_id};
use crate::kernel::lines::{LineDecoder, Lines, cut_before, first};
use crate::kernel::out::Out;
use crate::kernel::row::Row;
use crate::kernel::value::Value;
use crate::lines;

/// The format `babeltrace-text`.
#[derive(Debug)]
pub struct BabeltraceText;

impl Format for BabeltraceText {
    fn name(&self) -> &'static str {
        "babeltrace-text"
    }

    fn description(&self) -> &'static str {
        "what babeltrace2 prints of a CTF trace"
    }

    fn sample(&self) -> &'static [u8] {
        include_bytes!("../sample-traces/formats/babeltrace.txt")
    }

    fn recognises(&self, text: &[u8], is_whole: bool) -> bool {
        let mut lines = first(text, is_whole).filter(|line| !line.is_empty()).peekable();
        lines.peek().is_some() && lines.all(|line| Line::of(line).is_some())
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        cut_before(bytes, target, |line| Line::of(line).is_some())
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        lines::whole(bytes)
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        Box::new(LineDecoder::new(Reader, Out::new("ctf", settings, Times::of(opening))))
    }
}

/// Reads lines; none depends on another.
struct Reader;

impl Lines for Reader {
    fn line(&mut self, out: &mut Out, text: &str) -> Result<(), &'static str> {
        if text.trim().is_empty() {
            return Ok(());
        }
        let line = Line::of(text).ok_or("not a line of babeltrace2")?;
        let time = stamp(line.time).ok_or("no time that babeltrace2 prints")?;
        let fields = line.parts.iter().map(|part| members(part)).collect::<Option<Vec<_>>>();
        let fields = fields.ok_or("fields that do not end")?;
        if let Some(mut row) = out.event(line.name, time) {
            let last = fields.len().saturating_sub(1);
            for (number, members) in fields.iter().enumerate() {
                members.iter().for_each(|member| put(&mut row, member, number < last));
            }
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Out) {}

    fn is_open(&self) -> bool {
        false
    }
}

/// Puts a member into its column: those of contexts may be flat ones.
fn put(row: &mut Row<'_>, member: &Member<'_>, is_context: bool) {
    match (member.name, &member.value) {
        ("cpu_id", value::Value::Int(cpu)) if is_context => row.cpu(*cpu),
        ("pid" | "vpid", value::Value::Int(pid)) if is_context => row.pid(*pid),
        ("tid" | "vtid", value::Value::Int(tid)) if is_context => row.tid(*tid),
        ("procname", value::Value::Text(comm)) if is_context => row.comm(comm),
        (name, value) => put_field(row, name, value),
    }
}

fn put_field(row: &mut Row<'_>, name: &str, value: &value::Value) {
    match value {
        value::Value::Int(number) => row.field(name, Value::Int(*number)),
        value::Value::Double(number) => row.field(name, Value::Double(*number)),
        value::Value::Label(label, number) => {
            row.field(name, Value::Int(*number));
            if let Some(label) = label {
                row.field(&format!("{name}_label"), Value::Text(label));
            }
        }
        value::Value::Text(text) => {
            put_ids(row, name, text);
            row.field(name, Value::Text(text));
        }
        value::Value::Json(json) => row.field(name, Value::Json(json)),
    }
}

/// Fields named as ids are those of a trace and its span.
fn put_ids(row: &mut Row<'_>, name: &str, text: &str) {
    let is_hex = |len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name {
        "trace_id" | "traceId" if is_hex(32) => {
            let (hi, lo) = trace_id(text);
            row.ids((hi, lo, 0));
        }
        "span_id" | "spanId" if is_hex(16) => row.ids((0, 0, span_id(text))),
        _ => {}
    }
}
