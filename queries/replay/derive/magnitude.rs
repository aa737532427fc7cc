//! How much longer: quantiles of the excess, and what a timeout hides of it.

use crate::replay::fault::Magnitude;

/// Quantiles that an empirical magnitude has, both ends included.
const POINTS: usize = 21;

/// Returns the quantiles of some milliseconds; nothing of none. Negative ones count as 0.
pub(super) fn empirical(values: &[f64]) -> Option<Magnitude> {
    let mut values: Vec<f64> =
        values.iter().copied().filter(|value| value.is_finite()).map(|one| one.max(0.0)).collect();
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        return None;
    }
    let share = |point: usize| point as f64 / (POINTS - 1) as f64;
    let rounded = |value: f64| (value * 1e3).round() / 1e3;
    let quantiles = (0..POINTS).map(|point| (share(point), rounded(quantile(&values, share(point))))).collect();
    Some(Magnitude::Empirical { quantiles })
}

/// Returns the quantile of ascending values, between two of them in a straight line; 0 of none.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * values.len().saturating_sub(1) as f64;
    let at = place.floor() as usize;
    match (values.get(at), values.get(at + 1)) {
        (Some(low), Some(high)) => low + (high - low) * (place - place.floor()),
        (Some(only), None) => *only,
        _ => 0.0,
    }
}

/// Returns the median; 0 of none.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    quantile(values, 0.5)
}

/// Returns the median deviation from the median, of ascending values, as a standard deviation.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let middle = quantile(values, 0.5);
    let mut apart: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    1.4826 * median(&mut apart)
}

/// Returns the timeout that calls ended at, in milliseconds: most durations are as long, a little over a round number.
pub(super) fn timeout(durations: &[f64]) -> Option<f64> {
    /// Callers notice a little late.
    const LATE: f64 = 0.05;
    /// Most are no longer than this many times the timeout.
    const MAX_SPREAD: f64 = 1.15;
    let mut sorted = durations.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (quantile(&sorted, 0.1), quantile(&sorted, 0.75));
    let round = round_below(least + LATE * 0.1 * least);
    (round > 0.0 && round >= least * (1.0 - LATE) && most <= round * MAX_SPREAD).then_some(round)
}

/// Returns the round number at or below: steps of a tenth of a digit, ten milliseconds below a second.
fn round_below(ms: f64) -> f64 {
    let step = match ms {
        ms if ms < 100.0 => 5.0,
        ms if ms < 1e3 => 10.0,
        ms if ms < 1e4 => 100.0,
        _ => 1e3,
    };
    (ms / step).floor() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_a_little_over_a_round_number_are_a_timeout() {
        assert_eq!(timeout(&[180.4, 181.0, 182.8, 184.9]), Some(180.0));
        assert_eq!(timeout(&[1_003.0, 1_001.0, 1_020.0]), Some(1_000.0));
        assert_eq!(timeout(&[30_020.0, 30_001.0]), Some(30_000.0));
        assert_eq!(timeout(&[120.0, 700.0, 350.0]), None);
        assert_eq!(timeout(&[]), None);
        assert_eq!(timeout(&[0.0, 0.0]), None);
    }

    #[test]
    fn a_magnitude_has_21_points() {
        let Some(Magnitude::Empirical { quantiles }) = empirical(&(0..=100).map(f64::from).collect::<Vec<_>>()) else {
            panic!("no quantiles")
        };
        assert_eq!(quantiles.len(), 21);
        assert_eq!((quantiles[0], quantiles[10], quantiles[20]), ((0.0, 0.0), (0.5, 50.0), (1.0, 100.0)));
        assert_eq!(empirical(&[f64::NAN]), None);
    }
}
