#![no_main]

mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decode::check("babeltrace-text", bytes));
