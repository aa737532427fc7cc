//! One data stream: a file of packets, read packet by packet, event by event.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::bits::{Bits, Fault};
use super::columns;
use super::model::Role;
use super::packet::{self, Packet};
use super::plan::{EventPlan, Flat, StreamPlan, Trace};
use super::value::{State, scan};
use crate::event::{ClassBatch, Gap};
use crate::rejects::Reject;

/// How much of a packet is read to find out how long it is; four times as much where that is too little.
const HEAD_BYTES: usize = 512;

/// Largest packet that is read into memory.
const MAX_PACKET_BYTES: u64 = 512 << 20;

/// Most events that are told to be lost by one packet: more is a counter that began anew.
const MAX_LOST: u64 = 1 << 48;

/// Bytes that can be read anywhere: a file, or a part of memory.
pub(crate) trait Store {
    fn len(&self) -> u64;
    /// Reads as many bytes at `offset` as there are, up to what `buffer` holds.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
}

/// A file, as long as it was when it was opened.
pub(crate) struct OpenFile {
    pub file: File,
    pub len: u64,
}

impl Store for OpenFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(len) => done += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

impl Store for Vec<u8> {
    fn len(&self) -> u64 {
        Vec::len(self) as u64
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(Vec::len(self));
        let bytes = self.get(from..).unwrap_or_default();
        let len = bytes.len().min(buffer.len());
        if let (Some(place), Some(bytes)) = (buffer.get_mut(..len), bytes.get(..len)) {
            place.copy_from_slice(bytes);
        }
        Ok(len)
    }
}

/// What is said about a stream beside its events.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    pub rejects: Vec<Reject>,
    pub gaps: Vec<Gap>,
}

/// An event whose header was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next {
    pub time_ns: i64,
    /// Index into [`StreamPlan::events`].
    number: usize,
}

/// A data stream that is being read.
pub(crate) struct Stream {
    name: String,
    store: Box<dyn Store>,
    /// Where the packet begins in the file.
    packet_at: u64,
    /// Where the next one does.
    next_at: u64,
    buffer: Vec<u8>,
    packet: Packet,
    /// Where the next event begins, and where the packet's events end, in bits of the packet.
    at: u64,
    end: u64,
    state: State,
    next: Option<Next>,
    /// Of the packet before: its end, the counter of lost events, its number.
    last_end: Option<u64>,
    last_discarded: Option<u64>,
    last_sequence: Option<u64>,
}

impl Stream {
    /// Opens a stream and reads up to its first event.
    pub(crate) fn open(name: String, store: Box<dyn Store>, trace: &Trace, aside: &mut Aside) -> Self {
        let state = State::new(trace.num_slots);
        let mut stream = Self {
            name,
            store,
            packet_at: 0,
            next_at: 0,
            buffer: Vec::new(),
            packet: Packet::default(),
            at: 0,
            end: 0,
            state,
            next: None,
            last_end: None,
            last_discarded: None,
            last_sequence: None,
        };
        stream.advance(trace, aside);
        stream
    }

    /// Returns the event that comes next; nothing at the end of the stream.
    #[inline]
    pub(crate) fn next(&self) -> Option<Next> {
        self.next
    }

    /// Returns how many bytes of the file were gone through.
    pub(crate) fn bytes(&self) -> u64 {
        self.next_at.min(self.store.len())
    }

    /// Returns the CPU on which the packet was recorded.
    #[inline]
    fn cpu(&self) -> Option<u64> {
        self.packet.cpu
    }

    /// Returns what the next event is read by.
    #[inline]
    pub(crate) fn plan<'a>(&self, trace: &'a Trace, next: Next) -> Option<&'a EventPlan> {
        trace.streams.get(self.packet.stream)?.events.get(next.number)
    }

    /// Reads the fields of the next event into row `row` of its class. False where they cannot be read: the rest of the packet
    /// is given up then.
    pub(crate) fn take(&mut self, plan: &EventPlan, class: &mut ClassBatch, row: usize, aside: &mut Aside) -> bool {
        if let Some(cpu) = self.cpu() {
            columns::push_flat(class, Flat::Cpu, cpu, row);
        }
        match self.read_fields(plan, class, row) {
            Ok(()) => true,
            Err(fault) => {
                columns::undo(class, row);
                self.give_up(&fault, aside);
                false
            }
        }
    }

    fn read_fields(&mut self, plan: &EventPlan, class: &mut ClassBatch, row: usize) -> Result<(), Fault> {
        if !plan.packet.is_empty() {
            let clock = self.state.clock;
            let mut bits = Bits::new(&self.buffer, self.packet.context_at, self.packet.events_at);
            columns::read(&plan.packet, &mut bits, &mut self.state, class, row)?;
            self.state.clock = clock;
        }
        let mut bits = Bits::new(&self.buffer, self.at, self.end);
        columns::read(&plan.steps, &mut bits, &mut self.state, class, row)?;
        self.at = bits.at;
        Ok(())
    }

    /// Goes on to the next event.
    #[inline]
    pub(crate) fn advance(&mut self, trace: &Trace, aside: &mut Aside) {
        loop {
            if self.at >= self.end {
                if !self.next_packet(trace, aside) {
                    self.next = None;
                    return;
                }
                continue;
            }
            match self.header(trace) {
                Ok(next) => {
                    self.next = Some(next);
                    return;
                }
                Err(fault) => self.give_up(&fault, aside),
            }
        }
    }

    /// Reads the header of the event at hand.
    #[inline]
    fn header(&mut self, trace: &Trace) -> Result<Next, Fault> {
        let Some(plan) = trace.streams.get(self.packet.stream) else {
            return Err(Fault::Bad("stream class is gone".to_owned()));
        };
        let from = self.at;
        if let Some(header) = &plan.event_header {
            let mut bits = Bits::new(&self.buffer, self.at, self.end);
            scan(header, &mut bits, &mut self.state)?;
            self.at = bits.at;
        }
        let id = self.state.role(Role::Event);
        let number = event_number(plan, id)?;
        let event = plan.events.get(number);
        if self.at == from && event.is_none_or(|event| event.steps.is_empty()) {
            return Err(Fault::Bad("events take no room".to_owned()));
        }
        let time_ns = plan.clock.map_or(0, |clock| clock.time_ns(self.state.clock));
        Ok(Next { time_ns, number })
    }

    /// Says why the rest of the packet cannot be read, and goes to its end.
    fn give_up(&mut self, fault: &Fault, aside: &mut Aside) {
        let reason = match fault {
            Fault::Short => "an event reaches beyond the end of its packet",
            Fault::Bad(reason) => reason,
        };
        let offset = self.packet_at.saturating_add(self.at / 8);
        self.reject(offset, &format!("{reason}; the rest of the packet is left out"), aside);
        self.at = self.end;
    }

    fn reject(&self, offset: u64, reason: &str, aside: &mut Aside) {
        let reason = format!("stream {}: {reason}", crate::text::inert(&self.name));
        aside.rejects.push(Reject { offset, line: 0, column: 0, reason, excerpt: String::new() });
    }

    /// Goes on to the next packet. False at the end of the stream.
    fn next_packet(&mut self, trace: &Trace, aside: &mut Aside) -> bool {
        self.packet_at = self.next_at;
        (self.at, self.end) = (0, 0);
        let left = self.store.len().saturating_sub(self.packet_at);
        if left == 0 {
            return false;
        }
        match self.open_packet(trace, left, aside) {
            Ok(packet) => {
                self.note_losses(trace, &packet, aside);
                self.packet = packet;
                self.at = packet.events_at;
                true
            }
            Err(reason) => {
                // Nothing tells where the next packet begins.
                self.reject(self.packet_at, &format!("{reason}; the rest of the stream is left out"), aside);
                self.next_at = self.store.len();
                false
            }
        }
    }

    /// Reads a packet into memory; sets where its events end and where the next packet begins.
    fn open_packet(&mut self, trace: &Trace, left: u64, aside: &mut Aside) -> Result<Packet, String> {
        let packet = self.read_head(trace, left)?;
        let size = packet.size_bits.map_or(left, |bits| bits / 8);
        let content = packet.content_bits.unwrap_or_else(|| size.saturating_mul(8));
        if size.min(left) > MAX_PACKET_BYTES {
            return Err(format!("packet of {size} bytes is larger than {MAX_PACKET_BYTES}"));
        }
        if size > left {
            let reason = format!("packet says that it has {size} bytes, {left} are there: it was cut off");
            self.reject(self.packet_at, &reason, aside);
        }
        self.fill(content.div_ceil(8).min(left) as usize)?;
        self.end = content.min(self.buffer.len() as u64 * 8);
        self.next_at = self.packet_at.saturating_add(size.min(left));
        Ok(packet)
    }

    fn read_head(&mut self, trace: &Trace, left: u64) -> Result<Packet, String> {
        let mut len = HEAD_BYTES;
        loop {
            let is_all = len as u64 >= left;
            self.fill(len.min(usize::try_from(left).unwrap_or(usize::MAX)))?;
            match packet::read(trace, &self.buffer, &mut self.state) {
                Ok(packet) => return Ok(packet),
                Err(Fault::Bad(reason)) => return Err(reason),
                Err(Fault::Short) if is_all || len as u64 > MAX_PACKET_BYTES => {
                    return Err("stream ends within the header of a packet".to_owned());
                }
                Err(Fault::Short) => len *= 4,
            }
        }
    }

    /// Reads the first `len` bytes of the packet.
    fn fill(&mut self, len: usize) -> Result<(), String> {
        // What the buffer held of the packet before is overwritten.
        self.buffer.resize(len, 0);
        let read = self.store.read_at(&mut self.buffer, self.packet_at).map_err(|error| format!("read: {error}"))?;
        self.buffer.truncate(read);
        Ok(())
    }

    /// Notes events and packets that were lost before this packet ended.
    fn note_losses(&mut self, trace: &Trace, packet: &Packet, aside: &mut Aside) {
        let clock = trace.streams.get(packet.stream).and_then(|plan| plan.clock);
        let time = |value: Option<u64>| value.and_then(|value| clock.map(|clock| clock.time_ns(value)));
        let to_ns = time(packet.end.or(packet.begin)).unwrap_or(0);
        let from_ns = time(self.last_end.or(packet.begin)).unwrap_or(to_ns);
        let gap = |lost, what: &str, to_ns: i64| Gap {
            from_ns,
            to_ns: to_ns.max(from_ns),
            stream: self.name.clone(),
            lost: Some(lost),
            what: what.to_owned(),
        };
        if let (Some(sequence), Some(last)) = (packet.sequence, self.last_sequence)
            && sequence > last.saturating_add(1)
        {
            let until = time(packet.begin).unwrap_or(to_ns);
            aside.gaps.push(gap(sequence - last - 1, "packets", until));
        }
        if let Some((count, width)) = packet.discarded {
            let lost = count.wrapping_sub(self.last_discarded.unwrap_or(0)) & super::bits::mask(width);
            if lost > 0 && lost < MAX_LOST {
                aside.gaps.push(gap(lost, "events", to_ns));
            }
            self.last_discarded = Some(count);
        }
        self.last_sequence = packet.sequence.or(self.last_sequence);
        self.last_end = packet.end;
    }
}

fn event_number(plan: &StreamPlan, id: Option<u64>) -> Result<usize, Fault> {
    let number = match id {
        Some(id) => plan.numbers.get(&id).copied(),
        None => (plan.events.len() == 1).then_some(0),
    };
    number.ok_or_else(|| match id {
        Some(id) => Fault::Bad(format!("event {id} is not in the metadata")),
        None => Fault::Bad("events carry no id, and the metadata has more than one".to_owned()),
    })
}
