//! The thread that opens sources and takes off their wrappings.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::Sender;

use crate::error::OpenError;
use crate::format::{self, FOLDER_FORMATS, Format, Settings};
use crate::read::worker::{self, Job};
use crate::read::{Event, Input, Message, ReadOptions};
use crate::source::container::{Budget, Container, MAX_LAYERS, TAR_BLOCK, decompressed, guarded};
use crate::source::live::Switch;
use crate::source::peek::Peeked;
use crate::source::{Counted, Named, expand, open, tarball};
use crate::text::{digits, inert_bytes};

/// Nobody listens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

/// Reads all inputs, one after the other.
pub(crate) struct Reader {
    pub options: ReadOptions,
    pub settings: Settings,
    messages: Sender<Message>,
    jobs: Sender<Job>,
    pub bytes_read: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

/// One file while it is being read.
pub(crate) struct Visit {
    pub named: Named,
    pub is_live: bool,
    switch: Switch,
    budget: Budget,
    /// How many streams of the file were met so far.
    num_streams: usize,
    /// Streams whose beginning must be read again, and up to where they are skipped then.
    pub again: HashMap<usize, u64>,
    /// Nothing the first time; then only these streams are read.
    only: Option<HashMap<usize, u64>>,
}

/// A stream of a file, and how it is packed.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub name: String,
    pub path: Option<PathBuf>,
    pub containers: Vec<&'static str>,
    pub is_member: bool,
}

impl Reader {
    pub(crate) fn new(
        options: ReadOptions,
        messages: Sender<Message>,
        bytes_read: Arc<AtomicU64>,
        total: Arc<AtomicU64>,
    ) -> Self {
        let settings = Settings {
            conventions: options.conventions.clone(),
            limits: options.limits,
            patterns: options.patterns.clone(),
        };
        let jobs = worker::start(options.num_threads, &settings);
        Self { options, settings, messages, jobs, bytes_read, total }
    }

    pub(crate) fn read_all(&mut self, inputs: &[Input]) {
        let found = expand(inputs);
        let sizes = found.iter().flatten().map(|named| named.size);
        if let Some(total) = sizes.sum::<Option<u64>>() {
            self.total.store(total, Ordering::Relaxed);
        }
        for one in found {
            let result = match one {
                Ok(named) => self.read_file(named),
                Err(unreadable) => self.fail(unreadable.name, unreadable.error),
            };
            if result.is_err() {
                return;
            }
        }
    }

    /// Returns a reader whose bytes count as read.
    pub(super) fn counted<R: std::io::Read>(&self, inner: R) -> Counted<R> {
        Counted::new(inner, &self.bytes_read)
    }

    /// Returns how far reading is; there is no end of it in sight.
    pub(super) fn progress(&self) -> crate::read::Progress {
        crate::read::Progress { bytes_read: self.bytes_read.load(Ordering::Relaxed), bytes_total: None }
    }

    pub(crate) fn send(&self, message: Message) -> Result<(), Stopped> {
        self.messages.send(message).map_err(|_| Stopped)
    }

    pub(crate) fn send_job(&self, job: Job) -> Result<(), Stopped> {
        self.jobs.send(job).map_err(|_| Stopped)
    }

    pub(crate) fn fail(&self, name: String, error: OpenError) -> Result<(), Stopped> {
        self.send(Message::Event(Event::Failed { name, error }))
    }

    /// Returns the format that the user asked for, if any.
    pub(super) fn asked_format(&self) -> Result<Option<&'static dyn Format>, OpenError> {
        let Some(name) = &self.options.format else { return Ok(None) };
        if FOLDER_FORMATS.iter().any(|format| format.name() == name) {
            return Ok(None);
        }
        let unknown = || OpenError::UnknownFormat { name: name.clone(), known: format::known() };
        format::by_name(name).map(Some).ok_or_else(unknown)
    }

    pub(super) fn read_file(&mut self, named: Named) -> Result<(), Stopped> {
        if let Some(format) = named.folder {
            return self.read_recording(named, format);
        }
        let asked = match self.asked_format() {
            Ok(asked) => asked,
            Err(error) => return self.fail(named.name, error),
        };
        let mut only = None;
        loop {
            let bytes_before = self.bytes_read.load(Ordering::Relaxed);
            let (mut visit, stream) = match self.open(&named, only.take()) {
                Ok(opened) => opened,
                Err(error) => return self.fail(named.name, error),
            };
            let packed =
                Packed { name: named.name.clone(), path: named.path.clone(), containers: Vec::new(), is_member: false };
            self.unpack(stream, packed, &mut visit, asked)?;
            if visit.again.is_empty() {
                return Ok(());
            }
            self.bytes_read.store(bytes_before, Ordering::Relaxed);
            only = Some(visit.again);
        }
    }

    fn open(&self, named: &Named, only: Option<HashMap<usize, u64>>) -> Result<(Visit, Peeked<'static>), OpenError> {
        let budget = Budget::new(self.options.limits, &self.bytes_read);
        let opened = open(named, &self.bytes_read)?;
        let visit = Visit {
            named: named.clone(),
            is_live: opened.is_live,
            switch: opened.switch,
            budget,
            num_streams: 0,
            again: HashMap::new(),
            only,
        };
        Ok((visit, Peeked::new(opened.stream)))
    }

    /// Takes off compressions until there is an archive or something to decode.
    fn unpack(
        &mut self,
        mut stream: Peeked<'_>,
        mut packed: Packed,
        visit: &mut Visit,
        asked: Option<&'static dyn Format>,
    ) -> Result<(), Stopped> {
        loop {
            let settings = &self.settings;
            let is_enough =
                |head: &[u8]| Container::of(head).is_some() || format::recognise(head, false, settings).is_some();
            let head = stream.peek_until(TAR_BLOCK, is_enough);
            let Some(container) = Container::of(head) else {
                return self.read_stream(stream, packed, visit, asked);
            };
            if packed.containers.len() >= MAX_LAYERS {
                let source = std::io::Error::other(format!("more than {MAX_LAYERS} wrappings"));
                return self.fail(packed.name.clone(), OpenError::Archive { name: packed.name, source });
            }
            packed.containers.push(container.name());
            if container == Container::Tar {
                return self.read_members(stream, &packed, visit, asked);
            }
            stream = match decompressed(stream, container, &visit.budget) {
                Ok(stream) => stream,
                Err(source) => {
                    return self.fail(packed.name.clone(), OpenError::Archive { name: packed.name, source });
                }
            };
        }
    }

    fn read_members(
        &mut self,
        stream: Peeked<'_>,
        packed: &Packed,
        visit: &mut Visit,
        asked: Option<&'static dyn Format>,
    ) -> Result<(), Stopped> {
        visit.switch.wait_always();
        let budget = visit.budget.clone();
        let result = tarball::for_each_member(stream, |member, content| {
            let name = format!("{}!{member}", packed.name);
            let packed = Packed { name, is_member: true, ..packed.clone() };
            self.unpack(guarded(content, &budget), packed, visit, asked)
        })?;
        match result {
            Ok(()) => Ok(()),
            Err(source) => self.fail(packed.name.clone(), OpenError::Archive { name: packed.name.clone(), source }),
        }
    }

    fn read_stream(
        &mut self,
        stream: Peeked<'_>,
        packed: Packed,
        visit: &mut Visit,
        asked: Option<&'static dyn Format>,
    ) -> Result<(), Stopped> {
        let number = visit.num_streams;
        visit.num_streams += 1;
        let skip_to = match &visit.only {
            None => None,
            Some(only) => match only.get(&number) {
                None => return Ok(()),
                Some(&offset) => Some(offset),
            },
        };
        let again = self.read_leaf(stream, packed, visit, asked, skip_to)?;
        visit.again.extend(again.map(|offset| (number, offset)));
        Ok(())
    }
}

/// Returns the first bytes of something unknown, as text in quotes or as hexadecimal digits.
pub(crate) fn describe(head: &[u8]) -> String {
    const MAX_SEEN: usize = 32;
    let seen = head.get(..MAX_SEEN).unwrap_or(head);
    let is_text = seen.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
    if is_text {
        return format!("\"{}\"", inert_bytes(seen));
    }
    digits(seen.get(..MAX_SEEN / 2).unwrap_or(seen), " ")
}
