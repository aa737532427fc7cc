//! Times at the beginning of printed lines.

use chrono::{DateTime, NaiveDateTime};

use crate::clock::{BOOTTIME, REALTIME, TIME_OF_DAY, seconds};
use crate::kernel::out::Stamp;

/// Nanoseconds of a day.
pub(crate) const DAY_NS: i64 = 86_400_000_000_000;

/// From this number on nanoseconds count since 1970, not since boot (it is three years).
const SINCE_1970: i64 = 100_000_000_000_000_000;

/// Fewer digits than this may be a process or a port.
const MIN_DIGITS: usize = 8;

/// Returns the time that `text` begins with, and what follows it.
pub(crate) fn leading(text: &str) -> Option<(Stamp, &str)> {
    let text = text.trim_start();
    let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    if let Some(stamp) = word_stamp(word.trim_matches(['[', ']', ':', ','])) {
        return Some((stamp, rest.trim_start()));
    }
    let (second, after) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let both = (word.trim_start_matches('['), second.trim_end_matches([']', ':']));
    is_date(both.0)
        .then(|| date_time(&format!("{}T{}", both.0, both.1)))
        .flatten()
        .map(|stamp| (stamp, after.trim_start()))
}

fn is_date(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-')
}

fn word_stamp(word: &str) -> Option<Stamp> {
    if !word.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    nanos(word).or_else(|| time_of_day(word)).or_else(|| point_seconds(word)).or_else(|| date_time(word))
}

/// Reads nanoseconds since boot or since 1970.
pub(crate) fn nanos(word: &str) -> Option<Stamp> {
    if word.len() < MIN_DIGITS || word.len() > 19 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    word.parse().ok().map(of_nanos)
}

/// Tells apart nanoseconds since boot and since 1970.
pub(crate) fn of_nanos(ns: i64) -> Stamp {
    Stamp { clock: if ns >= SINCE_1970 { REALTIME } else { BOOTTIME }, ns }
}

/// Reads seconds with at least three digits after the point.
fn point_seconds(word: &str) -> Option<Stamp> {
    let (_, fraction) = word.split_once('.')?;
    (fraction.len() >= 3).then(|| seconds(word)).flatten().map(of_nanos)
}

/// Reads `HH:MM:SS`, with or without a fraction.
pub(crate) fn time_of_day(word: &str) -> Option<Stamp> {
    let mut parts = word.split(':');
    let (hours, minutes, second) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = second.split('.').next()?;
    if parts.next().is_some() || hours.len() > 2 || minutes.len() != 2 || whole.len() != 2 {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let second = seconds(second)?;
    if hours > 23 || minutes > 59 || second >= 61_000_000_000 {
        return None;
    }
    let ns = (i64::from(hours) * 60 + i64::from(minutes)) * 60_000_000_000 + second;
    Some(Stamp { clock: TIME_OF_DAY, ns })
}

fn date_time(word: &str) -> Option<Stamp> {
    let utc = DateTime::parse_from_rfc3339(word).map(|time| time.timestamp_nanos_opt());
    let time = utc.or_else(|_| {
        NaiveDateTime::parse_from_str(word, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc().timestamp_nanos_opt())
    });
    time.ok().flatten().map(|ns| Stamp { clock: REALTIME, ns })
}
