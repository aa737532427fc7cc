//! Trace ids in the alphabets that are met.

/// How an id is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Encoding {
    /// 32 digits in lower case, as it should be.
    Hex,
    UpperHex,
    /// 16 digits: the low half.
    HalfHex,
    Decimal,
    Uuid,
    XRay,
    Base64,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::UpperHex => "upper-case hex",
            Self::HalfHex => "16 digits of hex",
            Self::Decimal => "a decimal number",
            Self::Uuid => "a UUID with dashes",
            Self::XRay => "an X-Ray id",
            Self::Base64 => "base64",
        }
    }

    /// Tells whether it does not join as it stands.
    pub fn is_foreign(self) -> bool {
        self != Self::Hex
    }
}

/// Returns what a text may stand for; 64-bit ids fill the low half.
pub(super) fn decoded(text: &str) -> Vec<(Encoding, u128)> {
    let mut found = Vec::new();
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
    let hex = || u128::from_str_radix(text, 16).ok();
    match text.len() {
        32 if is_hex => found.extend(hex().map(|id| (if is_upper { Encoding::UpperHex } else { Encoding::Hex }, id))),
        16 if is_hex => found.extend(hex().map(|id| (Encoding::HalfHex, id))),
        36 => found.extend(without_dashes(text, &[8, 4, 4, 4, 12]).map(|id| (Encoding::Uuid, id))),
        35 => found.extend(text.strip_prefix("1-").and_then(|rest| without_dashes(rest, &[8, 24])).map(|id| (Encoding::XRay, id))),
        24 => found.extend(base64(text).map(|id| (Encoding::Base64, id))),
        _ => {}
    }
    if (10..=20).contains(&text.len()) {
        found.extend(text.parse::<u64>().ok().map(|id| (Encoding::Decimal, u128::from(id))));
    }
    found.retain(|&(_, id)| id != 0);
    found
}

/// Reads groups of hexadecimal digits of the given lengths.
fn without_dashes(text: &str, lengths: &[usize]) -> Option<u128> {
    let groups: Vec<&str> = text.split('-').collect();
    let fits = groups.iter().map(|group| group.len()).eq(lengths.iter().copied());
    let digits: String = groups.concat();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (fits && is_hex).then(|| u128::from_str_radix(&digits, 16).ok()).flatten()
}

/// Reads 16 bytes: 22 letters and two signs of padding.
fn base64(text: &str) -> Option<u128> {
    let letters = text.strip_suffix("==")?;
    let mut id: u128 = 0;
    for (at, letter) in letters.bytes().enumerate() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        // 128 bits are 21 letters and two bits of the last.
        id = if at < 21 { id << 6 | u128::from(six) } else { id << 2 | u128::from(six >> 4) };
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, decoded};

    #[test]
    fn ids_are_read_in_every_alphabet() {
        let id = 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c;
        let cases = [
            ("5b8efff798038103d269b633813fc60c", Encoding::Hex, id),
            ("5B8EFFF798038103D269B633813FC60C", Encoding::UpperHex, id),
            ("5b8efff7-9803-8103-d269-b633813fc60c", Encoding::Uuid, id),
            ("1-5b8efff7-98038103d269b633813fc60c", Encoding::XRay, id),
            ("W47/95gDgQPSabYzgT/GDA==", Encoding::Base64, id),
            ("5295287788888597036", Encoding::Decimal, 5_295_287_788_888_597_036),
        ];
        for (text, encoding, id) in cases {
            assert_eq!(decoded(text), [(encoding, id)], "{text}");
        }
        for text in ["", "12", "order-1002", "0000000000000000", "5b8efff7-9803-8103-d269-b633813fc6é"] {
            assert_eq!(decoded(text), [], "{text}");
        }
    }
}
