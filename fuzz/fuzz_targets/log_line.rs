#![no_main]

mod decode;

/// The first byte picks the format, the rest is the log.
const FORMATS: [&str; 7] = ["log-json", "klog", "syslog", "access-log", "logfmt", "log-text", "log-pattern"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Some((first, log)) = bytes.split_first() {
        decode::check(FORMATS[usize::from(*first) % FORMATS.len()], log);
    }
});
