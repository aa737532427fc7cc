//! Days since 1970, and numbers that count time since then.

/// Nanoseconds of a second.
pub(crate) const NS: i64 = 1_000_000_000;

/// Seconds that a bare number may stand for: September 2001 up to 2106.
const SECONDS: std::ops::Range<u64> = 1_000_000_000..4_300_000_000;

const MONTH_DAYS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Returns the days since 1970 of a date that exists.
#[inline]
pub(crate) fn days(year: i32, month: u32, day: u32) -> Option<i64> {
    let last = *MONTH_DAYS.get(month.checked_sub(1)? as usize)?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if day == 0 || day > last || (month == 2 && day == 29 && !is_leap) {
        return None;
    }
    // Years begin in March here, so that the day of the leap year is the last one.
    let (year, month) = if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let day_of_year = (153 * i64::from(month) + 2) / 5 + i64::from(day) - 1;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468)
}

/// Returns the year in which a day lies.
pub(crate) fn year_of(day: i64) -> i32 {
    let about = i32::try_from(day.div_euclid(366)).unwrap_or(0).saturating_add(1970);
    (0..4)
        .map(|more| about.saturating_add(more))
        .take_while(|&year| days(year, 1, 1).is_some_and(|first| first <= day))
        .last()
        .unwrap_or(about)
}

/// Returns the time that a number of so many digits stands for: seconds, milliseconds, microseconds or nanoseconds.
pub(crate) fn epoch(number: u64, num_digits: usize) -> Option<i64> {
    let unit = unit(num_digits)?;
    let ns = i64::try_from(number).ok()?.checked_mul(unit)?;
    SECONDS.contains(&(ns as u64 / NS as u64)).then_some(ns)
}

/// As [`epoch`], with digits behind the point.
pub(crate) fn epoch_with(number: u64, num_digits: usize, fraction: &[u8]) -> Option<i64> {
    let whole = epoch(number, num_digits)?;
    let more = fraction_ns(fraction) / (NS / unit(num_digits)?);
    whole.checked_add(more)
}

/// Returns the time that a double stands for, which is exact to its last digit but no more.
pub(crate) fn epoch_float(number: f64) -> Option<i64> {
    let unit = match number.abs() {
        seconds if seconds < 1e11 => 1e9,
        millis if millis < 1e14 => 1e6,
        micros if micros < 1e17 => 1e3,
        _ => 1.0,
    };
    let micros = (number * unit / 1e3).round();
    let ns = (micros as i64).checked_mul(1_000)?;
    (micros.is_finite() && micros > 0.0 && SECONDS.contains(&(ns as u64 / NS as u64))).then_some(ns)
}

/// Returns the nanoseconds that the digits behind a point stand for.
#[inline]
pub(crate) fn fraction_ns(digits: &[u8]) -> i64 {
    let mut ns = 0;
    for place in 0..9 {
        ns = ns * 10 + digits.get(place).map_or(0, |digit| i64::from(digit.wrapping_sub(b'0')));
    }
    ns
}

fn unit(num_digits: usize) -> Option<i64> {
    Some(match num_digits {
        10 => NS,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    })
}
