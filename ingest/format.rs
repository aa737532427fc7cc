//! Input formats: how each is recognised, cut into pieces, and decoded. A new format is one line in [`FORMATS`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::babeltrace::BabeltraceText;
use crate::batch::Batch;
use crate::bpf::Bpf;
use crate::ctf::Ctf;
use crate::error::OpenError;
use crate::ftrace::Ftrace;
use crate::jaeger::{JaegerJson, JaegerThrift};
use crate::log::format as log;
use crate::otlp::json::OtlpJson;
use crate::otlp::proto::OtlpProto;
pub use crate::otlp::{MAX_RECORDS, Settings};
use crate::perf::{PerfJson, PerfScript, PerfTimehist};
use crate::zipkin::{ZipkinJson, ZipkinProto};

/// All formats, in the order in which they are asked whether they recognise a stream.
pub static FORMATS: &[&dyn Format] = &[
    &OtlpJson,
    &ZipkinJson,
    &JaegerJson,
    &JaegerThrift,
    &ZipkinProto,
    &OtlpProto::Framed,
    &OtlpProto::Bare,
    &OtlpProto::Delimited,
    &PerfJson,
    &BabeltraceText,
    &Bpf::Json,
    &Bpf::Text,
    &Ftrace,
    &PerfTimehist,
    &PerfScript,
    &Bpf::Tools,
    &log::PATTERN,
    &log::JSON,
    &log::KLOG,
    &log::SYSLOG,
    &log::ACCESS,
    &log::LOGFMT,
    &log::TEXT,
];

/// All formats that are a folder of files, in the order in which they are asked.
pub static FOLDER_FORMATS: &[&dyn FolderFormat] = &[&Ctf];

/// The name of a stream that no format recognises.
pub const UNKNOWN: &str = "unknown";

/// A format of decompressed streams.
pub trait Format: Sync {
    /// Returns the name that users see and can ask for, such as `otlp-json`.
    fn name(&self) -> &'static str;

    /// Returns what it is and who writes it, in a few words.
    fn description(&self) -> &'static str;

    /// Returns a small recording, which `riftline check` reads: a file of `sample-traces/formats`.
    fn sample(&self) -> &'static [u8];

    /// Tells whether a stream that begins with `head` is of this format. `is_whole`: nothing comes after `head`.
    fn recognises(&self, head: &[u8], is_whole: bool) -> bool;

    /// As [`Format::recognises`], for a format that the user's settings define.
    fn recognises_with(&self, head: &[u8], is_whole: bool, _settings: &Settings) -> bool {
        self.recognises(head, is_whole)
    }

    /// Returns where `bytes`, which begin between two units, may be cut so that each side can be decoded without the
    /// other: near `target`, before or after it. Nothing where no such place is known in `bytes`.
    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize>;

    /// Returns how much of `bytes`, which begin between two units and end where the stream ends or rests, is whole units.
    fn whole_units(&self, bytes: &[u8]) -> usize;

    /// Returns a decoder that stands between two units of the stream that begins with `opening`.
    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder>;
}

/// How a stream begins, and what is known of it: for formats whose first lines say how to read the others.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The first 64 KiB, or all of a shorter stream.
    pub head: Arc<[u8]>,
    /// The file, where it is one.
    pub path: Option<PathBuf>,
    /// When it was last written, nanoseconds since 1970, UTC; for pipes, when reading began. Times without a date are taken to
    /// lie before it.
    pub written_ns: i64,
}

/// A format of folders: several files that make one recording.
pub trait FolderFormat: Sync {
    /// Returns the name that users see and can ask for.
    fn name(&self) -> &'static str;

    /// Returns what it is and who writes it, in a few words.
    fn description(&self) -> &'static str;

    /// Returns the files of a small recording, by name: a folder of `sample-traces/formats`.
    fn sample(&self) -> &'static [(&'static str, &'static [u8])];

    /// Tells whether `folder` itself (not one below it) holds such a recording.
    fn recognises(&self, folder: &Path) -> bool;

    /// Opens the recording.
    fn open(&self, folder: &Path, settings: &Settings) -> Result<Box<dyn Recording>, OpenError>;
}

/// A recording that is being read.
pub trait Recording {
    /// Returns the next batch, in the order of time; nothing at the end. Its `to_offset` counts events from the beginning,
    /// and its `prefix_hash` tells whether the events up to there are those of an earlier reading.
    fn next(&mut self) -> Option<Batch>;

    /// Returns a hash of what the recording begins with.
    fn head_hash(&self) -> u64;

    /// Returns how many bytes were read so far, and how many there are.
    fn bytes(&self) -> (u64, u64);

    /// Returns why reading ended early, if it did.
    fn stopped(&self) -> Option<String>;
}

/// Decodes one stream, window after window, or pieces of streams, one after the other.
pub trait Decoder: Send {
    /// Decodes what it can of the window and returns how many bytes it is done with; the next window begins there.
    ///
    /// It is done with all of a window that is [`End::Last`], and with at least one byte of one that is [`End::Full`].
    /// It also returns between two units once [`Decoder::take`] would have a full batch.
    fn decode(&mut self, window: &Window<'_>) -> usize;

    /// Tells whether reading could resume here: nothing is open.
    fn is_between_units(&self) -> bool;

    /// Sets how many records make the next batch full; later ones may hold twice as many each, up to [`MAX_RECORDS`].
    fn set_batch_records(&mut self, max_records: usize);

    /// Returns the batches that are complete; `flush` also what has not filled one. Their offsets are not set.
    fn take(&mut self, flush: bool) -> Vec<Batch>;
}

/// A stretch of a decompressed stream.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    pub bytes: &'a [u8],
    /// Where it begins in the stream.
    pub offset: u64,
    /// 1-based line in which it begins.
    pub line: u64,
    /// Where that line begins in the stream.
    pub line_offset: u64,
    pub end: End,
}

/// What comes after a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// More bytes can be shown together with what is left of this window.
    More,
    /// More bytes come, but the window is as large as it may be: something has to go.
    Full,
    /// Nothing.
    Last,
}

impl Window<'_> {
    /// Returns offset, line and column (both 1-based) of the byte at `at`.
    #[must_use]
    pub fn place(&self, at: usize) -> (u64, u64, u64) {
        let before = self.bytes.get(..at).unwrap_or(self.bytes);
        let offset = self.offset + before.len() as u64;
        let num_lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let line_offset = match memchr::memrchr(b'\n', before) {
            Some(last) => self.offset + last as u64 + 1,
            None => self.line_offset,
        };
        (offset, self.line + num_lines, offset.saturating_sub(line_offset) + 1)
    }
}

/// Returns the format that `name` names.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// Returns the first format that recognises a stream by its head.
#[must_use]
pub fn recognise(head: &[u8], is_whole: bool, settings: &Settings) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.recognises_with(head, is_whole, settings))
}

/// Tells whether a format has this name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    by_name(name).is_some() || FOLDER_FORMATS.iter().any(|format| format.name() == name)
}

/// Returns the format of the recording that `folder` itself is, if it is one.
#[must_use]
pub fn of_folder(folder: &Path) -> Option<&'static dyn FolderFormat> {
    FOLDER_FORMATS.iter().copied().find(|format| format.recognises(folder))
}

/// Returns the names of all formats, for messages.
#[must_use]
pub fn known() -> String {
    let streams = FORMATS.iter().map(|format| format.name());
    streams.chain(FOLDER_FORMATS.iter().map(|format| format.name())).collect::<Vec<_>>().join(", ")
}
