#![no_main]

mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for format in ["otlp-proto", "otlp-proto-delimited", "otlp-proto-framed"] {
        decode::check(format, bytes);
    }
});
