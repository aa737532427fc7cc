//! What captured headers and ids tell about a hop that broke.

use std::collections::{BTreeMap, BTreeSet};

use crate::detect::Case;
use crate::detect::headers::{Context, Format};
use crate::detect::hops::Hop;
use crate::trace::window::Symbol;

/// Headers of the roots of a hop.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Wire {
    /// Contexts with ids that the callee did not take over, by format.
    pub ignored: BTreeMap<Format, u64>,
    /// Roots with any header that holds a context, ids or none.
    pub with_context: u64,
    /// An ignored context, as it can be shown.
    pub example: Option<(Context, u32)>,
}

impl Wire {
    /// Reads the headers of both ends of each break.
    pub(super) fn read(case: &Case<'_>, hop: &Hop) -> Self {
        let mut wire = Self::default();
        for one in &hop.breaks {
            let at_root = case.headers.contexts(case.window, one.root);
            let contexts = if at_root.is_empty() { case.headers.contexts(case.window, one.call) } else { at_root };
            wire.with_context += u64::from(!contexts.is_empty());
            let own = case.window.trace_id(one.root);
            for context in contexts.into_iter().filter(|context| context.has_ids() && !context.is_of(own)) {
                *wire.ignored.entry(context.format).or_default() += 1;
                wire.example = wire.example.or(Some((context, one.root)));
            }
        }
        wire
    }

    /// Returns the format that most roots ignored, if that many did.
    pub(super) fn ignored_by_most(&self, hop: &Hop) -> Option<Format> {
        // B3 in front: a caller that sends several formats and is not understood in any shows the one with a rule of its own.
        let most = self.ignored.iter().filter(|&(_, &count)| count as usize * 2 > hop.breaks.len());
        most.min_by_key(|&(format, count)| (u64::MAX - count, *format)).map(|(&format, _)| format)
    }

    /// The other formats that arrived.
    pub(super) fn names(&self) -> Vec<&'static str> {
        self.ignored.keys().map(|format| format.name()).collect()
    }
}

/// Returns the services whose entries show context headers: where one of them is missing it was not sent.
pub(super) fn capturing(case: &Case<'_>) -> BTreeSet<Symbol> {
    let mut found = BTreeSet::new();
    if case.headers.is_empty() {
        return found;
    }
    for (&service, what) in &case.edges.services {
        let shows = |&span: &u32| !case.headers.contexts(case.window, span).is_empty();
        if what.entries.iter().any(shows) {
            found.insert(service);
        }
    }
    found
}

/// Share of a hop's calls whose trace id has 64 bits.
pub(super) fn narrow_share(case: &Case<'_>, hop: &Hop) -> f64 {
    let narrow = hop.breaks.iter().filter(|one| case.window.trace_id(one.call) >> 64 == 0).count();
    narrow as f64 / hop.breaks.len().max(1) as f64
}

/// Returns the scope that wrote most of a hop's calls, by name. Of equally many the first by name.
pub(super) fn scope<'w>(case: &Case<'w>, calls: impl Iterator<Item = u32>) -> &'w str {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for call in calls {
        let scope = case.window.scopes.get(case.window.scope[call as usize] as usize);
        *counts.entry(scope.map_or("", |scope| case.window.text(scope.name))).or_default() += 1;
    }
    let most = counts.into_iter().min_by_key(|&(name, count)| (u64::MAX - count, name));
    most.map_or("", |(name, _)| name)
}
