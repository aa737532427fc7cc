//! What is lost when a fault is made simpler: figures and sentences that all injectors share.

use riftline_queries::replay::fault::{Fault, Magnitude, Unit};

use super::{ManifestError, Target, unable};
use crate::chaos::even::{self, Even};

/// Longest delay that is ever written, in milliseconds: an hour. Go's durations would overflow much later.
const LONGEST_MS: f64 = 3_600_000.0;

/// Returns the magnitude, which faults of time must have.
pub fn magnitude(fault: &Fault) -> Result<&Magnitude, ManifestError> {
    let problem = "has no magnitude: say how long, as in magnitude: {dist: fixed, ms: 300}";
    fault
        .magnitude
        .as_ref()
        .ok_or_else(|| ManifestError::Fault { kind: fault.kind.clone(), problem: problem.to_owned() })
}

/// Returns the median, for injectors that know only one time, and what is lost.
pub fn fixed(magnitude: &Magnitude, losses: &mut Vec<String>) -> f64 {
    let median = magnitude.quantile(0.5).clamp(1.0, LONGEST_MS);
    let off = even::average(|share| (magnitude.quantile(share) - median).abs());
    if off >= 0.5 {
        losses
            .push(format!("the distribution becomes its median of {median:.0} ms, off by {off:.0} ms on average (W1)"));
    }
    median
}

/// Returns the even distribution that comes nearest, for injectors that know a time and a jitter, and what is lost.
pub fn even(magnitude: &Magnitude, losses: &mut Vec<String>) -> Even {
    let (even, loss) = even::fit(magnitude);
    losses.extend(loss);
    Even { ms: even.ms.clamp(1, LONGEST_MS as u64), jitter_ms: even.jitter_ms.min(LONGEST_MS as u64) }
}

/// Refuses what no injector of a cluster can count or time.
pub fn refuse_counting(fault: &Fault, who: &str) -> Result<(), ManifestError> {
    if fault.when.nth.is_some() || fault.when.first.is_some() {
        return unable(format!("{who} cannot count requests: `nth` and `first` need the built-in proxy"));
    }
    if fault.when.window.is_some() {
        return unable(format!("{who} cannot come and go by the millisecond: `window` needs the built-in proxy"));
    }
    Ok(())
}

/// Says what becomes of the share where an injector hits everything that it sees.
pub fn lose_share(fault: &Fault, what: &str, losses: &mut Vec<String>) {
    if fault.when.share < 1.0 {
        losses.push(format!("{} become {what}", share(fault)));
    }
}

/// Says that requests cannot be told apart where an injector sees only packets or connections.
pub fn lose_requests(fault: &Fault, target: &Target, losses: &mut Vec<String>) {
    let conditions = [
        ("method", fault.when.method.is_some()),
        ("path", fault.when.path.is_some()),
        ("the run's mark", target.mark(fault).is_some()),
    ];
    let lost: Vec<&str> = conditions.iter().filter(|(_, is_asked)| *is_asked).map(|(name, _)| *name).collect();
    if !lost.is_empty() {
        losses.push(format!("{} cannot be looked at: everything between these pods is hit", lost.join(", ")));
    }
}

/// Returns the share in words: `18 % of requests`.
pub fn share(fault: &Fault) -> String {
    let unit = match fault.when.unit {
        Unit::Request => "requests",
        Unit::Connection => "connections",
    };
    format!("{} % of {unit}", percent(fault))
}

/// Returns the share in percent, from 0 to 100, with at most two decimals.
pub fn percent(fault: &Fault) -> f64 {
    let share = if fault.when.share.is_finite() { fault.when.share.clamp(0.0, 1.0) } else { 0.0 };
    (share * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_time_is_its_own_median() {
        let mut losses = Vec::new();
        assert!((fixed(&Magnitude::Fixed { ms: 300.0 }, &mut losses) - 300.0).abs() < 1e-9);
        assert_eq!(losses, Vec::<String>::new());
        fixed(&Magnitude::Uniform { low_ms: 0.0, high_ms: 100.0 }, &mut losses);
        assert_eq!(losses, ["the distribution becomes its median of 50 ms, off by 25 ms on average (W1)"]);
    }
}
