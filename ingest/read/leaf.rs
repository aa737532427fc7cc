//! Reads one stream: finds its format, skips what is committed, cuts the rest into pieces and has them decoded.
//!
//! Pieces begin and end between two units and are decoded side by side; they begin small and grow. Where no place to cut
//! is found within a window (one pretty-printed object, one endless line), the stream is decoded right here until the
//! next such place.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crossbeam_channel::bounded;
use xxhash_rust::xxh3::xxh3_64;

use crate::batch::Batch;
use crate::error::OpenError;
use crate::format::{self, Decoder, End, Format, MAX_RECORDS, Opening};
use crate::read::reader::{Packed, Reader, Stopped, Visit, describe};
use crate::read::stream::{Filled, Stream};
use crate::read::worker::{Job, Mark, stamped};
use crate::read::{Event, HEAD_BYTES, Limits, Message, SourceEnd, SourceInfo};
use crate::source::peek::Peeked;

const FIRST_PIECE: usize = 128 << 10;
const LAST_PIECE: usize = 4 << 20;

/// Records of the first batch of a stream that is decoded in one go; each next one holds twice as many.
const FIRST_RECORDS: usize = 256;

/// How much more is read at a time while decoding in one go.
const STEP: usize = 1 << 20;

/// What is known about a stream while it is decoded.
pub(super) struct Progress {
    format: &'static dyn Format,
    opening: Arc<Opening>,
    /// Near where the next piece is cut.
    target: usize,
    /// Records of the next batch that is decoded here.
    num_records: usize,
    /// Largest window.
    window: usize,
    /// How much of the buffer was seen to hold no whole unit while the stream rested.
    seen: usize,
}

/// Why decoding came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rested {
    /// It did not.
    More,
    /// A live stream has nothing now.
    Idle,
    Ended,
}

impl Progress {
    pub(super) fn new(format: &'static dyn Format, opening: Arc<Opening>, limits: &Limits) -> Self {
        let window = limits.record_bytes.max(HEAD_BYTES);
        Self { format, opening, target: FIRST_PIECE.min(window), num_records: FIRST_RECORDS, window, seen: 0 }
    }

    pub(super) fn target(&self) -> usize {
        self.target
    }

    pub(super) fn whole_units(&self, bytes: &[u8]) -> usize {
        self.format.whole_units(bytes)
    }
}

impl Reader {
    /// Reads a stream to its end. Returns an offset where it must be read again from there, before anything was reported.
    pub(crate) fn read_leaf(
        &mut self,
        mut source: Peeked<'_>,
        packed: Packed,
        visit: &Visit,
        asked: Option<&'static dyn Format>,
        skip_to: Option<u64>,
    ) -> Result<Option<u64>, Stopped> {
        let (is_live, settings) = (visit.is_live, &self.settings);
        let head = source
            .peek_until(HEAD_BYTES, |head| is_live && format::recognise(head, false, settings).is_some())
            .to_vec();
        if let (Some(error), Some(path)) = (source.take_first_error(), &packed.path) {
            let error = OpenError::File { path: path.clone(), source: error };
            return self.fail(packed.name, error).map(|()| None);
        }
        let format = asked.or_else(|| format::recognise(&head, source.is_over(), settings));
        let head_hash = xxh3_64(&head);
        let name = format.map_or(format::UNKNOWN, Format::name);
        let Some(format) = format else {
            return self.refuse(&head, packed, visit, head_hash).map(|()| None);
        };
        let opening = Arc::new(Opening {
            head: head.into(),
            path: packed.path.clone(),
            written_ns: visit.named.written_ns.unwrap_or_else(now_ns),
        });
        let mut stream = Stream::new(source);
        let skipped_bytes = match skip_to {
            Some(offset) => {
                stream.skip_to(offset);
                offset
            }
            None if is_live => 0,
            None => match self.skip_committed(&mut stream, head_hash, &packed.name)? {
                Ok(skipped_bytes) => skipped_bytes,
                Err(again_from) => return Ok(Some(again_from)),
            },
        };
        self.send(Message::Event(Event::Opened(info(packed, visit, name, head_hash))))?;
        let mut progress = Progress::new(format, opening, &self.options.limits);
        self.decode(&mut stream, &mut progress)?;
        let end = SourceEnd { bytes: stream.mark().offset, skipped_bytes, stopped: stream.stopped.take() };
        self.send(Message::Event(Event::Closed(end)))?;
        Ok(None)
    }

    fn refuse(&self, head: &[u8], packed: Packed, visit: &Visit, head_hash: u64) -> Result<(), Stopped> {
        let error = OpenError::Unrecognised { seen: describe(head) };
        if visit.named.is_explicit && !packed.is_member && !head.is_empty() {
            return self.fail(packed.name, error);
        }
        let stopped = if head.is_empty() { "empty".to_owned() } else { error.to_string() };
        self.send(Message::Event(Event::Opened(info(packed, visit, format::UNKNOWN, head_hash))))?;
        self.send(Message::Event(Event::Closed(SourceEnd { bytes: 0, skipped_bytes: 0, stopped: Some(stopped) })))
    }

    /// Skips what is committed. Returns how much that is; or, as an error, how much it is where the stream was read
    /// beyond it to find out, and has to be opened again.
    pub(super) fn skip_committed(
        &self,
        stream: &mut Stream<'_>,
        head_hash: u64,
        name: &str,
    ) -> Result<Result<u64, u64>, Stopped> {
        let mut committed = self.ask(head_hash, name)?;
        committed.sort_by_key(|one| one.offset);
        let (mut best, mut is_beyond) = (0, false);
        for one in committed.into_iter().filter(|one| one.offset > 0) {
            if !stream.skip_to(one.offset) {
                is_beyond = true;
                break;
            }
            is_beyond = stream.mark().hash != one.prefix_hash;
            best = if is_beyond { best } else { one.offset };
        }
        Ok(if is_beyond { Err(best) } else { Ok(best) })
    }

    fn decode(&self, stream: &mut Stream<'_>, progress: &mut Progress) -> Result<(), Stopped> {
        while self.decode_what_is_there(stream, progress)? != Rested::Ended {}
        Ok(())
    }

    /// Decodes a piece of what there is, and says how it goes on.
    pub(super) fn decode_what_is_there(
        &self,
        stream: &mut Stream<'_>,
        progress: &mut Progress,
    ) -> Result<Rested, Stopped> {
        match stream.fill(progress.target) {
            Filled::Ended => {
                self.decode_end(stream, progress)?;
                return Ok(Rested::Ended);
            }
            Filled::Idle => {
                self.decode_idle(stream, progress)?;
                return Ok(Rested::Idle);
            }
            Filled::Enough => {}
        }
        match progress.format.cut(&stream.buffer, progress.target) {
            Some(len) => {
                self.send_piece(stream, len, true, progress)?;
                progress.target = (progress.target * 2).min(LAST_PIECE.min(progress.window));
            }
            None if progress.target < progress.window => {
                progress.target = (progress.target * 2).min(progress.window);
            }
            None => self.decode_here(stream, progress)?,
        }
        Ok(Rested::More)
    }

    /// The stream has ended: what is whole goes as one piece; after the rest reading may resume only at its beginning.
    fn decode_end(&self, stream: &mut Stream<'_>, progress: &mut Progress) -> Result<(), Stopped> {
        let whole = progress.format.whole_units(&stream.buffer);
        if whole > 0 {
            self.send_piece(stream, whole, true, progress)?;
        }
        let rest = stream.buffer.len();
        if rest > 0 {
            self.send_piece(stream, rest, false, progress)?;
        }
        Ok(())
    }

    /// The stream rests: what is whole goes at once.
    fn decode_idle(&self, stream: &mut Stream<'_>, progress: &mut Progress) -> Result<(), Stopped> {
        if stream.buffer.len() > progress.seen {
            let whole = progress.format.whole_units(&stream.buffer);
            if whole > 0 {
                self.send_piece(stream, whole, true, progress)?;
            }
            progress.seen = stream.buffer.len();
        }
        Ok(())
    }

    fn send_piece(
        &self,
        stream: &mut Stream<'_>,
        len: usize,
        is_whole: bool,
        progress: &mut Progress,
    ) -> Result<(), Stopped> {
        let (from, (line, line_offset)) = (stream.mark(), stream.line());
        let bytes = stream.take(len);
        let to = if is_whole { stream.mark() } else { from };
        let (batches, piece) = bounded(1);
        progress.seen = 0;
        let opening = progress.opening.clone();
        self.send_job(Job { format: progress.format, opening, bytes, from, to, line, line_offset, batches })?;
        self.send(Message::Piece(piece))
    }

    /// Decodes a stream that cannot be cut, up to the next place between two units where a batch is full.
    fn decode_here(&self, stream: &mut Stream<'_>, progress: &mut Progress) -> Result<(), Stopped> {
        let mut decoder = progress.format.decoder(&self.settings, &progress.opening);
        decoder.set_batch_records(progress.num_records);
        let from = stream.mark();
        let mut filled = Filled::Enough;
        loop {
            let end = match filled {
                Filled::Ended => End::Last,
                _ => End::More,
            };
            let mut len = decoder.decode(&stream.window(end));
            if len == 0 && stream.buffer.len() >= progress.window {
                len = decoder.decode(&stream.window(End::Full));
            }
            stream.skip(len);
            let is_done = decoder.is_between_units() && (len > 0 || filled == Filled::Ended);
            self.send_batches(decoder.as_mut(), progress, from, is_done.then(|| stream.mark()))?;
            if is_done || (filled == Filled::Ended && stream.buffer.is_empty()) {
                return Ok(());
            }
            filled = stream.fill((stream.buffer.len() + STEP).min(progress.window));
        }
    }

    /// Passes on what is decoded; all of it where reading may resume at `to`.
    fn send_batches(
        &self,
        decoder: &mut dyn Decoder,
        progress: &mut Progress,
        from: Mark,
        to: Option<Mark>,
    ) -> Result<(), Stopped> {
        let mut batches = decoder.take(to.is_some());
        if to.is_some() && batches.is_empty() {
            batches.push(Batch::new(&self.settings.conventions));
        }
        let last = batches.len();
        for (number, batch) in batches.into_iter().enumerate() {
            progress.num_records = (progress.num_records * 2).min(MAX_RECORDS);
            let to = to.filter(|_| number + 1 == last).unwrap_or(from);
            self.send(Message::Event(Event::Batch(stamped(batch, from, to))))?;
        }
        Ok(())
    }
}

/// Now, in nanoseconds since 1970.
pub(super) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn info(packed: Packed, visit: &Visit, format: &'static str, head_hash: u64) -> SourceInfo {
    SourceInfo {
        name: packed.name,
        path: packed.path,
        size: if packed.is_member { None } else { visit.named.size },
        format,
        container: packed.containers.iter().rev().copied().collect::<Vec<_>>().join("+"),
        head_hash,
    }
}
