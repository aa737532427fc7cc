//! The formats that are read: what `riftline check` says of them, and `docs/formats.md`. Both are made from the lists of the code.

use std::sync::Arc;

use riftline_ingest::batch::Batch;
use riftline_ingest::error::OpenError;
use riftline_ingest::format::{self, End, FOLDER_FORMATS, FORMATS, FolderFormat, Format, Opening, Settings, Window};
use riftline_ingest::read::Limits;
use riftline_queries::semconv;

use super::rows::{Row, State};

/// What was read of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counted {
    records: usize,
    rejects: u64,
}

impl Counted {
    fn add(mut self, batch: &Batch) -> Self {
        self.records += batch.num_records();
        self.rejects += batch.rejects.count;
        self
    }
}

/// Reads the sample of every format; one row each.
pub fn check() -> Vec<Row> {
    let streams = FORMATS.iter().map(|format| row(format.name(), format.description(), of_stream(*format)));
    let folders = FOLDER_FORMATS.iter().map(|format| {
        let counted = of_folder(*format).map_err(|error| error.to_string());
        row(format.name(), format.description(), counted)
    });
    streams.chain(folders).collect()
}

fn row(name: &str, description: &str, counted: Result<Counted, String>) -> Row {
    match counted {
        Ok(Counted { records: 0, .. }) => Row::new("formats", State::Bad, format!("{name}: no record in its sample")),
        Ok(Counted { records, rejects: 0 }) => {
            Row::new("formats", State::Ok, format!("{name}: {description} (sample: {records} records)"))
        }
        Ok(Counted { records, rejects }) => {
            let message = format!("{name}: {description} (sample: {records} records, {rejects} refused)");
            Row::new("formats", State::Warning, message)
        }
        Err(reason) => Row::new("formats", State::Bad, format!("{name}: {reason}")),
    }
}

fn settings() -> Settings {
    Settings { conventions: semconv::conventions(), limits: Limits::default(), patterns: Arc::default() }
}

/// Decodes a sample with the format that claims it, which must be its own.
fn of_stream(format: &'static dyn Format) -> Result<Counted, String> {
    let sample = format.sample();
    let claims = format::recognise(sample, true, &settings()).map_or(format::UNKNOWN, Format::name);
    if claims != format.name() {
        return Err(format!("its sample is recognised as {claims}"));
    }
    let opening = Opening { head: sample.into(), ..Opening::default() };
    let mut decoder = format.decoder(&settings(), &opening);
    let mut at = 0;
    let mut counted = Counted::default();
    while let Some(bytes) = sample.get(at..).filter(|bytes| !bytes.is_empty()) {
        let window = Window { bytes, offset: at as u64, line: 1, line_offset: 0, end: End::Last };
        at += decoder.decode(&window).max(1);
        counted = decoder.take(at >= sample.len()).iter().fold(counted, Counted::add);
    }
    Ok(counted)
}

/// Writes the sample's files into a folder and reads that.
fn of_folder(format: &'static dyn FolderFormat) -> Result<Counted, OpenError> {
    let failed = |source| OpenError::File { path: std::env::temp_dir(), source };
    let folder = tempfile::tempdir().map_err(failed)?;
    for (name, bytes) in format.sample() {
        std::fs::write(folder.path().join(name), bytes).map_err(failed)?;
    }
    let mut recording = format.open(folder.path(), &settings())?;
    Ok(std::iter::from_fn(|| recording.next()).fold(Counted::default(), |counted, batch| counted.add(&batch)))
}

/// Returns the text of `docs/formats.md`.
#[must_use]
pub fn markdown() -> String {
    let rows = FORMATS.iter().map(|format| (format.name(), format.description(), "file, pipe"));
    let folders = FOLDER_FORMATS.iter().map(|format| (format.name(), format.description(), "folder"));
    let lines = rows.chain(folders).map(|(name, what, form)| format!("| `{name}` | {what} | {form} |"));
    format!("{HEAD}{}\n{TAIL}", lines.collect::<Vec<_>>().join("\n"))
}

const HEAD: &str = "# Formats

Made from the lists in `ingest/format.rs`: `RIFTLINE_BLESS=1 cargo test --release formats_md` writes this file anew.

What something is gets decided by its content, never by its name; `--from FORMAT` overrules. gzip, zstd, xz and tar around any of
them are taken off. One command may mix them: `riftline spans.jsonl.gz ust-trace/ tcp.bt app.log.zst`. They are asked in this order:

| format | what it is | as |
| --- | --- | --- |
";

const TAIL: &str = "
`riftline check` reads a sample of each. `sample-traces/formats` holds one file (or folder) of each.

## Adding a format

1. Write `ingest/<format>.rs` or a folder with one file a job. Implement `Format` (a stream) or `FolderFormat` (a recording of
   several files) from `ingest/format.rs`: its name, a few words on what it is, a sample, how it is recognised, where its stream may
   be cut, and a `Decoder`. A decoder fills a `Batch` (`ingest/batch.rs`, `ingest/event.rs`), never judges and never panics; what it
   cannot take is a `Reject` with its offset and reason.
2. Add one line to `FORMATS` or `FOLDER_FORMATS`. The first that recognises a stream gets it: put the strict before the lenient.
3. Record a sample with a script in `sample-traces/` from the real tool, and put a small part of it into `sample-traces/formats`.
   The tests read that folder and compare what was recognised and counted with its `manifest.toml`.
4. Test it cut at every byte, with flipped bits and in windows of any size, and give it a fuzz target in `fuzz/`.
";
