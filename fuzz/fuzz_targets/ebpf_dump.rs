#![no_main]

mod decode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for format in ["bpftrace-json", "bpftrace-text", "bcc", "perf-script", "perf-timehist", "perf-json", "ftrace"] {
        decode::check(format, bytes);
    }
});
