//! Trace and span ids: as numbers, whatever form they were recorded in.
//!
//! OTLP/JSON writes ids as hexadecimal text, protobuf as bytes. Ids of another length are kept: shorter ones are padded
//! with zeros on the left (as 64-bit trace ids are), of longer ones the last digits count. Text that is not hexadecimal is
//! read as base64 (what a plain protobuf-to-JSON printer writes), else it is hashed, so that equal ids stay equal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use xxhash_rust::xxh3::xxh3_128;

/// An id as a number of at most 128 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Id {
    pub hi: u64,
    pub lo: u64,
    /// Whether it was recorded in the form and length that OTLP wants (an empty id is well-formed: it is absent).
    pub is_well_formed: bool,
}

impl Id {
    const ABSENT: Self = Self { hi: 0, lo: 0, is_well_formed: true };

    /// Reads a hexadecimal id of `len` bytes.
    #[inline]
    pub(crate) fn from_text(text: &[u8], len: usize) -> Self {
        let id = match len {
            16 => text.first_chunk().zip(text.last_chunk()).and_then(|(hi, lo)| Some((hex(hi)?, hex(lo)?))),
            _ => text.first_chunk().and_then(|lo| Some((0, hex(lo)?))),
        };
        match id {
            Some((hi, lo)) if text.len() == 2 * len => Self { hi, lo, is_well_formed: true },
            _ => Self::from_other_text(text, len),
        }
    }

    /// Reads an id of `len` bytes.
    #[inline]
    pub(crate) fn from_bytes(bytes: &[u8], len: usize) -> Self {
        let mut padded = [0_u8; 16];
        let kept = bytes.get(bytes.len().saturating_sub(len)..).unwrap_or_default();
        let at = padded.len().saturating_sub(kept.len());
        if let Some(place) = padded.get_mut(at..) {
            place.copy_from_slice(kept);
        }
        let number = u128::from_be_bytes(padded);
        Self { hi: (number >> 64) as u64, lo: number as u64, is_well_formed: bytes.len() == len || bytes.is_empty() }
    }

    fn from_other_text(text: &[u8], len: usize) -> Self {
        if text.is_empty() {
            return Self::ABSENT;
        }
        let malformed = |id: Self| Self { is_well_formed: false, ..id };
        if text.iter().all(u8::is_ascii_hexdigit) {
            return malformed(from_digits(text, len));
        }
        match STANDARD.decode(text) {
            Ok(bytes) if bytes.len() == len => malformed(Self::from_bytes(&bytes, len)),
            _ => malformed(Self::from_bytes(&xxh3_128(text).to_be_bytes(), len)),
        }
    }
}

/// The last `2 * len` digits as a number.
fn from_digits(text: &[u8], len: usize) -> Id {
    let digits = text.get(text.len().saturating_sub(2 * len)..).unwrap_or_default();
    let number = digits.iter().fold(0_u128, |number, &digit| {
        let value = char::from(digit).to_digit(16).unwrap_or_default();
        number << 4 | u128::from(value)
    });
    Id { hi: (number >> 64) as u64, lo: number as u64, is_well_formed: false }
}

/// Returns the number that 16 hexadecimal digits stand for, or nothing where one is not a digit.
#[inline]
fn hex(digits: &[u8; 16]) -> Option<u64> {
    let (hi, lo) = digits.split_at(8);
    Some(hex8(hi)? << 32 | hex8(lo)?)
}

/// Eight digits at once: each byte of the word is checked and turned into its value, then the nibbles are put together.
#[inline]
fn hex8(digits: &[u8]) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_be_bytes(*digits.first_chunk()?);
    let lower = word | (ONES * 0x20);
    // In each byte the high bit tells whether the byte is at least (or above) a bound; no byte of ASCII carries over.
    let at_least = |word: u64, bound: u8| word.wrapping_add(ONES * u64::from(0x80 - bound)) & HIGH;
    let is_digit = at_least(word, b'0') & !at_least(word, b'9' + 1);
    let is_letter = at_least(lower, b'a') & !at_least(lower, b'f' + 1);
    if word & HIGH != 0 || (is_digit | is_letter) != HIGH {
        return None;
    }
    let nibbles = (word & (ONES * 0x0f)).wrapping_add((is_letter >> 7).wrapping_mul(9));
    let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((quads | quads >> 16) & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(hi: u64, lo: u64, is_well_formed: bool) -> Id {
        Id { hi, lo, is_well_formed }
    }

    #[test]
    fn reads_ids_of_every_form() {
        let cases: [(&str, usize, Id); 8] = [
            ("4bf92f3577b34da6a3ce929d0e0e4736", 16, id(0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736, true)),
            ("4BF92F3577B34DA6A3CE929D0E0E4736", 16, id(0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736, true)),
            ("00f067aa0ba902b7", 8, id(0, 0x00f0_67aa_0ba9_02b7, true)),
            ("", 8, id(0, 0, true)),
            ("a3ce929d0e0e4736", 16, id(0, 0xa3ce_929d_0e0e_4736, false)),
            ("abc", 8, id(0, 0xabc, false)),
            ("ff00f067aa0ba902b7", 8, id(0, 0x00f0_67aa_0ba9_02b7, false)),
            ("S/kvNXezTaajzpKdDg5HNg==", 16, id(0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736, false)),
        ];
        for (text, len, expected) in cases {
            assert_eq!(Id::from_text(text.as_bytes(), len), expected, "{text}");
        }
    }

    #[test]
    fn keeps_different_text_different() {
        let [one, other] = [b"not-hex-at-all-1", b"not-hex-at-all-2"].map(|text| Id::from_text(text, 8));
        assert!(one != other && !one.is_well_formed && one.lo != 0);
    }

    proptest! {
        #[test]
        fn text_and_bytes_agree(bytes in prop::collection::vec(any::<u8>(), 1..20), len in prop::sample::select(vec![8_usize, 16])) {
            let text = crate::text::digits(&bytes, "");
            prop_assert_eq!(Id::from_text(text.as_bytes(), len), Id::from_bytes(&bytes, len));
        }

        #[test]
        fn only_digits_are_well_formed(text in prop::collection::vec(any::<u8>(), 16..=16)) {
            let is_hex = text.iter().all(u8::is_ascii_hexdigit);
            prop_assert_eq!(Id::from_text(&text, 8).is_well_formed, is_hex);
        }
    }
}
