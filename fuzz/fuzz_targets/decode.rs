//! What the fuzz targets for decoders share.

use std::sync::Arc;

use riftline_ingest::convention::{Convention, Conventions, ValueType};
use riftline_ingest::format::{End, Opening, Settings, Window, by_name};
use riftline_ingest::read::Limits;

/// Decodes `bytes`, whole and in steps, and checks what must hold of any input: columns are of one length, everything is
/// UTF-8, and where nothing is refused, the window does not change how many records there are. (How much is found again behind
/// a broken record may depend on how much of it is seen at once.)
pub fn check(format: &str, bytes: &[u8]) {
    let (whole, rejects) = decode(format, bytes, usize::MAX);
    let (steps, _) = decode(format, bytes, 13);
    if rejects == 0 {
        assert_eq!(whole, steps, "records in one window and in many");
    }
}

/// Returns how many records were read and how many refused.
fn decode(format: &str, bytes: &[u8], step: usize) -> (usize, u64) {
    let convention = |key: &str, value| Convention {
        key: key.to_owned(),
        column: key.to_owned(),
        value,
        aliases: vec![format!("old.{key}")],
        on_spans: true,
    };
    let all = vec![convention("a", ValueType::Text), convention("b", ValueType::Int)];
    let settings = Settings { conventions: Arc::new(Conventions::new(all)), limits: Limits::default(), patterns: Arc::default() };
    let mut decoder = by_name(format).expect("a known format").decoder(&settings, &Opening::default());
    let (mut from, mut to, mut records, mut rejects) = (0, bytes.len().min(step), 0, 0);
    loop {
        let end = if to == bytes.len() { End::Last } else { End::More };
        let window = Window { bytes: &bytes[from..to], offset: from as u64, line: 1, line_offset: 0, end };
        from += decoder.decode(&window);
        for batch in decoder.take(from == bytes.len()) {
            let (spans, rows) = (&batch.spans, batch.spans.len());
            let lengths = [spans.name.len(), spans.attributes.len(), spans.resource.len(), spans.scope.len()];
            assert!(lengths.iter().all(|&len| len == rows), "{lengths:?} of {rows}");
            for column in [&spans.name, &spans.attributes, &spans.events, &spans.links, &batch.logs.body] {
                assert!(std::str::from_utf8(&column.bytes).is_ok());
            }
            records += batch.num_records();
            rejects += batch.rejects.count;
        }
        if from == bytes.len() {
            return (records, rejects);
        }
        to = bytes.len().min(to.saturating_add(step));
    }
}
