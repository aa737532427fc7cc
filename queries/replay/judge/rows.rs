//! What each request has, as numbers and how often: made once, then added up as often as requests are drawn.

/// Pairs of number and count, a list a request.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    ends: Vec<usize>,
    values: Vec<(u32, f64)>,
    /// One more than the largest number.
    width: usize,
}

impl Rows {
    /// Adds the next request.
    pub(super) fn push(&mut self, numbers: impl IntoIterator<Item = u32>) {
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        numbers.sort_unstable();
        for equal in numbers.chunk_by(|one, next| one == next) {
            self.values.extend(equal.first().map(|&number| (number, equal.len() as f64)));
        }
        self.width = self.width.max(numbers.last().map_or(0, |&last| last as usize + 1));
        self.ends.push(self.values.len());
    }

    pub(super) fn get(&self, request: usize) -> &[(u32, f64)] {
        let from = request.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let to = self.ends.get(request).copied().unwrap_or(from);
        self.values.get(from..to).unwrap_or_default()
    }

    /// Returns how often each number occurs in a request, on average over requests that count as often as `weights` says.
    pub(super) fn means(&self, weights: &[f64]) -> Vec<f64> {
        self.sums(weights, |count| count)
    }

    /// Returns the share of requests in which each number occurs at all.
    pub(super) fn shares(&self, weights: &[f64]) -> Vec<f64> {
        self.sums(weights, |count| f64::from(count > 0.0))
    }

    fn sums(&self, weights: &[f64], of: impl Fn(f64) -> f64) -> Vec<f64> {
        let total: f64 = weights.iter().sum();
        let mut sums = vec![0.0; self.width];
        for (request, &weight) in weights.iter().enumerate().filter(|&(_, &weight)| weight > 0.0) {
            for &(number, count) in self.get(request) {
                if let Some(sum) = sums.get_mut(number as usize) {
                    *sum += weight * of(count) / total;
                }
            }
        }
        sums
    }
}

/// The common part of two lists of counts, and what both have at most or together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Overlap {
    min: f64,
    max: f64,
}

impl Overlap {
    /// Compares counts number by number; `is_meant` says which.
    pub(super) fn of(left: &[f64], right: &[f64], is_meant: impl Fn(usize) -> bool) -> Self {
        let at = |list: &[f64], number: usize| list.get(number).copied().unwrap_or(0.0);
        let mut overlap = Self::default();
        for number in (0..left.len().max(right.len())).filter(|&number| is_meant(number)) {
            let (one, other) = (at(left, number), at(right, number));
            overlap.min += one.min(other);
            overlap.max += one.max(other);
        }
        overlap
    }

    /// Tells whether neither side has anything.
    pub(super) fn is_empty(self) -> bool {
        self.max <= 0.0
    }

    /// Returns the weighted Jaccard index: 0 to 1, and 1 where neither side has anything.
    pub(super) fn jaccard(self) -> f64 {
        if self.is_empty() { 1.0 } else { self.min / self.max }
    }

    /// Returns F1, the harmonic mean of what was to be found and was, and what was found and was to be: 0 to 1, and 1 where
    /// neither side has anything.
    pub(super) fn f1(self) -> f64 {
        if self.is_empty() { 1.0 } else { 2.0 * self.min / (self.min + self.max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_averaged_as_often_as_they_count() {
        let mut rows = Rows::default();
        rows.push([2, 0, 2]);
        rows.push([]);
        rows.push([1]);
        assert_eq!(rows.get(0), [(0, 1.0), (2, 2.0)]);
        assert_eq!(rows.means(&[1.0, 1.0, 0.0]), [0.5, 0.0, 1.0]);
        assert_eq!(rows.shares(&[1.0, 0.0, 1.0]), [0.5, 0.5, 0.5]);
        assert!(rows.means(&[]).iter().all(|&mean| mean == 0.0));
    }

    #[test]
    fn overlap_is_whole_where_both_have_nothing() {
        let overlap = Overlap::of(&[1.0, 2.0], &[1.0, 0.0, 1.0], |_| true);
        assert!((overlap.jaccard() - 0.25).abs() < 1e-9, "1 of 1 + 2 + 1");
        assert!((overlap.f1() - 0.4).abs() < 1e-9, "twice 1 of 3 + 2");
        let nothing = Overlap::of(&[0.0], &[], |_| true);
        assert!(nothing.is_empty() && nothing.jaccard() >= 1.0 && nothing.f1() >= 1.0);
    }
}
