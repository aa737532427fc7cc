//! How delays are distributed, learned from weighted examples.
//!
//! A kernel density on the scale of asinh: as fine as a linear scale near zero, as wide as a logarithmic one far from it, and
//! at home on both sides of zero. A broad tail of the weight of one example keeps it above zero everywhere.

/// A density of delays.
#[derive(Debug, Clone)]
pub struct Density {
    /// Nanoseconds that are one unit of asinh.
    unit_ns: f64,
    /// Where the table begins, and how far its entries are apart, in asinh.
    from: f64,
    step: f64,
    /// Sum of the kernels of all examples, a density in asinh times [`Self::total`].
    table: Vec<f64>,
    /// Sum of all weights.
    total: f64,
    /// What an example of weight 1 adds to the table at its own place.
    peak: f64,
    /// Middle and half width of the tail (Cauchy), in asinh.
    middle: f64,
    half_width: f64,
}

/// The weight of the tail, in examples.
const TAIL: f64 = 1.0;
/// Kernels reach so many bandwidths to each side.
const REACH: f64 = 4.0;
/// Entries a bandwidth.
const FINENESS: f64 = 4.0;
const MAX_ENTRIES: f64 = 4096.0;
/// In asinh: no kernel is narrower, however alike the examples are.
const MIN_BANDWIDTH: f64 = 0.03;

impl Default for Density {
    /// Nothing is known: every delay is about as likely as another of its magnitude.
    fn default() -> Self {
        Self::fit(&[], &[])
    }
}

impl Density {
    /// Learns from delays in nanoseconds. Examples that are not finite or have no weight count for nothing.
    #[must_use]
    pub fn fit(values_ns: &[f64], weights: &[f64]) -> Self {
        let mut examples: Vec<(f64, f64)> = values_ns
            .iter()
            .zip(weights)
            .map(|(&value, &weight)| (value, weight))
            .filter(|(value, weight)| value.is_finite() && weight.is_finite() && *weight > 0.0)
            .collect();
        let unit_ns = unit(&mut examples);
        examples.iter_mut().for_each(|example| example.0 = (example.0 / unit_ns).asinh());
        examples.sort_by(|a, b| a.0.total_cmp(&b.0));
        let shape = Shape::of(&examples);
        let mut density = Self {
            unit_ns,
            from: shape.low - REACH * shape.bandwidth,
            step: shape.step(),
            table: Vec::new(),
            total: examples.iter().map(|example| example.1).sum(),
            peak: 0.0,
            middle: shape.middle,
            half_width: (2.0 * shape.spread).max(1.0),
        };
        density.fill(&examples, shape);
        density
    }

    /// Returns the natural logarithm of the density at a delay, per nanosecond. Always finite.
    #[must_use]
    pub fn ln(&self, value_ns: f64) -> f64 {
        self.ln_without(value_ns, 0.0)
    }

    /// Returns [`Self::ln`] as it would be, had the example of this delay and weight been left out.
    #[must_use]
    pub fn ln_without(&self, value_ns: f64, own_weight: f64) -> f64 {
        let value = if value_ns.is_finite() { value_ns } else { f64::MAX.copysign(value_ns) };
        let scaled = value / self.unit_ns;
        let at = scaled.asinh();
        let known = (self.kernels(at) - own_weight * self.peak).max(0.0);
        let total = (self.total - own_weight).max(0.0);
        let off = (at - self.middle) / self.half_width;
        let tail = 1.0 / (std::f64::consts::PI * self.half_width * (1.0 + off * off));
        ((known + TAIL * tail) / (total + TAIL)).ln() - self.unit_ns.ln() - scaled.hypot(1.0).ln()
    }

    /// Returns the sum of all weights that it was learned from.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.total
    }

    fn kernels(&self, at: f64) -> f64 {
        let place = (at - self.from) / self.step;
        if !(place >= 0.0 && place < self.table.len() as f64) {
            return 0.0;
        }
        let entry = place as usize;
        let here = self.table.get(entry).copied().unwrap_or(0.0);
        let next = self.table.get(entry + 1).copied().unwrap_or(0.0);
        here + (next - here) * (place - entry as f64)
    }

    fn fill(&mut self, examples: &[(f64, f64)], shape: Shape) {
        if examples.is_empty() {
            return;
        }
        let bandwidth = shape.bandwidth.max(self.step);
        let num_entries = ((shape.high + REACH * shape.bandwidth - self.from) / self.step).ceil() as usize + 2;
        let mut bins = vec![0.0; num_entries.min(MAX_ENTRIES as usize + 64)];
        for &(value, weight) in examples {
            let place = ((value - self.from) / self.step).max(0.0);
            let (entry, part) = (place as usize, place.fract());
            bins.get_mut(entry).into_iter().for_each(|bin| *bin += weight * (1.0 - part));
            bins.get_mut(entry + 1).into_iter().for_each(|bin| *bin += weight * part);
        }
        let kernel = kernel(bandwidth, self.step);
        self.peak = kernel.first().copied().unwrap_or(0.0);
        self.table = spread(&bins, &kernel);
    }
}

/// Nanoseconds that are told apart well: a fraction of what is usual.
fn unit(examples: &mut [(f64, f64)]) -> f64 {
    const FINEST_NS: f64 = 1_000.0;
    examples.sort_by(|a, b| a.0.abs().total_cmp(&b.0.abs()));
    (quantile(examples, 0.5).abs() / 4.0).clamp(FINEST_NS, 1e15)
}

/// What is to be known of examples before the table is made, in asinh.
#[derive(Debug, Clone, Copy)]
struct Shape {
    low: f64,
    high: f64,
    middle: f64,
    spread: f64,
    bandwidth: f64,
}

impl Shape {
    /// Takes sorted examples.
    fn of(examples: &[(f64, f64)]) -> Self {
        let middle = quantile(examples, 0.5);
        let spread = (quantile(examples, 0.75) - quantile(examples, 0.25)) / 1.349;
        let total: f64 = examples.iter().map(|example| example.1).sum();
        let squares: f64 = examples.iter().map(|example| example.1 * example.1).sum();
        let variance: f64 = examples.iter().map(|&(value, weight)| weight * (value - middle).powi(2)).sum();
        let deviation = if total > 0.0 { (variance / total).sqrt() } else { 0.0 };
        let narrow = if spread > 0.0 { spread.min(deviation) } else { deviation };
        let num_effective = if squares > 0.0 { (total * total / squares).max(1.0) } else { 1.0 };
        Self {
            low: examples.first().map_or(0.0, |example| example.0),
            high: examples.last().map_or(0.0, |example| example.0),
            middle,
            spread,
            // Silverman's rule of thumb.
            bandwidth: (0.9 * narrow * num_effective.powf(-0.2)).max(MIN_BANDWIDTH),
        }
    }

    fn step(&self) -> f64 {
        let range = self.high - self.low + 2.0 * REACH * self.bandwidth;
        (self.bandwidth / FINENESS).max(range / MAX_ENTRIES)
    }
}

/// Returns a quantile of sorted examples; 0 where there are none.
fn quantile(examples: &[(f64, f64)], share: f64) -> f64 {
    let total: f64 = examples.iter().map(|example| example.1).sum();
    let mut sum = 0.0;
    let found = examples.iter().find(|example| {
        sum += example.1;
        sum >= share * total
    });
    found.or(examples.last()).map_or(0.0, |example| example.0)
}

/// One side of a Gaussian: density at 0, 1, 2… steps.
fn kernel(bandwidth: f64, step: f64) -> Vec<f64> {
    let height = 1.0 / (bandwidth * (2.0 * std::f64::consts::PI).sqrt());
    let num = (REACH * bandwidth / step).ceil() as usize + 1;
    (0..num).map(|at| height * (-0.5 * (at as f64 * step / bandwidth).powi(2)).exp()).collect()
}

fn spread(bins: &[f64], kernel: &[f64]) -> Vec<f64> {
    let mut table = vec![0.0; bins.len()];
    for (at, &weight) in bins.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        for (far, &height) in kernel.iter().enumerate() {
            table.get_mut(at + far).into_iter().for_each(|entry| *entry += weight * height);
            if let Some(entry) = at.checked_sub(far).filter(|_| far > 0).and_then(|before| table.get_mut(before)) {
                *entry += weight * height;
            }
        }
    }
    table
}

#[cfg(test)]
mod tests;
