//! Which span of a request it is that made a call: the request's own, or an internal one below it.

use super::process::{Parent, Process};
use crate::trace::window::{Role, Symbol, Window};

/// An internal span is taken for the cause where it is there in this share of a kind's calls.
const MIN_SHARE: f64 = 0.95;
/// Calls that still have their parent tell its name where there are so many.
const MIN_LINKED: usize = 3;

type Name = (Symbol, Role);

/// Stands for the request's own span.
const OWN: Name = (Symbol::EMPTY, Role::Server);

/// By kind of call: the name of the span that makes such calls; nothing where no one name does.
pub(super) struct Places {
    names: Vec<Option<Name>>,
}

impl Places {
    /// Learns from calls that are still linked, else from internal spans that are there whenever such a call begins.
    pub(super) fn learn(window: &Window, process: &Process, joins: &[(u32, u32)]) -> Self {
        let mut by_kind: Vec<Vec<(u32, u32)>> = vec![Vec::new(); process.num_kinds];
        for &(call, parent) in joins {
            by_kind[process.calls[call as usize].kind].push((call, parent));
        }
        let name =
            |kind: usize| by_healthy(window, process, kind).or_else(|| by_presence(window, process, &by_kind[kind]));
        Self { names: (0..process.num_kinds).map(name).collect() }
    }

    /// Returns the span of a request that made a call. Where calls of one kind come from several places, it is the innermost span
    /// that lasts as long as the call: code that waits for its call is inside of it.
    pub(super) fn find(&self, window: &Window, process: &Process, call: u32, parent: u32) -> u32 {
        let request = process.parents[parent as usize].span;
        let of = &process.calls[call as usize];
        let end = window.end_ns[of.span as usize];
        let makes = |span: &u32| match self.names[of.kind] {
            Some(name) => name_of(window, *span) == name,
            None => end <= window.end_ns[*span as usize],
        };
        let there = present(window, process, window.start_ns[of.span as usize], parent);
        there.filter(makes).last().unwrap_or(request)
    }
}

fn name_of(window: &Window, span: u32) -> Name {
    (window.name[span as usize], window.role[span as usize])
}

/// Returns the internal spans of a request that are there at a time, by start.
fn present<'p>(
    window: &'p Window,
    process: &'p Process,
    time: i64,
    parent: u32,
) -> impl Iterator<Item = u32> + use<'p> {
    let linked = process.linked(parent).iter();
    let is_there = move |span: &u32| {
        let at = *span as usize;
        window.role[at] == Role::Internal && window.start_ns[at] <= time && time <= window.end_ns[at]
    };
    linked.map(|call| call.span).filter(is_there)
}

/// Returns what most of the linked calls of a kind have as their parent: nothing where there are too few.
fn by_healthy(window: &Window, process: &Process, kind: usize) -> Option<Name> {
    let mut names: Vec<Name> = Vec::new();
    for (parent, at) in process.parents.iter().zip(0..) {
        let ours = process.linked(at).iter().filter(|call| call.kind == kind);
        names.extend(ours.map(|call| parent_name(window, parent, call.span)));
    }
    let most = mode(&names)?;
    (names.len() >= MIN_LINKED && 2 * count(&names, most) > names.len()).then_some(most)
}

fn parent_name(window: &Window, request: &Parent, span: u32) -> Name {
    let parent = window.parent[span as usize];
    let is_below = parent != request.span && window.role.get(parent as usize) == Some(&Role::Internal);
    if is_below { name_of(window, parent) } else { OWN }
}

/// Returns the deepest internal span that is there whenever a call of a kind begins.
fn by_presence(window: &Window, process: &Process, joins: &[(u32, u32)]) -> Option<Name> {
    let there = |&(call, parent): &(u32, u32)| {
        let time = window.start_ns[process.calls[call as usize].span as usize];
        let names: Vec<Name> = present(window, process, time, parent).map(|span| name_of(window, span)).collect();
        names
    };
    let sets: Vec<Vec<Name>> = joins.iter().map(there).collect();
    let enough = |name: &Name| {
        let num = sets.iter().filter(|set| set.contains(name)).count();
        num as f64 >= MIN_SHARE * sets.len() as f64
    };
    // Any that is there nearly always is in the first few sets.
    sets.iter().take(4).flat_map(|set| set.iter().rev()).copied().find(enough)
}

fn count(names: &[Name], name: Name) -> usize {
    names.iter().filter(|other| **other == name).count()
}

/// Returns the commonest of the first few names, the first of equals.
fn mode(names: &[Name]) -> Option<Name> {
    let mut best: Option<(usize, Name)> = None;
    for &name in names.iter().take(16) {
        let num = count(names, name);
        if best.is_none_or(|(most, _)| num > most) {
            best = Some((num, name));
        }
    }
    best.map(|(_, name)| name)
}
