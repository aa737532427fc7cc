//! What metadata of either version says: field classes as written, before references are resolved.

use std::rc::Rc;

/// Deepest nesting of field classes.
pub(crate) const MAX_DEPTH: usize = 64;

/// Largest alignment: windows of packets begin at multiples of it.
pub(crate) const MAX_ALIGN: u64 = 4096 * 8;

/// Everything that a metadata stream declares.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    /// 1 or 2.
    pub version: u8,
    pub is_big_endian: bool,
    pub uuid: Option<[u8; 16]>,
    /// What [`crate::format::Recording::head_hash`] begins with: the part that never changes while a trace grows.
    pub identity: Vec<u8>,
    pub env: Vec<(String, String)>,
    pub clocks: Vec<ClockClass>,
    pub packet_header: Option<Rc<Class>>,
    pub streams: Vec<StreamClass>,
    pub events: Vec<EventRecordClass>,
}

/// A clock.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClockClass {
    /// What field classes and streams refer to it by.
    pub id: String,
    pub name: String,
    pub frequency: u64,
    pub offset_seconds: i64,
    pub offset_cycles: u64,
    /// Whether the metadata says that it counts from 1970.
    pub is_unix_epoch: bool,
}

/// A data stream class.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamClass {
    pub id: u64,
    pub clock: Option<String>,
    pub packet_context: Option<Rc<Class>>,
    pub event_header: Option<Rc<Class>>,
    pub event_context: Option<Rc<Class>>,
}

/// An event record class.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventRecordClass {
    pub id: u64,
    pub stream: Option<u64>,
    pub name: String,
    pub context: Option<Rc<Class>>,
    pub payload: Option<Rc<Class>>,
}

/// The order of bytes, and with it of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    #[default]
    Native,
    Little,
    Big,
}

/// What an integer tells about its packet or event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(crate) enum Role {
    #[default]
    None,
    Magic,
    StreamClass,
    StreamInstance,
    PacketBits,
    ContentBits,
    Begin,
    End,
    Discarded,
    Sequence,
    Cpu,
    Event,
}

/// How many roles there are.
pub(crate) const NUM_ROLES: usize = 12;

/// What the bits of an integer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Meaning {
    #[default]
    Number,
    Bool,
    /// Flags, named by ranges of bits.
    Flags,
}

/// An integer of fixed length.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent property of the metadata")]
pub(crate) struct Int {
    pub bits: u32,
    pub align: u64,
    pub order: Order,
    pub is_signed: bool,
    /// Whether it is a character.
    pub is_text: bool,
    /// Whether its bits are stored in the order that is unusual for its byte order.
    pub is_reversed: bool,
    pub clock: Option<String>,
    pub labels: Option<Rc<Labels>>,
    pub meaning: Meaning,
    /// Whether it is of variable length (LEB128).
    pub is_variable: bool,
    pub role: Role,
}

/// Names of ranges of values.
pub(crate) type Labels = Vec<(String, Vec<(i128, i128)>)>;

/// How texts are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    #[default]
    Utf8,
    Utf16(bool),
    Utf32(bool),
}

/// How long something is.
#[derive(Debug, Clone)]
pub(crate) enum Length {
    Fixed(u64),
    Field(Location),
}

/// Where a length or selector stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Location {
    pub origin: Option<Scope>,
    /// How many structures to go up; nothing: up to the first that has the name.
    pub up: Option<usize>,
    pub names: Vec<String>,
}

/// The parts of a packet and of an event, in the order in which they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    PacketHeader,
    PacketContext,
    EventHeader,
    StreamEventContext,
    EventContext,
    Payload,
}

/// A field class.
#[derive(Debug, Clone)]
pub(crate) enum Class {
    Int(Int),
    Float {
        bits: u32,
        align: u64,
        order: Order,
    },
    /// Ends with a zero.
    Text(Encoding),
    Struct {
        align: u64,
        depth: usize,
        members: Vec<(String, Rc<Class>)>,
    },
    Array {
        align: u64,
        depth: usize,
        len: Length,
        element: Rc<Class>,
    },
    /// A text of a number of bytes.
    Chars {
        len: Length,
        encoding: Encoding,
    },
    Blob {
        len: Length,
    },
    /// Options are chosen by ranges; by the labels of the selector where they have none of their own.
    Variant {
        depth: usize,
        selector: Option<Location>,
        options: Vec<Choice>,
    },
    Optional {
        depth: usize,
        selector: Location,
        ranges: Vec<(i128, i128)>,
        class: Rc<Class>,
    },
}

/// One option of a variant.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub name: String,
    pub ranges: Option<Vec<(i128, i128)>>,
    pub class: Rc<Class>,
}

impl Class {
    /// Returns a structure, which is aligned as the strictest of its members. As the others below, it knows how deep it is
    /// nested, so that no chain of named types becomes too deep to walk.
    pub(crate) fn structure(align: u64, members: Vec<(String, Rc<Self>)>) -> Result<Rc<Self>, String> {
        let depth = deeper(members.iter().map(|(_, class)| class))?;
        let align = members.iter().map(|(_, class)| class.align()).max().unwrap_or(1).max(align);
        Ok(Rc::new(Self::Struct { align, depth, members }))
    }

    /// Returns an array or sequence.
    pub(crate) fn array(align: u64, len: Length, element: Rc<Self>) -> Result<Rc<Self>, String> {
        let depth = deeper(std::iter::once(&element))?;
        Ok(Rc::new(Self::Array { align: element.align().max(align), depth, len, element }))
    }

    /// Returns a variant.
    pub(crate) fn variant(selector: Option<Location>, options: Vec<Choice>) -> Result<Rc<Self>, String> {
        let depth = deeper(options.iter().map(|option| &option.class))?;
        Ok(Rc::new(Self::Variant { depth, selector, options }))
    }

    /// Returns a field that may be missing.
    pub(crate) fn optional(selector: Location, ranges: Vec<(i128, i128)>, class: Rc<Self>) -> Result<Rc<Self>, String> {
        let depth = deeper(std::iter::once(&class))?;
        Ok(Rc::new(Self::Optional { depth, selector, ranges, class }))
    }

    /// Returns the alignment in bits.
    pub(crate) fn align(&self) -> u64 {
        match self {
            Self::Int(Int { align, .. })
            | Self::Float { align, .. }
            | Self::Struct { align, .. }
            | Self::Array { align, .. } => *align,
            Self::Text(_) | Self::Chars { .. } | Self::Blob { .. } => 8,
            Self::Variant { .. } | Self::Optional { .. } => 1,
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Struct { depth, .. }
            | Self::Array { depth, .. }
            | Self::Variant { depth, .. }
            | Self::Optional { depth, .. } => *depth,
            _ => 0,
        }
    }
}

/// Returns how deep something is nested that holds these.
fn deeper<'a>(classes: impl Iterator<Item = &'a Rc<Class>>) -> Result<usize, String> {
    let depth = classes.map(|class| class.depth()).max().unwrap_or(0) + 1;
    if depth > MAX_DEPTH { Err("nested too deep".to_owned()) } else { Ok(depth) }
}
