//! Makes a trace ready for decoding: from what the metadata declares to the steps that each event is read in.

use std::collections::HashSet;
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::ids;
use super::model::{Class, ClockClass, EventRecordClass, Metadata, Role, Scope, StreamClass};
use super::plan::{ClockPlan, EventPlan, Flat, Kind, Node, Sink, Step, StreamPlan, Table, Trace, nanoseconds};
use super::resolve::Resolver;
use crate::event::{Clock, EventClass};

/// Most columns of one table.
const MAX_FIELDS: usize = 4096;

/// The name of the clock of traces that declare none.
const DEFAULT_CLOCK: &str = "default";

/// Returns the trace, or why it cannot be read.
pub(crate) fn trace(mut metadata: Metadata) -> Result<Trace, String> {
    if metadata.streams.is_empty() && metadata.version == 1 {
        metadata.streams.push(StreamClass::default());
    }
    let mut builder = Builder::new(&metadata);
    let header = metadata.packet_header.as_ref().map(|class| builder.resolver.scope(Scope::PacketHeader, class));
    builder.trace.header = header.transpose()?;
    builder.trace.has_magic = builder.trace.header.as_ref().is_some_and(|node| has_role(node, Role::Magic));
    let num_slots = builder.resolver.num_slots;
    for stream in &metadata.streams {
        builder.resolver.reset(Scope::PacketContext, num_slots);
        builder.stream(stream, &metadata)?;
    }
    let Builder { mut trace, resolver, .. } = builder;
    trace.num_slots = resolver.max_slots;
    Ok(trace)
}

struct Builder {
    trace: Trace,
    resolver: Resolver,
    provider: &'static str,
    table_numbers: hashbrown::HashMap<EventClass, usize>,
}

impl Builder {
    fn new(metadata: &Metadata) -> Self {
        let mut resolver = Resolver::new(metadata.version, metadata.is_big_endian);
        let mut visited = HashSet::new();
        let streams = metadata.streams.iter();
        let streams = streams.flat_map(|stream| [&stream.packet_context, &stream.event_header, &stream.event_context]);
        let events = metadata.events.iter().flat_map(|event| [&event.context, &event.payload]);
        let classes = std::iter::once(&metadata.packet_header).chain(streams).chain(events).flatten();
        classes.for_each(|class| resolver.gather(class, &mut visited));
        let trace = Trace {
            identity: metadata.identity.clone(),
            clocks: metadata.clocks.iter().map(clock).collect(),
            ..Trace::default()
        };
        Self { trace, resolver, provider: provider(metadata), table_numbers: hashbrown::HashMap::new() }
    }

    fn stream(&mut self, stream: &StreamClass, metadata: &Metadata) -> Result<(), String> {
        let clock = self.stream_clock(stream, metadata);
        self.resolver.clock = clock.as_ref().map(|clock| clock.id.clone());
        let resolver = &mut self.resolver;
        let mut resolve = |scope, class: &Option<Rc<Class>>| match class {
            Some(class) => resolver.scope(scope, class).map(Some),
            None => Ok(None),
        };
        let context = resolve(Scope::PacketContext, &stream.packet_context)?;
        let event_header = resolve(Scope::EventHeader, &stream.event_header)?;
        let mut plan = StreamPlan { id: stream.id, context, event_header, ..StreamPlan::default() };
        plan.clock = clock.as_ref().map(|clock| self.clock_plan(clock));
        let clock_name = clock.map_or_else(String::new, |clock| clock.name);
        let num_slots = self.resolver.num_slots;
        let only = if metadata.streams.len() == 1 { Some(stream.id) } else { Some(0) };
        for event in metadata.events.iter().filter(|event| event.stream.or(only) == Some(stream.id)) {
            self.resolver.reset(Scope::StreamEventContext, num_slots);
            let number = plan.events.len();
            if plan.numbers.insert(event.id, number).is_some() {
                return Err(format!("event {} of stream {} is declared twice", event.id, stream.id));
            }
            plan.events.push(self.event(stream, event, &clock_name)?);
        }
        self.trace.streams.push(plan);
        Ok(())
    }

    /// Returns the clock of a stream. In CTF 1.8 that is the one to which its times are mapped; where none is, and there is at
    /// most one clock, fields named like times are of that clock.
    fn stream_clock(&mut self, stream: &StreamClass, metadata: &Metadata) -> Option<ClockClass> {
        let by_id = |id: &str| metadata.clocks.iter().find(|clock| clock.id == id).cloned();
        self.resolver.maps_by_name = false;
        if metadata.version == 2 {
            return by_id(stream.clock.as_deref()?);
        }
        let parts = [&stream.packet_context, &stream.event_header];
        let mapped = parts.into_iter().flatten().find_map(|class| mapped_clock(class));
        if let Some(clock) = mapped.as_deref().and_then(by_id) {
            return Some(clock);
        }
        let names = ["timestamp", "timestamp_begin"];
        let has_times = parts.into_iter().flatten().any(|class| names.iter().any(|name| has_member(class, name)));
        if !has_times || metadata.clocks.len() > 1 {
            return None;
        }
        self.resolver.maps_by_name = true;
        let frequency = 1_000_000_000;
        let default =
            || ClockClass { id: DEFAULT_CLOCK.into(), name: DEFAULT_CLOCK.into(), frequency, ..ClockClass::default() };
        Some(metadata.clocks.first().cloned().unwrap_or_else(default))
    }

    fn clock_plan(&mut self, class: &ClockClass) -> ClockPlan {
        let known = self.trace.clocks.iter().position(|known| known.name == class.name);
        let number = known.unwrap_or_else(|| {
            self.trace.clocks.push(clock(class));
            self.trace.clocks.len() - 1
        });
        ClockPlan { number, frequency: class.frequency, offset_ns: offset_ns(class) }
    }

    fn event(&mut self, stream: &StreamClass, event: &EventRecordClass, clock: &str) -> Result<EventPlan, String> {
        let name = if event.name.is_empty() { format!("event {}", event.id) } else { event.name.clone() };
        let table = self.table(EventClass { provider: self.provider.to_owned(), name, clock: clock.to_owned() });
        let mut plan = EventPlan { table, ..EventPlan::default() };
        let payload_names = event.payload.as_deref().map(names).unwrap_or_default();
        if let Some(class) = stream.packet_context.as_ref().filter(|class| has_own_fields(class)) {
            let node = self.resolver.scope(Scope::PacketContext, class)?;
            plan.packet = self.steps(table, Scope::PacketContext, node, &payload_names)?;
        }
        let parts = [
            (Scope::StreamEventContext, &stream.event_context),
            (Scope::EventContext, &event.context),
            (Scope::Payload, &event.payload),
        ];
        for (scope, class) in parts {
            if let Some(class) = class {
                let node = self.resolver.scope(scope, class)?;
                let steps = self.steps(table, scope, node, &payload_names)?;
                plan.steps.extend(steps);
            }
        }
        plan.ids = ids::plan(&self.used_fields(&plan));
        Ok(plan)
    }

    /// Returns the fields that the steps of an event fill.
    fn used_fields(&self, plan: &EventPlan) -> Vec<(usize, String, Kind)> {
        let fields = self.trace.tables.get(plan.table).map(|table| table.fields.as_slice()).unwrap_or_default();
        let used = plan.packet.iter().chain(&plan.steps).filter_map(|step| match step {
            Step::Read(_, Sink::Field { number, .. }) => {
                fields.get(*number).map(|(name, kind)| (*number, name.clone(), *kind))
            }
            _ => None,
        });
        used.collect()
    }

    fn table(&mut self, class: EventClass) -> usize {
        if let Some(&number) = self.table_numbers.get(&class) {
            return number;
        }
        let number = self.trace.tables.len();
        let hash = xxh3_64(class.name.as_bytes());
        self.table_numbers.insert(class.clone(), number);
        self.trace.tables.push(Table { class, hash, ..Table::default() });
        number
    }

    /// Returns the steps that read one scope of an event.
    fn steps(&mut self, table: usize, scope: Scope, node: Node, payload: &[String]) -> Result<Vec<Step>, String> {
        let Node::Struct { align, members } = node else { return Ok(Vec::new()) };
        let mut steps = Vec::with_capacity(members.len() + 1);
        if align > 1 {
            steps.push(Step::Align(align));
        }
        let has_own = |name: &str| members.iter().any(|(known, _)| known == name);
        let is_virtual = !has_own("pid") && !has_own("tid");
        let mut sinks = Vec::with_capacity(members.len());
        for (name, node) in &members {
            sinks.push(match flat(scope, name, node, is_virtual) {
                Some(sink) => sink,
                None => self.field(table, scope, name, node, payload)?,
            });
        }
        steps.extend(members.into_iter().zip(sinks).map(|((_, node), sink)| Step::Read(node, sink)));
        Ok(steps)
    }

    /// Returns the columns that a field goes to.
    fn field(
        &mut self,
        table: usize,
        scope: Scope,
        name: &str,
        node: &Node,
        payload: &[String],
    ) -> Result<Sink, String> {
        let also = match name {
            "perf_cpu" if self.provider == "perf" => Some(Flat::Cpu),
            "perf_pid" if self.provider == "perf" => Some(Flat::Pid),
            "perf_tid" if self.provider == "perf" => Some(Flat::Tid),
            _ => None,
        };
        let is_taken = scope != Scope::Payload && payload.iter().any(|known| known == name);
        let name = if is_taken { format!("context_{name}") } else { name.to_owned() };
        let Some(table) = self.trace.tables.get_mut(table) else { return Ok(Sink::Skip) };
        let number = table.column(&name, node.kind())?;
        let has_labels = matches!(node, Node::Int(int) if int.labels.is_some());
        let label = if has_labels { Some(table.column(&format!("{name}_label"), Kind::Text)?) } else { None };
        Ok(Sink::Field { number, label, also })
    }
}

impl Table {
    /// Returns the number of the column `name`; one of another type gets a name of its own.
    fn column(&mut self, name: &str, kind: Kind) -> Result<usize, String> {
        let found = self.numbers.get(name).copied();
        if let Some(number) = found {
            if self.fields.get(number).is_some_and(|(_, known)| *known == kind) {
                return Ok(number);
            }
            return self.column(&format!("{name}_{}", kind.suffix()), kind);
        }
        if self.fields.len() >= MAX_FIELDS {
            return Err(format!("event {} has more than {MAX_FIELDS} fields", self.class.name));
        }
        let number = self.fields.len();
        self.fields.push((name.to_owned(), kind));
        self.numbers.insert(name.to_owned(), number);
        Ok(number)
    }
}

impl Kind {
    fn suffix(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Unsigned => "unsigned",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Returns the flat column that a field of a context fills instead of a column of its own.
fn flat(scope: Scope, name: &str, node: &Node, is_virtual: bool) -> Option<Sink> {
    if let (Scope::PacketContext, Node::Int(int)) = (scope, node)
        && int.role != Role::None
    {
        return Some(Sink::Skip);
    }
    if !matches!(scope, Scope::StreamEventContext | Scope::EventContext) {
        return None;
    }
    let is_int = matches!(node.kind(), Kind::Int | Kind::Unsigned);
    match name {
        "pid" if is_int => Some(Sink::Pid),
        "tid" if is_int => Some(Sink::Tid),
        "vpid" if is_int && is_virtual => Some(Sink::Pid),
        "vtid" if is_int && is_virtual => Some(Sink::Tid),
        "cpu_id" if is_int => Some(Sink::Cpu),
        "procname" if node.kind() == Kind::Text => Some(Sink::Comm),
        _ => None,
    }
}

/// Who recorded the trace.
fn provider(metadata: &Metadata) -> &'static str {
    let env = |key: &str| metadata.env.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
    match (env("tracer_name"), env("domain")) {
        ("perf", _) => "perf",
        ("lttng-modules", _) | ("", "kernel") => "lttng-kernel",
        ("lttng-ust", _) | ("", "ust") => "lttng-ust",
        (tracer, "kernel") if tracer.starts_with("lttng") => "lttng-kernel",
        (tracer, _) if tracer.starts_with("lttng") => "lttng-ust",
        _ => "ctf",
    }
}

fn clock(class: &ClockClass) -> Clock {
    let is_placed = class.is_unix_epoch || class.offset_seconds != 0 || class.offset_cycles != 0;
    Clock {
        name: class.name.clone(),
        offset_ns: is_placed.then(|| offset_ns(class)),
        frequency: class.frequency,
        origin: "CTF metadata".to_owned(),
    }
}

fn offset_ns(class: &ClockClass) -> i64 {
    let cycles = nanoseconds(class.offset_cycles, class.frequency);
    class.offset_seconds.saturating_mul(1_000_000_000).saturating_add(i64::try_from(cycles).unwrap_or(i64::MAX))
}

/// Returns the names of the members of a structure, as users see them.
fn names(class: &Class) -> Vec<String> {
    let Class::Struct { members, .. } = class else { return Vec::new() };
    members.iter().map(|(name, _)| name.strip_prefix('_').unwrap_or(name).to_owned()).collect()
}

/// Tells whether a packet context holds more than what describes the packet.
fn has_own_fields(class: &Class) -> bool {
    const KNOWN: [&str; 7] = [
        "timestamp_begin",
        "timestamp_end",
        "content_size",
        "packet_size",
        "events_discarded",
        "packet_seq_num",
        "cpu_id",
    ];
    let Class::Struct { members, .. } = class else { return false };
    members.iter().any(|(name, class)| match &**class {
        Class::Int(int) => int.role == Role::None && !KNOWN.contains(&name.as_str()),
        _ => true,
    })
}

fn has_role(node: &Node, role: Role) -> bool {
    match node {
        Node::Int(int) => int.role == role,
        Node::Struct { members, .. } => members.iter().any(|(_, node)| has_role(node, role)),
        _ => false,
    }
}

/// Returns the clock to which the first integer below `class` is mapped that is mapped to one.
fn mapped_clock(class: &Class) -> Option<String> {
    match class {
        Class::Int(int) => int.clock.clone(),
        Class::Struct { members, .. } => members.iter().find_map(|(_, class)| mapped_clock(class)),
        Class::Variant { options, .. } => options.iter().find_map(|option| mapped_clock(&option.class)),
        _ => None,
    }
}

fn has_member(class: &Class, wanted: &str) -> bool {
    match class {
        Class::Struct { members, .. } => {
            members.iter().any(|(name, class)| name == wanted || has_member(class, wanted))
        }
        Class::Variant { options, .. } => options.iter().any(|option| has_member(&option.class, wanted)),
        _ => false,
    }
}
