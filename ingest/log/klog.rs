//! klog and glog: `Lmmdd hh:mm:ss.uuuuuu threadid file:line] message`. The year is not recorded.

use crate::log::record::Record;
use crate::log::stream::{Grammar, Wrong};
use crate::log::time::Times;

/// Reads klog.
pub(crate) struct Klog;

/// Tells whether a line begins a record.
#[inline]
pub(crate) fn begins(line: &[u8]) -> bool {
    parts(line, Times::default()).is_some()
}

/// Returns the severity, the length of the time, and where the message begins.
fn parts(line: &[u8], times: Times) -> Option<(u8, crate::log::time::Stamp, usize)> {
    let severity = match line.first()? {
        b'I' => 9,
        b'W' => 13,
        b'E' => 17,
        b'F' => 21,
        _ => return None,
    };
    let rest = line.get(1..)?;
    let is_short = rest.get(4) == Some(&b' ');
    let is_long = rest.get(8) == Some(&b' ') && rest.iter().take(8).all(u8::is_ascii_digit);
    if !(is_short || is_long) {
        return None;
    }
    let stamp = times.read(rest)?;
    let head = rest.get(stamp.len..)?;
    let end = memchr::memchr(b']', head.get(..256).unwrap_or(head))?;
    Some((severity, stamp, 1 + stamp.len + end))
}

impl Grammar for Klog {
    fn begins(&self, line: &[u8]) -> bool {
        begins(line)
    }

    fn continues(&self) -> bool {
        true
    }

    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong> {
        let Some((severity, stamp, end)) = parts(text, record.times) else { return Ok(false) };
        record.set_stamp(stamp);
        record.set_level(text.get(..1).unwrap_or_default(), severity);
        let head = text.get(1 + stamp.len..end).unwrap_or_default();
        let mut words = head.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        if let Some(thread) = words.next() {
            record.typed(b"process.pid", thread);
        }
        if let Some((file, line)) = words.next().and_then(|place| Some(place.split_at(memchr::memrchr(b':', place)?))) {
            record.text("code.file.path", file);
            record.typed(b"code.line.number", line.get(1..).unwrap_or_default());
        }
        message(text.get(end + 1..).unwrap_or_default().trim_ascii_start(), record);
        Ok(true)
    }
}

/// Structured calls write `"message" key="value" key=1`.
fn message(text: &[u8], record: &mut Record) {
    let quoted = text.strip_prefix(b"\"").and_then(|rest| Some((rest, memchr::memmem::find(rest, b"\" ")?)));
    let Some((rest, len)) = quoted.filter(|(rest, len)| rest.get(len + 2..).is_some_and(crate::log::logfmt::begins))
    else {
        let inner = text.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
        record.body.extend_from_slice(inner.unwrap_or(text));
        return;
    };
    record.body.extend_from_slice(rest.get(..len).unwrap_or_default());
    crate::log::logfmt::fields(rest.get(len + 2..).unwrap_or_default(), record);
}
