//! Logs in pieces, cut off, and with wrong bits.

use proptest::prelude::*;

use super::{decode, samples, settings, sum};
use crate::format::{self, End, Opening, Window};
use crate::otlp::tests::rows;

#[test]
fn windows_give_the_same_rows() {
    let text = b"x\n2026-11-20 12:31:18 INFO a\n\tat x\n\tat y\n2026-11-20 12:31:18 INFO b\nz";
    for (name, sample) in samples().chain([
        ("log-text", &text[..]),
        ("log-json", b"{\"time\":1795177878,\"msg\":\"a\"}\nx\ny\n{\"time\":1795177878,\"msg\":\"a\"}\nz"),
    ]) {
        let whole = rows(&decode(name, sample, usize::MAX));
        for step in [1, 7, 61, 300] {
            assert_eq!(rows(&decode(name, sample, step)), whole, "{name} in steps of {step}");
        }
    }
}

#[test]
fn pieces_give_the_same_rows() {
    for (name, sample) in samples() {
        let format = format::by_name(name).unwrap();
        let whole = rows(&decode(name, sample, usize::MAX));
        for target in (0..sample.len()).step_by(17) {
            let Some(at) = format.cut(sample, target) else { continue };
            let parts = [&sample[..at], &sample[at..]].map(|part| rows(&decode(name, part, usize::MAX)));
            assert_eq!(parts.concat(), whole, "{name} cut at {at}");
        }
    }
}

#[test]
fn files_cut_at_any_byte_keep_what_stands_before() {
    for (name, sample) in samples() {
        let whole = rows(&decode(name, sample, usize::MAX));
        for at in 0..sample.len() {
            let cut = rows(&decode(name, &sample[..at], usize::MAX));
            let kept = cut.len().saturating_sub(2);
            assert_eq!(cut[..kept], whole[..kept], "{name} cut at {at}");
            let num_lines = memchr::memchr_iter(b'\n', &sample[..at]).count();
            assert!(cut.len() <= num_lines + 1);
        }
    }
}

#[test]
fn flipped_bits_lose_no_line() {
    for (name, sample) in samples() {
        let num_rows = rows(&decode(name, sample, usize::MAX)).len();
        for at in 0..sample.len() {
            for bit in [at % 8, 7] {
                let mut bytes = sample.to_vec();
                bytes[at] ^= 1 << bit;
                let batches = decode(name, &bytes, usize::MAX);
                let found = sum(&batches, |batch| batch.logs.len() + batch.rejects.count as usize);
                assert!(found + 2 >= num_rows, "{name} with bit {bit} of {at} flipped: {found} of {num_rows}");
                for column in
                    batches.iter().flat_map(|batch| [&batch.logs.body, &batch.logs.attributes, &batch.logs.original])
                {
                    assert!(std::str::from_utf8(&column.bytes).is_ok());
                }
            }
        }
    }
}

#[test]
fn attributes_are_json() {
    for (name, sample) in samples() {
        for at in (0..sample.len()).step_by(3) {
            let mut bytes = sample.to_vec();
            bytes[at] ^= 1;
            for batch in decode(name, &bytes, usize::MAX) {
                for row in 0..batch.logs.len() {
                    let attributes = batch.logs.attributes.get(row).unwrap_or("{}");
                    assert!(serde_json::from_str::<serde_json::Value>(attributes).is_ok(), "{name}: {attributes}");
                }
            }
        }
    }
}

#[test]
fn a_line_without_end_is_refused_and_left() {
    let settings = settings();
    let mut decoder = format::by_name("log-text").unwrap().decoder(&settings, &Opening::default());
    let window = |bytes: &'static [u8], end| Window { bytes, offset: 0, line: 1, line_offset: 0, end };
    assert_eq!(decoder.decode(&window(b"2026-11-20 12:31:18 INFO endless", End::Full)), 32);
    assert!(!decoder.is_between_units());
    assert_eq!(decoder.decode(&window(b" rest\n2026-11-20 12:31:19 INFO next\n", End::Last)), 36);
    let batches = decoder.take(true);
    assert_eq!((batches[0].logs.len(), batches[0].rejects.count), (1, 1));
}

/// Pieces of lines that mean something to one format or another.
const PIECES: [&str; 40] = [
    "2026-11-20 12:31:18,063",
    "Nov 20 12:31:18",
    "I1120 12:31:18.063456",
    "[20/Nov/2026:12:31:18 +0000] \"",
    "12:31:18.5",
    "1795177878.5",
    " ",
    "  ",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "INFO",
    "error",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "\"",
    "\\",
    "=",
    ":",
    ": ",
    " - ",
    " --- ",
    ",",
    "|",
    "<134>",
    "1 ",
    "trace_id",
    "span_id=",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "00f067aa0ba902b7",
    "\"time\":1795177878,",
    "\"msg\":\"",
    "\\u00",
    "\u{1b}[31m",
    "é",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn anything_is_read_without_panic_and_alike_in_steps(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60), noise in prop::collection::vec(any::<u8>(), 0..8), at in 0..60_usize) {
        let mut bytes: Vec<u8> = pieces.iter().take(at).flat_map(|piece| piece.bytes()).collect();
        bytes.extend(noise);
        bytes.extend(pieces.iter().skip(at).flat_map(|piece| piece.bytes()));
        for (name, _) in samples() {
            let whole = decode(name, &bytes, usize::MAX);
            prop_assert_eq!(rows(&whole), rows(&decode(name, &bytes, 11)), "{}", name);
            for batch in &whole {
                let (logs, len) = (&batch.logs, batch.logs.len());
                prop_assert!([logs.severity.len(), logs.body.len(), logs.attributes.len(), logs.resource.len(), logs.marks.len()].iter().all(|found| *found == len));
                for row in 0..len {
                    let attributes = logs.attributes.get(row).unwrap_or("{}");
                    prop_assert!(serde_json::from_str::<serde_json::Value>(attributes).is_ok(), "{}: {}", name, attributes);
                }
            }
            let format = format::by_name(name).unwrap();
            prop_assert!(format.whole_units(&bytes) <= bytes.len());
            if let Some(cut) = format.cut(&bytes, bytes.len() / 2) {
                prop_assert!(cut > 0 && cut < bytes.len());
            }
            format.recognises(&bytes, true);
        }
    }
}
