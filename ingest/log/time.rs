//! Times at the beginning of a text, in the layouts that loggers write.
//!
//! ```text
//! 2026-11-20T12:31:18.063Z   2026-11-20 12:31:18,063 +0100   2026/11/20 12:31:18   20261120 12:31:18   26/11/20 12:31:18
//! 20/Nov/2026:12:31:18 +0000   20 Nov 2026 12:31:18.063   20.11.2026 12:31:18   11/20/2026 12:31:18 PM   11-20 12:31:18.063
//! Nov 20 12:31:18   Nov 20, 2026 1:31:18 PM   Fri Nov 20 12:31:18.063 2026   Fri, 20 Nov 2026 12:31:18 GMT
//! 12:31:18.063   1795177883   1795177883.844   1795177883844
//! ```
//!
//! A time without a zone is UTC. A time without a date or a year is taken to lie before the file was last written.

mod calendar;
mod layout;

use crate::log::time::calendar::{NS, days};
pub(crate) use crate::log::time::layout::{Part, number};

/// A day in nanoseconds.
const DAY: i64 = 86_400 * NS;

/// How much later than the file a time of day may be: the clock of the file system is coarse.
const COARSE: i64 = NS;

/// A time that stands at the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub ns: i64,
    /// Bytes that it takes.
    pub len: usize,
    /// Whether date or year were taken from when the file was written.
    pub is_assumed: bool,
    /// Whether it has no date at all.
    pub is_time_only: bool,
    /// Whether it is a bare number.
    pub is_epoch: bool,
}

/// Reads times of one file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// When the file was last written.
    pub written_ns: i64,
    /// The year of the latest time that may stand in it.
    year: i32,
}

impl Default for Times {
    fn default() -> Self {
        Self { written_ns: 0, year: 1970 }
    }
}

impl Times {
    pub(crate) fn new(written_ns: i64) -> Self {
        Self { written_ns, year: calendar::year_of(written_ns.saturating_add(DAY).div_euclid(DAY)) }
    }

    /// Returns the time that `text` begins with.
    #[inline]
    pub(crate) fn read(self, text: &[u8]) -> Option<Stamp> {
        let part = layout::read(text)?;
        let (ns, is_assumed) = match (part.epoch_ns, part.year, part.month) {
            (Some(ns), _, _) => (ns, false),
            (None, Some(year), _) => (part.at(days(year, part.month, part.day)?)?, false),
            (None, None, 0) => (self.day_before(&part)?, true),
            (None, None, _) => (self.year_before(&part)?, true),
        };
        let (is_time_only, is_epoch) = (part.epoch_ns.is_none() && part.month == 0, part.epoch_ns.is_some());
        Some(Stamp { ns, len: part.len, is_assumed, is_time_only, is_epoch })
    }

    /// Returns the time that all of `text` is.
    pub(crate) fn read_all(self, text: &[u8]) -> Option<Stamp> {
        let text = text.trim_ascii();
        self.read(text).filter(|stamp| stamp.len == text.len())
    }

    /// The last such time of day before the file was written.
    fn day_before(self, part: &Part) -> Option<i64> {
        let ns = part.at(self.written_ns.div_euclid(DAY))?;
        Some(if ns > self.written_ns.saturating_add(COARSE) { ns.checked_sub(DAY)? } else { ns })
    }

    /// The last such date before the file was written, or within a day after it: the time may be that of another zone.
    fn year_before(self, part: &Part) -> Option<i64> {
        let latest = self.written_ns.saturating_add(DAY);
        (0..9).find_map(|back| {
            part.at(days(self.year.checked_sub(back)?, part.month, part.day)?).filter(|&ns| ns <= latest)
        })
    }

    /// Returns the time that a number of seconds, milliseconds, microseconds or nanoseconds since 1970 stands for.
    pub(crate) fn of_number(text: &[u8]) -> Option<i64> {
        let (digits, rest) = text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()));
        match rest {
            [] => calendar::epoch(number(digits)?, digits.len()),
            [b'.', fraction @ ..] if fraction.iter().all(u8::is_ascii_digit) => {
                calendar::epoch_with(number(digits)?, digits.len(), fraction)
            }
            _ => std::str::from_utf8(text).ok()?.parse().ok().and_then(calendar::epoch_float),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-11-21 03:00:00 UTC.
    fn written() -> Times {
        Times::new(1_795_230_000 * NS)
    }

    #[test]
    fn reads_every_layout() {
        // 2026-11-20T12:31:18Z
        let second = 1_795_177_878 * NS;
        let cases: [(&str, i64, &str); 44] = [
            ("2026-11-20T12:31:18Z", 0, ""),
            ("2026-11-20T12:31:18.063Z\tINFO", 63_000_000, "\tINFO"),
            ("2026-11-20 12:31:18,063 INFO", 63_000_000, " INFO"),
            ("2026-11-20 12:31:18.063456 +0000 x", 63_456_000, " x"),
            ("2026-11-20T13:31:18.063456789+01:00 x", 63_456_789, " x"),
            ("2026-11-20T08:01:18-0430]", 0, "]"),
            ("2026-11-20 14:31:18+02 x", 0, " x"),
            ("2026-11-20 12:31:18 UTC [1]", 0, " [1]"),
            ("2026-11-20 12:31:18: x", 0, ": x"),
            ("2026-11-20_12:31:18.06300 x", 63_000_000, " x"),
            ("2026/11/20 12:31:18 [error]", 0, " [error]"),
            ("2026/11/20 - 12:31:18 | 200", 0, " | 200"),
            ("2026.11.20 12:31:18 x", 0, " x"),
            ("20261120 12:31:18.063 x", 63_000_000, " x"),
            ("20261120T123118Z x", 0, " x"),
            ("20261120-12:31:18:063|x", 63_000_000, "|x"),
            ("26/11/20 12:31:18 INFO", 0, " INFO"),
            ("20/Nov/2026:12:31:18 +0000] \"GET", 0, "] \"GET"),
            ("20/Nov/2026:13:31:18 +0100] \"GET", 0, "] \"GET"),
            ("20 Nov 2026 12:31:18.063 * x", 63_000_000, " * x"),
            ("20-Nov-2026 12:31:18.063 x", 63_000_000, " x"),
            ("20.11.2026 12:31:18 x", 0, " x"),
            ("11/20/2026 12:31:18 PM x", 0, " x"),
            ("20/11/2026 12:31:18 x", 0, " x"),
            ("11-20 12:31:18.063  1 1 I x", 63_000_000, "  1 1 I x"),
            ("Nov 20 12:31:18 host", 0, " host"),
            ("Nov 20 12:31:18.063 host", 63_000_000, " host"),
            ("Nov 20 2026 12:31:18 host", 0, " host"),
            ("Nov 20, 2026 12:31:18 PM com.shop", 0, " com.shop"),
            ("Fri Nov 20 12:31:18 2026] x", 0, "] x"),
            ("Fri Nov 20 12:31:18.063000 2026] x", 63_000_000, "] x"),
            ("Fri, 20 Nov 2026 12:31:18 GMT", 0, ""),
            ("Friday, 20 November 2026 12:31:18 x", 0, " x"),
            ("1795177878", 0, ""),
            ("1795177878.063 x", 63_000_000, " x"),
            ("1795177878063 x", 63_000_000, " x"),
            ("1795177878063456 x", 63_456_000, " x"),
            ("1795177878063456789 x", 63_456_789, " x"),
            ("12:31:18.063 [main]", 63_000_000, " [main]"),
            ("12:31:18,063 x", 63_000_000, " x"),
            ("2026-11-20T12:31:18.063456789123Z", 63_456_789, ""),
            ("2026-11-20 12:31 x", -18 * NS, " x"),
            ("2026-11-20T12:31:18.063Zx", 63_000_000, "x"),
            ("1120 12:31:18.063456    7 x.go:1]", 63_456_000, "    7 x.go:1]"),
        ];
        for (text, fraction, rest) in cases {
            let stamp = written().read(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((stamp.ns - second, &text[stamp.len..]), (fraction, rest), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_time() {
        let cases = [
            "",
            "2026",
            "2026-13-01 00:00:00",
            "2026-02-30 00:00:00",
            "2026-11-20",
            "12:61:00.1",
            "25:00:00.5",
            "Nov",
            "123456",
            "No time 12:00:00",
            "99999999999",
            "2026-11-20T1",
            "4bf92f3577b34da6",
            "1.2.3.4 - -",
            "17951778780634567890123",
            "12:3",
            "1/2/3 4:5:6",
            "0.5",
        ];
        for text in cases {
            assert_eq!(written().read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_missing_comes_from_when_the_file_was_written() {
        let ns = |text: &str| written().read(text.as_bytes()).unwrap();
        let year = 365 * DAY;
        assert!(ns("Nov 20 12:31:18").is_assumed && !ns("Nov 20 2026 12:31:18").is_assumed);
        assert_eq!(ns("Nov 22 12:31:18").ns, ns("2025-11-22 12:31:18").ns);
        assert_eq!(ns("Nov 22 12:31:18").ns + year, ns("2026-11-22 12:31:18").ns);
        assert_eq!(ns("Feb 29 12:31:18").ns, ns("2024-02-29 12:31:18").ns);
        assert_eq!(ns("02:59:59.5").ns, ns("2026-11-21 02:59:59.5").ns);
        assert_eq!(ns("03:00:59.5").ns, ns("2026-11-20 03:00:59.5").ns);
    }

    #[test]
    fn numbers_tell_their_unit_by_their_size() {
        let of = |text: &str| Times::of_number(text.as_bytes());
        assert_eq!(of("1795177878"), Some(1_795_177_878 * NS));
        assert_eq!(of("1795177878.4796698"), Some(1_795_177_878_479_669_800));
        assert_eq!(of("1795177878063.5"), Some(1_795_177_878_063_500_000));
        assert_eq!(of("1.795177878063e9"), Some(1_795_177_878_063_000_000));
        assert_eq!(of("12"), None);
        assert_eq!(of("-5"), None);
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(ns in 0..4_102_444_800_000_000_000_i64) {
            let text = chrono::DateTime::from_timestamp_nanos(ns).format("%Y-%m-%dT%H:%M:%S%.9f%:z").to_string();
            let stamp = written().read(text.as_bytes()).unwrap();
            prop_assert_eq!((stamp.ns, stamp.len), (ns, text.len()));
        }

        #[test]
        fn never_panics(text in "[0-9A-Za-z:./, +-]{0,40}") {
            if let Some(stamp) = written().read(text.as_bytes()) {
                prop_assert!(stamp.len <= text.len());
            }
        }
    }
}
