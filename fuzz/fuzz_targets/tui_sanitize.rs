#![no_main]

use riftline_ingest::text::{Lines, inert, inert_as, inert_bytes};

fn check(text: &str) {
    assert!(
        !text.chars().any(|character| character.is_control()
            || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    );
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    check(&inert_bytes(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(&inert(text));
        check(&inert_as(text, Lines::Keep).replace('\n', ""));
    }
});
