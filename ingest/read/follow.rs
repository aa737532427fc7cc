//! Follows files that grow: looks at all of them again and again, and reads on where each was left.
//!
//! A file that was renamed is read to its end, then the one that has its name now from the beginning; one that was cut begins
//! anew. Each visit that finds something reports `Opened`, batches and `Closed`, so that several files can grow at once.
//! What is packed, and recordings that are folders, cannot be read on in the middle: they are read again when they have
//! changed, and what is committed of them is skipped.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use xxhash_rust::xxh3::xxh3_64;

use crate::format::{self, Format, Opening};
use crate::read::leaf::{Progress, Rested, now_ns};
use crate::read::reader::{Reader, Stopped};
use crate::read::stream::{Filled, Stream};
use crate::read::{Event, HEAD_BYTES, Input, Message, SourceEnd, SourceInfo};
use crate::source::container::Container;
use crate::source::peek::Peeked;
use crate::source::tail::{Change, Tail};
use crate::source::{Named, expand};

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// New files are looked for every so many times.
const EXPAND_EVERY: u64 = 5;

/// How long a file that lost its name is given to get its last lines.
const FAREWELL: Duration = Duration::from_secs(2);

/// One file that is followed.
struct Followed {
    named: Named,
    tail: Tail,
    phase: Phase,
    /// When it was seen to have lost its name.
    left: Option<Instant>,
    /// It was said that it is not recognised.
    is_given_up: bool,
}

/// How far a file is.
enum Phase {
    /// Not enough is there to tell what it is.
    Unknown(Peeked<'static>),
    Known(Box<Known>),
    /// Packed, or a folder: as it was when it was read last.
    Whole(Option<Stamp>),
}

/// A file whose format is known.
struct Known {
    stream: Stream<'static>,
    progress: Progress,
    info: SourceInfo,
    skipped_bytes: u64,
}

/// Size and time of last writing of a file, or of all files in a folder.
type Stamp = (u64, Option<SystemTime>);

impl Reader {
    /// Reads `inputs` and what is added to them, until nobody listens any more.
    pub(crate) fn follow_all(&mut self, inputs: &[Input]) {
        // Pipes end by themselves, and nothing else can be followed meanwhile.
        let (pipes, files): (Vec<Input>, Vec<Input>) = inputs.iter().cloned().partition(|input| *input == Input::Stdin);
        if !pipes.is_empty() {
            self.read_all(&pipes);
        }
        let mut followed: HashMap<String, Followed> = HashMap::new();
        let mut old: Vec<Followed> = Vec::new();
        for round in 0_u64.. {
            let met = if round.is_multiple_of(EXPAND_EVERY) {
                self.meet_all(&files, &mut followed, round == 0)
            } else {
                Ok(())
            };
            let looked = met.and_then(|()| self.look(&mut followed, &mut old));
            // Also tells whether somebody still listens.
            if looked.is_err() || self.send(Message::Event(Event::Progress(self.progress()))).is_err() {
                return;
            }
            thread::sleep(LOOK);
        }
    }

    /// Finds the files that the inputs name now.
    fn meet_all(
        &self,
        files: &[Input],
        followed: &mut HashMap<String, Followed>,
        is_first: bool,
    ) -> Result<(), Stopped> {
        for one in expand(files) {
            match one {
                Ok(named) => self.meet(named, followed)?,
                Err(unreadable) if is_first => self.fail(unreadable.name, unreadable.error)?,
                // A file that is being rotated is away for a moment.
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn look(&mut self, followed: &mut HashMap<String, Followed>, old: &mut Vec<Followed>) -> Result<(), Stopped> {
        let mut names: Vec<String> = followed.keys().cloned().collect();
        names.sort_unstable();
        for name in names {
            let Some(mut one) = followed.remove(&name) else { continue };
            if self.visit(&mut one)? {
                followed.insert(name, one);
                continue;
            }
            let successor = one.named.clone();
            old.push(one);
            self.meet(successor, followed)?;
        }
        for mut one in std::mem::take(old) {
            if !self.farewell(&mut one)? {
                old.push(one);
            }
        }
        Ok(())
    }

    /// Begins to follow a file that was not met before.
    fn meet(&self, named: Named, followed: &mut HashMap<String, Followed>) -> Result<(), Stopped> {
        if followed.contains_key(&named.name) {
            return Ok(());
        }
        let Some(path) = named.path.clone() else { return Ok(()) };
        let tail = match Tail::open(&path) {
            Ok(tail) => tail,
            Err(source) => return self.fail(named.name, crate::error::OpenError::File { path, source }),
        };
        let phase = match named.folder {
            Some(_) => Phase::Whole(None),
            None => Phase::Unknown(self.peeked(&tail)),
        };
        followed.insert(named.name.clone(), Followed { named, tail, phase, left: None, is_given_up: false });
        Ok(())
    }

    fn peeked(&self, tail: &Tail) -> Peeked<'static> {
        Peeked::new(Box::new(self.counted(tail.reader())))
    }

    /// Looks at a file and reads what is new; returns whether it still has its name.
    fn visit(&mut self, one: &mut Followed) -> Result<bool, Stopped> {
        let Some(path) = one.named.path.clone() else { return Ok(true) };
        if let Phase::Whole(stamp) = &one.phase {
            let now = stamp_of(&path);
            if now.is_some() && now != *stamp {
                self.read_file(one.named.clone())?;
                one.phase = Phase::Whole(now);
            }
            return Ok(true);
        }
        match one.tail.change(&path) {
            Ok(Change::None) => Ok(true),
            Ok(Change::Grown) => self.read_on(one).map(|()| true),
            Ok(Change::Restarted) => {
                self.finish(one)?;
                one.phase = Phase::Unknown(self.peeked(&one.tail));
                self.read_on(one).map(|()| true)
            }
            Ok(Change::Replaced) => Ok(false),
            // Its successor has not come yet: what is added meanwhile is read.
            Ok(Change::Gone) | Err(_) => {
                if one.tail.has_grown().unwrap_or(false) {
                    self.read_on(one)?;
                }
                Ok(true)
            }
        }
    }

    /// Reads what is added to a file that has lost its name; returns whether that is over.
    fn farewell(&mut self, one: &mut Followed) -> Result<bool, Stopped> {
        let left = *one.left.get_or_insert_with(Instant::now);
        if one.tail.has_grown().unwrap_or(false) {
            self.read_on(one)?;
        }
        if left.elapsed() < FAREWELL {
            return Ok(false);
        }
        self.finish(one)?;
        Ok(true)
    }

    /// Reads what there is of the file's last record, where that has no end.
    fn finish(&mut self, one: &mut Followed) -> Result<(), Stopped> {
        let Phase::Known(known) = &mut one.phase else { return Ok(()) };
        if !known.stream.buffer.is_empty() {
            // From here on the end of the buffer is the end.
            known.stream.is_ended = true;
            self.pass_on_new(known)?;
        }
        one.tail.finish();
        Ok(())
    }

    fn read_on(&mut self, one: &mut Followed) -> Result<(), Stopped> {
        if let Phase::Unknown(_) = &one.phase {
            self.recognise(one)?;
        }
        match &mut one.phase {
            Phase::Known(known) => self.pass_on_new(known),
            _ => Ok(()),
        }
    }

    fn pass_on_new(&self, known: &mut Known) -> Result<(), Stopped> {
        let Known { stream, progress, info, skipped_bytes } = known;
        let is_resting = stream.fill(progress.target()) == Filled::Idle;
        if is_resting && *skipped_bytes == 0 && progress.whole_units(&stream.buffer) == 0 {
            return Ok(());
        }
        self.send(Message::Event(Event::Opened(info.clone())))?;
        while self.decode_what_is_there(stream, progress)? == Rested::More {}
        let skipped_bytes = std::mem::take(skipped_bytes);
        let end = SourceEnd { bytes: stream.mark().offset, skipped_bytes, stopped: stream.stopped.take() };
        self.send(Message::Event(Event::Closed(end)))
    }

    /// Finds out what a file is, once there is enough of it, and skips what is committed.
    fn recognise(&mut self, one: &mut Followed) -> Result<(), Stopped> {
        let asked = match self.asked_format() {
            Ok(asked) => asked,
            Err(_) if one.is_given_up => return Ok(()),
            Err(error) => {
                one.is_given_up = true;
                return self.fail(one.named.name.clone(), error);
            }
        };
        let Phase::Unknown(peeked) = &mut one.phase else { return Ok(()) };
        let head = peeked.peek(HEAD_BYTES).to_vec();
        if Container::of(&head).is_some() {
            one.phase = Phase::Whole(None);
            return Ok(());
        }
        let is_line = head.last() == Some(&b'\n');
        let found = asked.or_else(|| format::recognise(&head, is_line, &self.settings));
        let Some(format) = found else { return self.give_up(one, &head) };
        let (mut stream, skipped_bytes) = self.resume(&one.tail, &one.named.name, &head)?;
        stream.is_ended = false;
        let opening = Opening {
            head: head.as_slice().into(),
            path: one.named.path.clone(),
            written_ns: one.named.written_ns.unwrap_or_else(now_ns),
        };
        let progress = Progress::new(format, Arc::new(opening), &self.options.limits);
        let info = info(&one.named, format, xxh3_64(&head));
        one.phase = Phase::Known(Box::new(Known { stream, progress, info, skipped_bytes }));
        Ok(())
    }

    /// Says once that a file is nothing that is known, when its whole head is there.
    fn give_up(&self, one: &mut Followed, head: &[u8]) -> Result<(), Stopped> {
        if one.is_given_up || head.len() < HEAD_BYTES || !one.named.is_explicit {
            return Ok(());
        }
        one.is_given_up = true;
        let seen = crate::read::reader::describe(head);
        self.fail(one.named.name.clone(), crate::error::OpenError::Unrecognised { seen })
    }

    /// Returns the stream behind what is committed of it, and how much that is.
    fn resume(&self, tail: &Tail, name: &str, head: &[u8]) -> Result<(Stream<'static>, u64), Stopped> {
        let mut stream = Stream::new(self.peeked(tail));
        match self.skip_committed(&mut stream, xxh3_64(head), name)? {
            Ok(skipped_bytes) => Ok((stream, skipped_bytes)),
            Err(again_from) => {
                let mut stream = Stream::new(self.peeked(tail));
                stream.skip_to(again_from);
                Ok((stream, again_from))
            }
        }
    }
}

fn info(named: &Named, format: &'static dyn Format, head_hash: u64) -> SourceInfo {
    SourceInfo {
        name: named.name.clone(),
        path: named.path.clone(),
        size: None,
        format: format.name(),
        container: String::new(),
        head_hash,
    }
}

/// Returns the stamp of a file or of all that is in a folder; nothing where it is away.
fn stamp_of(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_dir() {
        return Some((metadata.len(), metadata.modified().ok()));
    }
    let mut stamp: Stamp = (0, None);
    for entry in std::fs::read_dir(path).ok()?.flatten() {
        let (len, modified) = stamp_of(&entry.path())?;
        stamp = (stamp.0.saturating_add(len), stamp.1.max(modified));
    }
    Some(stamp)
}
