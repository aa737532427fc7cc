//! Colours and other terminal sequences in logs.

use std::borrow::Cow;

const ESCAPE: u8 = 0x1b;

/// Tells whether there are any.
#[inline]
pub(crate) fn is_in(text: &[u8]) -> bool {
    memchr::memchr(ESCAPE, text).is_some()
}

/// Returns the text without them.
pub(crate) fn stripped(text: &[u8]) -> Cow<'_, [u8]> {
    if !is_in(text) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    strip(text, &mut out);
    Cow::Owned(out)
}

/// Sets `out` to the text without them.
pub(crate) fn strip(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = text;
    while let Some(at) = memchr::memchr(ESCAPE, rest) {
        let (before, sequence) = rest.split_at(at);
        out.extend_from_slice(before);
        rest = sequence.get(length(sequence)..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Returns the length of the sequence that begins here: `ESC [ … letter`, `ESC ] … BEL`, or the escape alone.
fn length(sequence: &[u8]) -> usize {
    let parameters = sequence.get(2..).unwrap_or_default();
    let end = match sequence.get(1) {
        Some(b'[') => parameters.iter().position(|byte| !(0x20..0x40).contains(byte)),
        Some(b']') => parameters.iter().position(|&byte| matches!(byte, 7 | ESCAPE | b'\n')),
        _ => return 1,
    };
    match end.map(|end| (end, parameters.get(end))) {
        Some((end, Some(&(b'\n' | ESCAPE)))) => end + 2,
        Some((end, _)) => end + 3,
        None => sequence.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_off_colours() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"plain", b"plain"),
            (b"\x1b[36mINFO\x1b[0m[0000] x", b"INFO[0000] x"),
            (b"\x1b[1;38;5;208mx", b"x"),
            (b"\x1b]0;title\x07x", b"x"),
            (b"a\x1b", b"a"),
            (b"a\x1b[3", b"a"),
        ];
        for (text, expected) in cases {
            assert_eq!(stripped(text), expected, "{text:?}");
        }
    }
}
