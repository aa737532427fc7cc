//! Follows one key from visit to visit.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Rule;
use super::super::visits::Visits;
use super::keys::Seen;
use crate::trace::window::{NONE, Symbol, Window};

type EdgeId = (Symbol, Symbol);

/// What became of a key on the calls from one service to another.
#[derive(Debug, Default)]
pub(super) struct Hop {
    pub kept: usize,
    /// Visits that the key did not reach, though it was known to their caller.
    pub lost: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct Hops {
    edges: BTreeMap<EdgeId, Hop>,
}

/// One key, by visit.
struct Path {
    /// The value that the visit shows, or else the nearest one above it; empty where there is none.
    carried: Vec<Symbol>,
    /// Tells whether the carried value is shown by the visit or by one below it.
    is_reached: Vec<bool>,
    /// Tells whether an operation that is known to show the key is the visit's or one below it.
    is_told: Vec<bool>,
}

/// Follows a key. Nothing where it does not behave as baggage: the same value in most services of a trace, yet not in all traces.
pub(super) fn follow(window: &Window, visits: &Visits, seen: &Seen, rule: &Rule) -> Option<Hops> {
    let mut shown = vec![Symbol::EMPTY; visits.len()];
    seen.iter().for_each(|&(visit, value)| shown[visit as usize] = value);
    is_baggage(window, visits, &shown, rule).then(|| hops(window, visits, &path(window, visits, &shown, rule)))
}

fn is_baggage(window: &Window, visits: &Visits, shown: &[Symbol], rule: &Rule) -> bool {
    let (carried, mut equal, mut pairs) = (carried(visits, shown), 0_usize, 0_usize);
    let mut values: BTreeMap<Symbol, usize> = BTreeMap::new();
    for (visit, &value) in shown.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
        let caller = visits.caller[visit];
        let above = if caller == NONE { Symbol::EMPTY } else { carried[caller as usize] };
        if !above.is_empty() && visits.service(window, caller) != visits.service(window, visit as u32) {
            pairs += 1;
            equal += usize::from(above == value);
            *values.entry(value).or_default() += 1;
        }
    }
    let total = pairs.max(1) as f64;
    let by_chance: f64 = values.values().map(|&count| (count as f64 / total).powi(2)).sum();
    pairs as u64 >= rule.count("min_sightings").max(1)
        && equal as f64 >= rule.threshold("min_equal") * total
        && by_chance <= rule.threshold("max_equal_by_chance")
}

/// Hands values down to visits that show none.
fn carried(visits: &Visits, shown: &[Symbol]) -> Vec<Symbol> {
    let mut carried = shown.to_vec();
    for (visit, &caller) in visits.caller.iter().enumerate() {
        if caller != NONE && carried[visit].is_empty() {
            carried[visit] = carried[caller as usize];
        }
    }
    carried
}

fn path(window: &Window, visits: &Visits, shown: &[Symbol], rule: &Rule) -> Path {
    let operation = |visit: usize| (visits.service(window, visit as u32), visits.name(window, visit as u32));
    let mut showing: BTreeMap<(Symbol, Symbol), u64> = BTreeMap::new();
    for visit in (0..visits.len()).filter(|&visit| !shown[visit].is_empty()) {
        *showing.entry(operation(visit)).or_default() += 1;
    }
    let showing: BTreeSet<(Symbol, Symbol)> =
        showing.into_iter().filter(|&(_, count)| count >= rule.count("min_shown").max(1)).map(|(what, _)| what).collect();
    let mut path = Path {
        carried: carried(visits, shown),
        is_reached: shown.iter().map(|value| !value.is_empty()).collect(),
        is_told: (0..visits.len()).map(|visit| showing.contains(&operation(visit))).collect(),
    };
    for visit in (0..visits.len()).rev().filter(|&visit| visits.caller[visit] != NONE) {
        let caller = visits.caller[visit] as usize;
        path.is_reached[caller] |= path.is_reached[visit] && path.carried[visit] == path.carried[caller];
        path.is_told[caller] |= path.is_told[visit];
    }
    path
}

fn hops(window: &Window, visits: &Visits, path: &Path) -> Hops {
    let mut hops = Hops::default();
    for visit in 0..visits.len() {
        let caller = visits.caller[visit];
        if caller == NONE || path.carried[caller as usize].is_empty() || !path.is_reached[caller as usize] {
            continue;
        }
        let edge = (visits.service(window, caller), visits.service(window, visit as u32));
        if path.is_reached[visit] && path.carried[visit] == path.carried[caller as usize] {
            hops.edges.entry(edge).or_default().kept += 1;
        } else if path.is_told[visit] {
            hops.edges.entry(edge).or_default().lost.push(visit as u32);
        }
    }
    hops
}

impl Hop {
    fn all(&self) -> usize {
        self.kept + self.lost.len()
    }

    fn is_good(&self, rule: &Rule) -> bool {
        self.kept > 0 && self.kept as f64 >= rule.threshold("min_kept_elsewhere") * self.all() as f64
    }
}

impl Hops {
    pub fn all(&self) -> impl Iterator<Item = (EdgeId, &Hop)> {
        self.edges.iter().map(|(&edge, hop)| (edge, hop))
    }

    /// Returns the edges that lose the key, where it is kept on another one.
    pub fn lost(&self, rule: &Rule) -> impl Iterator<Item = (EdgeId, &Hop)> {
        let works_elsewhere = self.edges.values().any(|hop| hop.is_good(rule));
        let is_lost = move |hop: &Hop| {
            works_elsewhere
                && hop.lost.len() as u64 >= rule.count("min_calls").max(1)
                && hop.kept as f64 <= rule.threshold("max_kept") * hop.all() as f64
        };
        self.all().filter(move |(_, hop)| is_lost(hop))
    }

    /// Tells whether the caller loses it everywhere, and the callee gets it from others.
    pub fn is_callers_fault(&self, caller: Symbol, callee: Symbol, rule: &Rule) -> bool {
        let is_good = |edge: &EdgeId| self.edges.get(edge).is_some_and(|hop| hop.is_good(rule));
        let sends = self.edges.keys().any(|edge| edge.0 == caller && is_good(edge));
        let receives = self.edges.keys().any(|edge| edge.1 == callee && is_good(edge));
        !sends && receives
    }
}
