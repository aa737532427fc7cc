//! The part of a stream that is in memory, and where it is in the stream.

use std::io::{ErrorKind, Read};

use xxhash_rust::xxh3::Xxh3;

use crate::format::{End, Window};
use crate::read::worker::Mark;
use crate::source::peek::Peeked;

/// A stream that is being read.
pub(crate) struct Stream<'a> {
    source: Peeked<'a>,
    pub buffer: Vec<u8>,
    offset: u64,
    line: u64,
    line_offset: u64,
    hasher: Xxh3,
    pub is_ended: bool,
    /// Why it ended early.
    pub stopped: Option<String>,
}

/// What became of an attempt to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filled {
    Enough,
    /// A live stream has nothing now.
    Idle,
    /// The stream has ended.
    Ended,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(source: Peeked<'a>) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            offset: 0,
            line: 1,
            line_offset: 0,
            hasher: Xxh3::new(),
            is_ended: false,
            stopped: None,
        }
    }

    /// Reads until the buffer holds `len` bytes.
    pub(crate) fn fill(&mut self, len: usize) -> Filled {
        if self.buffer.len() >= len {
            return Filled::Enough;
        }
        if self.is_ended {
            return Filled::Ended;
        }
        let missing = len - self.buffer.len();
        self.buffer.reserve(missing);
        match (&mut self.source).take(missing as u64).read_to_end(&mut self.buffer) {
            Ok(_) if self.buffer.len() >= len => return Filled::Enough,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Filled::Idle,
            Ok(_) => {}
            Err(error) => self.stopped = Some(error.to_string()),
        }
        self.is_ended = true;
        Filled::Ended
    }

    /// Returns where the buffer begins.
    pub(crate) fn mark(&self) -> Mark {
        Mark { offset: self.offset, hash: self.hasher.digest() }
    }

    pub(crate) fn line(&self) -> (u64, u64) {
        (self.line, self.line_offset)
    }

    pub(crate) fn window(&self, end: End) -> Window<'_> {
        Window { bytes: &self.buffer, offset: self.offset, line: self.line, line_offset: self.line_offset, end }
    }

    /// Takes the first `len` bytes out of the buffer.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.buffer.get(len..).unwrap_or_default().to_vec();
        let mut taken = std::mem::replace(&mut self.buffer, rest);
        taken.truncate(len);
        self.pass(&taken);
        taken
    }

    /// Drops the first `len` bytes of the buffer.
    pub(crate) fn skip(&mut self, len: usize) {
        let buffer = std::mem::take(&mut self.buffer);
        self.pass(buffer.get(..len).unwrap_or_default());
        self.buffer = buffer;
        self.buffer.drain(..len.min(self.buffer.len()));
    }

    /// Reads and drops bytes up to `offset`; false where the stream ends before.
    pub(crate) fn skip_to(&mut self, offset: u64) -> bool {
        const STEP: u64 = 1 << 20;
        while self.offset < offset {
            let len = (offset - self.offset).min(STEP) as usize;
            if self.fill(len) != Filled::Enough && self.buffer.len() < len {
                return false;
            }
            self.skip(len.min(self.buffer.len()));
        }
        true
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        if let Some(last) = memchr::memrchr(b'\n', bytes) {
            self.line_offset = self.offset + last as u64 + 1;
        }
        self.offset += bytes.len() as u64;
    }
}
