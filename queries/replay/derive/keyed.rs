//! Whether one value of one attribute tells the calls that were hit from those that were not: a pod, a version, a tenant.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ground::{Call, Ground};
use crate::trace::window::{NONE, Symbol, Window};

/// The value that separates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyed {
    /// Where the attribute stands: `client`, `server` or `root`.
    pub end: String,
    pub attribute: String,
    pub value: String,
    /// How many times as great the share of hits is with this value as without.
    pub lift: f64,
    /// Share of hits among calls with it, 0 to 1.
    pub share: f64,
    /// Share of all hits that have it, 0 to 1.
    pub coverage: f64,
}

/// Calls that are looked at, evenly chosen.
const MAX_CALLS: usize = 5_000;
/// An attribute with more values names single requests.
const MAX_VALUES: usize = 60;
const MIN_LIFT: f64 = 3.0;
const MIN_COVERAGE: f64 = 0.8;
/// Standard deviations between both shares: many attributes are tried.
const MIN_Z: f64 = 4.0;

/// What happened, rather than why; and what no one can choose by.
const EFFECTS: [&str; 15] = [
    "error",
    "exception",
    "otel.",
    "http.response",
    "http.status",
    "http.error",
    "grpc.",
    "rpc.grpc.status_code",
    "rpc.response",
    "thread.",
    "network.",
    "client.port",
    "net.peer.port",
    "http.request.resend",
    "db.response",
];

/// How often a value was met: among hits, and in all.
type Count = (u32, u32);

/// Returns the value that best tells hits from others. `hits` are positions in `calls`, ascending.
pub(super) fn find(ground: &Ground<'_>, calls: &[u32], hits: &BTreeSet<u32>) -> Option<Keyed> {
    let step = calls.len().div_ceil(MAX_CALLS).max(1);
    let mut counts: BTreeMap<(&'static str, &str), BTreeMap<&str, Count>> = BTreeMap::new();
    let mut all: Count = (0, 0);
    for number in calls.iter().step_by(step) {
        let Some(call) = ground.call(*number) else { continue };
        let is_hit = u32::from(hits.contains(number));
        all = (all.0 + is_hit, all.1 + 1);
        for (end, key, value) in attributes(ground, call) {
            let count = counts.entry((end, key)).or_default().entry(value).or_default();
            *count = (count.0 + is_hit, count.1 + 1);
        }
    }
    let keyed = counts
        .iter()
        .filter(|(_, values)| values.len() <= MAX_VALUES)
        .flat_map(|(&name, values)| values.iter().filter_map(move |(value, &count)| keyed(name, value, count, all)));
    keyed.max_by(|left, right| worth(left).total_cmp(&worth(right)).then_with(|| right.attribute.cmp(&left.attribute)))
}

fn worth(keyed: &Keyed) -> f64 {
    keyed.share * keyed.coverage
}

fn keyed((end, attribute): (&str, &str), value: &str, with: Count, all: Count) -> Option<Keyed> {
    let without = (f64::from(all.0 - with.0), f64::from(all.1 - with.1));
    let with = (f64::from(with.0), f64::from(with.1));
    if without.1 < 1.0 || with.0 < 1.0 {
        return None;
    }
    let (share, other) = (with.0 / with.1, without.0 / without.1);
    let both = f64::from(all.0) / f64::from(all.1);
    let z = (share - other) / (both * (1.0 - both) * (1.0 / with.1 + 1.0 / without.1)).sqrt().max(f64::MIN_POSITIVE);
    // Half a hit is added, so that none at all elsewhere is no infinite lift.
    let lift = share / ((without.0 + 0.5) / (without.1 + 0.5));
    let coverage = with.0 / f64::from(all.0);
    let (end, attribute, value) = (end.to_owned(), attribute.to_owned(), value.to_owned());
    let keyed = Keyed { end, attribute, value, lift, share, coverage };
    (lift >= MIN_LIFT && coverage >= MIN_COVERAGE && z >= MIN_Z).then_some(keyed)
}

/// Returns what may be told from: attributes of both ends and their processes, and of the request that it all began with.
fn attributes<'w>(ground: &Ground<'w>, call: &Call) -> BTreeSet<(&'static str, &'w str, &'w str)> {
    let window = ground.window;
    let root = ground.units.get(call.unit as usize).map_or(NONE, |unit| unit.root);
    let ends = [("server", call.server), ("client", call.client), ("root", root)];
    let known = ends.into_iter().filter(|&(_, span)| (span as usize) < window.len());
    known.flat_map(|(end, span)| of_span(window, span).map(move |(key, value)| (end, key, value))).collect()
}

fn of_span(window: &Window, span: u32) -> impl Iterator<Item = (&str, &str)> {
    let of_process = &window.resource_of(span).attributes;
    let all = window.attributes(span).iter().chain(of_process);
    let text = |&(key, value): &(Symbol, Symbol)| (window.text(key), window.text(value));
    all.map(text).filter(|(key, _)| !EFFECTS.iter().any(|effect| key.starts_with(effect)))
}
