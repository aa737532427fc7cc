//! Two samples against each other: how far apart, how likely by chance, and how large the difference is.
//!
//! Everything is finite for finite input, and says so where there is too little to compare.

/// 1.96 standard deviations: the bounds of a 95 % interval.
const Z_95: f64 = 1.959_963_984_540_054;

/// What the Mann-Whitney test tells of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RankTest {
    /// How likely ranks as different as these are where both come from one distribution (two sides, normal approximation with
    /// ties and continuity corrected): 0 to 1.
    pub(super) p: f64,
    /// The probability that a value of the second sample is the larger one, ties counting half: 0 to 1, 0.5 where nothing differs.
    pub(super) effect: f64,
}

/// Returns the value at `share` (0 to 1) of sorted values, in a straight line between neighbours; nothing of no values.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (sorted.get(place.floor() as usize)?, sorted.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
}

/// Returns the values in ascending order.
pub(super) fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// Returns the largest distance between the shares of both samples below any value (Kolmogorov-Smirnov D): 0 to 1.
pub(super) fn largest_gap(left: &[f64], right: &[f64]) -> Option<f64> {
    let below = |sorted: &[f64], value: f64| sorted.partition_point(|&one| one <= value) as f64 / sorted.len() as f64;
    let gap = |&value: &f64| (below(left, value) - below(right, value)).abs();
    if left.is_empty() || right.is_empty() {
        return None;
    }
    left.iter().chain(right).map(gap).max_by(f64::total_cmp)
}

/// Compares two sorted samples by the ranks of their values (Mann-Whitney U).
pub(super) fn ranks(left: &[f64], right: &[f64]) -> Option<RankTest> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    let (num_left, num_right) = (left.len() as f64, right.len() as f64);
    let before = |value: f64| {
        let (less, up_to) = (left.partition_point(|&one| one < value), left.partition_point(|&one| one <= value));
        f64::midpoint(less as f64, up_to as f64)
    };
    let wins: f64 = right.iter().map(|&value| before(value)).sum();
    let pairs = num_left * num_right;
    let all = num_left + num_right;
    let spread = (pairs / 12.0 * (all + 1.0 - ties(left, right) / (all * (all - 1.0)).max(1.0))).max(0.0).sqrt();
    let off = ((wins - pairs / 2.0).abs() - 0.5).max(0.0);
    let p = if spread > 0.0 { 2.0 * upper_tail(off / spread) } else { 1.0 };
    Some(RankTest { p: p.clamp(0.0, 1.0), effect: wins / pairs })
}

/// Returns the sum of t³ - t over groups of t equal values.
fn ties(left: &[f64], right: &[f64]) -> f64 {
    let all = sorted(left.iter().chain(right).copied());
    let group = |equal: &[f64]| (equal.len() as f64).powi(3) - equal.len() as f64;
    all.chunk_by(|one, next| one.total_cmp(next).is_eq()).map(group).sum()
}

/// Returns the probability that a standard normal value is above `z`, for `z` of 0 or more (Abramowitz and Stegun 26.2.17, off
/// by at most 7.5e-8).
fn upper_tail(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530];
    let sum = series.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (-z * z / 2.0).exp() / std::f64::consts::TAU.sqrt() * sum
}

/// Returns what the true share can be where `hits` of `of` were met: Wilson's 95 % interval.
pub(super) fn wilson(hits: f64, of: f64) -> (f64, f64) {
    if of <= 0.0 {
        return (0.0, 1.0);
    }
    let (share, z) = ((hits / of).clamp(0.0, 1.0), Z_95 * Z_95);
    let middle = share + z / (2.0 * of);
    let reach = Z_95 * (share * (1.0 - share) / of + z / (4.0 * of * of)).sqrt();
    (((middle - reach) / (1.0 + z / of)).max(0.0), ((middle + reach) / (1.0 + z / of)).min(1.0))
}

/// Returns by how much the share of the second is larger than that of the first (pairs of hits and all), between its 95 % bounds:
/// low, difference, high (Newcombe 1998, method 10).
pub(super) fn difference(first: (f64, f64), second: (f64, f64)) -> (f64, f64, f64) {
    let share = |(hits, of): (f64, f64)| if of > 0.0 { hits / of } else { 0.0 };
    let (before, after) = (share(first), share(second));
    let ((low_before, high_before), (low_after, high_after)) = (wilson(first.0, first.1), wilson(second.0, second.1));
    let down = ((after - low_after).powi(2) + (high_before - before).powi(2)).sqrt();
    let up = ((high_after - after).powi(2) + (before - low_before).powi(2)).sqrt();
    ((after - before - down).max(-1.0), after - before, (after - before + up).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-3
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantile(&[], 0.5), None);
        assert!(close(quantile(&[1.0, 2.0, 4.0], 0.75).unwrap(), 3.0));
        assert!(close(quantile(&[7.0], 0.99).unwrap(), 7.0));
    }

    #[test]
    fn ranks_agree_with_a_published_example() {
        // Tortoise and hare, as in the literature on U: 25 of 36 pairs are won.
        let (left, right) = ([1.0, 7.0, 8.0, 9.0, 10.0, 11.0], [2.0, 3.0, 4.0, 5.0, 6.0, 12.0]);
        let test = ranks(&left, &right).unwrap();
        assert!(close(test.effect, 11.0 / 36.0), "{test:?}");
        assert!(test.p > 0.25 && test.p < 0.31, "{test:?}");
        let apart: Vec<f64> = (0..40).map(f64::from).collect();
        let far: Vec<f64> = (100..140).map(f64::from).collect();
        let test = ranks(&apart, &far).unwrap();
        assert!(test.p < 1e-6 && close(test.effect, 1.0), "{test:?}");
        assert!(close(ranks(&[1.0; 9], &[1.0; 9]).unwrap().p, 1.0), "equal values differ by chance");
        assert!(ranks(&[], &[1.0]).is_none());
    }

    #[test]
    fn the_gap_is_one_where_nothing_overlaps() {
        assert_eq!(largest_gap(&[1.0, 2.0], &[3.0]), Some(1.0));
        assert_eq!(largest_gap(&[1.0, 2.0], &[1.0, 2.0]), Some(0.0));
    }

    #[test]
    fn differences_agree_with_newcombe() {
        // Newcombe 1998, table II, case (a): 56 of 70 against 48 of 80.
        let (low, difference, high) = difference((48.0, 80.0), (56.0, 70.0));
        assert!(close(low, 0.0524) && close(difference, 0.2) && close(high, 0.3339), "{low} {difference} {high}");
        let (low, high) = wilson(0.0, 0.0);
        assert!(close(low, 0.0) && close(high, 1.0), "nothing seen, nothing known");
    }
}
