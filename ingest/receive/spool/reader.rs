//! Reads a spool from a place on, behind those who write.

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::record::{Found, decode};
use super::{Position, Record, segment};

/// Reads requests in the order in which they came.
#[derive(Debug)]
pub struct SpoolReader {
    folder: PathBuf,
    position: Position,
    file: Option<BufReader<File>>,
    damages: Vec<String>,
}

impl SpoolReader {
    pub(super) fn new(folder: &Path, position: Position) -> Self {
        Self { folder: folder.to_owned(), position, file: None, damages: Vec::new() }
    }

    /// Returns where the next request begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns what could not be read because the disk did not keep it, for the user to see.
    pub fn take_damages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.damages)
    }

    /// Returns the next request before `end`, and how many bytes it takes in the spool.
    pub fn next(&mut self, end: Position) -> io::Result<Option<(Record, u64)>> {
        while self.position < end {
            if self.file.is_none() && !self.open(end)? {
                return Ok(None);
            }
            let Some(file) = &mut self.file else { return Ok(None) };
            match decode(file)? {
                Found::Record(record, len) => {
                    self.position.offset = self.position.offset.saturating_add(len);
                    return Ok(Some((record, len)));
                }
                Found::End => self.next_segment(),
                Found::Damaged => self.skip_rest()?,
            }
        }
        Ok(None)
    }

    /// Opens the segment of the position, or the next one that is there; false where there is none before `end`.
    fn open(&mut self, end: Position) -> io::Result<bool> {
        let numbers = segment::numbers(&self.folder)?;
        let Some(number) = numbers.into_iter().find(|&number| number >= self.position.segment) else {
            self.position = end;
            return Ok(false);
        };
        if number > self.position.segment {
            self.position = Position { segment: number, offset: 0 };
        }
        if self.position >= end {
            self.position = end;
            return Ok(false);
        }
        let mut file = File::open(segment::path(&self.folder, number))?;
        file.seek(SeekFrom::Start(self.position.offset))?;
        self.file = Some(BufReader::with_capacity(1 << 20, file));
        Ok(true)
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        let path = segment::path(&self.folder, self.position.segment);
        let len = std::fs::metadata(&path)?.len();
        self.damages.push(format!(
            "{}: damaged at byte {}: {} bytes of received requests are lost",
            path.display(),
            self.position.offset,
            len.saturating_sub(self.position.offset),
        ));
        self.next_segment();
        Ok(())
    }

    fn next_segment(&mut self) {
        self.file = None;
        self.position = Position { segment: self.position.segment.saturating_add(1), offset: 0 };
    }
}
