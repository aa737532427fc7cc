//! Which requests are the incident, and which its baseline.

use std::collections::{BTreeMap, BTreeSet};

use super::errors::{Source, Sources, Symptom, sources};
use super::failure::is_failed;
use super::ground::Ground;
use super::latency::{Place, Usual, times};
use super::{Options, Stretch};

/// What is known of every request of the window.
#[derive(Debug)]
pub(super) struct Facts<'g> {
    pub ground: &'g Ground<'g>,
    pub options: &'g Options,
    /// By unit.
    pub sources: Vec<Sources>,
}

/// Two sides of a comparison, as units.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cohort {
    pub incident: Vec<u32>,
    pub baseline: Vec<u32>,
}

impl<'g> Facts<'g> {
    pub(super) fn of(ground: &'g Ground<'g>, options: &'g Options) -> Self {
        let sources = ground.units.iter().map(|unit| sources(ground, &unit.spans)).collect();
        Self { ground, options, sources }
    }

    /// Returns the requests of one kind.
    pub(super) fn of_kind(&self, kind: u32) -> Vec<u32> {
        (0..self.ground.units.len() as u32).filter(|&unit| self.ground.kind(unit) == kind).collect()
    }

    pub(super) fn sources_of(&self, unit: u32) -> &[Source] {
        self.sources.get(unit as usize).map_or(&[], |sources| &sources.at_calls)
    }

    /// Returns spans of a request that failed without any caller seeing it.
    pub(super) fn inside_of(&self, unit: u32) -> &[u32] {
        self.sources.get(unit as usize).map_or(&[], |sources| &sources.inside)
    }

    pub(super) fn has_failed(&self, unit: u32) -> bool {
        !self.sources_of(unit).is_empty() || !self.inside_of(unit).is_empty()
    }

    /// Tells whether a request failed as a whole.
    pub(super) fn root_failed(&self, unit: u32) -> bool {
        let root = self.ground.units.get(unit as usize).map(|unit| unit.root);
        root.is_some_and(|root| is_failed(self.ground.window, root))
    }

    /// Returns how long a request took, in milliseconds.
    pub(super) fn duration_ms(&self, unit: u32) -> f64 {
        let root = self.ground.units.get(unit as usize).map(|unit| unit.root);
        root.map_or(0.0, |root| self.ground.window.duration_ns(root) as f64 / 1e6)
    }

    pub(super) fn start_ns(&self, unit: u32) -> i64 {
        let root = self.ground.units.get(unit as usize).map_or(0, |unit| unit.root);
        self.ground.window.start_ns.get(root as usize).copied().unwrap_or_default()
    }

    fn is_in(&self, unit: u32, stretch: Option<Stretch>) -> bool {
        stretch.is_none_or(|stretch| (stretch.from_ns..stretch.to_ns).contains(&self.start_ns(unit)))
    }

    pub(super) fn may_be_incident(&self, unit: u32) -> bool {
        self.is_in(unit, self.options.incident)
    }

    pub(super) fn may_be_baseline(&self, unit: u32) -> bool {
        let is_outside = self.options.incident.is_none() || !self.may_be_incident(unit);
        self.is_in(unit, self.options.baseline) && (is_outside || self.options.baseline.is_some())
    }

    /// Learns how long requests of one kind take where nothing failed; `picked`, which ascend, are left out.
    pub(super) fn usual(&self, kind: &[u32], picked: &[u32]) -> Option<Usual> {
        let is_fit = |unit: &&u32| {
            !self.has_failed(**unit) && self.may_be_baseline(**unit) && picked.binary_search(unit).is_err()
        };
        Usual::of(kind.iter().filter(is_fit).map(|&unit| self.duration_ms(unit)).collect())
    }

    /// Returns the calls that have a symptom, ascending.
    pub(super) fn calls_with(&self, symptom: Symptom) -> BTreeSet<u32> {
        let all = self.sources.iter().flat_map(|sources| &sources.at_calls);
        all.filter(|source| source.symptom == symptom).map(|source| source.call).collect()
    }

    /// Returns all calls of an edge, ascending.
    pub(super) fn calls_of(&self, edge: u32) -> Vec<u32> {
        (0..).zip(&self.ground.calls).filter(|(_, call)| call.edge == edge).map(|(number, _)| number).collect()
    }

    /// Requests of a kind that have a symptom, and those that neither failed nor were slow.
    pub(super) fn by_symptom(&self, kind: &[u32], symptom: Symptom, usual: Option<Usual>) -> Cohort {
        let shows = |unit: u32| self.sources_of(unit).iter().any(|source| source.symptom == symptom);
        self.cohort(kind, &shows, usual)
    }

    /// Requests of a kind that `shows` says it of, and those that it does not, and that neither failed nor were slow.
    pub(super) fn cohort(&self, kind: &[u32], shows: &dyn Fn(u32) -> bool, usual: Option<Usual>) -> Cohort {
        let is_slow = |unit: u32| usual.is_some_and(|usual| self.duration_ms(unit) > usual.limit_ms);
        let is_healthy = |unit: u32| !self.has_failed(unit) && !is_slow(unit) && !shows(unit);
        Cohort {
            incident: kind.iter().copied().filter(|&unit| self.may_be_incident(unit) && shows(unit)).collect(),
            baseline: kind.iter().copied().filter(|&unit| self.may_be_baseline(unit) && is_healthy(unit)).collect(),
        }
    }
}

/// Median time of requests at each place, in nanoseconds.
pub(super) fn usual_times(ground: &Ground<'_>, units: &[u32]) -> BTreeMap<Place, f64> {
    let mut all: BTreeMap<Place, Vec<f64>> = BTreeMap::new();
    for times in units.iter().map(|&unit| times(ground, unit)) {
        for (place, ns) in times {
            all.entry(place).or_default().push(ns as f64);
        }
    }
    let median = |mut values: Vec<f64>| {
        // Where a request does not come by, it spends no time.
        values.resize(units.len().max(values.len()), 0.0);
        super::magnitude::median(&mut values)
    };
    all.into_iter().map(|(place, values)| (place, median(values))).collect()
}

/// Returns by how much longer a request took at each place, in nanoseconds, the most first; places that it spent no more at are
/// left out.
pub(super) fn excess(ground: &Ground<'_>, unit: u32, usual: &BTreeMap<Place, f64>) -> Vec<(Place, f64)> {
    let times = times(ground, unit).into_iter();
    let more = times.map(|(place, ns)| (place, ns as f64 - usual.get(&place).copied().unwrap_or(0.0)));
    let mut more: Vec<(Place, f64)> = more.filter(|(_, ns)| *ns > 0.0).collect();
    more.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    more
}
