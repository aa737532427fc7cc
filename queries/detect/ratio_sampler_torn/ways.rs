//! The bits of a trace id that SDKs sample by.

/// A number made of a trace id: samplers keep traces below a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    /// Go, Rust, Python.
    Low,
    /// Java, .NET: the low half as a signed number, without its sign.
    LowUnsigned,
    /// Go, before it changed.
    High,
    /// JavaScript: four parts of 32 bits, combined by exclusive or.
    Folded,
}

const ALL: [Bits; 4] = [Bits::Low, Bits::LowUnsigned, Bits::High, Bits::Folded];

impl Bits {
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "the low 64 bits (Go, Rust, Python)",
            Self::LowUnsigned => "the low 63 bits (Java, .NET)",
            Self::High => "the high 64 bits (older Go)",
            Self::Folded => "32 bits folded together (JavaScript)",
        }
    }

    fn number(self, id: u128) -> u64 {
        match self {
            Self::Low => id as u64,
            Self::LowUnsigned => (id as u64 as i64).unsigned_abs(),
            Self::High => (id >> 64) as u64,
            Self::Folded => u64::from((id >> 96) as u32 ^ (id >> 64) as u32 ^ (id >> 32) as u32 ^ id as u32),
        }
    }
}

/// The way that explains best which traces are there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Way {
    pub way: Bits,
    /// The probability that a kept trace has a smaller number than one that was not: 0.5 by chance, 1 for a threshold.
    pub order: f64,
}

impl Way {
    /// Finds the way that tells kept traces from the others.
    pub fn of(kept: &[&[u128]], left: &[&[u128]]) -> Self {
        let ways = ALL.map(|way| Self { way, order: order(way, kept, left) });
        // The first of equals.
        ways.into_iter().rev().max_by(|one, other| one.order.total_cmp(&other.order)).unwrap_or(Self { way: Bits::Low, order: 0.0 })
    }
}

fn order(way: Bits, kept: &[&[u128]], left: &[&[u128]]) -> f64 {
    let numbers = |sets: &[&[u128]]| {
        let mut numbers: Vec<u64> = sets.iter().flat_map(|set| set.iter()).map(|&id| way.number(id)).collect();
        numbers.sort_unstable();
        numbers
    };
    let (kept, left) = (numbers(kept), numbers(left));
    let larger: usize = kept.iter().map(|number| left.len() - left.partition_point(|other| other <= number)).sum();
    let pairs = kept.len() as f64 * left.len() as f64;
    if pairs > 0.0 { larger as f64 / pairs } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::{Bits, Way};

    #[test]
    fn the_bits_that_decided_are_found() {
        let ids: Vec<u128> = (1_u128..400).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).collect();
        let (kept, left): (Vec<u128>, Vec<u128>) = ids.iter().partition(|&&id| (id >> 64) as u64 >> 63 == 0);
        let way = Way::of(&[&kept], &[&left]);
        assert_eq!(way.way, Bits::High);
        assert!(way.order > 0.99);
    }
}
