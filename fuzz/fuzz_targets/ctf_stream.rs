#![no_main]

use std::sync::Arc;

use riftline_ingest::convention::Conventions;
use riftline_ingest::ctf::from_memory;
use riftline_ingest::format::Settings;

const METADATA: &[u8] = include_bytes!("../../sample-traces/formats/ctf/metadata");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let settings = Settings { conventions: Arc::new(Conventions::default()), ..Settings::default() };
    let mut recording = from_memory(METADATA, bytes.to_vec(), &settings).expect("the sample's metadata");
    while recording.next().is_some() {}
});
