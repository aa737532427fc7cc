//! Values as tools print them: which of them are numbers.

/// A value of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Int(i64),
    Double(f64),
    Bool(bool),
    Text(&'a str),
    /// Typed JSON.
    Json(&'a str),
}

impl<'a> Value<'a> {
    /// Returns what a printed value is: a decimal integer, a decimal fraction, or a text. Numbers in other notations
    /// (hexadecimal addresses, padded ids, `1.5K`) stay texts, as they were recorded.
    #[inline]
    pub(crate) fn of(text: &'a str) -> Self {
        if let Some(number) = int(text) {
            return Self::Int(number);
        }
        match double(text) {
            Some(number) => Self::Double(number),
            None => Self::Text(text),
        }
    }
}

/// Returns a decimal integer. Up to three digits may be padded with zeros (`target_cpu=001`): more of them are an id.
#[inline]
pub(crate) fn int(text: &str) -> Option<i64> {
    const MAX_PADDED: usize = 3;
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    if digits.is_empty() || digits.len() > 19 || (digits.first() == Some(&b'0') && digits.len() > MAX_PADDED) {
        return None;
    }
    let mut number = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    Some(if digits.len() < text.len() { -number } else { number })
}

/// Returns a decimal fraction: digits, a point, digits.
#[inline]
fn double(text: &str) -> Option<f64> {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (text.len() < 32 && is_number(whole) && is_number(fraction)).then(|| text.parse().ok()).flatten()
}

/// Returns any number as a double.
pub(crate) fn number(text: &str) -> Option<f64> {
    match Value::of(text) {
        Value::Int(number) => Some(number as f64),
        Value::Double(number) => Some(number),
        _ => None,
    }
}

/// Returns nanoseconds of a number and the name that ends in its unit: `lat_us`, `LAT(us)`, `duration_ns`, `MS`.
pub(crate) fn span_ns(name: &str, value: Value<'_>) -> Option<i64> {
    let name = name.trim_end_matches(')');
    let unit = name.len().checked_sub(2).and_then(|at| name.get(at..))?;
    let factor = match unit {
        "ns" | "NS" => 1.0,
        "us" | "US" => 1e3,
        "ms" | "MS" => 1e6,
        _ => return None,
    };
    match value {
        Value::Int(number) => number.checked_mul(factor as i64),
        Value::Double(number) => Some((number * factor).round() as i64),
        _ => None,
    }
}

/// Tells whether a field tells how long the event took.
pub(crate) fn is_duration(name: &str) -> bool {
    const NAMES: [&str; 8] = ["lat", "dur", "delta", "delay", "elapsed", "took", "latency", "duration"];
    let stem: String = name.trim_end_matches(')').chars().map(|letter| letter.to_ascii_lowercase()).collect();
    let stem = stem.strip_suffix("us").or_else(|| stem.strip_suffix("ms")).or_else(|| stem.strip_suffix("ns"));
    let stem = stem.map(|stem| stem.trim_end_matches(['_', '(']));
    stem.is_some_and(|stem| stem.is_empty() || NAMES.contains(&stem))
}
