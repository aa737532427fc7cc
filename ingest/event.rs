//! Events of kernels, tracers and sockets on their way to the store: one typed table a class of events.

use hashbrown::HashMap;

use crate::column::{BoolColumn, DoubleColumn, IntColumn, TextColumn, UnsignedColumn};

/// Events of one stretch of one source, by class.
#[derive(Debug, Default)]
pub struct EventBatch {
    pub classes: Vec<ClassBatch>,
    numbers: HashMap<EventClass, usize>,
    num_events: usize,
}

/// What events of one table have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EventClass {
    /// Who recorded them: `lttng-kernel`, `lttng-ust`, `ctf`, `bpf`, `ftrace` or `perf`.
    pub provider: String,
    /// The event's name as recorded, such as `sched_switch` or `shop:request_start`.
    pub name: String,
    /// The clock that recorded their times: `realtime`, `monotonic`, `boottime` or another name. See [`Clock`].
    pub clock: String,
}

/// Events of one class. All flat columns have the same length; the others are padded to it by [`EventBatch::close`].
#[derive(Debug, Default)]
pub struct ClassBatch {
    pub class: EventClass,
    /// Place of each event among all events of the batch, ascending: events of all classes together are in recorded order.
    pub order: Vec<u32>,
    /// Nanoseconds since 1970, UTC, where the clock's offset is known; else as the clock counts them.
    pub time_ns: Vec<i64>,
    pub cpu: IntColumn,
    pub pid: IntColumn,
    pub tid: IntColumn,
    pub comm: TextColumn,
    /// Where the event itself tells it. Pairs of entry and exit are left to the store.
    pub duration_ns: IntColumn,
    /// Ids of the trace and span that the event names; 0 where it names none. Bits as in [`crate::batch::SpanBatch`].
    pub trace_hi: UnsignedColumn,
    pub trace_lo: UnsignedColumn,
    pub span_id: UnsignedColumn,
    /// In recorded order.
    pub fields: Vec<Field>,
}

/// One field of a class of events.
#[derive(Debug)]
pub struct Field {
    pub name: String,
    pub values: FieldValues,
}

/// The values of a field, one a row.
#[derive(Debug)]
pub enum FieldValues {
    Int(IntColumn),
    Unsigned(UnsignedColumn),
    Double(DoubleColumn),
    Bool(BoolColumn),
    Text(TextColumn),
    /// Arrays and structures, as typed JSON (see [`crate::batch::SpanBatch::attributes`]).
    Json(TextColumn),
}

/// Socket events: connections that were opened, closed, sent again. Most are an event of [`EventBatch`], too.
#[derive(Debug, Default)]
pub struct FlowBatch {
    /// As [`ClassBatch::time_ns`].
    pub time_ns: Vec<i64>,
    pub kind: Vec<FlowKind>,
    pub pid: IntColumn,
    pub comm: TextColumn,
    /// Addresses as text: `127.0.0.1`, `::1`.
    pub src: TextColumn,
    pub src_port: IntColumn,
    pub dst: TextColumn,
    pub dst_port: IntColumn,
    /// `tcp` or `udp`.
    pub protocol: TextColumn,
    pub bytes_sent: IntColumn,
    pub bytes_received: IntColumn,
    pub duration_ns: IntColumn,
    /// What else was recorded (old and new state, command that was connected), as a typed JSON object.
    pub details: TextColumn,
}

/// What happened to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FlowKind {
    Connect = 1,
    Accept = 2,
    Close = 3,
    Reset = 4,
    Retransmit = 5,
    Drop = 6,
    /// Another change of state.
    State = 7,
    /// Bytes that were sent or received.
    Data = 8,
}

/// A stretch of time in which events were lost, as the recording itself says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// As [`ClassBatch::time_ns`]; both the same where only one time is known.
    pub from_ns: i64,
    pub to_ns: i64,
    /// Which stream, CPU or buffer lost them.
    pub stream: String,
    /// How many, where that is recorded.
    pub lost: Option<u64>,
    /// `events`, `packets` or `map entries`.
    pub what: String,
}

/// A clock of a recording and how its times become UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The name that [`EventClass::clock`] has.
    pub name: String,
    /// What was added to its times to get UTC; nothing where the recording does not tell: then times are as recorded.
    pub offset_ns: Option<i64>,
    /// Ticks a second.
    pub frequency: u64,
    /// Where the offset comes from.
    pub origin: String,
}

impl FlowKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 8] =
        [Self::Connect, Self::Accept, Self::Close, Self::Reset, Self::Retransmit, Self::Drop, Self::State, Self::Data];

    /// Returns the name that the view `flows` shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Accept => "accept",
            Self::Close => "close",
            Self::Reset => "reset",
            Self::Retransmit => "retransmit",
            Self::Drop => "drop",
            Self::State => "state",
            Self::Data => "data",
        }
    }
}

impl EventBatch {
    /// Returns how many events the batch holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.num_events
    }

    /// Tells whether the batch holds no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.num_events == 0
    }

    /// Returns the number of a class in `classes`, which holds it from now on.
    pub fn class(&mut self, class: &EventClass) -> usize {
        if let Some(&number) = self.numbers.get(class) {
            return number;
        }
        let number = self.classes.len();
        self.classes.push(ClassBatch { class: class.clone(), ..ClassBatch::default() });
        self.numbers.insert(class.clone(), number);
        number
    }

    /// Begins the next event, one of class `number`; its fields are pushed to the columns of what this returns. Rare columns
    /// are padded to [`ClassBatch::row`] first.
    pub fn begin(&mut self, number: usize, time_ns: i64) -> Option<&mut ClassBatch> {
        let class = self.classes.get_mut(number)?;
        class.order.push(u32::try_from(self.num_events).unwrap_or(u32::MAX));
        class.time_ns.push(time_ns);
        self.num_events += 1;
        Some(class)
    }

    /// Takes the event back that was begun last, one of class `number`, whose columns hold nothing of it.
    pub(crate) fn take_back(&mut self, number: usize) {
        if let Some(class) = self.classes.get_mut(number).filter(|class| !class.is_empty()) {
            class.order.pop();
            class.time_ns.pop();
            self.num_events -= 1;
        }
    }

    pub(crate) fn close(&mut self) {
        self.classes.iter_mut().for_each(ClassBatch::close);
    }
}

impl ClassBatch {
    /// Returns how many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_ns.len()
    }

    /// Tells whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_ns.is_empty()
    }

    /// Returns the row of the event that was begun last.
    #[must_use]
    pub fn row(&self) -> usize {
        self.len().saturating_sub(1)
    }

    fn close(&mut self) {
        let len = self.len();
        for column in [&mut self.cpu, &mut self.pid, &mut self.tid, &mut self.duration_ns] {
            column.pad(len);
        }
        for column in [&mut self.trace_hi, &mut self.trace_lo, &mut self.span_id] {
            column.pad(len);
        }
        self.comm.pad(len);
        self.fields.iter_mut().for_each(|field| field.values.pad(len));
    }
}

impl FieldValues {
    /// Appends absent rows until there are `len` rows.
    pub fn pad(&mut self, len: usize) {
        match self {
            Self::Int(column) => column.pad(len),
            Self::Unsigned(column) => column.pad(len),
            Self::Double(column) => column.pad(len),
            Self::Bool(column) => column.pad(len),
            Self::Text(column) | Self::Json(column) => column.pad(len),
        }
    }
}

impl FlowBatch {
    /// Returns how many socket events the batch holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_ns.len()
    }

    /// Tells whether the batch holds no socket events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_ns.is_empty()
    }

    pub(crate) fn close(&mut self) {
        let len = self.len();
        let numbers = [&mut self.pid, &mut self.src_port, &mut self.dst_port, &mut self.bytes_sent];
        for column in numbers.into_iter().chain([&mut self.bytes_received, &mut self.duration_ns]) {
            column.pad(len);
        }
        let texts = [&mut self.comm, &mut self.src, &mut self.dst, &mut self.protocol];
        for column in texts.into_iter().chain([&mut self.details]) {
            column.pad(len);
        }
    }
}
