//! The one place that writes numbers, durations and times for people.
//!
//! Three significant digits, a space before the unit, thousands grouped by spaces. Scripts get [`rfc3339`] and plain numbers.

use std::str::FromStr;

use chrono::{DateTime, FixedOffset, Local, Offset, SecondsFormat, TimeZone, Utc};

/// The time zone in which times are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Zone {
    #[default]
    Utc,
    /// The zone of this machine.
    Local,
    /// Seconds east of UTC.
    Fixed(i32),
}

/// The text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time zone `{0}` is not known: write utc, local, or an offset such as +02:00")]
pub struct ParseZoneError(String);

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Units below a minute, smallest first, in nanoseconds.
const UNITS: [(u64, &str); 4] = [(1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (SECOND, "s")];

/// Returns a duration of `ns` nanoseconds: `740 µs`, `61.4 ms`, `2.31 s`, `1 min 05 s`, `1 h 02 min`, `3 d 04 h`.
#[must_use]
pub fn duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    format!("{sign}{}", magnitude(ns.unsigned_abs()))
}

/// Returns how sure something is, 0 to 1, with two digits: rounded down, so that only what is certain reads 1.00.
#[must_use]
pub fn sureness(share: f64) -> String {
    // A share such as 0.29 lies a little below 29 hundredths.
    format!("{:.2}", (share.clamp(0.0, 1.0) * 100.0 + 1e-6).floor() / 100.0)
}

/// Returns a duration with its sign, for offsets: `+61.4 ms`, `-2 s`, `+0 ns`.
#[must_use]
pub fn offset(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "+" };
    format!("{sign}{}", magnitude(ns.unsigned_abs()))
}

fn magnitude(ns: u64) -> String {
    for (size, unit) in UNITS {
        let digits = significant(ns, size);
        let fits = if size == SECOND { ns < MINUTE - SECOND / 20 } else { ns < size * 1_000 && digits != "1000" };
        if fits {
            return format!("{digits} {unit}");
        }
    }
    let seconds = ns.saturating_add(SECOND / 2) / SECOND;
    let minutes = ns.saturating_add(MINUTE / 2) / MINUTE;
    match ns {
        _ if seconds < 3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ if minutes < 24 * 60 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} d {:02} h", ns / DAY, ns % DAY / HOUR),
    }
}

/// Returns `value / size` with three significant digits; decimals that are all zero are left out.
fn significant(value: u64, size: u64) -> String {
    let ratio = value as f64 / size as f64;
    let decimals = match ratio {
        _ if size == 1 || ratio >= 99.95 => 0,
        _ if ratio >= 9.995 => 1,
        _ => 2,
    };
    trimmed(format!("{ratio:.decimals$}"))
}

/// Leaves decimals out where all of them are zero: `61.0` is `61`, `2.20` stays.
fn trimmed(digits: String) -> String {
    match digits.split_once('.') {
        Some((whole, decimals)) if decimals.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        _ => digits,
    }
}

/// Returns the label of a tick at `ns` on an axis whose ticks are `step_ns` apart: one unit and as many decimals as the step
/// needs, so that the labels of one axis look alike (`0.5 s`, `1.0 s`, `1.5 s`).
#[must_use]
pub fn tick(ns: i64, step_ns: i64) -> String {
    let step = step_ns.unsigned_abs().max(1);
    if ns == 0 {
        return "0".to_owned();
    }
    if step >= MINUTE {
        return duration(ns);
    }
    let reach = ns.unsigned_abs().max(step);
    let (size, unit) = UNITS.into_iter().rev().find(|(size, _)| reach >= *size).unwrap_or(UNITS[0]);
    let decimals = (0..9).find(|&digits| step.saturating_mul(10_u64.pow(digits)).is_multiple_of(size)).unwrap_or(9);
    let value = ns as f64 / size as f64;
    format!("{value:.*} {unit}", decimals as usize)
}

/// Returns a whole number with its thousands grouped: `1 842 331`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns a number in little room: `9 999`, `98.2 k`, `1.84 M`.
#[must_use]
pub fn short_count(number: u64) -> String {
    if number < 10_000 { count(number) } else { scaled(number, &["", " k", " M", " G", " T", " P", " E"]) }
}

/// Returns a size in bytes, in powers of 1000: `512 B`, `12.3 MB`.
#[must_use]
pub fn bytes(number: u64) -> String {
    scaled(number, &[" B", " kB", " MB", " GB", " TB", " PB", " EB"])
}

fn scaled(number: u64, suffixes: &[&str]) -> String {
    let mut size = 1_u64;
    let mut last = String::new();
    for suffix in suffixes {
        let digits = significant(number, size);
        let fits = number / size < 1_000 && digits != "1000";
        last = format!("{digits}{suffix}");
        if fits {
            break;
        }
        size = size.saturating_mul(1_000);
    }
    last
}

/// Returns a share of 1 as a percentage: `7.1 %`; what is not all and not nothing never reads as such.
#[must_use]
pub fn percent(share: f64) -> String {
    let percentage = share * 100.0;
    match percentage {
        _ if !percentage.is_finite() => "–".to_owned(),
        _ if percentage > 0.0 && percentage < 0.1 => "<0.1 %".to_owned(),
        _ if percentage > 99.9 && percentage < 100.0 => ">99.9 %".to_owned(),
        _ => format!("{} %", trimmed(format!("{percentage:.1}"))),
    }
}

/// Returns a time for scripts and tables: `2026-09-14T10:52:03.112000000Z`.
#[must_use]
pub fn rfc3339(time_ns: i64, zone: Zone) -> String {
    zoned(time_ns, zone).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// Returns a time of day for screens: `10:52:03.112`.
#[must_use]
pub fn time_of_day(time_ns: i64, zone: Zone) -> String {
    zoned(time_ns, zone).format("%H:%M:%S%.3f").to_string()
}

/// Returns a date and time for screens: `2026-09-14 10:52:03.112`.
#[must_use]
pub fn date_time(time_ns: i64, zone: Zone) -> String {
    zoned(time_ns, zone).format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

fn zoned(time_ns: i64, zone: Zone) -> DateTime<FixedOffset> {
    let utc = DateTime::<Utc>::from_timestamp_nanos(time_ns);
    let east = match zone {
        Zone::Utc => Utc.fix(),
        Zone::Local => Local.offset_from_utc_datetime(&utc.naive_utc()),
        Zone::Fixed(seconds) => FixedOffset::east_opt(seconds).unwrap_or_else(|| Utc.fix()),
    };
    utc.with_timezone(&east)
}

impl FromStr for Zone {
    type Err = ParseZoneError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "utc" | "z" => Ok(Self::Utc),
            "local" => Ok(Self::Local),
            other => other
                .parse::<FixedOffset>()
                .map(|east| Self::Fixed(east.local_minus_utc()))
                .map_err(|_| ParseZoneError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_is_certain_is_sure_to_the_last_digit() {
        assert_eq!([1.0, 0.999, 0.97, 0.29, 0.0].map(sureness), ["1.00", "0.99", "0.97", "0.29", "0.00"]);
    }

    #[test]
    fn durations_have_three_digits_and_one_unit() {
        let cases = [
            (0, "0 ns"),
            (740, "740 ns"),
            (999, "999 ns"),
            (1_000, "1 µs"),
            (740_000, "740 µs"),
            (999_600, "1 ms"),
            (3_021_000, "3.02 ms"),
            (61_000_000, "61 ms"),
            (61_440_000, "61.4 ms"),
            (500_000_000, "500 ms"),
            (2_310_000_000, "2.31 s"),
            (2_200_000_000, "2.20 s"),
            (59_940_000_000, "59.9 s"),
            (59_960_000_000, "1 min 00 s"),
            (65_000_000_000, "1 min 05 s"),
            (3_599_600_000_000, "1 h 00 min"),
            (3_720_000_000_000, "1 h 02 min"),
            (273_600_000_000_000, "3 d 04 h"),
            (-61_440_000, "-61.4 ms"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text, "{ns} ns");
        }
        assert_eq!(offset(61_440_000), "+61.4 ms");
        assert_eq!(offset(-2_000_000_000), "-2 s");
    }

    #[test]
    fn ticks_of_one_axis_look_alike() {
        assert_eq!(tick(0, 500_000_000), "0");
        assert_eq!(tick(500_000_000, 500_000_000), "500 ms");
        assert_eq!(tick(1_000_000_000, 500_000_000), "1.0 s");
        assert_eq!(tick(1_500_000_000, 500_000_000), "1.5 s");
        assert_eq!(tick(20_000, 10_000), "20 µs");
        assert_eq!(tick(-20_000, 10_000), "-20 µs");
        assert_eq!(tick(120_000_000_000, 60_000_000_000), "2 min 00 s");
    }

    #[test]
    fn numbers_are_grouped_or_shortened() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_842_331), "1 842 331");
        assert_eq!(short_count(9_999), "9 999");
        assert_eq!(short_count(98_204), "98.2 k");
        assert_eq!(short_count(999_960), "1 M");
        assert_eq!(short_count(1_842_331), "1.84 M");
        assert_eq!(short_count(u64::MAX), "18.4 E");
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(12_340_000), "12.3 MB");
    }

    #[test]
    fn percentages_never_hide_the_last_one() {
        let cases =
            [(0.0, "0 %"), (0.0004, "<0.1 %"), (0.071, "7.1 %"), (0.5, "50 %"), (0.9999, ">99.9 %"), (1.0, "100 %")];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
        assert_eq!(percent(f64::NAN), "–");
    }

    #[test]
    fn times_are_shown_in_the_zone_asked_for() {
        let time_ns = 1_789_383_123_112_000_000;
        assert_eq!(rfc3339(time_ns, Zone::Utc), "2026-09-14T10:52:03.112000000Z");
        assert_eq!(time_of_day(time_ns, Zone::Utc), "10:52:03.112");
        assert_eq!("+02:00".parse(), Ok(Zone::Fixed(7_200)));
        assert_eq!(date_time(time_ns, Zone::Fixed(7_200)), "2026-09-14 12:52:03.112");
        assert!("nowhere".parse::<Zone>().is_err_and(|error| error.to_string().contains("`nowhere`")));
    }

    proptest! {
        #[test]
        fn no_duration_or_time_panics_or_grows_long(ns in any::<i64>(), step in any::<i64>()) {
            prop_assert!(duration(ns).chars().count() <= 14);
            prop_assert!(!tick(ns, step).is_empty());
            prop_assert!(rfc3339(ns, Zone::Utc).ends_with('Z'));
        }

        #[test]
        fn a_duration_below_a_minute_is_within_half_a_percent(ns in 1_000_i64..59_900_000_000) {
            let text = duration(ns);
            let (digits, unit) = text.split_once(' ').unwrap();
            let size = UNITS.iter().find(|(_, name)| *name == unit).unwrap().0;
            let shown = digits.parse::<f64>().unwrap() * size as f64;
            prop_assert!((shown - ns as f64).abs() <= ns as f64 * 0.0051, "{ns} shown as {text}");
        }
    }
}
