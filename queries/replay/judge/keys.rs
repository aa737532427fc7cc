//! Path keys that mean the same on both sides: without the place among siblings, and without services that only one side has.
//!
//! Which of its siblings a call is depends on chance where calls run at once, so that repetitions are counted instead. A proxy or
//! a mesh that stands in staging only would shift every path below it: it is looked through.

use std::collections::{BTreeMap, BTreeSet};

use crate::replay::edge::Edge;
use crate::replay::path_key::{Names, PathKey, PathKeys, Step};
use crate::trace::window::{NONE, Role, Window};

/// The keys of both windows in one numbering, ordered by path.
#[derive(Debug, Default)]
pub(super) struct Keys {
    paths: Vec<PathKey>,
    /// By key: the one above.
    above: Vec<Option<u32>>,
}

/// By span of one window: its key, [`NONE`] where it is looked through.
#[derive(Debug, Default)]
pub(super) struct KeyOf(Vec<u32>);

impl KeyOf {
    pub(super) fn get(&self, span: u32) -> Option<u32> {
        self.0.get(span as usize).copied().filter(|&key| key != NONE)
    }
}

/// One window, as [`number`] reads it.
#[derive(Debug)]
pub(super) struct Reading<'w> {
    pub(super) window: &'w Window,
    paths: PathKeys,
    names: &'w Names,
}

impl<'w> Reading<'w> {
    /// Reads the recorded tree: what was torn stays torn, so that it does not matter on which side it could be joined.
    pub(super) fn of(window: &'w Window, names: &'w Names) -> Self {
        Self { window, paths: PathKeys::of(window, &[], names), names }
    }

    /// Returns the name that keys have for the service of a span.
    pub(super) fn service(&self, span: u32) -> &str {
        let recorded = self.window.text(self.window.service(span));
        self.names.get(recorded).map_or(recorded, String::as_str)
    }

    /// Returns what a span does, by the names that keys have.
    pub(super) fn step(&self, span: u32) -> Option<&Step> {
        self.paths.step(self.paths.id(span))
    }

    fn seen_through(&self, id: u32, through: &BTreeSet<String>) -> Option<PathKey> {
        if self.paths.step(id).is_none_or(|step| through.contains(&step.service)) {
            return None;
        }
        let mut path = self.paths.path(id);
        path.0.retain(|step| !through.contains(&step.service));
        path.0.iter_mut().for_each(|step| step.nth = 0);
        Some(path)
    }
}

/// Numbers the keys of both sides' spans `spans`, looking through the services in `through`.
pub(super) fn number(
    sides: [&Reading<'_>; 2],
    spans: [&BTreeSet<u32>; 2],
    through: &BTreeSet<String>,
) -> (Keys, [KeyOf; 2]) {
    let [here, there] = [0, 1].map(|at| plain(sides[at], spans[at], through));
    let all: BTreeSet<&PathKey> = here.values().chain(there.values()).collect();
    let paths: Vec<PathKey> = all.into_iter().cloned().collect();
    let by_path: BTreeMap<&PathKey, u32> = paths.iter().zip(0..).collect();
    let of = [key_of(sides[0], &here, &by_path), key_of(sides[1], &there, &by_path)];
    let above = |path: &PathKey| Some(PathKey(path.0.split_last()?.1.to_vec()));
    let above = paths.iter().map(|path| by_path.get(&above(path)?).copied()).collect();
    (Keys { paths, above }, of)
}

/// Returns the paths of these spans' keys, by the key's id in its window.
fn plain(side: &Reading<'_>, spans: &BTreeSet<u32>, through: &BTreeSet<String>) -> BTreeMap<u32, PathKey> {
    let ids: BTreeSet<u32> = spans.iter().map(|&span| side.paths.id(span)).collect();
    ids.into_iter().filter_map(|id| Some((id, side.seen_through(id, through)?))).collect()
}

fn key_of(side: &Reading<'_>, plain: &BTreeMap<u32, PathKey>, by_path: &BTreeMap<&PathKey, u32>) -> KeyOf {
    let numbers: BTreeMap<u32, u32> = plain.iter().filter_map(|(&id, path)| Some((id, *by_path.get(path)?))).collect();
    let number = |span: u32| numbers.get(&side.paths.id(span)).copied().unwrap_or(NONE);
    KeyOf(side.window.spans().map(number).collect())
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.paths.len()
    }

    pub(super) fn path(&self, key: u32) -> Option<&PathKey> {
        self.paths.get(key as usize)
    }

    pub(super) fn text(&self, key: u32) -> String {
        self.path(key).map(PathKey::to_string).unwrap_or_default()
    }

    /// Returns the last step of a key.
    pub(super) fn step(&self, key: u32) -> Option<&Step> {
        self.path(key)?.0.last()
    }

    /// Returns the key above; nothing where none of the requests has it.
    pub(super) fn above(&self, key: u32) -> Option<u32> {
        self.above.get(key as usize).copied().flatten()
    }

    /// Returns the keys from this one up to its root.
    pub(super) fn upwards(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(key), |&key| self.above(key))
    }
}

/// The keys of the edge that the fault is at.
#[derive(Debug, Default)]
pub(super) struct AtEdge {
    /// The calls, as the client tells them.
    pub(super) client: BTreeSet<u32>,
    /// The calls, as the server tells them.
    pub(super) server: BTreeSet<u32>,
    /// The latter, and all that is below.
    pub(super) behind: BTreeSet<u32>,
    /// Both, all that is above and all that is below.
    pub(super) near: BTreeSet<u32>,
}

/// Finds what `asked` means. `client` and `server`: its services by the names that keys have.
pub(super) fn at_edge(keys: &Keys, client: &str, server: &str, asked: &Edge) -> AtEdge {
    let mut edge = AtEdge::default();
    for key in 0..keys.len() as u32 {
        let (Some(step), Some(above)) = (keys.step(key), keys.above(key)) else { continue };
        let Some(call) = keys.step(above) else { continue };
        let is_meant = asked.means(&step.operation) || asked.means(&call.operation);
        if step.service == server && call.service == client && step.kind != Role::Client && is_meant {
            edge.server.insert(key);
            edge.client.insert(above);
        }
    }
    edge.behind = below(keys, &edge.server);
    edge.near = edge.server.iter().flat_map(|&key| keys.upwards(key)).chain(below(keys, &edge.client)).collect();
    edge
}

/// Returns these keys and all that hang below them.
fn below(keys: &Keys, tops: &BTreeSet<u32>) -> BTreeSet<u32> {
    (0..keys.len() as u32).filter(|&key| keys.upwards(key).any(|above| tops.contains(&above))).collect()
}
