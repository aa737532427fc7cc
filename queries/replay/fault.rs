//! A fault as data: what is injected, where, when and how strongly. The same words stand in experiment files, in journals and in what
//! the proxy is told.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is injected at one edge.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The fault's name, as in the list of faults: `latency`, `error`, `context-drop`…
    pub kind: String,
    #[serde(default)]
    pub place: Place,
    #[serde(default)]
    pub when: When,
    /// How much, for faults that have a size in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<Magnitude>,
    /// The fault's own parameters, by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
}

/// What a fault acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Bytes of a connection, whatever they mean.
    Connection,
    /// A request on its way to the server.
    #[default]
    Request,
    /// An answer on its way back.
    Response,
}

/// Which requests or connections a fault hits. All conditions must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Share of the matching ones that are hit: 0 to 1.
    pub share: f64,
    pub unit: Unit,
    /// Only this one of the matching ones, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Only so many of the first matching ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// On and off by turns, from the moment of arming.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Cycle>,
    /// Only requests of this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path has this form: `/orders/{id}`, where `{…}` stands for one segment and a last `*` for any rest; of
    /// gRPC `/package.Service/Method`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests that carry the mark of this run, in `tracestate` (`riftline=<mark>`) or in the first 8 digits of either half of
    /// the trace id, of any propagator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

impl Default for When {
    fn default() -> Self {
        Self {
            share: 1.0,
            unit: Unit::Request,
            nth: None,
            first: None,
            window: None,
            method: None,
            path: None,
            mark: None,
        }
    }
}

/// What [`When::share`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    #[default]
    Request,
    Connection,
}

/// Times of a fault that comes and goes, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cycle {
    pub on_ms: f64,
    pub off_ms: f64,
}

/// A distribution of milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "dist", rename_all = "lowercase", deny_unknown_fields)]
pub enum Magnitude {
    Fixed {
        ms: f64,
    },
    /// Every time from `low_ms` to `high_ms` is as likely.
    Uniform {
        low_ms: f64,
        high_ms: f64,
    },
    /// The logarithm is normal, with this median and standard deviation.
    Lognormal {
        median_ms: f64,
        sigma: f64,
    },
    /// Pairs of share (0 to 1, ascending) and milliseconds; between them in a straight line.
    Empirical {
        quantiles: Vec<(f64, f64)>,
    },
    /// One of several.
    Bimodal {
        modes: Vec<Mode>,
    },
}

/// One of the times of a [`Magnitude::Bimodal`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mode {
    /// How often, against the other modes.
    pub share: f64,
    pub ms: f64,
    /// Up to so much more or less.
    #[serde(default)]
    pub jitter_ms: f64,
}

impl Magnitude {
    /// Returns the milliseconds at `share` (0 to 1) of the distribution: never negative, finite for finite parameters.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let share = share.clamp(0.0, 1.0);
        let ms = match self {
            Self::Fixed { ms } => *ms,
            Self::Uniform { low_ms, high_ms } => low_ms + (high_ms - low_ms) * share,
            Self::Lognormal { median_ms, sigma } => median_ms * (sigma * normal_quantile(share)).exp(),
            Self::Empirical { quantiles } => between(quantiles, share),
            Self::Bimodal { modes } => of_modes(modes, share),
        };
        if ms.is_finite() { ms.max(0.0) } else { 0.0 }
    }
}

/// Returns the value at `share` on the line through `quantiles`.
fn between(quantiles: &[(f64, f64)], share: f64) -> f64 {
    let after = quantiles.partition_point(|&(at, _)| at < share);
    match (after.checked_sub(1).map(|before| quantiles[before]), quantiles.get(after)) {
        (Some((left, low)), Some(&(right, high))) => {
            low + (high - low) * (share - left) / (right - left).max(f64::MIN_POSITIVE)
        }
        (Some((_, last)), None) => last,
        (None, Some(&(_, first))) => first,
        (None, None) => 0.0,
    }
}

/// Modes one after the other, each as wide as its share; inside of one, jitter goes from less to more.
fn of_modes(modes: &[Mode], share: f64) -> f64 {
    let mut left = share * modes.iter().map(|mode| mode.share.max(0.0)).sum::<f64>();
    for mode in modes {
        let width = mode.share.max(0.0);
        if left <= width && width > 0.0 {
            return mode.ms + mode.jitter_ms * (2.0 * left / width - 1.0);
        }
        left -= width;
    }
    modes.last().map_or(0.0, |mode| mode.ms + mode.jitter_ms)
}

/// Returns the quantile of the standard normal distribution (Acklam's rational approximation, relative error below 1.2e-9), cut
/// at 1e-6 from both ends.
fn normal_quantile(share: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let p = share.clamp(1e-6, 1.0 - 1e-6);
    let poly = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |q: f64| poly(&C, q) / (poly(&D, q) * q + 1.0);
    if p < 0.024_25 {
        return tail((-2.0 * p.ln()).sqrt());
    }
    if p > 1.0 - 0.024_25 {
        return -tail((-2.0 * (1.0 - p).ln()).sqrt());
    }
    let q = p - 0.5;
    let r = q * q;
    poly(&A, r) * q / (poly(&B, r) * r + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_follow_the_distribution() {
        let close = |magnitude: &Magnitude, share: f64, ms: f64| {
            assert!((magnitude.quantile(share) - ms).abs() < 1e-3 * ms.max(1.0), "{magnitude:?} at {share}");
        };
        close(&Magnitude::Uniform { low_ms: 10.0, high_ms: 20.0 }, 0.25, 12.5);
        close(&Magnitude::Lognormal { median_ms: 100.0, sigma: 1.0 }, 0.5, 100.0);
        close(&Magnitude::Lognormal { median_ms: 100.0, sigma: 1.0 }, 0.841_345, 271.828);
        close(&Magnitude::Lognormal { median_ms: 100.0, sigma: 1.0 }, 0.01, 9.767);
        let empirical = Magnitude::Empirical { quantiles: vec![(0.0, 10.0), (0.5, 20.0), (1.0, 100.0)] };
        close(&empirical, 0.75, 60.0);
        close(&Magnitude::Empirical { quantiles: vec![(0.5, 7.0)] }, 0.1, 7.0);
        close(&Magnitude::Empirical { quantiles: Vec::new() }, 0.1, 0.0);
        let modes = Magnitude::Bimodal {
            modes: vec![Mode { share: 3.0, ms: 10.0, jitter_ms: 0.0 }, Mode { share: 1.0, ms: 500.0, jitter_ms: 0.0 }],
        };
        close(&modes, 0.7, 10.0);
        close(&modes, 0.8, 500.0);
    }

    #[test]
    fn a_file_says_only_what_is_not_usual() {
        let fault = Fault {
            kind: "latency".to_owned(),
            place: Place::Request,
            when: When::default(),
            magnitude: Some(Magnitude::Fixed { ms: 5.0 }),
            with: Map::new(),
        };
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
        let short: Fault = serde_json::from_str(r#"{"kind":"latency","magnitude":{"dist":"fixed","ms":5}}"#).unwrap();
        assert_eq!(short, fault);
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"latency","whem":{}}"#).is_err());
    }
}
