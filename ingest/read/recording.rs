//! Reads a recording that is a folder of files: it decodes in the order of time, on the thread that opened it.

use std::sync::atomic::Ordering;

use crossbeam_channel::bounded;

use crate::batch::Batch;
use crate::format::{FolderFormat, Recording};
use crate::read::reader::{Reader, Stopped};
use crate::read::{Committed, Event, Message, SourceEnd, SourceInfo};
use crate::source::Named;

impl Reader {
    /// Reads the recording in the folder `named`.
    pub(crate) fn read_recording(&self, named: Named, format: &'static dyn FolderFormat) -> Result<(), Stopped> {
        let Some(path) = named.path else { return Ok(()) };
        let mut recording = match format.open(&path, &self.settings) {
            Ok(recording) => recording,
            Err(error) => return self.fail(named.name, error),
        };
        let head_hash = recording.head_hash();
        let committed = self.ask(head_hash, &named.name)?;
        self.send(Message::Event(Event::Opened(SourceInfo {
            name: named.name,
            path: Some(path),
            size: named.size,
            format: format.name(),
            container: String::new(),
            head_hash,
        })))?;
        let skipped_bytes = self.pass_on(recording.as_mut(), &committed)?;
        let (bytes, _) = recording.bytes();
        let end = SourceEnd { bytes, skipped_bytes, stopped: recording.stopped() };
        self.send(Message::Event(Event::Closed(end)))
    }

    /// Passes on the batches behind what is committed. Returns how many bytes were skipped.
    fn pass_on(&self, recording: &mut dyn Recording, committed: &[Committed]) -> Result<u64, Stopped> {
        let mut last_bytes = 0;
        let mut skipped_bytes = 0;
        // What is held back until it is known whether all before it is committed.
        let mut seen: Vec<Batch> = Vec::new();
        let longest = committed.iter().map(|one| one.offset).max().unwrap_or(0);
        while let Some(batch) = recording.next() {
            let (bytes, _) = recording.bytes();
            self.bytes_read.fetch_add(bytes.saturating_sub(last_bytes), Ordering::Relaxed);
            last_bytes = bytes;
            let is_beyond = batch.to_offset >= longest;
            let is_known =
                committed.iter().any(|one| (one.offset, one.prefix_hash) == (batch.to_offset, batch.prefix_hash));
            if is_known {
                seen.clear();
                skipped_bytes = bytes;
            } else {
                seen.push(batch);
            }
            if is_beyond {
                for batch in seen.drain(..) {
                    self.send(Message::Event(Event::Batch(Box::new(batch))))?;
                }
            }
        }
        for batch in seen {
            self.send(Message::Event(Event::Batch(Box::new(batch))))?;
        }
        Ok(skipped_bytes)
    }

    /// Asks what is committed of streams with this head, or of the short stream of this name.
    pub(crate) fn ask(&self, head_hash: u64, name: &str) -> Result<Vec<Committed>, Stopped> {
        let (answer, answers) = bounded(1);
        self.send(Message::Ask { head_hash, name: name.to_owned(), answer })?;
        answers.recv().map_err(|_| Stopped)
    }
}
