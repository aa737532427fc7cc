//! Spans that were lost on the way, as far as spans that did arrive show it.
//!
//! A parent inside the same process cannot be hidden by a hop or by another service's sampler: where such parents are missing,
//! spans of this service were lost. Orphans in the services that it calls are then its doing, too.

use std::collections::{BTreeMap, BTreeSet};

use super::share::at_least;
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

/// What a service seems to have lost.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// Its own spans whose parent, in the same process, is missing.
    pub local: Vec<u32>,
    /// Spans of other services whose parent is likely one of the lost ones.
    pub remote: Vec<u32>,
    /// Distinct missing parents of `local` and `remote`.
    pub parents: usize,
    /// Its spans that arrived and are somebody's parent.
    pub known_parents: usize,
    /// All its spans that arrived.
    pub spans: usize,
}

impl Lost {
    /// Returns the share of its spans that is missing, judged by parents.
    pub fn share(&self) -> f64 {
        self.parents as f64 / (self.parents + self.known_parents).max(1) as f64
    }

    /// Returns about how many spans are missing.
    pub fn estimate(&self) -> u64 {
        let share = self.share().min(0.99);
        (self.spans as f64 * share / (1.0 - share)).round() as u64
    }
}

/// Tells whether the parent of a span is in the same process: by the flags of the span, else by its role.
pub(super) fn is_parent_local(window: &Window, span: u32) -> bool {
    window.is_remote(span).map_or_else(|| !window.is_entry(span), |is_remote| !is_remote)
}

/// Returns what services seem to have lost. Thresholds: `min_orphans`, `min_share`, `deviations`.
pub(super) fn infer(case: &Case<'_>, rule: &Rule) -> BTreeMap<Symbol, Lost> {
    let window = case.window;
    let mut services: BTreeMap<Symbol, (Lost, usize)> = BTreeMap::new();
    let mut remote = Vec::new();
    let edges = Ends::of(window);
    for span in window.spans() {
        let (lost, local) = services.entry(window.service(span)).or_default();
        lost.spans += 1;
        lost.known_parents += usize::from(!window.children(span).is_empty());
        let is_local = !window.is_root(span) && is_parent_local(window, span);
        *local += usize::from(is_local);
        if window.is_orphan(span) {
            if is_local { lost.local.push(span) } else { remote.push(span) }
        }
    }
    services.retain(|_, (lost, local)| {
        let inside = lost.local.iter().filter(|&&span| edges.is_inside(window, span)).count();
        let share = at_least(inside, *local, rule.threshold("deviations"));
        inside as u64 >= rule.count("min_orphans").max(1) && share >= rule.threshold("min_share")
    });
    let mut lossy: BTreeMap<Symbol, Lost> = services.into_iter().map(|(service, (lost, _))| (service, lost)).collect();
    attribute(case, &remote, &mut lossy);
    lossy.values_mut().for_each(|lost| lost.parents = distinct_parents(window, lost));
    lossy
}

/// What lies near the beginning and the end of the window may have parents beyond it, or parents that are not finished.
pub(super) struct Ends {
    from_ns: i64,
    to_ns: i64,
}

impl Ends {
    /// Parents are open for as long as all but one of a hundred known ones, at most.
    pub fn of(window: &Window) -> Self {
        let parents = window.spans().filter(|&span| !window.children(span).is_empty());
        let mut open: Vec<i64> = parents.map(|span| window.duration_ns(span)).collect();
        open.sort_unstable();
        let open = open.get(open.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(0);
        let first = window.start_ns.first().copied().unwrap_or(0);
        let last = window.end_ns.iter().copied().max().unwrap_or(0);
        Self { from_ns: first.saturating_add(open), to_ns: last.saturating_sub(open) }
    }

    pub fn is_inside(&self, window: &Window, span: u32) -> bool {
        window.start_ns[span as usize] >= self.from_ns && window.end_ns[span as usize] <= self.to_ns
    }
}

/// Gives each orphan to the lossy service that calls spans of this name most, where there is one.
fn attribute(case: &Case<'_>, orphans: &[u32], lossy: &mut BTreeMap<Symbol, Lost>) {
    if lossy.is_empty() || orphans.is_empty() {
        return;
    }
    let window = case.window;
    let what = |span: u32| (window.service(span), window.name[span as usize]);
    let mut callers: BTreeMap<(Symbol, Symbol), BTreeMap<Symbol, u64>> = BTreeMap::new();
    for (child, &parent) in (0..).zip(&case.healed_parent) {
        if parent != NONE
            && window.service(parent) != window.service(child)
            && lossy.contains_key(&window.service(parent))
        {
            *callers.entry(what(child)).or_default().entry(window.service(parent)).or_default() += 1;
        }
    }
    for &orphan in orphans {
        let most = callers.get(&what(orphan)).and_then(|callers| callers.iter().max_by_key(|&(_, count)| *count));
        if let Some(lost) = most.and_then(|(caller, _)| lossy.get_mut(caller)) {
            lost.remote.push(orphan);
        }
    }
}

fn distinct_parents(window: &Window, lost: &Lost) -> usize {
    let id = |&span: &u32| (window.trace[span as usize], window.parent_span_id[span as usize]);
    lost.local.iter().chain(&lost.remote).map(id).collect::<BTreeSet<_>>().len()
}
