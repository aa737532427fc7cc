//! What is decoded, made ready once: field classes with all references resolved, and where each field of an event goes.

use std::rc::Rc;

use hashbrown::HashMap;

use super::ids::IdPlan;
use super::model::{Encoding, Meaning, Role};
use crate::event::{Clock, EventClass};

/// A whole trace.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub identity: Vec<u8>,
    pub header: Option<Node>,
    /// How large the packet context of any stream may be when it is not known yet: it is read in steps.
    pub streams: Vec<StreamPlan>,
    pub tables: Vec<Table>,
    pub clocks: Vec<Clock>,
    /// Whether packets begin with the magic number.
    pub has_magic: bool,
    pub num_slots: usize,
}

/// A data stream class.
#[derive(Debug, Default)]
pub(crate) struct StreamPlan {
    pub id: u64,
    pub context: Option<Node>,
    pub event_header: Option<Node>,
    pub clock: Option<ClockPlan>,
    pub events: Vec<EventPlan>,
    pub numbers: HashMap<u64, usize>,
}

/// An event record class: what is read behind the header of an event.
#[derive(Debug, Default)]
pub(crate) struct EventPlan {
    /// Index into [`Trace::tables`].
    pub table: usize,
    /// What comes from the packet's context, where that has fields of its own.
    pub packet: Vec<Step>,
    pub steps: Vec<Step>,
    pub ids: Option<IdPlan>,
}

/// The columns that events of one class have together, over all event record classes of that name.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub class: EventClass,
    /// Of the name: what the running hash of events is made from.
    pub hash: u64,
    pub fields: Vec<(String, Kind)>,
    pub numbers: HashMap<String, usize>,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Unsigned,
    Double,
    Bool,
    Text,
    Json,
}

/// One step of reading an event.
#[derive(Debug)]
pub(crate) enum Step {
    Align(u64),
    Read(Node, Sink),
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sink {
    /// Nowhere.
    Skip,
    Cpu,
    Pid,
    Tid,
    Comm,
    /// To a field, its label to another, and to a flat column, too.
    Field {
        number: usize,
        label: Option<usize>,
        also: Option<Flat>,
    },
}

/// A flat column that a field fills, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flat {
    Cpu,
    Pid,
    Tid,
}

/// A field class.
#[derive(Debug)]
pub(crate) enum Node {
    Int(IntNode),
    Float {
        bits: u32,
        align: u64,
        is_big: bool,
    },
    Text(Encoding),
    Struct {
        align: u64,
        members: Vec<(String, Node)>,
    },
    Array {
        align: u64,
        len: Len,
        element: Box<Node>,
    },
    /// An array of characters of 8 bits.
    TextArray {
        align: u64,
        len: Len,
    },
    Chars {
        len: Len,
        encoding: Encoding,
    },
    Blob {
        len: Len,
    },
    Variant {
        selector: Slot,
        options: Vec<Choice>,
    },
    Optional {
        selector: Slot,
        ranges: Vec<Range>,
        node: Box<Node>,
    },
}

/// An option of a variant.
#[derive(Debug)]
pub(crate) struct Choice {
    pub name: String,
    pub ranges: Vec<Range>,
    pub node: Node,
}

/// An integer.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent property of the metadata")]
pub(crate) struct IntNode {
    pub bits: u32,
    pub align: u64,
    pub is_big: bool,
    pub is_signed: bool,
    pub is_variable: bool,
    pub is_reversed: bool,
    /// Whether anything below has to be kept when it is read.
    pub is_noted: bool,
    pub is_clock: bool,
    pub role: Role,
    pub slot: Option<usize>,
    pub labels: Option<Rc<Vec<Label>>>,
    pub meaning: Meaning,
}

/// A name of ranges of values.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub name: String,
    pub ranges: Vec<Range>,
}

/// First and last value, as [`key`] orders them.
pub(crate) type Range = (i64, i64);

/// Where a length or selector was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub number: usize,
    pub is_signed: bool,
}

/// How long something is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Len {
    Fixed(u64),
    Slot(Slot),
}

/// How the times of a stream become nanoseconds since the clock's origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockPlan {
    /// Index into [`Trace::clocks`].
    pub number: usize,
    pub frequency: u64,
    pub offset_ns: i64,
}

impl ClockPlan {
    /// Returns the time of a clock value. Other frequencies than 1 GHz go through a double, as in babeltrace2, so that times
    /// are the same to the nanosecond.
    #[inline]
    pub(crate) fn time_ns(&self, value: u64) -> i64 {
        let ns = nanoseconds(value, self.frequency);
        self.offset_ns.saturating_add(i64::try_from(ns).unwrap_or(i64::MAX))
    }
}

/// Returns how long so many cycles are.
#[inline]
pub(crate) fn nanoseconds(cycles: u64, frequency: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    if frequency == SECOND { cycles } else { (1e9 * cycles as f64 / frequency.max(1) as f64) as u64 }
}

impl Slot {
    /// Returns the kept value as ranges order it.
    #[inline]
    pub(crate) fn key(self, value: u64) -> i64 {
        key(value, self.is_signed)
    }
}

/// Returns a number whose order is that of the value, signed or not.
#[inline]
pub(crate) fn key(value: u64, is_signed: bool) -> i64 {
    if is_signed { value as i64 } else { (value ^ 1 << 63) as i64 }
}

/// Tells whether a key lies in one of the ranges.
#[inline]
pub(crate) fn contains(ranges: &[Range], key: i64) -> bool {
    ranges.iter().any(|&(from, to)| from <= key && key <= to)
}

impl Node {
    /// Returns the type of the column that values of this class go to.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Int(int) if int.meaning == Meaning::Bool => Kind::Bool,
            Self::Int(int) if !int.is_signed && int.bits >= 64 => Kind::Unsigned,
            Self::Int(_) => Kind::Int,
            Self::Float { .. } => Kind::Double,
            Self::Text(_) | Self::TextArray { .. } | Self::Chars { .. } => Kind::Text,
            _ => Kind::Json,
        }
    }
}
