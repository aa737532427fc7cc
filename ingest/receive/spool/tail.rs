//! The end of a spool, where it grows.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::record::encode;
use super::{Position, Waiting, segment};

/// Keeps a buffer of this size between two groups.
const KEPT_BYTES: usize = 4 << 20;

/// Writes groups of requests.
#[derive(Debug)]
pub(super) struct Tail {
    folder: PathBuf,
    position: Position,
    segment_bytes: u64,
    file: Option<File>,
    buffer: Vec<u8>,
}

impl Tail {
    pub(super) fn new(folder: &Path, position: Position, segment_bytes: u64) -> Self {
        Self { folder: folder.to_owned(), position, segment_bytes, file: None, buffer: Vec::new() }
    }

    /// Returns up to where everything is durable.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Writes a group and syncs it; all of it or nothing.
    pub(super) fn write(&mut self, group: &[Waiting]) -> io::Result<()> {
        self.buffer.clear();
        for one in group {
            encode(&mut self.buffer, one.kind, one.time_ns, &one.bytes);
        }
        let result = self.append();
        if result.is_err() {
            self.give_up_segment();
        }
        self.buffer.shrink_to(KEPT_BYTES);
        result
    }

    fn append(&mut self) -> io::Result<()> {
        if self.position.offset >= self.segment_bytes {
            self.next_segment();
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(segment::create(&self.folder, self.position.segment)?),
        };
        file.write_all(&self.buffer)?;
        file.sync_data()?;
        self.position.offset = self.position.offset.saturating_add(self.buffer.len() as u64);
        Ok(())
    }

    /// After a failed sync nobody knows what of it is on disk: the rest of the segment is not used any more.
    fn give_up_segment(&mut self) {
        if let Some(file) = &self.file {
            let _ = file.set_len(self.position.offset).and_then(|()| file.sync_all());
        }
        self.next_segment();
    }

    fn next_segment(&mut self) {
        self.file = None;
        self.position = Position { segment: self.position.segment.saturating_add(1), offset: 0 };
    }
}
