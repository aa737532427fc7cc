#![no_main]

mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for format in ["zipkin-json", "zipkin-proto"] {
        decode::check(format, bytes);
    }
});
