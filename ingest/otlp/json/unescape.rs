//! Turns what stands between the quotes of a JSON text into UTF-8.

/// Writes the text to `out`; returns whether something had to be replaced: bytes that are not UTF-8, half a surrogate
/// pair, an escape that JSON does not know.
pub(crate) fn unescape(raw: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let mut rest = raw;
    let mut is_replaced = false;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        out.extend_from_slice(before);
        let (character, len) = read_escape(escape);
        is_replaced |= character.is_none();
        push_character(out, character.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = escape.get(len..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    if simdutf8::basic::from_utf8(out).is_err() {
        *out = String::from_utf8_lossy(out).into_owned().into_bytes();
        return true;
    }
    is_replaced
}

/// Returns the character of the escape that `bytes` begin with, and how many bytes it takes.
fn read_escape(bytes: &[u8]) -> (Option<char>, usize) {
    let character = match bytes.get(1) {
        Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return read_unicode(bytes),
        _ => return (None, 2.min(bytes.len())),
    };
    (Some(character), 2)
}

/// Reads `\uXXXX`, or two of them where they are a surrogate pair.
fn read_unicode(bytes: &[u8]) -> (Option<char>, usize) {
    let Some(first) = code_unit(bytes) else {
        return (None, 2);
    };
    if !(0xd800..0xdc00).contains(&first) {
        return (char::from_u32(first), 6);
    }
    match bytes.get(6..).and_then(code_unit) {
        Some(second @ 0xdc00..0xe000) => {
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            (char::from_u32(code), 12)
        }
        _ => (None, 6),
    }
}

fn code_unit(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

fn push_character(out: &mut Vec<u8>, character: char) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_escapes_and_replaces_what_is_no_text() {
        let cases: [(&[u8], &str, bool); 9] = [
            (br#"a\"b\\c\/d"#, "a\"b\\c/d", false),
            (br"\n\r\t\b\f", "\n\r\t\u{8}\u{c}", false),
            (br"\u00e9\u0000", "é\0", false),
            (br"\ud83d\ude00!", "😀!", false),
            (br"a\ud83dz", "a\u{fffd}z", true),
            (br"\ude00", "\u{fffd}", true),
            (br"\x41", "\u{fffd}41", true),
            (b"k\xc3\xb6\xff", "kö\u{fffd}", true),
            (br"\u12", "\u{fffd}12", true),
        ];
        for (raw, expected, is_replaced) in cases {
            let mut out = Vec::new();
            assert_eq!(unescape(raw, &mut out), is_replaced, "{expected}");
            assert_eq!(std::str::from_utf8(&out), Ok(expected));
        }
    }
}
