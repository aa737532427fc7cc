//! The parts of a time as they stand in a text.

use crate::log::time::calendar::{NS, epoch, epoch_with, fraction_ns};

/// What a text says about a time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    pub epoch_ns: Option<i64>,
    pub year: Option<i32>,
    /// 0 where there is no date.
    pub month: u32,
    pub day: u32,
    /// Since midnight.
    seconds: i64,
    nanos: i64,
    /// Seconds east of UTC.
    zone: i64,
    /// Bytes that it takes.
    pub len: usize,
}

impl Part {
    /// Returns the time on a day since 1970.
    #[inline]
    pub(crate) fn at(&self, days: i64) -> Option<i64> {
        let seconds = days.checked_mul(86_400)?.checked_add(self.seconds)?.checked_sub(self.zone)?;
        seconds.checked_mul(NS)?.checked_add(self.nanos)
    }

    /// Reads the time of day, and what may follow: a zone, a year.
    #[inline]
    fn clock(mut self, scan: &mut Scan<'_>, is_short: bool) -> Option<Self> {
        let hour = scan.upto(2)?;
        scan.byte(b':')?;
        let minute = scan.digits(2)?;
        let second = if scan.peek() == Some(b':') && scan.peek_at(1).is_some_and(|byte| byte.is_ascii_digit()) {
            scan.skip(1);
            scan.digits(2)?
        } else if is_short {
            0
        } else {
            return None;
        };
        self.nanos = scan.fraction();
        let hour = scan.half_day(hour)?;
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        self.seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
        self.zone = scan.zone();
        self.len = scan.at;
        Some(self)
    }
}

/// Returns the parts of the time that `text` begins with.
#[inline]
pub(crate) fn read(text: &[u8]) -> Option<Part> {
    let mut scan = Scan { text, at: 0 };
    let first = *text.first()?;
    if first.is_ascii_digit() {
        let num_digits = text.iter().take(24).take_while(|byte| byte.is_ascii_digit()).count();
        return match (num_digits, text.get(num_digits)) {
            (4, Some(&mark @ (b'-' | b'/' | b'.'))) => year_first(&mut scan, mark),
            (1 | 2, Some(b':')) if num_digits == 2 => time_only(&mut scan),
            (1 | 2, Some(_)) => day_first(&mut scan),
            (4, Some(b' ')) => klog(&mut scan),
            (8, Some(_)) => packed(&mut scan),
            (10 | 13 | 16 | 19, _) => since_epoch(&mut scan, num_digits),
            _ => None,
        };
    }
    if first.is_ascii_alphabetic() { month_first(&mut scan) } else { None }
}

/// `2026-11-20T12:31:18`
#[inline]
fn year_first(scan: &mut Scan<'_>, mark: u8) -> Option<Part> {
    let year = scan.digits(4)?;
    scan.byte(mark)?;
    let month = scan.upto(2)?;
    scan.byte(mark)?;
    let day = scan.upto(2)?;
    scan.between()?;
    Part { year: Some(year.cast_signed()), month, day, ..Part::default() }.clock(scan, true)
}

/// `12:31:18.063`
fn time_only(scan: &mut Scan<'_>) -> Option<Part> {
    Part::default().clock(scan, false)
}

/// `20/Nov/2026:12:31:18`, `20.11.2026 12:31:18`, `11/20/2026 12:31:18`, `26/11/20 12:31:18`, `11-20 12:31:18`
fn day_first(scan: &mut Scan<'_>) -> Option<Part> {
    let first = scan.upto(2)?;
    let mark = scan.peek().filter(|byte| matches!(byte, b'/' | b'-' | b'.' | b' '))?;
    scan.skip(1);
    if scan.peek()?.is_ascii_alphabetic() {
        let month = scan.month()?;
        scan.byte(mark)?;
        let year = scan.digits(4)?;
        scan.between()?;
        return Part { year: Some(year.cast_signed()), month, day: first, ..Part::default() }.clock(scan, false);
    }
    let second = scan.digits(2)?;
    if mark == b'-' && scan.peek() == Some(b' ') {
        scan.skip(1);
        return Part { month: first, day: second, ..Part::default() }.clock(scan, false);
    }
    scan.byte(mark).filter(|()| mark != b' ')?;
    let num_digits = scan.rest().iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let third = scan.digits(num_digits)?;
    scan.between()?;
    let (year, month, day) = match num_digits {
        // Of day and month the one that is above 12 is the day; else `/` is read as in the USA.
        4 if mark == b'/' && first <= 12 => (third, first, second),
        4 => (third, second, first),
        2 => (first.checked_add(2_000)?, second, third),
        _ => return None,
    };
    Part { year: Some(year.cast_signed()), month, day, ..Part::default() }.clock(scan, false)
}

/// `1120 12:31:18.063456`
fn klog(scan: &mut Scan<'_>) -> Option<Part> {
    let (month, day) = (scan.digits(2)?, scan.digits(2)?);
    scan.byte(b' ')?;
    Part { month, day, ..Part::default() }.clock(scan, false)
}

/// `20261120 12:31:18`, `20261120T123118`
fn packed(scan: &mut Scan<'_>) -> Option<Part> {
    let (year, month, day) = (scan.digits(4)?, scan.digits(2)?, scan.digits(2)?);
    scan.between()?;
    let part = Part { year: Some(year.cast_signed()), month, day, ..Part::default() };
    if scan.peek_at(2) == Some(b':') {
        return part.clock(scan, false);
    }
    let (hour, minute, second) = (scan.digits(2)?, scan.digits(2)?, scan.digits(2)?);
    let nanos = scan.fraction();
    let zone = scan.zone();
    let is_clock = hour < 24 && minute < 60 && second < 61;
    let seconds = i64::from(hour) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    is_clock.then_some(Part { seconds, nanos, zone, len: scan.at, ..part })
}

fn since_epoch(scan: &mut Scan<'_>, num_digits: usize) -> Option<Part> {
    let whole = number(scan.rest().get(..num_digits)?)?;
    scan.skip(num_digits);
    let is_point = scan.peek() == Some(b'.') && scan.peek_at(1).is_some_and(|byte| byte.is_ascii_digit());
    let ns = if is_point {
        scan.skip(1);
        let num_digits_behind = scan.rest().iter().take(18).take_while(|byte| byte.is_ascii_digit()).count();
        let fraction = scan.rest().get(..num_digits_behind)?;
        scan.skip(num_digits_behind);
        epoch_with(whole, num_digits, fraction)?
    } else {
        epoch(whole, num_digits)?
    };
    let is_end = !scan.peek().is_some_and(|byte| byte.is_ascii_alphanumeric());
    is_end.then_some(Part { epoch_ns: Some(ns), len: scan.at, ..Part::default() })
}

/// `Nov 20 12:31:18`, `Fri Nov 20 12:31:18 2026`, `Fri, 20 Nov 2026 12:31:18 GMT`, `Nov 20, 2026 1:31:18 PM`
fn month_first(scan: &mut Scan<'_>) -> Option<Part> {
    if scan.weekday() {
        if scan.peek() == Some(b',') {
            scan.skip(1);
        }
        scan.byte(b' ')?;
        if scan.peek()?.is_ascii_digit() {
            return day_first(scan);
        }
    }
    let month = scan.month()?;
    scan.byte(b' ')?;
    scan.spaces();
    let day = scan.upto(2)?;
    if scan.peek() == Some(b',') {
        scan.skip(1);
    }
    scan.byte(b' ')?;
    let mut year = None;
    if scan.peek_at(4) == Some(b' ') && scan.peek_at(2)?.is_ascii_digit() {
        year = Some(scan.digits(4)?.cast_signed());
        scan.skip(1);
    }
    let mut part = Part { year, month, day, ..Part::default() }.clock(scan, false)?;
    if year.is_none() && scan.peek() == Some(b' ') {
        scan.skip(1);
        let is_year = scan.peek_at(4).is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b':');
        if let (Some(found), true) = (scan.digits(4), is_year) {
            (part.year, part.len) = (Some(found.cast_signed()).filter(|year| (1970..2262).contains(year)), scan.at);
            part.year?;
        }
    }
    Some(part)
}

/// Returns the number that digits make.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = digit.wrapping_sub(b'0');
        if value > 9 { None } else { number.checked_mul(10)?.checked_add(u64::from(value)) }
    })
}

/// A place in a text.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    fn peek_at(&self, more: usize) -> Option<u8> {
        self.text.get(self.at.wrapping_add(more)).copied()
    }

    #[inline]
    fn skip(&mut self, len: usize) {
        self.at = self.at.wrapping_add(len);
    }

    #[inline]
    fn byte(&mut self, wanted: u8) -> Option<()> {
        (self.peek() == Some(wanted)).then(|| self.skip(1))
    }

    fn spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.skip(1);
        }
    }

    /// Exactly so many digits.
    #[inline]
    fn digits(&mut self, len: usize) -> Option<u32> {
        let mut number = 0_u32;
        for more in 0..len {
            let value = self.peek_at(more)?.wrapping_sub(b'0');
            if value > 9 {
                return None;
            }
            number = number.wrapping_mul(10).wrapping_add(u32::from(value));
        }
        self.skip(len);
        (len > 0).then_some(number)
    }

    /// At least one digit, at most so many.
    #[inline]
    fn upto(&mut self, most: usize) -> Option<u32> {
        let len = (0..most).take_while(|&more| self.peek_at(more).is_some_and(|byte| byte.is_ascii_digit())).count();
        self.digits(len)
    }

    /// What stands between date and time.
    #[inline]
    fn between(&mut self) -> Option<()> {
        match self.peek()? {
            b' ' if self.rest().starts_with(b" - ") => self.skip(3),
            b'T' | b't' | b' ' | b'_' | b':' | b'-' => self.skip(1),
            _ => return None,
        }
        Some(())
    }

    /// Digits behind a point or comma, as nanoseconds.
    #[inline]
    fn fraction(&mut self) -> i64 {
        if !matches!(self.peek(), Some(b'.' | b',' | b':')) {
            return 0;
        }
        let digits = self.text.get(self.at.wrapping_add(1)..).unwrap_or_default();
        let len = digits.iter().take(12).take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 {
            return 0;
        }
        let ns = fraction_ns(digits.get(..len).unwrap_or_default());
        self.skip(len.wrapping_add(1));
        ns
    }

    /// Applies ` AM` or ` PM` to an hour.
    #[inline]
    fn half_day(&mut self, hour: u32) -> Option<u32> {
        let space = usize::from(self.peek() == Some(b' '));
        let (half, m) = (self.peek_at(space).map(|byte| byte | 0x20), self.peek_at(space.wrapping_add(1)));
        let is_half = matches!((half, m), (Some(b'a' | b'p'), Some(b'M' | b'm')));
        if !is_half || self.peek_at(space.wrapping_add(2)).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return Some(hour);
        }
        self.skip(space.wrapping_add(2));
        (1..=12).contains(&hour).then_some(hour % 12 + if half == Some(b'p') { 12 } else { 0 })
    }

    /// Returns the zone as seconds east of UTC, 0 where there is none.
    #[inline]
    fn zone(&mut self) -> i64 {
        let space = usize::from(self.peek() == Some(b' '));
        match self.peek_at(space) {
            Some(b'Z' | b'z') if space == 0 => self.skip(1),
            Some(b'U' | b'G') => {
                let name = self.text.get(self.at.wrapping_add(space)..).unwrap_or_default();
                let is_end = !name.get(3).is_some_and(u8::is_ascii_alphanumeric);
                if (name.starts_with(b"UTC") || name.starts_with(b"GMT")) && is_end {
                    self.skip(space.wrapping_add(3));
                }
            }
            Some(sign @ (b'+' | b'-')) => return self.offset(space, sign).unwrap_or(0),
            _ => {}
        }
        0
    }

    /// `+01:00`, `+0100`, `+01`
    fn offset(&mut self, space: usize, sign: u8) -> Option<i64> {
        let from = self.at;
        self.skip(space.wrapping_add(1));
        let hours = self.digits(2);
        let colon = usize::from(self.peek() == Some(b':'));
        self.skip(colon);
        let minutes = self.digits(2);
        let (Some(hours), false) = (hours, minutes.is_none() && (space == 1 || colon == 1)) else {
            self.at = from;
            return None;
        };
        if hours > 18 || self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at = from;
            return None;
        }
        let seconds = i64::from(hours) * 3_600 + i64::from(minutes.unwrap_or(0)) * 60;
        Some(if sign == b'-' { -seconds } else { seconds })
    }

    fn name(&self) -> Option<[u8; 3]> {
        self.rest().first_chunk::<3>().map(|name| name.map(|byte| byte | 0x20))
    }

    /// The name of a month, short or in full.
    fn month(&mut self) -> Option<u32> {
        let month = match &self.name()? {
            b"jan" => 1,
            b"feb" => 2,
            b"mar" => 3,
            b"apr" => 4,
            b"may" => 5,
            b"jun" => 6,
            b"jul" => 7,
            b"aug" => 8,
            b"sep" => 9,
            b"oct" => 10,
            b"nov" => 11,
            b"dec" => 12,
            _ => return None,
        };
        self.word();
        Some(month)
    }

    fn weekday(&mut self) -> bool {
        let is_weekday = self
            .name()
            .is_some_and(|name| matches!(&name, b"mon" | b"tue" | b"wed" | b"thu" | b"fri" | b"sat" | b"sun"));
        if is_weekday {
            self.word();
        }
        is_weekday
    }

    fn word(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            self.skip(1);
        }
    }
}
