//! Numbers as protobuf's JSON writes them: 64-bit integers as text or number, doubles also as `"NaN"` and `"Infinity"`.

use crate::otlp::json::cursor::{Cursor, Fault, Why};

/// An integer that may not fit the field it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer {
    pub is_negative: bool,
    /// Saturated.
    pub magnitude: u64,
}

impl Integer {
    /// Returns the value where it fits.
    pub(crate) fn signed(self) -> Option<i64> {
        match (self.is_negative, i64::try_from(self.magnitude)) {
            (false, value) => value.ok(),
            (true, Ok(value)) => Some(-value),
            (true, Err(_)) => (self.magnitude == i64::MIN.unsigned_abs()).then_some(i64::MIN),
        }
    }

    /// Returns the value, 0 where it is negative.
    #[inline]
    pub(crate) fn unsigned(self) -> u64 {
        if self.is_negative { 0 } else { self.magnitude }
    }

    /// Returns the value, cut to 32 bits at both ends.
    #[inline]
    pub(crate) fn unsigned32(self) -> u32 {
        u32::try_from(self.unsigned()).unwrap_or(u32::MAX)
    }
}

/// Reads an integer, in quotes or not; `null` is 0.
#[inline]
pub(crate) fn integer(cursor: &mut Cursor<'_>) -> Result<Integer, Fault> {
    let quote = usize::from(cursor.peek() == Some(b'"'));
    let from = cursor.at.wrapping_add(quote);
    let (magnitude, end) = digits(cursor.bytes, from);
    let len = end.wrapping_sub(from);
    let is_ended = match cursor.bytes.get(end) {
        Some(b'"') => quote == 1,
        Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r') => quote == 0,
        _ => false,
    };
    if is_ended && (1..=19).contains(&len) {
        cursor.at = end.wrapping_add(quote);
        return Ok(Integer { is_negative: false, magnitude });
    }
    unusual_integer(cursor)
}

/// Reads an integer that fits 64 bits with sign.
pub(crate) fn signed(cursor: &mut Cursor<'_>) -> Result<i64, Fault> {
    let at = cursor.at;
    integer(cursor)?.signed().ok_or(Fault { at, why: Why::BadNumber })
}

/// Returns the number that up to 19 digits make, and where they end.
#[inline]
fn digits(bytes: &[u8], mut at: usize) -> (u64, usize) {
    let mut number = 0_u64;
    let first = at;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let Some(value) = eight_digits(u64::from_le_bytes(*eight)) else { break };
        if at.wrapping_sub(first) >= 16 {
            break;
        }
        number = number.wrapping_mul(100_000_000).wrapping_add(value);
        at = at.wrapping_add(8);
    }
    while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        at = at.wrapping_add(1);
    }
    (number, at)
}

/// Returns the number that eight digits make: pairs, then fours, then all are put together in one multiplication each.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    const HIGH_NIBBLES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    let above_nine = word.wrapping_add(0x0606_0606_0606_0606) & HIGH_NIBBLES;
    if word & HIGH_NIBBLES != ZEROS || above_nine != ZEROS {
        return None;
    }
    let word = word.wrapping_sub(ZEROS);
    let pairs = (word.wrapping_mul(10).wrapping_add(word >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff)
}

/// Signs, 20 digits, white space in quotes, exponents, `null`.
#[cold]
fn unusual_integer(cursor: &mut Cursor<'_>) -> Result<Integer, Fault> {
    let from = cursor.at;
    let bad = Err(Fault { at: from, why: Why::BadNumber });
    let Some(text) = number_text(cursor)? else {
        return Ok(Integer { is_negative: false, magnitude: 0 });
    };
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_negative = unsigned.len() < text.len();
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Integer { is_negative, magnitude: unsigned.parse().unwrap_or(u64::MAX) });
    }
    match unsigned.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 => Ok(Integer { is_negative, magnitude: value.abs() as u64 }),
        _ => bad,
    }
}

/// Reads a double; `null` is 0.
pub(crate) fn double(cursor: &mut Cursor<'_>) -> Result<f64, Fault> {
    let from = cursor.at;
    let Some(text) = number_text(cursor)? else {
        return Ok(0.0);
    };
    match text {
        "NaN" => Ok(f64::NAN),
        "Infinity" => Ok(f64::INFINITY),
        "-Infinity" => Ok(f64::NEG_INFINITY),
        _ => {
            let is_number = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
            let number = text.parse().ok().filter(|_| is_number);
            number.ok_or(Fault { at: from, why: Why::BadNumber })
        }
    }
}

/// Returns the text of a number without quotes and spaces; nothing for `null`.
fn number_text<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a str>, Fault> {
    let fault = Fault { at: cursor.at, why: Why::BadNumber };
    let bytes = if cursor.peek() == Some(b'"') {
        cursor.text()?.bytes
    } else if matches!(cursor.peek(), Some(b'{' | b'[')) {
        return Err(fault);
    } else {
        cursor.word()?
    };
    let text = std::str::from_utf8(bytes).map_err(|_| fault)?.trim();
    Ok((text != "null").then_some(text))
}

/// Reads `true` or `false`, also in quotes; `null` is false.
pub(crate) fn boolean(cursor: &mut Cursor<'_>) -> Result<bool, Fault> {
    let fault = Fault { at: cursor.at, why: Why::BadBool };
    let bytes = if cursor.peek() == Some(b'"') { cursor.text()?.bytes } else { cursor.word()? };
    match bytes {
        b"true" => Ok(true),
        b"false" | b"null" => Ok(false),
        _ => Err(fault),
    }
}

/// Reads an enumeration's number, or its name out of `names`, which are in the order of their numbers.
#[inline]
pub(crate) fn enumeration(cursor: &mut Cursor<'_>, prefix: &str, names: &[&str]) -> Result<u64, Fault> {
    if let (Some(digit @ b'0'..=b'9'), Some(b',' | b'}')) = (cursor.peek(), cursor.bytes.get(cursor.at.wrapping_add(1)))
    {
        cursor.at = cursor.at.wrapping_add(1);
        return Ok(u64::from(digit - b'0'));
    }
    let mut ahead = *cursor;
    let Ok(text) = ahead.text() else {
        return integer(cursor).map(|number| if number.is_negative { u64::MAX } else { number.magnitude });
    };
    let name = text.bytes.strip_prefix(prefix.as_bytes()).unwrap_or(text.bytes);
    match names.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name)) {
        Some(number) => {
            *cursor = ahead;
            Ok(number as u64)
        }
        None => integer(cursor).map(Integer::unsigned).map_err(|fault| Fault { why: Why::BadEnum, ..fault }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Integer, Why> {
        let text = format!("{text},");
        integer(&mut Cursor { bytes: text.as_bytes(), at: 0 }).map_err(|fault| fault.why)
    }

    #[test]
    fn reads_integers_of_every_form() {
        let number = |magnitude| Ok(Integer { is_negative: false, magnitude });
        let cases = [
            ("0", number(0)),
            ("\"1700000000000000000\"", number(1_700_000_000_000_000_000)),
            ("1700000000000000001", number(1_700_000_000_000_000_001)),
            ("\"18446744073709551615\"", number(u64::MAX)),
            ("99999999999999999999999", number(u64::MAX)),
            ("-5", Ok(Integer { is_negative: true, magnitude: 5 })),
            ("1e3", number(1_000)),
            ("\" 12 \"", number(12)),
            ("null", number(0)),
            ("1.5", Err(Why::BadNumber)),
            ("\"abc\"", Err(Why::BadNumber)),
            ("{}", Err(Why::BadNumber)),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn reads_every_integer(number: i64) {
            prop_assert_eq!(read(&number.to_string()).unwrap().signed(), Some(number));
            prop_assert_eq!(read(&format!("\"{number}\"")).unwrap().signed(), Some(number));
        }
    }
}
