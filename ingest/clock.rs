//! Clocks of captures: which there are, and what a capture tells of how their times become UTC.
//!
//! Kernel tools count nanoseconds since boot, or since the scheduler's clock began. What such a time is in UTC is told only
//! by a capture that holds both: a file `clock.json` beside it (`realtime_minus_boottime_ns`, or `realtime_ns` and
//! `boottime_ns` of one moment), lines that print both clocks, or the header of `perf script`. Without that, times stay as
//! recorded.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::event::Clock;
use crate::format::Opening;
use crate::kernel::out::Stamp;
use crate::kernel::pairs::Pairs;
use crate::kernel::stamp::DAY_NS;
use crate::kernel::value::int;

/// Nanoseconds since boot, suspended time included: what `nsecs` of bpftrace counts.
pub(crate) const BOOTTIME: &str = "boottime";
/// Nanoseconds since boot, suspended time left out.
pub(crate) const MONOTONIC: &str = "monotonic";
/// UTC.
pub(crate) const REALTIME: &str = "realtime";
/// What perf and ftrace count unless told otherwise: near [`MONOTONIC`], but drifting from it by milliseconds.
pub(crate) const SCHED: &str = "sched";
/// Seconds since the tool began.
pub(crate) const ELAPSED: &str = "elapsed";
/// No time of its own: when the file was last written.
pub(crate) const WRITTEN: &str = "written";
/// The time of day alone.
pub(crate) const TIME_OF_DAY: &str = "time-of-day";

/// The file that tells the offsets of the captures beside it.
const SIBLING: &str = "clock.json";

/// Most bytes of it that are read.
const MAX_SIBLING: u64 = 64 << 10;

/// Clocks with the names under which captures tell of them.
const NAMES: [(&str, &[&str]); 4] = [
    (BOOTTIME, &["boottime", "boot", "nsecs"]),
    (MONOTONIC, &["monotonic", "mono"]),
    (SCHED, &["sched", "perf", "local", "sched_clock"]),
    ("tai", &["tai"]),
];

/// What is known of the clocks of one stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times {
    offsets: Vec<(&'static str, i64, String)>,
    written_ns: i64,
    /// A moment near which times of day lie; else they lie before `written_ns`.
    near_ns: Option<i64>,
}

impl Times {
    /// Returns what is known of the clocks of a stream.
    pub(crate) fn of(opening: &Opening) -> Self {
        let mut times = Self { written_ns: opening.written_ns, ..Self::default() };
        match opening.path.as_deref() {
            Some(path) => times.read_sibling(path),
            None => times.near_ns = Some(opening.written_ns),
        }
        times.read_lines(&opening.head);
        times.read_perf_header(&opening.head);
        times
    }

    fn read_sibling(&mut self, path: &Path) {
        let mut text = String::new();
        let Ok(file) = File::open(path.with_file_name(SIBLING)) else { return };
        if file.take(MAX_SIBLING).read_to_string(&mut text).is_err() {
            return;
        }
        let Ok(serde_json::Value::Object(members)) = serde_json::from_str(&text) else { return };
        let numbers: Vec<(&str, i64)> =
            members.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_i64()?))).collect();
        self.learn(&numbers, "clock.json beside it");
        self.near_ns = named(&numbers, REALTIME).or(self.near_ns);
    }

    /// Looks for a line that prints two clocks at once.
    fn read_lines(&mut self, head: &[u8]) {
        for at in memchr::memmem::find_iter(head, b"realtime").take(4) {
            let from = memchr::memrchr(b'\n', head.get(..at).unwrap_or_default()).map_or(0, |end| end + 1);
            let rest = head.get(from..).unwrap_or_default();
            let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
            let text = String::from_utf8_lossy(line).replace("\\\"", "\"").replace("\\n", " ");
            let text = text.replace("\": ", "=").replace("\":", "=").replace(['"', '{', '}', ','], " ");
            let numbers: Vec<(&str, i64)> =
                Pairs::new(&text).filter_map(|(key, value)| Some((key, int(value.split(' ').next()?)?))).collect();
            self.learn(&numbers, "a line of the capture that prints both clocks");
        }
    }

    /// Learns offsets from numbers with names such as `realtime_minus_boottime_ns`, `realtime_ns`, `boottime_ns`.
    fn learn(&mut self, numbers: &[(&str, i64)], origin: &str) {
        for (clock, names) in NAMES {
            let minus = names.iter().find_map(|name| named(numbers, &format!("realtime_minus_{name}")));
            let own = || names.iter().find_map(|name| named(numbers, name));
            let offset = minus.or_else(|| named(numbers, REALTIME)?.checked_sub(own()?));
            if let Some(offset) = offset {
                self.set(clock, offset, origin);
            }
        }
    }

    fn set(&mut self, clock: &'static str, offset: i64, origin: &str) {
        if self.offset(clock).is_none() {
            self.offsets.push((clock, offset, origin.to_owned()));
        }
    }

    /// Reads `# reference time: … = 1795177634.727478 (TOD) = 2534.199052914 (monotonic)` of perf.
    fn read_perf_header(&mut self, head: &[u8]) {
        let Some(at) = memchr::memmem::find(head, b"# reference time:") else { return };
        let rest = head.get(at..).unwrap_or_default();
        let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let mut parts = text.split(" = ").skip(1).filter_map(|part| seconds(part.split(' ').next()?));
        if let (Some(utc), Some(own)) = (parts.next(), parts.next()) {
            self.set(SCHED, utc.saturating_sub(own), "the reference time in the header of perf");
        }
    }

    fn offset(&self, clock: &str) -> Option<i64> {
        self.offsets.iter().find(|(name, ..)| *name == clock).map(|(_, offset, _)| *offset)
    }

    /// Returns what a time is in UTC, or as recorded where that is not known.
    #[inline]
    pub(crate) fn utc(&self, stamp: Stamp) -> i64 {
        match stamp.clock {
            REALTIME | ELAPSED => stamp.ns,
            WRITTEN => self.written_ns,
            TIME_OF_DAY => self.day(stamp.ns),
            clock => stamp.ns.saturating_add(self.offset(clock).unwrap_or_default()),
        }
    }

    /// Returns the moment of a time of day: nearest to a known moment, else the last one before the file was written.
    fn day(&self, of_day_ns: i64) -> i64 {
        let (moment, back) = match self.near_ns {
            Some(near) => (near.saturating_add(DAY_NS / 2), DAY_NS),
            None => (self.written_ns, DAY_NS),
        };
        let day = moment.saturating_sub(moment.rem_euclid(DAY_NS));
        let time = day.saturating_add(of_day_ns);
        if time > moment { time.saturating_sub(back) } else { time }
    }

    /// Describes a clock that was met.
    pub(crate) fn clock(&self, name: &str) -> Clock {
        let known = self.offsets.iter().find(|(clock, ..)| *clock == name);
        let (offset_ns, origin) = match (name, known) {
            (_, Some((_, offset, origin))) => (Some(*offset), origin.clone()),
            (REALTIME, _) => (Some(0), "times of the capture itself, taken as UTC".to_owned()),
            (TIME_OF_DAY, _) => (Some(0), self.origin_of_days()),
            (WRITTEN, _) => (Some(0), "no time in the lines: when the file was last written".to_owned()),
            (ELAPSED, _) => (None, "seconds since the tool began, which it does not tell".to_owned()),
            (SCHED, _) => (None, self.origin_of_sched()),
            _ => (None, "nanoseconds since boot; the capture tells no offset".to_owned()),
        };
        Clock { name: name.to_owned(), offset_ns, frequency: 1_000_000_000, origin }
    }

    fn origin_of_days(&self) -> String {
        let date = match self.near_ns {
            Some(_) => "such that they lie nearest to when the capture was made",
            None => "such that they lie before the file was last written",
        };
        format!("times of day without a date or zone, taken as UTC; their date is {date}")
    }

    fn origin_of_sched(&self) -> String {
        let text = "the scheduler's clock of that machine; the capture tells no offset for it";
        match self.offset(MONOTONIC) {
            Some(offset) => format!("{text} (that of the monotonic clock, some milliseconds apart, is {offset} ns)"),
            None => text.to_owned(),
        }
    }
}

/// Returns the number that is called `name`, with or without its unit.
fn named(numbers: &[(&str, i64)], name: &str) -> Option<i64> {
    numbers.iter().find(|(key, _)| key.strip_suffix("_ns").unwrap_or(key) == name).map(|(_, number)| *number)
}

/// Returns nanoseconds of `1795177634.727478`.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || fraction.len() > 9 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}
