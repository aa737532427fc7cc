//! Candidates for requests that took long.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::candidate::{Found, Parts};
use super::cohort::{Cohort, Facts, excess, usual_times};
use super::faults::Made;
use super::ground::Edge;
use super::latency::{MIN_USUAL, Normal, Place, Side, Usual, of_call};
use super::magnitude::empirical;
use crate::replay::edge::Class;
use crate::replay::fault;
use crate::trace::window::NONE;

/// A place that took less of the excess explains nothing.
const MIN_SHARE: f64 = 0.25;
/// Requests of the baseline that are looked at for usual times, evenly chosen.
const MAX_USUAL: usize = 400;

/// What slow requests say.
#[derive(Debug, Default)]
pub(super) struct Slow {
    pub found: Vec<Found>,
    /// How many of the picked requests were slow.
    pub num_slow: usize,
}

/// Returns the delays that explain why `picked` requests, all of one kind, took longer than usual.
pub(super) fn candidates(facts: &Facts<'_>, picked: &[u32], kind: &[u32], usual: Option<Usual>) -> Slow {
    let Some(usual) = usual else { return Slow::default() };
    let is_slow = |unit: &u32| facts.duration_ms(*unit) > usual.limit_ms;
    let slow: Vec<u32> = picked.iter().copied().filter(is_slow).collect();
    let all_slow: Vec<u32> = kind.iter().copied().filter(is_slow).collect();
    let baseline = facts.cohort(kind, &|_| false, Some(usual)).baseline;
    if slow.is_empty() || baseline.len() < MIN_USUAL {
        return Slow::default();
    }
    let times = usual_times(facts.ground, &evenly(&baseline, MAX_USUAL));
    let shares = shares(facts, &slow, &times);
    let told = Told { facts, usual, times: &times, all_slow: &all_slow, baseline: &baseline, num_all: kind.len() };
    let mut places: Vec<(Place, f64)> = shares.into_iter().filter(|(_, share)| *share >= MIN_SHARE).collect();
    places.sort_by(|left, right| right.1.total_cmp(&left.1));
    let found = places.into_iter().filter_map(|(place, share)| told.candidate(place, share, &slow)).collect();
    Slow { found, num_slow: slow.len() }
}

/// Returns some of a list, at the same distance from each other.
pub(super) fn evenly<T: Copy>(list: &[T], max: usize) -> Vec<T> {
    let count = list.len().min(max);
    (0..count).filter_map(|at| list.get(at * list.len() / count.max(1)).copied()).collect()
}

/// Returns which share of all the excess of some requests each place took.
fn shares(facts: &Facts<'_>, units: &[u32], usual: &BTreeMap<Place, f64>) -> BTreeMap<Place, f64> {
    let mut shares: BTreeMap<Place, f64> = BTreeMap::new();
    for (place, ns) in units.iter().flat_map(|&unit| excess(facts.ground, unit, usual)) {
        *shares.entry(place).or_default() += ns;
    }
    let total: f64 = shares.values().sum();
    shares.values_mut().for_each(|share| *share /= total.max(f64::MIN_POSITIVE));
    shares
}

/// All that a candidate is told from.
struct Told<'t> {
    facts: &'t Facts<'t>,
    usual: Usual,
    times: &'t BTreeMap<Place, f64>,
    all_slow: &'t [u32],
    baseline: &'t [u32],
    num_all: usize,
}

impl Told<'_> {
    fn candidate(&self, place: Place, explained: f64, picked: &[u32]) -> Option<Found> {
        let (facts, (number, side)) = (self.facts, place);
        let edge = facts.ground.edge(number).filter(|edge| !edge.is_message())?;
        let (cohort, calls) = (self.cohort(place), facts.calls_of(number));
        let normal = self.normal(&calls, side);
        let (hits, values) = self.hits(&calls, side, normal);
        let made = self.made(edge, side, &calls, normal, &values);
        let why = self.why(edge, side, (hits.len(), calls.len()), normal, (cohort.incident.len(), explained));
        let (evidence, hits) = (self.evidence(&hits, picked, side), &hits);
        let parts = Parts { class: Class::Latency, edge, made, calls: &calls, hits, explained, why, evidence };
        (!hits.is_empty()).then(|| Found { candidate: parts.candidate(facts), cohort })
    }

    /// A delay by what calls took beyond the median, each in milliseconds.
    fn made(&self, edge: &Edge, side: Side, calls: &[u32], normal: Normal, values: &[f64]) -> Made {
        let kind_place = if side == Side::Inside { fault::Place::Response } else { fault::Place::Request };
        let excess: Vec<f64> = values.iter().map(|value| value - normal.median_ms).collect();
        let mut made = Made::new(edge, "latency", kind_place, json!({})).lasting(empirical(&excess));
        made.certainty = if normal.calls >= MIN_USUAL { 0.95 } else { 0.6 };
        if let (Side::Wire, false) = (side, self.is_served(calls)) {
            made.notes.push(format!(
                "{} has no spans here: on which side of the network it was slow is not known",
                edge.server
            ));
        }
        made
    }

    /// Slow requests that lost most of their time at a place.
    fn cohort(&self, place: Place) -> Cohort {
        let first = |unit: u32| excess(self.facts.ground, unit, self.times).first().map(|&(place, _)| place);
        let is_like = |unit: &u32| self.facts.may_be_incident(*unit) && first(*unit) == Some(place);
        Cohort { incident: self.all_slow.iter().copied().filter(is_like).collect(), baseline: self.baseline.to_vec() }
    }

    fn normal(&self, calls: &[u32], side: Side) -> Normal {
        let baseline: BTreeSet<u32> = self.baseline.iter().copied().collect();
        let calls = calls.iter().filter_map(|&number| self.facts.ground.call(number));
        let usual = calls.filter(|call| baseline.contains(&call.unit));
        Normal::of(usual.filter_map(|call| of_call(self.facts.ground, call, side)).collect())
    }

    /// Returns the calls that took longer than normal, and how long they took, in milliseconds.
    fn hits(&self, calls: &[u32], side: Side, normal: Normal) -> (BTreeSet<u32>, Vec<f64>) {
        let of = |number: u32| Some((number, of_call(self.facts.ground, self.facts.ground.call(number)?, side)?));
        calls.iter().filter_map(|&number| of(number)).filter(|(_, ms)| *ms > normal.limit_ms).unzip()
    }

    fn is_served(&self, calls: &[u32]) -> bool {
        calls.iter().filter_map(|&number| self.facts.ground.call(number)).any(|call| call.server != NONE)
    }

    fn why(
        &self,
        edge: &Edge,
        side: Side,
        (hits, calls): (usize, usize),
        normal: Normal,
        (slow, explained): (usize, f64),
    ) -> String {
        let Edge { client, server, operation, .. } = edge;
        let place =
            if side == Side::Inside { format!("inside of {server}") } else { format!("between {client} and {server}") };
        format!(
            "{slow} of {} requests took longer than {:.0} ms (usual: {:.0} ms), {:.0} % of it {place} ({operation}): {hits} of {calls} calls took more than {:.1} ms there, usual are {:.1} ms",
            self.num_all,
            self.usual.limit_ms,
            self.usual.median_ms,
            100.0 * explained,
            normal.limit_ms,
            normal.median_ms,
        )
    }

    fn evidence(&self, hits: &BTreeSet<u32>, picked: &[u32], side: Side) -> Vec<(u32, String)> {
        let ground = self.facts.ground;
        let of_picked =
            hits.iter().filter_map(|&hit| ground.call(hit)).filter(|call| picked.binary_search(&call.unit).is_ok());
        let says = |ms: f64| match side {
            Side::Inside => format!("{ms:.1} ms in here, calls of its own left out"),
            Side::Wire => format!("{ms:.1} ms more than its callee took"),
        };
        let one = |call: &super::ground::Call| {
            let span = if side == Side::Inside { call.server } else { call.client };
            Some((span, says(of_call(ground, call, side)?)))
        };
        of_picked.filter_map(one).take(3).collect()
    }
}
