//! Reads values: strings, numbers, durations, enums.

use super::TraceqlError;
use super::ast::Value;
use super::field::{KINDS, STATUSES, find};
use super::scan::{Scanner, error};

/// Units of durations, in nanoseconds. Longer units stand before those they begin with.
pub(super) const UNITS: [(&str, i64); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
    ("y", 31_536_000_000_000_000),
];

/// Returns the value that `word` names, if it names one.
pub(super) fn word(word: &str) -> Option<Value> {
    match word {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "nil" => Some(Value::Nil),
        "minInt" => Some(Value::Int(i64::MIN)),
        "maxInt" => Some(Value::Int(i64::MAX)),
        _ => find(&STATUSES, word).map(Value::Status).or_else(|| find(&KINDS, word).map(Value::Kind)),
    }
}

impl Scanner<'_> {
    /// Takes a string in double quotes (escapes as in Go) or back quotes (no escapes).
    pub(super) fn string(&mut self) -> Result<String, TraceqlError> {
        let start = self.at;
        let text = if self.bump() == Some('`') { self.raw_string(start)? } else { self.escaped_string(start)? };
        if text.contains('\0') {
            return Err(error(start, "a NUL character cannot be searched"));
        }
        Ok(text)
    }

    fn raw_string(&mut self, start: usize) -> Result<String, TraceqlError> {
        let text = self.take_while(|next| next != '`').to_owned();
        if self.eat("`") { Ok(text) } else { Err(unclosed(start)) }
    }

    fn escaped_string(&mut self, start: usize) -> Result<String, TraceqlError> {
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some(next) => text.push(next),
                None => return Err(unclosed(start)),
            }
        }
    }

    fn escape(&mut self) -> Result<char, TraceqlError> {
        let start = self.at - 1;
        match self.bump() {
            Some(same @ ('"' | '\\')) => Ok(same),
            Some('a') => Ok('\u{7}'),
            Some('b') => Ok('\u{8}'),
            Some('f') => Ok('\u{c}'),
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('v') => Ok('\u{b}'),
            Some('u') => self.code_point(4, start),
            Some('U') => self.code_point(8, start),
            _ => Err(error(start, "unknown escape: double the backslash, or put the string in `back quotes`")),
        }
    }

    fn code_point(&mut self, len: usize, start: usize) -> Result<char, TraceqlError> {
        let digits = self.rest().get(..len).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let point = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        let point = point.ok_or_else(|| error(start, format!("expected {len} hexadecimal digits of a character")))?;
        self.at += len;
        Ok(point)
    }

    /// Takes an integer, a float or a duration, signed or not.
    pub(super) fn number(&mut self) -> Result<Value, TraceqlError> {
        let start = self.at;
        let is_negative = self.eat("-");
        if !is_negative {
            self.eat("+");
        }
        self.skip_digits_point_exponent();
        let digits_end = self.at;
        if self.peek().is_some_and(char::is_alphabetic) {
            self.at = start + usize::from(matches!(self.text.as_bytes().get(start), Some(b'-' | b'+')));
            return self.duration(start, is_negative);
        }
        let digits = &self.text[start..digits_end];
        if let Ok(int) = digits.parse() {
            return Ok(Value::Int(int));
        }
        match digits.parse::<f64>() {
            Ok(double) if double.is_finite() && digits.contains(['.', 'e', 'E']) => Ok(Value::Double(double)),
            Ok(_) => Err(error(start, "this number is too large")),
            Err(_) => Err(error(start, "expected a number")),
        }
    }

    fn skip_digits_point_exponent(&mut self) {
        self.take_while(|next| next.is_ascii_digit());
        if self.eat(".") {
            self.take_while(|next| next.is_ascii_digit());
        }
        let before_exponent = self.at;
        if self.eat("e") || self.eat("E") {
            let _ = self.eat("-") || self.eat("+");
            if self.take_while(|next| next.is_ascii_digit()).is_empty() {
                self.at = before_exponent;
            }
        }
    }

    /// Takes numbers with units, one after the other: `1h30m`, `1.5s`.
    fn duration(&mut self, start: usize, is_negative: bool) -> Result<Value, TraceqlError> {
        let mut total = 0_i64;
        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
            let part = self.duration_part(is_negative)?;
            total = total.checked_add(part).ok_or_else(|| error(start, "this duration is too long"))?;
        }
        if self.peek().is_some_and(char::is_alphanumeric) {
            return Err(self.error("unknown unit: durations have ns, us, ms, s, m, h, d, w or y"));
        }
        // The smallest number has no positive twin, so that it could not be written with its sign in front.
        if total == i64::MIN { Err(error(start, "this duration is too long")) } else { Ok(Value::Duration(total)) }
    }

    fn duration_part(&mut self, is_negative: bool) -> Result<i64, TraceqlError> {
        let start = self.at;
        let whole = self.take_while(|next| next.is_ascii_digit());
        let fraction = if self.eat(".") { self.take_while(|next| next.is_ascii_digit()) } else { "" };
        let unit = UNITS.iter().find(|(name, _)| self.eat(name));
        let &(_, unit) =
            unit.ok_or_else(|| self.error("unknown unit: durations have ns, us, ms, s, m, h, d, w or y"))?;
        let too_long = || error(start, "this duration is too long");
        let sign = if is_negative { -1 } else { 1 };
        let whole: i64 = whole.parse::<i64>().map_err(|_| too_long())?;
        let whole = whole.checked_mul(unit).ok_or_else(too_long)?;
        Ok(sign * whole.checked_add(fraction_of(fraction, unit)).ok_or_else(too_long)?)
    }
}

/// Returns `0.digits` times `unit`, rounded down; exact, unlike floating point.
fn fraction_of(digits: &str, unit: i64) -> i64 {
    let mut scale = i128::from(unit);
    let mut sum = 0_i128;
    // Past 18 digits nothing is left of the largest unit.
    for digit in digits.bytes().take(18) {
        sum = sum * 10 + i128::from(digit - b'0');
        scale *= 10;
    }
    let power = scale / i128::from(unit);
    i64::try_from(sum * i128::from(unit) / power).unwrap_or(0)
}

fn unclosed(start: usize) -> TraceqlError {
    error(start, "this quote is not closed")
}
