#![no_main]

use std::sync::Arc;

use riftline_ingest::convention::Conventions;
use riftline_ingest::ctf::from_memory;
use riftline_ingest::format::Settings;

const STREAM: &[u8] = include_bytes!("../../sample-traces/formats/ctf/stream");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let settings = Settings { conventions: Arc::new(Conventions::default()), ..Settings::default() };
    if let Ok(mut recording) = from_memory(bytes, STREAM.to_vec(), &settings) {
        while recording.next().is_some() {}
    }
});
