//! Makes candidates of faults: how often, when, for whom, and what shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::cohort::{Cohort, Facts};
use super::faults::Made;
use super::ground::{Edge, Ground};
use super::share::{Share, Stretches, stretches};
use super::{Candidate, Evidence, keyed, sent};
use crate::replay::edge::{self, Class};
use crate::replay::fault::Unit;
use crate::replay::id::{SpanId, TraceId};

/// A candidate, and the requests that it was made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub candidate: Candidate,
    pub cohort: Cohort,
}

/// What a candidate is made of.
#[derive(Debug)]
pub(super) struct Parts<'p> {
    pub class: Class,
    pub edge: &'p Edge,
    pub made: Made,
    /// Numbers of all calls that the fault could have hit, and of those that it did, ascending.
    pub calls: &'p [u32],
    pub hits: &'p BTreeSet<u32>,
    /// How much of the incident this explains, 0 to 1.
    pub explained: f64,
    pub why: String,
    /// Spans and what they say.
    pub evidence: Vec<(u32, String)>,
}

/// Candidates show so many spans.
const MAX_EVIDENCE: usize = 3;

impl Parts<'_> {
    pub(super) fn candidate(self, facts: &Facts<'_>) -> Candidate {
        let ground = facts.ground;
        let share = Share::of(self.hits.len() as u64, self.calls.len() as u64);
        let keyed = keyed::find(ground, self.calls, self.hits);
        let Made { fault, certainty, at_least_ms, mut notes } = timed(ground, self.made, share, self.calls, self.hits);
        notes.extend(keyed.as_ref().map(said_keyed));
        notes.extend(together(ground, self.calls, self.hits));
        // One call more of each kind than was seen: a single hit is no proof (Laplace).
        let seen = (share.hits as f64 + 1.0) / (share.hits as f64 + 2.0);
        let first = self.evidence.first().map(|(span, _)| ground.keys.path(ground.keys.id(*span)));
        Candidate {
            class: self.class,
            edge: public(self.edge),
            path: first.unwrap_or_default(),
            fault,
            confidence: rounded((certainty * self.explained * seen).clamp(0.0, 1.0)),
            share,
            keyed,
            at_least_ms,
            why: self.why,
            notes,
            evidence: evidence(ground, self.evidence),
        }
    }
}

/// Says of a fault how often it hits, and in which stretches of time where it does not hit by chance.
fn timed(ground: &Ground<'_>, made: Made, share: Share, calls: &[u32], hits: &BTreeSet<u32>) -> Made {
    let Made { mut fault, mut notes, .. } = made;
    fault.when.share = rounded(share.value());
    notes.extend(sent::correct(ground, &mut fault.when, hits));
    if let Some(stretches) = stretches(&by_request(ground, calls, hits)) {
        fault.when.share = rounded(stretches.inside.value());
        // What came once stays on for as long as it is armed.
        fault.when.window = Some(stretches.cycle).filter(|_| stretches.count > 1);
        notes.push(in_stretches(&stretches));
    }
    if fault.when.unit == Unit::Connection && fault.when.share < 1.0 {
        notes.push("the share is of calls; of connections it is that only where each call has its own".to_owned());
    }
    Made { fault, notes, ..made }
}

pub(super) fn public(edge: &Edge) -> edge::Edge {
    edge::Edge { client: edge.client.clone(), server: edge.server.clone(), operation: edge.operation.clone() }
}

/// Four digits are more than is known.
pub(super) fn rounded(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}

pub(super) fn evidence(ground: &Ground<'_>, spans: Vec<(u32, String)>) -> Vec<Evidence> {
    let known = spans.into_iter().filter(|(span, _)| (*span as usize) < ground.window.len());
    let one = |(span, says): (u32, String)| Evidence {
        trace_id: TraceId(ground.window.trace_id(span)),
        span_id: SpanId(ground.window.span_id.get(span as usize).copied().unwrap_or_default()),
        says,
    };
    known.take(MAX_EVIDENCE).map(one).collect()
}

/// Returns of each request when its first call began and whether any was hit, by start: attempts of one request fail together.
fn by_request(ground: &Ground<'_>, calls: &[u32], hits: &BTreeSet<u32>) -> Vec<(i64, bool)> {
    let mut requests: BTreeMap<u32, (i64, bool)> = BTreeMap::new();
    for (number, call) in calls.iter().filter_map(|&number| Some((number, ground.call(number)?))) {
        let request = requests.entry(call.unit).or_insert((ground.start_ns(call), false));
        request.0 = request.0.min(ground.start_ns(call));
        request.1 |= hits.contains(&number);
    }
    let mut requests: Vec<(i64, bool)> = requests.into_values().collect();
    requests.sort_unstable();
    requests
}

fn in_stretches(stretches: &Stretches) -> String {
    let inside = &stretches.inside;
    let times = if stretches.count == 1 { "one stretch".to_owned() } else { format!("{} stretches", stretches.count) };
    format!("it came in {times} of time: within, {} of {} requests were hit", inside.hits, inside.calls)
}

fn said_keyed(keyed: &super::Keyed) -> String {
    let super::Keyed { end, attribute, value, lift, .. } = keyed;
    format!("{lift:.1} times as often where {attribute} of the {end} is {value}: choose that one in staging")
}

/// Says so where the calls of one request fail together, more than chance does.
fn together(ground: &Ground<'_>, calls: &[u32], hits: &BTreeSet<u32>) -> Option<String> {
    const MIN_REPEATED: usize = 10;
    let mut of_unit: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
    for (number, call) in calls.iter().filter_map(|&number| Some((number, ground.call(number)?))) {
        of_unit.entry(call.unit).or_default().push(hits.contains(&number));
    }
    let after_hit = of_unit.values().flat_map(|calls| calls.windows(2)).filter(|pair| pair.first() == Some(&true));
    let after_hit: Vec<bool> = after_hit.filter_map(|pair| pair.last().copied()).collect();
    let again = after_hit.iter().filter(|hit| **hit).count() as f64 / after_hit.len().max(1) as f64;
    let share = hits.len() as f64 / calls.len().max(1) as f64;
    (after_hit.len() >= MIN_REPEATED && again > 1.5 * share && again - share > 0.2).then(|| {
        let (again, share) = (100.0 * again, 100.0 * share);
        format!("calls of one request are hit together: {again:.0} % after a hit, {share:.0} % in all")
    })
}
