//! Writes the typed JSON that `attributes`, `events` and the like hold.
//!
//! Numbers keep their type: an integer has no point, a double always has a point or an exponent. What JSON has no form
//! for is an object of one member: `{"bytes":"base64"}`, `{"double":"NaN"}`.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// Returns where the next quote, backslash or control character stands, and the high bits of the bytes before it.
#[inline]
pub(crate) fn find_stop(bytes: &[u8], mut at: usize) -> (usize, u64) {
    let mut high = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let (quotes, slashes) = (word ^ (ONES * u64::from(b'"')), word ^ (ONES * u64::from(b'\\')));
        let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
        let stops = (zeros(quotes) | zeros(slashes) | (word.wrapping_sub(ONES * 0x20) & !word)) & HIGH;
        if stops != 0 {
            let bit = stops.trailing_zeros();
            high |= word & HIGH & (1_u64 << bit).wrapping_sub(1);
            return (at.wrapping_add((bit / 8) as usize), high);
        }
        high |= word & HIGH;
        at = at.wrapping_add(8);
    }
    while let Some(&byte) = bytes.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return (at, high);
        }
        high |= u64::from(byte) & 0x80;
        at = at.wrapping_add(1);
    }
    (at, high)
}

/// Appends `text` (valid UTF-8) as a JSON string.
#[inline]
pub(crate) fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if find_stop(text, 0).0 == text.len() {
        out.extend_from_slice(text);
    } else {
        for &byte in text {
            push_escaped(out, byte);
        }
    }
    out.push(b'"');
}

fn push_escaped(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        0..=0x1f => return push_formatted(out, format_args!("\\u{byte:04x}")),
        _ => return out.push(byte),
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Appends an integer.
pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    if value < 0 {
        out.push(b'-');
    }
    write_unsigned(out, value.unsigned_abs());
}

/// Appends an integer without sign.
pub(crate) fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut from = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
        from = index;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(from..).unwrap_or_default());
}

/// Appends a double, with a point or an exponent, or as `{"double":"NaN"}` where JSON has no number for it.
pub(crate) fn write_double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        push_formatted(out, format_args!("{value:?}"));
    } else {
        let name = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        push_formatted(out, format_args!("{{\"double\":\"{name}\"}}"));
    }
}

/// Appends bytes as `{"bytes":"base64"}`; an ellipsis tells that they were cut.
pub(crate) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8], is_cut: bool) {
    out.extend_from_slice(b"{\"bytes\":\"");
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    if is_cut {
        out.extend_from_slice("…".as_bytes());
    }
    out.extend_from_slice(b"\"}");
}

/// Sets a text.
pub(crate) fn replace(place: &mut Vec<u8>, text: &[u8]) {
    place.clear();
    place.extend_from_slice(text);
}

/// Appends `true` or `false`.
pub(crate) fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// Appends `"name":` after a comma where something stands before it.
pub(crate) fn write_member(out: &mut Vec<u8>, name: &str) {
    if !matches!(out.last(), None | Some(b'{')) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// Appends a list in brackets.
pub(crate) fn write_list<T: Copy>(out: &mut Vec<u8>, values: &[T], write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, &value) in values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, value);
    }
    out.push(b']');
}

/// Appends the lower-case hexadecimal digits of an id.
pub(crate) fn write_hex(out: &mut Vec<u8>, id: u64) {
    push_formatted(out, format_args!("{id:016x}"));
}

fn push_formatted(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a `Vec` cannot fail.
    let _ = out.write_fmt(text);
}
