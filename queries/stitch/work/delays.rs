//! How long things take, as densities over the inverse hyperbolic sine of the delay: equal ratios are equal distances, and
//! delays of 0 or less have their place.

use std::sync::LazyLock;

/// Delays are told apart in steps of this size: 2.5 % of the delay.
const STEP: f64 = 0.025;
/// The inverse hyperbolic sine of the longest delay there can be (2^63 ns), in units of [`UNIT_NS`].
const REACH: f64 = 38.0;
const UNIT_NS: f64 = 1_000.0;
pub(super) const NUM_BINS: usize = 2 * (REACH / STEP) as usize + 1;
/// Delays are learned for each quarter of the spans from the other three, so that none speaks for itself.
pub(super) const NUM_FOLDS: usize = 4;

/// Delays have this many leading bits that count: they are told apart by one part in 64.
const NUM_BITS: u32 = 6;
const NUM_CELLS: usize = 64 << NUM_BITS;

/// Bins of delays of 0 and more, by cell.
static BINS: LazyLock<Vec<u16>> =
    LazyLock::new(|| (0..NUM_CELLS).map(|cell| exact_bin(cell_ns(cell)) as u16).collect());

/// Returns the bin of a delay.
pub(super) fn bin(delay_ns: i64) -> usize {
    let at = BINS.get(cell(delay_ns.unsigned_abs())).copied().map_or(MIDDLE, usize::from);
    if delay_ns < 0 { 2 * MIDDLE - at } else { at }
}

/// The bin of no delay.
const MIDDLE: usize = NUM_BINS / 2;

/// Numbers cells of nearly equal delays: how many bits a delay has, and those after the first.
fn cell(delay_ns: u64) -> usize {
    let num_bits = 64 - delay_ns.leading_zeros();
    if num_bits <= NUM_BITS {
        return delay_ns as usize;
    }
    let shift = num_bits - 1 - NUM_BITS;
    let leading = (delay_ns >> shift) as usize & ((1 << NUM_BITS) - 1);
    (((shift + 1) as usize) << NUM_BITS) + leading
}

/// Returns the middle of a cell.
fn cell_ns(cell: usize) -> f64 {
    let leading = (cell & ((1 << NUM_BITS) - 1)) as f64;
    match cell >> NUM_BITS {
        0 => leading,
        more => (leading + 0.5 + f64::from(1_u32 << NUM_BITS)) * f64::powi(2.0, more as i32 - 1),
    }
}

fn exact_bin(delay_ns: f64) -> usize {
    (((delay_ns / UNIT_NS).asinh() + REACH) / STEP + 0.5).clamp(0.0, (NUM_BINS - 1) as f64) as usize
}

/// Returns how many nanoseconds one unit of the scale is, as a logarithm.
fn ln_scale(bin: usize) -> f64 {
    (UNIT_NS * (bin as f64 * STEP - REACH).cosh()).ln()
}

/// Delays that were seen, by bin and fold.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    bins: Vec<[f32; NUM_FOLDS]>,
    pub(super) weight: f64,
}

impl Default for Seen {
    fn default() -> Self {
        Self { bins: vec![[0.0; NUM_FOLDS]; NUM_BINS], weight: 0.0 }
    }
}

impl Seen {
    pub(super) fn add(&mut self, bin: usize, fold: usize, weight: f64) {
        self.bins[bin][fold % NUM_FOLDS] += weight as f32;
        self.weight += weight;
    }
}

/// Densities per unit of asinh, one for each fold.
#[derive(Debug, Clone)]
pub(super) struct Density {
    folds: Vec<Vec<f64>>,
}

impl Density {
    /// What is known before anything was seen: all delays are as likely.
    pub(super) fn flat() -> Self {
        Self { folds: vec![vec![1.0 / (2.0 * REACH); NUM_BINS]; NUM_FOLDS] }
    }

    /// Returns the density of what was seen, with `prior` counted as so many delays more.
    pub(super) fn learn(seen: &Seen, prior: &Self, prior_weight: f64, least_share: f64) -> Self {
        let folds = (0..NUM_FOLDS).map(|fold| {
            let mut bins: Vec<f64> = seen.bins.iter().map(|all| others(all, fold)).collect();
            let weight: f64 = bins.iter().sum();
            smooth(&mut bins, bandwidth(&seen.bins, fold, weight));
            let share = (prior_weight / (weight + prior_weight)).max(least_share);
            let scale = if weight > 0.0 { (1.0 - share) / (weight * STEP) } else { 0.0 };
            bins.iter().zip(&prior.folds[fold]).map(|(bin, prior)| bin * scale + prior * share).collect()
        });
        Self { folds: folds.collect() }
    }

    /// Returns the logarithm of the density per nanosecond.
    pub(super) fn ln(&self) -> Logs {
        let at = |bin: usize| {
            let scale = ln_scale(bin);
            std::array::from_fn(|fold| (self.folds[fold][bin].ln() - scale) as f32)
        };
        Logs((0..NUM_BINS).map(at).collect())
    }
}

/// Logarithms of a density per nanosecond, by bin and fold.
#[derive(Debug, Clone)]
pub(super) struct Logs(Vec<[f32; NUM_FOLDS]>);

impl Logs {
    pub(super) fn at(&self, bin: usize, fold: usize) -> f64 {
        f64::from(self.0[bin][fold % NUM_FOLDS])
    }
}

fn others(all: &[f32; NUM_FOLDS], fold: usize) -> f64 {
    let sum: f32 = all.iter().enumerate().filter(|&(at, _)| at != fold).map(|(_, weight)| weight).sum();
    f64::from(sum)
}

/// The rule of Silverman, on quartiles rather than the deviation, which a few outliers would blow up.
fn bandwidth(bins: &[[f32; NUM_FOLDS]], fold: usize, weight: f64) -> f64 {
    let (mut sum, mut first, mut third) = (0.0, 0, 0);
    for (at, all) in bins.iter().enumerate() {
        sum += others(all, fold);
        first = if sum < 0.25 * weight { at + 1 } else { first };
        third = if sum < 0.75 * weight { at + 1 } else { third };
    }
    let spread = (third - first) as f64 * STEP / 1.349;
    (0.9 * spread * weight.max(1.0).powf(-0.2)).clamp(0.03, 1.0)
}

/// Three running means are close to a normal kernel.
fn smooth(bins: &mut Vec<f64>, bandwidth: f64) {
    let width = ((4.0 * (bandwidth / STEP).powi(2) + 1.0).sqrt() - 1.0) / 2.0;
    let radius = (width.round() as usize).max(1);
    let mut next = vec![0.0; bins.len()];
    for _ in 0..3 {
        running_mean(bins, &mut next, radius);
        std::mem::swap(bins, &mut next);
    }
}

fn running_mean(from: &[f64], to: &mut [f64], radius: usize) {
    let scale = 1.0 / (2 * radius + 1) as f64;
    let mut sum: f64 = from.iter().take(radius).sum();
    for (at, to) in to.iter_mut().enumerate() {
        sum += from.get(at + radius).copied().unwrap_or(0.0);
        *to = (sum * scale).max(0.0);
        sum -= at.checked_sub(radius).and_then(|gone| from.get(gone)).copied().unwrap_or(0.0);
    }
}
