//! Whether staging came back after the fault was taken away: an effect can outlive what triggered it.

use super::asked::{Options, Staging};
use super::features::{Features, Group};
use super::gates::{failures, times};
use super::prepare::Prepared;
use super::statistics::{difference, quantile};
use super::verdict::Recovery;

/// Beyond this many times the baseline's 95th percentile staging is not back.
const NOT_BACK: f64 = 2.0;
/// More failures than before, by this much at least.
const MORE_FAILURES: f64 = 0.05;
const MIN_REQUESTS: usize = 5;

/// Looks at the requests that were sent when staging should have settled; nothing where there are too few.
pub(super) fn recovery(prepared: &Prepared, staging: &Staging<'_>, options: &Options) -> Option<Recovery> {
    let (features, arms) = (&prepared.features, &prepared.arms);
    let (late, after) = settled(features, &arms.recovery, staging.recovery.from_ns, options.settled_after_ns)?;
    let p95 = |group: &Group| quantile(&times(features, group), 0.95);
    let (p95, baseline_p95) = (p95(&late)?, p95(&arms.baseline)?);
    let (before, now) = (failures(features, &arms.baseline), failures(features, &late));
    let fails = difference(before, now).0 > MORE_FAILURES;
    let is_slow = p95 > NOT_BACK * baseline_p95;
    let state = if is_slow || fails { "sustained after rollback" } else { "back" };
    let words = format!(
        "{state}: {after}, 95 % of the requests take up to {p95:.1} ms ({baseline_p95:.1} ms before the fault) and {} of {} fail",
        now.0, now.1
    );
    Some(Recovery { is_sustained: is_slow || fails, p95, baseline_p95, words })
}

/// Returns the requests that began when staging should have settled, and says since when. A shorter arm is looked at in its last
/// quarter.
fn settled(features: &Features, arm: &Group, from_ns: i64, settled_after_ns: i64) -> Option<(Group, String)> {
    let begins = features.begin_ns.get(arm.clone())?;
    let from = begins.partition_point(|&begin| begin < from_ns.saturating_add(settled_after_ns));
    let seconds = settled_after_ns / 1_000_000_000;
    if begins.len() - from >= MIN_REQUESTS {
        return Some((arm.start + from..arm.end, format!("{seconds} s after the fault")));
    }
    let last = (begins.len() / 4).max(MIN_REQUESTS);
    let from = begins.len().checked_sub(last)?;
    Some((arm.start + from..arm.end, format!("in the last {last} requests, less than {seconds} s after the fault")))
}
