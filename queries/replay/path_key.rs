//! Where in a request a span stands, in words that mean the same in every window: the execution index of its call.
//!
//! A path key is the list of steps from the root to the span; a step is service, operation, kind, and which of its equal siblings
//! it is. Ids of instances, traces and rows are no part of it, so that production and staging can be compared. (Filibuster's
//! distributed execution index and Reynard's fault uid are the same idea.)

use std::collections::HashMap;
use std::fmt;

use hashbrown::HashMap as FastMap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::detect::case::healed_parents;
use crate::stitch::Stitch;
use crate::stitch::calls::operation::{Operation, Protocol, has_digit, is_rest, is_wild};
use crate::trace::window::{NONE, Role, Symbol, Window, children_of};

/// Other names for services: recorded name to the name that keys have. Others keep their name.
pub type Names = HashMap<String, String>;

/// One call on the way from the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    pub service: String,
    /// `POST /orders/{id}`, `shop.v1.Payments/Charge`, a destination, or the name of the span.
    pub operation: String,
    pub kind: Role,
    /// Which of the siblings with the same service, operation and kind, by start: 0 is the first.
    #[serde(default)]
    pub nth: u32,
}

impl fmt::Display for Step {
    /// Writes `gateway POST /orders`, with `#2` behind the second of equal siblings, and the kind where it is a call going out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.service)?;
        if matches!(self.kind, Role::Client | Role::Producer) {
            f.write_str("calls ")?;
        }
        f.write_str(&self.operation)?;
        if self.nth > 0 { write!(f, " #{}", self.nth.saturating_add(1)) } else { Ok(()) }
    }
}

/// The steps from the root to a span, as files and reports show them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PathKey(pub Vec<Step>);

impl fmt::Display for PathKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { " > " };
            write!(f, "{between}{step}")?;
        }
        Ok(())
    }
}

/// A path key as one number that is the same in every window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Print(pub u128);

/// The path keys of all spans of a window. A key's id counts from 0 and means something in this window only; its [`Print`] is the
/// same in all windows.
#[derive(Debug, Default)]
pub struct PathKeys {
    nodes: Vec<Node>,
    by_print: FastMap<Print, u32>,
    /// By span.
    of: Vec<u32>,
    /// By span: the parent as recorded or as stitched.
    healed_parent: Vec<u32>,
}

#[derive(Debug)]
struct Node {
    /// [`NONE`] at a root.
    parent: u32,
    depth: u32,
    step: Step,
    print: Print,
}

impl PathKeys {
    /// Makes the keys of a window. Fragments of accepted stitches hang below their stitched parent; other fragments have a key
    /// that begins with themselves. Services are called as in `names`.
    #[must_use]
    pub fn of(window: &Window, stitches: &[Stitch], names: &Names) -> Self {
        let healed_parent = healed_parents(window, stitches);
        let children = children_of(&healed_parent);
        let mut keys = Self { of: vec![NONE; window.len()], healed_parent, ..Self::default() };
        let mut bases = Bases { names, known: FastMap::new() };
        let roots: Vec<u32> = window.spans().filter(|&span| keys.parent_of(span) == NONE).collect();
        // What hangs in a ring is reached from no root: each such span begins a key of its own.
        for root in roots.into_iter().chain(window.spans()) {
            if keys.id(root) == NONE {
                keys.walk(window, &children, &mut bases, root);
            }
        }
        keys
    }

    fn walk(&mut self, window: &Window, children: &Children, bases: &mut Bases<'_>, root: u32) {
        self.put(root, NONE, bases.of(window, root), 0);
        let mut waiting = vec![root];
        while let Some(span) = waiting.pop() {
            let parent = self.id(span);
            let mut seen: FastMap<u64, u32> = FastMap::new();
            for &child in children.get(span as usize) {
                if self.id(child) != NONE {
                    continue;
                }
                let base = bases.of(window, child);
                let nth = seen.entry(base.number).or_default();
                self.put(child, parent, base, *nth);
                *nth = nth.saturating_add(1);
                waiting.push(child);
            }
        }
    }

    fn put(&mut self, span: u32, parent: u32, base: &Base, nth: u32) {
        let print = print(self.nodes.get(parent as usize).map(|node| node.print), base, nth);
        let next = self.nodes.len() as u32;
        let id = *self.by_print.entry(print).or_insert(next);
        if id == next {
            let depth = self.nodes.get(parent as usize).map_or(0, |node| node.depth.saturating_add(1));
            self.nodes.push(Node { parent, depth, step: Step { nth, ..base.step.clone() }, print });
        }
        if let Some(of) = self.of.get_mut(span as usize) {
            *of = id;
        }
    }

    /// Returns how many different keys there are: ids are the numbers below.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the key of a span; [`NONE`] of one that the window does not have.
    #[must_use]
    pub fn id(&self, span: u32) -> u32 {
        self.of.get(span as usize).copied().unwrap_or(NONE)
    }

    /// Returns the parent of a span, as recorded or as stitched; [`NONE`] where there is neither.
    #[must_use]
    pub fn parent_of(&self, span: u32) -> u32 {
        self.healed_parent.get(span as usize).copied().unwrap_or(NONE)
    }

    /// Returns what a key is in every window.
    #[must_use]
    pub fn print(&self, id: u32) -> Option<Print> {
        self.nodes.get(id as usize).map(|node| node.print)
    }

    /// Returns this window's id of a key of another window.
    #[must_use]
    pub fn find(&self, print: Print) -> Option<u32> {
        self.by_print.get(&print).copied()
    }

    /// Returns the last step of a key.
    #[must_use]
    pub fn step(&self, id: u32) -> Option<&Step> {
        self.nodes.get(id as usize).map(|node| &node.step)
    }

    /// Returns the key that a key hangs below; nothing at a root.
    #[must_use]
    pub fn above(&self, id: u32) -> Option<u32> {
        self.nodes.get(id as usize).map(|node| node.parent).filter(|&parent| parent != NONE)
    }

    /// Returns how many steps lie above a key.
    #[must_use]
    pub fn depth(&self, id: u32) -> u32 {
        self.nodes.get(id as usize).map_or(0, |node| node.depth)
    }

    /// Tells whether a key is `above` or hangs below it.
    #[must_use]
    pub fn is_within(&self, id: u32, above: u32) -> bool {
        let mut at = id;
        while at != above && self.depth(at) > self.depth(above) {
            at = self.above(at).unwrap_or(NONE);
        }
        at == above && at != NONE
    }

    /// Returns all steps of a key, from the root.
    #[must_use]
    pub fn path(&self, id: u32) -> PathKey {
        let upwards = std::iter::successors(Some(id), |&id| self.above(id));
        let mut steps: Vec<Step> = upwards.filter_map(|id| self.step(id).cloned()).collect();
        steps.reverse();
        PathKey(steps)
    }
}

type Children = crate::trace::window::Rows<u32>;

impl PathKey {
    /// Returns the number of this key: the same that [`PathKeys::print`] tells. Nothing for a key without steps.
    #[must_use]
    pub fn print(&self) -> Option<Print> {
        self.0.iter().fold(None, |above, step| Some(print(above, &Base::new(step.clone()), step.nth)))
    }
}

/// A step without its place among siblings, and the number of that.
#[derive(Debug)]
struct Base {
    step: Step,
    number: u64,
    hash: u128,
}

impl Base {
    fn new(step: Step) -> Self {
        let text = format!("{}\n{}\n{:?}", step.service, step.operation, step.kind);
        let hash = xxh3_128(text.as_bytes());
        Self { step, number: hash as u64, hash }
    }
}

/// Steps of spans that look alike are made once.
struct Bases<'n> {
    names: &'n Names,
    /// By service, kind and operation.
    known: FastMap<(Symbol, Role, String), Base>,
}

impl Bases<'_> {
    fn of(&mut self, window: &Window, span: u32) -> &Base {
        let role = window.role.get(span as usize).copied().unwrap_or_default();
        let service = window.service(span);
        let names = self.names;
        self.known.entry((service, role, operation(window, span))).or_insert_with_key(|(_, kind, operation)| {
            let service = window.text(service);
            let service = names.get(service).map_or(service, String::as_str).to_owned();
            Base::new(Step { service, operation: operation.clone(), kind: *kind, nth: 0 })
        })
    }
}

fn print(above: Option<Print>, base: &Base, nth: u32) -> Print {
    let mut bytes = [0; 36];
    bytes[..16].copy_from_slice(&above.map_or(0, |print| print.0).to_le_bytes());
    bytes[16..32].copy_from_slice(&base.hash.to_le_bytes());
    bytes[32..].copy_from_slice(&nth.to_le_bytes());
    Print(xxh3_128(&bytes))
}

/// Returns what a span does, without what differs from one request to the next: `GET /users/{id}`, `shop.v1.Payments/Charge`, the
/// destination of a message, or the name.
#[must_use]
pub fn operation(window: &Window, span: u32) -> String {
    let Operation { protocol, what, path } = Operation::as_recorded(window, span);
    match protocol {
        Protocol::Http if path.is_empty() => what.to_uppercase(),
        Protocol::Http => format!("{} {}", what.to_uppercase(), form(&path)),
        Protocol::Rpc => what,
        Protocol::Message | Protocol::Named => without_ids(&what),
    }
}

/// Returns the form of a path or route: segments that stand for any are `{id}`, and so are ids; a last segment that takes all the
/// rest is `*`.
#[must_use]
pub fn form(path: &str) -> String {
    let num_segments = path.split('/').count();
    let segment = |(at, part): (usize, &str)| match part {
        rest if at + 1 == num_segments && is_rest(rest) && rest != "*" => "*".to_owned(),
        any if is_wild(any) || is_id(any) => "{id}".to_owned(),
        _ => part.to_owned(),
    };
    path.split('/').enumerate().map(segment).collect::<Vec<_>>().join("/")
}

/// Tells whether a segment of a path is a value rather than a name. `v1` is a name.
fn is_id(part: &str) -> bool {
    let is_version =
        part.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    has_digit(part) && !is_version
}

/// Puts `{id}` for the words of a name that are numbers, UUIDs or other long hexadecimal values.
fn without_ids(name: &str) -> String {
    let words = name.split(' ').map(|word| if is_value(word) { "{id}" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

fn is_value(word: &str) -> bool {
    /// Shorter words of these letters may be names.
    const MIN_HEX: usize = 8;
    let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_number || (is_hex && word.len() >= MIN_HEX && has_digit(word))
}

#[cfg(test)]
mod tests;
