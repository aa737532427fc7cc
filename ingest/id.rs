//! Ids of traces and spans in the forms that others than OTLP write them in, as numbers.
//!
//! | form | example |
//! | --- | --- |
//! | hexadecimal | `4bf92f3577b34da6a3ce929d0e0e4736`, `A3CE929D0E0E4736`, `0xabc`: shorter ones are padded with zeros on the left |
//! | with dashes | `4bf92f35-77b3-4da6-a3ce-929d0e0e4736` |
//! | X-Ray | `1-4bf92f35-77b34da6a3ce929d0e0e4736`, also after `Root=` |
//! | decimal | `11803532876627986230`, `-6643211197081565386`: digits alone and too many for hexadecimal |
//! | base64 | `S/kvNXezTaajzpKdDg5HNg==`: what protobuf's JSON writes |
//!
//! Anything else is left to [`crate::otlp::id::Id`], which hashes it and says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::otlp::id::Id;

/// An id as it was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Written<'a> {
    #[default]
    Absent,
    Text(&'a [u8]),
    /// The most significant first.
    Bytes(&'a [u8]),
    /// A number without quotes.
    Number(u64),
    /// A number of 128 bits as its halves, the high one first: the form that it is kept in.
    Halves(u64, u64),
}

/// How an id was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As OTLP writes it: lower-case hexadecimal digits of the full length. An absent id has this form too.
    Usual,
    /// In another form that is known to mean this number.
    Converted,
    /// In no form that is known: the number is a hash.
    Unreadable,
}

/// An id as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Normal {
    pub hi: u64,
    pub lo: u64,
    pub form: Form,
}

impl Normal {
    const fn new(number: u128, form: Form) -> Self {
        Self { hi: (number >> 64) as u64, lo: number as u64, form }
    }
}

impl Written<'_> {
    /// Returns the id as a number of `len` bytes: 16 for traces, 8 for spans.
    pub(crate) fn normal(self, len: usize) -> Normal {
        match self {
            Self::Absent => Normal::new(0, Form::Usual),
            Self::Text(text) => of_text(text, len),
            Self::Bytes(bytes) => of_bytes(bytes, len),
            Self::Number(number) => Normal::new(u128::from(number), Form::Converted),
            Self::Halves(hi, lo) => Normal { hi, lo, form: Form::Usual },
        }
    }
}

fn of_bytes(bytes: &[u8], len: usize) -> Normal {
    let id = Id::from_bytes(bytes, len);
    let form = match bytes.len() {
        0 => Form::Usual,
        all if all == len => Form::Usual,
        fewer if fewer < len => Form::Converted,
        _ => Form::Unreadable,
    };
    Normal { hi: id.hi, lo: id.lo, form }
}

fn of_text(text: &[u8], len: usize) -> Normal {
    let is_usual = text.len() == 2 * len && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let text = text.trim_ascii();
    match hexadecimal(text, len) {
        Some(number) if is_usual || number == 0 => return Normal::new(number, Form::Usual),
        Some(number) => return Normal::new(number, Form::Converted),
        None if text.is_empty() => return Normal::new(0, Form::Usual),
        None => {}
    }
    let other = decimal(text, len).or_else(|| dashed(text, len)).or_else(|| base64(text, len));
    other.map_or_else(|| unreadable(text, len), |number| Normal::new(number, Form::Converted))
}

fn unreadable(text: &[u8], len: usize) -> Normal {
    let id = Id::from_text(text, len);
    Normal { hi: id.hi, lo: id.lo, form: Form::Unreadable }
}

/// Reads up to `2 * len` digits. More than 64 bits' worth of digits that are all decimal are left for [`decimal`].
fn hexadecimal(text: &[u8], len: usize) -> Option<u128> {
    let digits = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"0X")).unwrap_or(text);
    let is_decimal = digits.len() > 16 && digits.len() < 2 * len && digits.iter().all(u8::is_ascii_digit);
    if digits.is_empty() || digits.len() > 2 * len || (is_decimal && digits.len() == text.len()) {
        return None;
    }
    digits
        .iter()
        .try_fold(0_u128, |number, &digit| char::from(digit).to_digit(16).map(|value| number << 4 | u128::from(value)))
}

/// Reads a decimal number; a negative one of 64 bits as the bits that it stands for.
fn decimal(text: &[u8], len: usize) -> Option<u128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > 39 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if text.starts_with('-') {
        return text.parse::<i64>().ok().map(|number| u128::from(number as u64));
    }
    let number = text.parse::<u128>().ok()?;
    (len == 16 || number <= u128::from(u64::MAX)).then_some(number)
}

/// Reads a UUID or an X-Ray id.
fn dashed(text: &[u8], len: usize) -> Option<u128> {
    let text = text.strip_prefix(b"Root=").unwrap_or(text);
    let text = text.split(|&byte| byte == b';').next().unwrap_or(text);
    let text = text.strip_prefix(b"1-").filter(|rest| rest.len() == 33).unwrap_or(text);
    let digits: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'-').collect();
    if digits.len() != 2 * len {
        return None;
    }
    hexadecimal(&digits, len)
}

fn base64(text: &[u8], len: usize) -> Option<u128> {
    let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == len)?;
    Some(bytes.iter().fold(0, |number, &byte| number << 8 | u128::from(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
    const SPAN: u128 = 0xa3ce_929d_0e0e_4736;

    #[test]
    fn reads_ids_of_every_form() {
        use Form::{Converted, Unreadable, Usual};
        let cases = [
            ("4bf92f3577b34da6a3ce929d0e0e4736", 16, TRACE, Usual),
            ("4BF92F3577B34DA6A3CE929D0E0E4736", 16, TRACE, Converted),
            ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", 16, TRACE, Converted),
            ("1-4bf92f35-77b34da6a3ce929d0e0e4736", 16, TRACE, Converted),
            ("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1", 16, TRACE, Converted),
            ("0x4bf92f3577b34da6a3ce929d0e0e4736", 16, TRACE, Converted),
            (
                "100987811158127191193183061223231342390",
                16,
                100_987_811_158_127_191_193_183_061_223_231_342_390,
                Converted,
            ),
            ("S/kvNXezTaajzpKdDg5HNg==", 16, TRACE, Converted),
            ("a3ce929d0e0e4736", 16, SPAN, Converted),
            ("11803532876627986230", 16, 0xa3ce_929d_0e0e_4736, Converted),
            ("a3ce929d0e0e4736", 8, SPAN, Usual),
            ("A3CE929D0E0E4736", 8, SPAN, Converted),
            ("11803532876627986230", 8, SPAN, Converted),
            ("-6643211197081565386", 8, SPAN, Converted),
            ("o86SnQ4ORzY=", 8, SPAN, Converted),
            ("1234567890123456", 8, 0x1234_5678_9012_3456, Usual),
            ("abc", 8, 0xabc, Converted),
            ("0", 8, 0, Usual),
            ("", 16, 0, Usual),
        ];
        for (text, len, number, form) in cases {
            assert_eq!(Written::Text(text.as_bytes()).normal(len), Normal::new(number, form), "{text} of {len}");
        }
        for text in ["trace-1", "zz", "4bf92f3577b34da6a3ce929d0e0e47360", "-", "1-2-3"] {
            let normal = Written::Text(text.as_bytes()).normal(16);
            assert!(normal.form == Unreadable && (normal.hi, normal.lo) != (0, 0), "{text}");
        }
    }

    #[test]
    fn reads_binary_ids() {
        let bytes = TRACE.to_be_bytes();
        assert_eq!(Written::Bytes(&bytes).normal(16), Normal::new(TRACE, Form::Usual));
        assert_eq!(Written::Bytes(&bytes[8..]).normal(16), Normal::new(SPAN, Form::Converted));
        assert_eq!(Written::Number(7).normal(8), Normal::new(7, Form::Converted));
        assert_eq!(Written::Absent.normal(8), Normal::new(0, Form::Usual));
    }

    proptest! {
        #[test]
        fn hexadecimal_ids_of_full_length_are_usual(number: u128) {
            let text = format!("{number:032x}");
            prop_assert_eq!(Written::Text(text.as_bytes()).normal(16), Normal::new(number, Form::Usual));
        }

        #[test]
        fn any_text_gives_an_id(text in prop::collection::vec(any::<u8>(), 0..60)) {
            let (one, two) = (Written::Text(&text).normal(16), Written::Text(&text).normal(16));
            prop_assert_eq!(one, two);
        }
    }
}
