//! One printed line: its time, its event's name, and the structures behind it.

use crate::clock::{REALTIME, seconds};
use crate::kernel::out::Stamp;
use crate::kernel::stamp::time_of_day;

/// A line that was taken apart. Its parts are structures in braces, contexts first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub time: &'a str,
    pub name: &'a str,
    pub parts: Vec<&'a str>,
}

impl<'a> Line<'a> {
    /// Takes a line apart; nothing where babeltrace2 prints no such line.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        if line.starts_with('[') { Self::of_short(line) } else { Self::of_long(line) }
    }

    /// `[time] (+delta) host:process name: { … }, { … }`, with parts left out as options say.
    fn of_short(line: &'a str) -> Option<Self> {
        let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
        time.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b':' | b'-' | b' ')).then_some(())?;
        let (head, body) = rest.split_once(": {").unwrap_or((rest, ""));
        let name = head.rsplit(' ').next().filter(|name| !name.is_empty())?;
        let is_delta = head.starts_with("(+");
        (is_delta && head.contains(") ")).then_some(())?;
        let parts = if body.is_empty() { Vec::new() } else { parts(rest.get(head.len() + 2..)?)? };
        Some(Self { time, name: name.strip_suffix(':').unwrap_or(name), parts })
    }

    /// `timestamp = …, name = …, stream.event.context = { … }, event.fields = { … }`.
    fn of_long(line: &'a str) -> Option<Self> {
        let time = line.strip_prefix("timestamp = ")?.split(',').next()?;
        let (_, rest) = line.split_once(", name = ").or_else(|| line.split_once(" name = "))?;
        let end = rest.find(", ").unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end)?;
        let parts = rest.find("= {").map_or(Some(Vec::new()), |at| parts(rest.get(at + 2..)?))?;
        Some(Self { time, name, parts })
    }
}

/// Splits `{ … }, { … }` (each perhaps after a name and `=`) into what is inside.
fn parts(mut text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    while let Some(at) = text.find('{') {
        let rest = text.get(at..)?;
        let len = super::value::balanced(rest)?;
        found.push(rest.get(1..len - 1)?);
        text = rest.get(len..)?;
    }
    Some(found)
}

/// Returns the time that was printed.
pub(super) fn stamp(text: &str) -> Option<Stamp> {
    if let Some((date, time)) = text.split_once(' ') {
        let date = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
        let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp().checked_mul(1_000_000_000)?;
        let ns = midnight.checked_add(time_of_day(time)?.ns)?;
        return Some(Stamp { clock: REALTIME, ns });
    }
    if text.contains(':') {
        return time_of_day(text);
    }
    seconds(text).map(|ns| Stamp { clock: REALTIME, ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_short_and_long_lines_apart() {
        let short = "[12:05:12.210685948] (+?.?????????) vm shop:start: { cpu_id = 1 }, { a = \"} {\" }, { }";
        let line = Line::of(short).unwrap();
        assert_eq!((line.time, line.name), ("12:05:12.210685948", "shop:start"));
        assert_eq!(line.parts, [" cpu_id = 1 ", " a = \"} {\" ", " "]);
        let long = "timestamp = 1795176312.210685948, trace = vm, name = shop:start, stream.packet.context = { cpu_id = 1 }, event.fields = { x = 2 }";
        let line = Line::of(long).unwrap();
        assert_eq!((line.time, line.name), ("1795176312.210685948", "shop:start"));
        assert_eq!(line.parts, [" cpu_id = 1 ", " x = 2 "]);
        for other in ["[error] something: {", "timestamp = 5", "[12:05] text", ""] {
            assert_eq!(Line::of(other), None, "{other}");
        }
    }

    #[test]
    fn reads_times_of_every_form() {
        let ns = |text| stamp(text).map(|stamp| stamp.ns);
        assert_eq!(ns("1795176312.210685948"), Some(1_795_176_312_210_685_948));
        assert_eq!(ns("2026-11-20 12:05:12.210685948"), Some(1_795_176_312_210_685_948));
        assert_eq!(ns("12:05:12.210685948"), Some(43_512_210_685_948));
        assert_eq!(ns("soon"), None);
    }
}
