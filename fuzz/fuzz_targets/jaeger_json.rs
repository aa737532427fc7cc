#![no_main]

mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for format in ["jaeger-json", "jaeger-thrift"] {
        decode::check(format, bytes);
    }
});
