//! What else was going on between two services when a call was made: how long nothing had been, and how much was open.

use super::by_time::evenly;
use super::ground::{Call, Edge, Ground};
use super::magnitude::{median, quantile};
use crate::trace::window::NONE;

/// Fewer resets do not show that idleness is the cause.
const MIN_HITS: usize = 3;
/// Connections are not cut sooner.
const MIN_IDLE_MS: f64 = 1_000.0;
/// At most this share of the calls that went well came after as long a time.
const MAX_HEALTHY: f64 = 0.1;

/// Returns after how many milliseconds without a call connections are cut, where only such calls were hit. `hits` ascend.
pub(super) fn cut_after_ms(ground: &Ground<'_>, edge: &Edge, hits: &[u32]) -> Option<u64> {
    let idle = idle_before(ground, edge);
    let is_hit = |number: &u32| hits.binary_search(number).is_ok();
    let mut of_hits: Vec<f64> = idle.iter().filter(|(number, _)| is_hit(number)).map(|&(_, ms)| ms).collect();
    of_hits.sort_by(f64::total_cmp);
    let least = *of_hits.first()?;
    if of_hits.len() < MIN_HITS || least < MIN_IDLE_MS || least < 0.5 * quantile(&of_hits, 0.5) {
        return None;
    }
    let healthy: Vec<f64> = idle.iter().filter(|(number, _)| !is_hit(number)).map(|&(_, ms)| ms).collect();
    let as_long = healthy.iter().filter(|&&ms| ms >= least).count();
    (as_long as f64 <= MAX_HEALTHY * healthy.len() as f64).then_some(least.floor() as u64)
}

/// Returns for each call between the services of `edge`, by start, how long the caller's process had made none before.
fn idle_before(ground: &Ground<'_>, edge: &Edge) -> Vec<(u32, f64)> {
    let mut last_end: std::collections::BTreeMap<u32, i64> = std::collections::BTreeMap::new();
    let mut idle = Vec::new();
    for (number, call) in (0..).zip(&ground.calls).filter(|(_, call)| call.client != NONE) {
        if !is_between(ground, edge, call) {
            continue;
        }
        let window = ground.window;
        let (process, start) = (window.instance(call.client).0, ground.start_ns(call));
        let end = window.end_ns.get(call.client as usize).copied().unwrap_or(start);
        if let Some(last) = last_end.get(&process) {
            idle.push((number, start.saturating_sub(*last).max(0) as f64 / 1e6));
        }
        let last = last_end.entry(process).or_insert(end);
        *last = end.max(*last);
    }
    idle
}

fn is_between(ground: &Ground<'_>, edge: &Edge, call: &Call) -> bool {
    ground.edge(call.edge).is_some_and(|other| other.client == edge.client && other.server == edge.server)
}

/// Calls that are looked at, evenly chosen: each is compared with all before it.
const MAX_OPEN: usize = 50;

/// Returns how many calls between the same services were open when one was hit: the median.
pub(super) fn open_at_hits(ground: &Ground<'_>, hits: &[u32]) -> u64 {
    let mut open: Vec<f64> = evenly(hits, MAX_OPEN).iter().map(|&hit| open_at(ground, hit) as f64).collect();
    median(&mut open).round().max(1.0) as u64
}

/// Returns how many other calls between the same services were open when a call began.
fn open_at(ground: &Ground<'_>, number: u32) -> usize {
    let Some(call) = ground.call(number) else { return 0 };
    let Some(edge) = ground.edge(call.edge) else { return 0 };
    let at = ground.start_ns(call);
    let before = ground.calls.get(..number as usize).unwrap_or_default();
    let is_open = |other: &&Call| {
        let end = ground.window.end_ns.get(other.client as usize);
        end.is_some_and(|&end| end > at) && is_between(ground, edge, other)
    };
    before.iter().filter(is_open).count()
}
