//! Logs that a pattern of the user's describes.

use std::sync::{Arc, LazyLock};

use chrono::format::{Parsed, StrftimeItems, parse_and_remainder};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};

use crate::format::Settings;
use crate::log::level;
use crate::log::pattern::Pattern;
use crate::log::record::Record;
use crate::log::stream::{Grammar, Wrong};
use crate::log::text::bracket::take_pair;
use crate::log::time::Times;
use crate::marks::Mark;

/// What stands in for the user's patterns where there are none: it reads the sample.
static EXAMPLE: LazyLock<Arc<[Pattern]>> =
    LazyLock::new(|| Pattern::read(include_str!("../../sample-traces/formats/log-pattern.toml")).0.into());

/// Reads logs by a pattern.
pub(crate) struct Custom {
    pattern: Option<Pattern>,
}

/// Returns the patterns of the settings, or the example.
fn patterns(settings: &Settings) -> Arc<[Pattern]> {
    if settings.patterns.is_empty() { EXAMPLE.clone() } else { settings.patterns.clone() }
}

/// Returns the first pattern that most lines of a head fit.
pub(crate) fn fitting(head: &[u8], is_whole: bool, settings: &Settings) -> Option<Pattern> {
    let patterns = patterns(settings);
    let found = patterns.iter().find(|pattern| {
        crate::log::recognise::is_log(head, is_whole, |line| fits(pattern, line), crate::log::text::is_continuation)
    });
    found.cloned()
}

fn fits(pattern: &Pattern, line: &[u8]) -> bool {
    let captures = pattern.regex.captures(line);
    captures.is_some_and(|captures| {
        captures.name("time").is_some_and(|time| read_time(pattern, time.as_bytes(), Times::default()).is_some())
    })
}

impl Custom {
    /// Takes the pattern that fits the head; where none does, the first one.
    pub(crate) fn new(settings: &Settings, head: &[u8]) -> Self {
        Self { pattern: fitting(head, true, settings).or_else(|| patterns(settings).first().cloned()) }
    }
}

impl Grammar for Custom {
    fn begins(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        self.pattern.as_ref().is_some_and(|pattern| pattern.regex.is_match(line))
    }

    fn continues(&self) -> bool {
        true
    }

    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong> {
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.trim_ascii_end();
        let Some(pattern) = &self.pattern else { return Ok(false) };
        let Some(captures) = pattern.regex.captures(line) else { return Ok(false) };
        for name in pattern.regex.capture_names().flatten() {
            if let Some(group) = captures.name(name) {
                take(pattern, name, group.as_bytes(), record);
            }
        }
        if let Some(service) = &pattern.service {
            record.service.clear();
            record.service.extend_from_slice(service.as_bytes());
        }
        if captures.name("body").is_none() {
            record.body.extend_from_slice(line);
        }
        record.body.extend_from_slice(text.get(line.len()..).unwrap_or_default());
        Ok(true)
    }
}

fn take(pattern: &Pattern, name: &str, text: &[u8], record: &mut Record) {
    match name {
        "time" => match read_time(pattern, text, record.times) {
            Some((ns, is_assumed)) => {
                record.time_ns = Some(ns);
                if is_assumed {
                    record.notes.mark(Mark::DateAssumed);
                }
            }
            None => record.text("time", text),
        },
        "level" => record.set_level(text, level::of_name(text).unwrap_or(0)),
        "body" => record.body.extend_from_slice(text),
        _ if text.is_empty() => {}
        _ => take_pair(name.as_bytes(), text, record),
    }
}

/// Returns a time and whether its date was taken from when the file was written.
fn read_time(pattern: &Pattern, text: &[u8], times: Times) -> Option<(i64, bool)> {
    let Some(layout) = &pattern.time else {
        let stamp = times.read_all(text);
        return stamp.map(|stamp| (stamp.ns, stamp.is_assumed)).or_else(|| Some((Times::of_number(text)?, false)));
    };
    let mut parsed = Parsed::new();
    let text = std::str::from_utf8(text).ok()?;
    parse_and_remainder(&mut parsed, text, StrftimeItems::new(layout)).ok().filter(|rest| rest.is_empty())?;
    let offset = i64::from(parsed.offset().unwrap_or(0)) * 1_000_000_000;
    if let Some(seconds) = parsed.timestamp() {
        let nanos = i64::from(parsed.nanosecond().unwrap_or(0));
        return Some((seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?, false));
    }
    let time = parsed.to_naive_time().unwrap_or(NaiveTime::MIN);
    let (date, is_assumed) = match parsed.to_naive_date() {
        Ok(date) => (date, false),
        Err(_) => (assumed_date(&parsed, time, times)?, true),
    };
    let ns = NaiveDateTime::new(date, time).and_utc().timestamp_nanos_opt()?;
    Some((ns.checked_sub(offset)?, is_assumed))
}

/// The last such day before the file was written.
fn assumed_date(parsed: &Parsed, time: NaiveTime, times: Times) -> Option<NaiveDate> {
    let written = chrono::DateTime::from_timestamp_nanos(times.written_ns).naive_utc();
    let is_before = |date: &NaiveDate| NaiveDateTime::new(*date, time) <= written;
    match (parsed.month(), parsed.day()) {
        (Some(month), Some(day)) => {
            let years = (0..9).map(|back| written.year().saturating_sub(back));
            years.filter_map(|year| NaiveDate::from_ymd_opt(year, month, day)).find(is_before)
        }
        _ => [written.date(), written.date().pred_opt()?].into_iter().find(is_before),
    }
}
