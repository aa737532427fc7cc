//! Times of calls, by the yardstick of each side's own baseline, and how far two distributions of them are apart.
//!
//! A replayed delay is added to what a call takes anyway, and staging's machines are slower or faster than production's: a call of
//! 20 ms that took 320 ms in the incident takes 360 ms on a machine that needs 60 ms. Measured against its own median alone that
//! would be sixfold instead of sixteenfold. So staging's times are first told by production's clock: within what is usual in staging
//! in proportion, beyond it by what was added. (The design compares ln(duration / own median) directly; that holds only where both
//! machines are equally fast.)

use super::features::Features;
use super::statistics::{quantile, sorted};

/// A call that ends this much sooner than usual ended at once: how much sooner does not matter.
const AT_ONCE: f64 = 0.1;
/// Up to this share of a baseline, times are usual.
const USUAL: f64 = 0.9;
/// A sample of fewer calls has no distribution.
const MIN_CALLS: f64 = 5.0;

/// How times of one key on one side become comparable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Yardstick {
    /// Milliseconds that the call usually takes in production.
    reference: f64,
    /// Milliseconds that it usually takes here, and takes at most.
    median: f64,
    usual: f64,
}

impl Yardstick {
    /// Makes a yardstick of the sorted times of two baselines: production's and this side's.
    pub(super) fn of(production: &[f64], own: &[f64]) -> Option<Self> {
        /// A nanosecond: nothing takes no time.
        const LEAST_MS: f64 = 1e-6;
        let reference = quantile(production, 0.5)?.max(LEAST_MS);
        let median = quantile(own, 0.5)?.max(LEAST_MS);
        Some(Self { reference, median, usual: quantile(own, USUAL)?.max(median) })
    }

    /// Returns the logarithm of how many times its usual a call took, by production's clock.
    pub(super) fn measure(self, ms: f64) -> f64 {
        (self.in_production(ms) / self.reference).max(AT_ONCE).ln()
    }

    /// Tells a time of this side by production's clock. Ascending: up to what is usual in proportion; far beyond it by what was
    /// added to the median; between the two in a straight line.
    fn in_production(self, ms: f64) -> f64 {
        let proportion = self.reference / self.median;
        if ms <= self.usual {
            return ms * proportion;
        }
        let low = self.usual * proportion;
        let far = self.usual + self.usual.max(2.0 * (low - self.reference));
        let added = |ms: f64| self.reference + (ms - self.median);
        if ms >= far {
            return added(ms);
        }
        low + (added(far) - low) * (ms - self.usual) / (far - self.usual)
    }
}

/// Times of all keys, measured, sorted, and known by request.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    /// By key: measure and request, ascending.
    keys: Vec<Vec<(f64, usize)>>,
}

impl Measured {
    /// Measures all times. `yardstick` says by what, for a key and a request.
    pub(super) fn of(features: &Features, yardstick: impl Fn(usize, usize) -> Option<Yardstick>) -> Self {
        let measure = |(key, list): (usize, &Vec<(usize, f64)>)| {
            let one = |&(request, ms): &(usize, f64)| Some((yardstick(key, request)?.measure(ms), request));
            let mut list: Vec<(f64, usize)> = list.iter().filter_map(one).collect();
            list.sort_unstable_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
            list
        };
        Self { keys: features.durations.iter().enumerate().map(measure).collect() }
    }

    /// Returns only the times of requests that count in one of two samples: less to walk through when they are drawn again.
    pub(super) fn within(&self, left: &[f64], right: &[f64]) -> Self {
        let counts = |request: usize| weight(left, request) > 0.0 || weight(right, request) > 0.0;
        let keep = |list: &Vec<(f64, usize)>| list.iter().copied().filter(|&(_, request)| counts(request)).collect();
        Self { keys: self.keys.iter().map(keep).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns the earth mover's distance of a key's measures between two samples, in units of ln; nothing where one side has too
    /// few calls.
    pub(super) fn distance(&self, key: usize, left: &[f64], right: &[f64]) -> Option<f64> {
        let list = self.keys.get(key)?;
        let totals = list.iter().fold((0.0, 0.0), |(one, other), &(_, request)| {
            (one + weight(left, request), other + weight(right, request))
        });
        if totals.0 < MIN_CALLS || totals.1 < MIN_CALLS {
            return None;
        }
        let (mut below, mut last, mut moved) = ((0.0, 0.0), 0.0, 0.0);
        for &(measure, request) in list {
            let apart: f64 = below.0 / totals.0 - below.1 / totals.1;
            moved += apart.abs() * (measure - last);
            last = measure;
            below = (below.0 + weight(left, request), below.1 + weight(right, request));
        }
        Some(moved)
    }

    /// Returns how alike the measures of a key are: 1 for equal, 0.37 for a factor of 2 between them.
    pub(super) fn likeness(&self, key: usize, left: &[f64], right: &[f64]) -> Option<f64> {
        self.distance(key, left, right).map(|distance| (-distance / std::f64::consts::LN_2).exp())
    }

    /// Returns the measures of a key in a sample, ascending.
    pub(super) fn measures(&self, key: usize, weights: &[f64]) -> Vec<f64> {
        let list = self.keys.get(key).map_or(&[][..], Vec::as_slice);
        list.iter().filter(|&&(_, request)| weight(weights, request) > 0.0).map(|&(measure, _)| measure).collect()
    }
}

fn weight(weights: &[f64], request: usize) -> f64 {
    weights.get(request).copied().unwrap_or(0.0)
}

/// Returns the milliseconds of a key in a sample, ascending.
pub(super) fn times(features: &Features, key: usize, weights: &[f64]) -> Vec<f64> {
    let list = features.durations.get(key).map_or(&[][..], Vec::as_slice);
    sorted(list.iter().filter(|&&(request, _)| weight(weights, request) > 0.0).map(|&(_, ms)| ms))
}

/// Says how much one side's fault changed the times of each key: 0 for no more than chance does, up to 1.
pub(super) fn changes(measured: &Measured, fault: &[f64], baseline: &[f64]) -> Vec<f64> {
    /// Likeness of samples that differ by chance, or by less than a fifth.
    const ALIKE: f64 = 0.75;
    let change = |key: usize| {
        let likeness = measured.likeness(key, fault, baseline)?;
        Some(((ALIKE - likeness) / ALIKE).max(0.0))
    };
    (0..measured.len()).map(|key| change(key).unwrap_or(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(median: f64) -> Vec<f64> {
        (0..21).map(|step| median * (0.8 + 0.02 * f64::from(step))).collect()
    }

    #[test]
    fn what_is_added_counts_the_same_on_a_slower_and_on_a_faster_machine() {
        let production = spread(20.0);
        let own = Yardstick::of(&production, &production).unwrap();
        for median in [2.0, 7.0, 60.0, 200.0] {
            let staging = Yardstick::of(&production, &spread(median)).unwrap();
            assert!((staging.measure(median) - own.measure(20.0)).abs() < 1e-9, "usual is usual");
            let (here, there) = (staging.measure(median + 1_000.0), own.measure(1_020.0));
            assert!((here - there).abs() < 0.01, "{median}: {here} {there}");
        }
    }

    #[test]
    fn longer_is_never_measured_as_shorter() {
        for median in [0.01, 0.5, 2.0, 20.0, 3_000.0] {
            let staging = Yardstick::of(&spread(20.0), &spread(median)).unwrap();
            let measures: Vec<f64> = (0..2_000).map(|step| staging.measure(f64::from(step) * median / 100.0)).collect();
            assert!(measures.is_sorted_by(|one, next| *next >= one - 1e-9), "{median}");
        }
        assert!(Yardstick::of(&[], &spread(1.0)).is_none());
        assert!(Yardstick::of(&[0.0], &[0.0]).unwrap().measure(i64::MAX as f64).is_finite());
    }
}
