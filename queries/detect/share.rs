//! Shares of small numbers: what may be chance is told from what is not.

/// Returns the lower end of what the true share can be where `hits` of `of` were met (Wilson's interval), at so many standard
/// deviations: 2 is right 98 times of 100, 3 is right 999 of 1000. 0 where nothing was met.
#[must_use]
pub(super) fn at_least(hits: usize, of: usize, deviations: f64) -> f64 {
    if of == 0 {
        return 0.0;
    }
    let (of, share, z) = (of as f64, hits as f64 / of as f64, deviations * deviations);
    let middle = share + z / (2.0 * of);
    let reach = deviations * (share * (1.0 - share) / of + z / (4.0 * of * of)).max(0.0).sqrt();
    ((middle - reach) / (1.0 + z / of)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn few_sightings_prove_little() {
        assert!(at_least(4, 31, 3.0) < 0.05);
        assert!(at_least(40, 310, 3.0) > 0.05);
        assert!(at_least(0, 100, 2.0) < 1e-9);
        assert!(at_least(100, 100, 3.0) > 0.9);
    }
}
