//! The beginning of a packet: what it belongs to, how long it is, and when.

use super::bits::{Bits, Fault};
use super::model::Role;
use super::plan::{StreamPlan, Trace};
use super::value::{State, scan};

const MAGIC: u64 = 0xc1fc_1fc1;

/// What a packet says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Packet {
    /// Index into [`Trace::streams`].
    pub stream: usize,
    /// Where the packet context begins and where the first event does, in bits.
    pub context_at: u64,
    pub events_at: u64,
    /// Nothing where the packet does not say: it ends with its file then.
    pub content_bits: Option<u64>,
    pub size_bits: Option<u64>,
    pub instance: Option<u64>,
    /// Values of the clock.
    pub begin: Option<u64>,
    pub end: Option<u64>,
    /// Events that were lost since the stream began, and how many bits the counter has.
    pub discarded: Option<(u64, u32)>,
    pub sequence: Option<u64>,
    pub cpu: Option<u64>,
}

/// Reads header and context of the packet that `bytes` begin with. [`Fault::Short`]: there may be more of it in the file.
pub(crate) fn read(trace: &Trace, bytes: &[u8], state: &mut State) -> Result<Packet, Fault> {
    let mut bits = Bits::new(bytes, 0, u64::MAX);
    let clock = state.clock;
    state.begin_packet();
    if let Some(header) = &trace.header {
        scan(header, &mut bits, state)?;
    }
    check_header(trace, state)?;
    let (number, plan) = stream(trace, state)?;
    let context_at = bits.at;
    if let Some(context) = &plan.context {
        scan(context, &mut bits, state)?;
    }
    let begin = state.role(Role::Begin);
    state.clock = begin.unwrap_or(clock);
    let size_bits = state.role(Role::PacketBits);
    let packet = Packet {
        stream: number,
        context_at,
        events_at: bits.at,
        content_bits: state.role(Role::ContentBits).or(size_bits),
        size_bits: size_bits.or(state.role(Role::ContentBits)),
        instance: state.role(Role::StreamInstance),
        begin,
        end: state.role(Role::End),
        discarded: state.role(Role::Discarded).map(|count| (count, state.width(Role::Discarded))),
        sequence: state.role(Role::Sequence),
        cpu: state.role(Role::Cpu),
    };
    check_sizes(&packet)?;
    Ok(packet)
}

fn check_header(trace: &Trace, state: &State) -> Result<(), Fault> {
    if let Some(magic) = state.role(Role::Magic).filter(|&magic| trace.has_magic && magic != MAGIC) {
        return Err(Fault::Bad(format!("packet begins with {magic:#x} instead of the magic number {MAGIC:#x}")));
    }
    // A UUID of another trace is no reason to refuse: babeltrace2 reads such packets too, and copies of traces have them.
    Ok(())
}

fn stream<'a>(trace: &'a Trace, state: &State) -> Result<(usize, &'a StreamPlan), Fault> {
    let id = state.role(Role::StreamClass);
    let found = match id {
        Some(id) => trace.streams.iter().position(|stream| stream.id == id),
        None => (!trace.streams.is_empty()).then_some(0),
    };
    let unknown = || Fault::Bad(format!("packet is of stream class {}, which the metadata lacks", id.unwrap_or(0)));
    let number = found.ok_or_else(unknown)?;
    trace.streams.get(number).map(|plan| (number, plan)).ok_or_else(unknown)
}

fn check_sizes(packet: &Packet) -> Result<(), Fault> {
    let (Some(content), Some(size)) = (packet.content_bits, packet.size_bits) else { return Ok(()) };
    if size == 0 || size % 8 != 0 {
        return Err(Fault::Bad(format!("packet says that it has {size} bits")));
    }
    if content > size {
        return Err(Fault::Bad(format!("packet says that {content} of its {size} bits are used")));
    }
    if content < packet.events_at {
        return Err(Fault::Bad(format!("packet says that {content} bits are used, its header alone has more")));
    }
    Ok(())
}
