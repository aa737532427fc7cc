//! Decodes streams of lines: finds the lines, and leaves what they mean to a [`Lines`].

use std::borrow::Cow;

use crate::batch::Batch;
use crate::format::{Decoder, End, Window};
use crate::kernel::out::Out;
use crate::rejects::{EXCERPT_BYTES, Reject};
use crate::text::inert_bytes;

/// Reads the lines of one format.
pub(crate) trait Lines: Send {
    /// Takes one line, without its end. An error says why it is refused.
    fn line(&mut self, out: &mut Out, line: &str) -> Result<(), &'static str>;

    /// Ends what is open; the next line is the first of another piece.
    fn finish(&mut self, out: &mut Out);

    /// Tells whether lines to come may belong to what was read.
    fn is_open(&self) -> bool;

    /// Tells whether `line` belongs to the event before it, which may not go before it was read.
    fn continues(&self, _line: &[u8]) -> bool {
        self.is_open()
    }
}

/// A decoder of lines.
pub(crate) struct LineDecoder<L> {
    lines: L,
    out: Out,
    /// The rest of the line is passed over, up to its end.
    is_skipping: bool,
}

impl<L: Lines> LineDecoder<L> {
    pub(crate) fn new(lines: L, out: Out) -> Self {
        Self { lines, out, is_skipping: false }
    }

    fn take_line(&mut self, line: &[u8], offset: u64, number: u64) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.out.is_due() && (self.out.is_overdue() || !self.lines.continues(line)) {
            self.out.split();
        }
        let text = match simdutf8::basic::from_utf8(line) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(line),
        };
        if let Err(reason) = self.lines.line(&mut self.out, &text) {
            self.reject(line, offset, number, reason);
        }
        self.out.read(line.len());
    }

    fn reject(&mut self, line: &[u8], offset: u64, number: u64, reason: &str) {
        let excerpt = inert_bytes(line.get(..EXCERPT_BYTES).unwrap_or(line));
        self.out.batch.rejects.push(Reject { offset, line: number, column: 1, reason: reason.to_owned(), excerpt });
    }
}

impl<L: Lines> Decoder for LineDecoder<L> {
    fn decode(&mut self, window: &Window<'_>) -> usize {
        let (mut at, mut number) = (0, window.line);
        while let Some(rest) = window.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (len, end) = match (memchr::memchr(b'\n', rest), window.end) {
                (Some(len), _) => (len, len + 1),
                (None, End::More) => return at,
                (None, End::Full | End::Last) => (rest.len(), rest.len()),
            };
            let (line, is_ended) = (rest.get(..len).unwrap_or_default(), end > len);
            if std::mem::replace(&mut self.is_skipping, !is_ended && window.end == End::Full) {
                // Its beginning was refused already.
            } else if self.is_skipping {
                self.reject(line, window.offset + at as u64, number, "line is longer than a record may be");
            } else {
                self.take_line(line, window.offset + at as u64, number);
            }
            at += end;
            number += 1;
            if self.out.is_full() {
                break;
            }
        }
        if window.end == End::Last && at >= window.bytes.len() {
            self.lines.finish(&mut self.out);
            self.is_skipping = false;
        }
        at
    }

    fn is_between_units(&self) -> bool {
        !self.is_skipping && !self.lines.is_open()
    }

    fn set_batch_records(&mut self, max_records: usize) {
        self.out.max_records = max_records;
    }

    fn take(&mut self, flush: bool) -> Vec<Batch> {
        self.out.take(flush)
    }
}

/// Returns the first lines of a stream, to tell what it is; the last one only where it is known to be whole.
pub(crate) fn first(head: &[u8], is_whole: bool) -> impl Iterator<Item = &str> {
    const MAX_LINES: usize = 40;
    let end = if is_whole { head.len() } else { crate::lines::whole(head) };
    let lines = head.get(..end).unwrap_or_default().split(|byte| *byte == b'\n').take(MAX_LINES);
    lines.map(|line| std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).unwrap_or("\u{fffd}"))
}

/// Returns the place nearest to `target`, before or after it, where a line begins of which `is_first` holds.
pub(crate) fn cut_before(bytes: &[u8], target: usize, is_first: impl Fn(&str) -> bool) -> Option<usize> {
    const MAX_TRIES: usize = 4_096;
    let target = target.min(bytes.len());
    let (before, after) = bytes.split_at(target);
    let is_cut = |at: &usize| line_at(bytes, *at).is_some_and(&is_first);
    let earlier = memchr::memrchr_iter(b'\n', before).map(|at| at + 1);
    let later = memchr::memchr_iter(b'\n', after).map(|at| at + target + 1);
    earlier.take(MAX_TRIES).find(is_cut).or_else(|| later.take(MAX_TRIES).find(is_cut))
}

/// Returns the whole line that begins at `at`.
fn line_at(bytes: &[u8], at: usize) -> Option<&str> {
    let rest = bytes.get(at..)?;
    let len = memchr::memchr(b'\n', rest)?;
    std::str::from_utf8(rest.get(..len)?).ok()
}
