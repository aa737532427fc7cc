//! Makes field classes ready for decoding: finds what lengths and selectors refer to, fills in the native byte order, knows
//! roles by their names in CTF 1.8.

use std::collections::HashSet;
use std::rc::Rc;

use super::model::{Class, Int, Labels, Length, Location, Order, Role, Scope};
use super::plan::{Choice, IntNode, Label, Len, Node, Range, Slot, key};

/// Most field classes of a trace, counted where they are used.
const MAX_NODES: usize = 500_000;

/// What a name is bound to.
#[derive(Debug, Clone)]
enum Bound {
    Int(Slot, Option<Rc<Labels>>),
    /// Members of a structure or options of a variant.
    Members(Rc<Members>),
    Other,
}

type Members = Vec<(String, Bound)>;

/// Resolves the field classes of one trace, scope after scope.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    pub version: u8,
    pub is_big_endian: bool,
    /// The clock of the stream.
    pub clock: Option<String>,
    /// Whether integers named like times are times although they are mapped to no clock.
    pub maps_by_name: bool,
    /// Names that some length or selector refers to: such integers are kept.
    referenced: HashSet<String>,
    scopes: Vec<(Scope, Rc<Members>)>,
    /// Structures that are open, the innermost last.
    frames: Vec<Members>,
    pub num_slots: usize,
    /// Most slots that were in use at once.
    pub max_slots: usize,
    num_nodes: usize,
}

impl Resolver {
    pub(crate) fn new(version: u8, is_big_endian: bool) -> Self {
        Self { version, is_big_endian, ..Self::default() }
    }

    /// Notes what lengths and selectors below `class` refer to. Shared classes are visited once.
    pub(crate) fn gather(&mut self, class: &Rc<Class>, visited: &mut HashSet<*const Class>) {
        if !visited.insert(Rc::as_ptr(class)) {
            return;
        }
        match &**class {
            Class::Struct { members, .. } => members.iter().for_each(|(_, class)| self.gather(class, visited)),
            Class::Array { len, element, .. } => {
                self.refer_len(len);
                self.gather(element, visited);
            }
            Class::Chars { len, .. } | Class::Blob { len } => self.refer_len(len),
            Class::Variant { selector, options, .. } => {
                selector.iter().for_each(|selector| self.refer(selector));
                options.iter().for_each(|option| self.gather(&option.class, visited));
            }
            Class::Optional { selector, class, .. } => {
                self.refer(selector);
                self.gather(class, visited);
            }
            Class::Int(_) | Class::Float { .. } | Class::Text(_) => {}
        }
    }

    fn refer_len(&mut self, len: &Length) {
        if let Length::Field(location) = len {
            self.refer(location);
        }
    }

    fn refer(&mut self, location: &Location) {
        if let Some(name) = location.names.last() {
            let bare = name.strip_prefix('_').unwrap_or(name);
            self.referenced.extend([name.clone(), format!("_{name}"), bare.to_owned()]);
        }
    }

    /// Forgets the scopes from `scope` on and the slots from `num_slots` on.
    pub(crate) fn reset(&mut self, scope: Scope, num_slots: usize) {
        self.scopes.retain(|(known, _)| *known < scope);
        self.num_slots = num_slots;
    }

    /// Resolves the structure of a whole scope.
    pub(crate) fn scope(&mut self, scope: Scope, class: &Class) -> Result<Node, String> {
        if !matches!(class, Class::Struct { .. }) {
            return Err(format!("{scope:?} is no structure"));
        }
        self.frames.clear();
        let (node, bound) = self.node(scope, "", class)?;
        if let Bound::Members(members) = bound {
            self.scopes.push((scope, members));
        }
        Ok(node)
    }

    fn node(&mut self, scope: Scope, name: &str, class: &Class) -> Result<(Node, Bound), String> {
        self.num_nodes += 1;
        if self.num_nodes > MAX_NODES {
            return Err(format!("more than {MAX_NODES} field classes"));
        }
        Ok(match class {
            Class::Int(int) => self.int(scope, name, int),
            Class::Float { bits, align, order } => {
                (Node::Float { bits: *bits, align: *align, is_big: self.is_big(*order) }, Bound::Other)
            }
            Class::Text(encoding) => (Node::Text(*encoding), Bound::Other),
            Class::Struct { align, members, .. } => self.structure(scope, *align, members)?,
            Class::Array { align, len, element, .. } => (self.array(scope, *align, len, element)?, Bound::Other),
            Class::Chars { len, encoding } => {
                (Node::Chars { len: self.len(scope, len)?, encoding: *encoding }, Bound::Other)
            }
            Class::Blob { len } => (Node::Blob { len: self.len(scope, len)? }, Bound::Other),
            Class::Variant { selector, options, .. } => self.variant(scope, selector.as_ref(), options)?,
            Class::Optional { selector, ranges, class, .. } => {
                let (selector, _) = self.find(scope, selector)?;
                let ranges = self::ranges(ranges, selector.is_signed);
                let (node, bound) = self.node(scope, name, class)?;
                (Node::Optional { selector, ranges, node: Box::new(node) }, bound)
            }
        })
    }

    fn is_big(&self, order: Order) -> bool {
        order == Order::Big || (order == Order::Native && self.is_big_endian)
    }

    fn int(&mut self, scope: Scope, name: &str, int: &Int) -> (Node, Bound) {
        let role = match (self.version, scope, name) {
            (1, ..) => role(scope, name),
            // CTF 2 has no role for it; tracers keep the name.
            (_, Scope::PacketContext, "cpu_id") => Role::Cpu,
            _ => int.role,
        };
        let slot = self.referenced.contains(name).then_some(self.num_slots);
        self.num_slots += usize::from(slot.is_some());
        self.max_slots = self.max_slots.max(self.num_slots);
        let is_time = role == Role::Begin || (scope == Scope::EventHeader && name == "timestamp");
        let is_mapped = match &int.clock {
            Some(_) => int.clock == self.clock,
            None => self.maps_by_name && is_time,
        };
        let is_clock = match self.version {
            1 => is_mapped && role != Role::End,
            _ => self.clock.is_some() && role == Role::Begin,
        };
        let labels = int.labels.as_ref().map(|labels| {
            let label = |(name, ranges): &(String, Vec<_>)| Label {
                name: name.clone(),
                ranges: self::ranges(ranges, int.is_signed),
            };
            Rc::new(labels.iter().map(label).collect::<Vec<_>>())
        });
        self.num_nodes += labels.as_ref().map_or(0, |labels| labels.len());
        let node = IntNode {
            bits: int.bits,
            align: int.align,
            is_big: self.is_big(int.order),
            is_signed: int.is_signed,
            is_variable: int.is_variable,
            is_reversed: int.is_reversed,
            is_noted: is_clock || role != Role::None || slot.is_some(),
            is_clock,
            role,
            slot,
            labels,
            meaning: int.meaning,
        };
        let bound = slot
            .map_or(Bound::Other, |number| Bound::Int(Slot { number, is_signed: int.is_signed }, int.labels.clone()));
        (Node::Int(node), bound)
    }

    fn structure(
        &mut self,
        scope: Scope,
        align: u64,
        members: &[(String, Rc<Class>)],
    ) -> Result<(Node, Bound), String> {
        self.frames.push(Members::new());
        let mut nodes = Vec::with_capacity(members.len());
        for (name, class) in members {
            let (node, bound) = self.node(scope, name, class)?;
            nodes.push((self.shown(name).to_owned(), node));
            if let Some(frame) = self.frames.last_mut() {
                frame.push((name.clone(), bound));
            }
        }
        let bound = Bound::Members(Rc::new(self.frames.pop().unwrap_or_default()));
        Ok((Node::Struct { align, members: nodes }, bound))
    }

    /// Returns the name that users see: TSDL puts an underscore before names, so that they are no keywords.
    fn shown<'a>(&self, name: &'a str) -> &'a str {
        if self.version == 1 { name.strip_prefix('_').unwrap_or(name) } else { name }
    }

    fn array(&mut self, scope: Scope, align: u64, len: &Length, element: &Class) -> Result<Node, String> {
        let len = self.len(scope, len)?;
        if let Class::Int(Int { bits: 8, is_text: true, labels: None, align: 1 | 8, .. }) = element
            && align == 8
        {
            return Ok(Node::TextArray { align, len });
        }
        let (element, _) = self.node(scope, "", element)?;
        Ok(Node::Array { align, len, element: Box::new(element) })
    }

    fn len(&self, scope: Scope, len: &Length) -> Result<Len, String> {
        Ok(match len {
            Length::Fixed(len) => Len::Fixed(*len),
            Length::Field(location) => {
                let (slot, _) = self.find(scope, location)?;
                if slot.is_signed && self.version == 1 {
                    return Err(format!("length {} is a signed integer", location.names.join(".")));
                }
                Len::Slot(slot)
            }
        })
    }

    fn variant(
        &mut self,
        scope: Scope,
        selector: Option<&Location>,
        options: &[super::model::Choice],
    ) -> Result<(Node, Bound), String> {
        let selector = selector.ok_or("variant has no tag")?;
        let (slot, labels) = self.find(scope, selector)?;
        let (mut choices, mut members) = (Vec::new(), Members::new());
        for option in options {
            let ranges = match &option.ranges {
                Some(ranges) => self::ranges(ranges, slot.is_signed),
                None => self.labelled(&option.name, labels.as_deref(), slot),
            };
            let (node, bound) = self.node(scope, &option.name, &option.class)?;
            choices.push(Choice { name: self.shown(&option.name).to_owned(), ranges, node });
            members.push((option.name.clone(), bound));
        }
        Ok((Node::Variant { selector: slot, options: choices }, Bound::Members(Rc::new(members))))
    }

    /// Returns the values that have the label `name`, with or without the underscore that TSDL puts before it.
    fn labelled(&self, name: &str, labels: Option<&Labels>, slot: Slot) -> Vec<Range> {
        let with = |wanted: &str| {
            let labels = labels.into_iter().flatten().filter(|(label, _)| label == wanted);
            labels.flat_map(|(_, ranges)| self::ranges(ranges, slot.is_signed)).collect::<Vec<_>>()
        };
        let exact = with(name);
        if exact.is_empty() { with(self.shown(name)) } else { exact }
    }

    /// Finds the integer that `location` refers to.
    fn find(&self, scope: Scope, location: &Location) -> Result<(Slot, Option<Rc<Labels>>), String> {
        let path = || crate::text::inert(&location.names.join(".")).into_owned();
        let found = match (location.origin, location.up) {
            (Some(origin), _) => self.root(scope, origin).and_then(|members| descend(members, &location.names)),
            (None, Some(up)) => {
                let frame = self.frames.len().checked_sub(up + 1).and_then(|frame| self.frames.get(frame));
                frame.and_then(|members| descend(members, &location.names))
            }
            (None, None) => {
                let frames = self.frames.iter().rev();
                let earlier = self.scopes.iter().rev().map(|(_, members)| &**members);
                frames.chain(earlier).find_map(|members| descend(members, &location.names))
            }
        };
        match found {
            Some(Bound::Int(slot, labels)) => Ok((*slot, labels.clone())),
            Some(_) => Err(format!("field {} is no integer", path())),
            None => Err(format!("field {} is not there before it is needed", path())),
        }
    }

    /// Returns the members of a scope: of this one, what was resolved so far.
    fn root(&self, scope: Scope, origin: Scope) -> Option<&Members> {
        if scope == origin {
            return self.frames.first();
        }
        self.scopes.iter().find(|(known, _)| *known == origin).map(|(_, members)| &**members)
    }
}

/// Goes down from `members` by `names`.
fn descend<'a>(members: &'a Members, names: &[String]) -> Option<&'a Bound> {
    let (first, rest) = names.split_first()?;
    let by_name = |wanted: &str| members.iter().rev().find(|(name, _)| name == wanted).map(|(_, bound)| bound);
    let bound =
        by_name(first).or_else(|| by_name(&format!("_{first}"))).or_else(|| by_name(first.strip_prefix('_')?))?;
    match bound {
        _ if rest.is_empty() => Some(bound),
        Bound::Members(members) => descend(members, rest),
        _ => None,
    }
}

/// Returns what CTF 1.8 calls `name` in `scope`.
fn role(scope: Scope, name: &str) -> Role {
    match (scope, name) {
        (Scope::PacketHeader, "magic") => Role::Magic,
        (Scope::PacketHeader, "stream_id") => Role::StreamClass,
        (Scope::PacketHeader, "stream_instance_id") => Role::StreamInstance,
        (Scope::PacketContext, "packet_size") => Role::PacketBits,
        (Scope::PacketContext, "content_size") => Role::ContentBits,
        (Scope::PacketContext, "timestamp_begin") => Role::Begin,
        (Scope::PacketContext, "timestamp_end") => Role::End,
        (Scope::PacketContext, "events_discarded") => Role::Discarded,
        (Scope::PacketContext, "packet_seq_num") => Role::Sequence,
        (Scope::PacketContext, "cpu_id") => Role::Cpu,
        (Scope::EventHeader, "id") => Role::Event,
        _ => Role::None,
    }
}

/// Returns the ranges as keys, cut to what a number can be.
fn ranges(ranges: &[(i128, i128)], is_signed: bool) -> Vec<Range> {
    let (least, most) =
        if is_signed { (i128::from(i64::MIN), i128::from(i64::MAX)) } else { (0, i128::from(u64::MAX)) };
    let cut = ranges.iter().map(|&(from, to)| (from.max(least), to.min(most))).filter(|(from, to)| from <= to);
    cut.map(|(from, to)| (key(from as u64, is_signed), key(to as u64, is_signed))).collect()
}
