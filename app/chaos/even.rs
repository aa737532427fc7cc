//! Distributions for injectors that know only a time and a jitter around it, and what that costs.

use riftline_queries::replay::fault::Magnitude;

/// How finely distributions are compared.
const STEPS: u32 = 400;

/// Times that lie evenly from `ms - jitter_ms` to `ms + jitter_ms`, in whole milliseconds as Toxiproxy takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Even {
    pub ms: u64,
    pub jitter_ms: u64,
}

impl Even {
    fn quantile(self, share: f64) -> f64 {
        self.ms as f64 + self.jitter_ms as f64 * (2.0 * share - 1.0)
    }
}

/// Returns the even distribution with the least squared distance to `magnitude`, and what is lost, in words with figures.
pub fn fit(magnitude: &Magnitude) -> (Even, Option<String>) {
    let mean = average(|share| magnitude.quantile(share));
    // The slope of the line that lies closest to the quantiles; shares have a variance of 1/12 around 1/2.
    let half = 6.0 * average(|share| magnitude.quantile(share) * (share - 0.5));
    let even = Even { ms: mean.round() as u64, jitter_ms: half.min(mean.round()).max(0.0).round() as u64 };
    let off = average(|share| (magnitude.quantile(share) - even.quantile(share)).abs());
    (even, loss(even, off, mean))
}

/// Half a millisecond is what rounding costs at most.
fn loss(even: Even, off: f64, mean: f64) -> Option<String> {
    let percent = 100.0 * off / mean.max(f64::MIN_POSITIVE);
    let Even { ms, jitter_ms } = even;
    let text = format!(
        "times become {ms} ms ± {jitter_ms} ms, all as likely: off by W1 = {off:.0} ms ({percent:.0} % of the mean)"
    );
    (off > 0.5).then_some(text)
}

/// Returns the mean of a function of shares, from 0 to 1.
pub fn average(value: impl Fn(f64) -> f64) -> f64 {
    let shares = (0..STEPS).map(|step| (f64::from(step) + 0.5) / f64::from(STEPS));
    shares.map(value).sum::<f64>() / f64::from(STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_even_already_stays_as_it_is() {
        assert_eq!(fit(&Magnitude::Fixed { ms: 300.0 }), (Even { ms: 300, jitter_ms: 0 }, None));
        let uniform = Magnitude::Uniform { low_ms: 100.0, high_ms: 300.0 };
        assert_eq!(fit(&uniform), (Even { ms: 200, jitter_ms: 100 }, None));
        assert_eq!(fit(&Magnitude::Fixed { ms: 0.0 }), (Even { ms: 0, jitter_ms: 0 }, None));
    }

    #[test]
    fn a_tail_is_lost_and_the_loss_has_a_figure() {
        let (even, loss) = fit(&Magnitude::Lognormal { median_ms: 100.0, sigma: 1.0 });
        assert!(even.jitter_ms <= even.ms, "no time is below nothing: {even:?}");
        assert!(loss.unwrap().contains("W1 = "));
        let quantiles = vec![(0.0, 100.0), (1.0, 200.0)];
        assert_eq!(fit(&Magnitude::Empirical { quantiles }), (Even { ms: 150, jitter_ms: 50 }, None));
    }

    #[test]
    fn no_magnitude_makes_it_fail() {
        for ms in [f64::NAN, f64::INFINITY, -1.0, 1e300] {
            let (even, _) = fit(&Magnitude::Fixed { ms });
            assert!(even.jitter_ms <= even.ms, "{even:?}");
        }
    }
}
