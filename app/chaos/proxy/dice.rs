//! Chance that can be repeated: the same seed draws the same.

/// A small generator of numbers (`SplitMix64`, Steele et al. 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Starts from what identifies the draw: the seed, the fault, the request.
    #[must_use]
    pub fn new(parts: &[u64]) -> Self {
        let mut dice = Self(0x9e37_79b9_7f4a_7c15);
        for part in parts {
            dice.0 ^= *part;
            dice.0 = dice.number();
        }
        dice
    }

    /// Returns any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a share from 0 to 1, without 1.
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_and_repeat() {
        let draws: Vec<f64> = (0..20_000).map(|n| Dice::new(&[42, n]).share()).collect();
        let below = draws.iter().filter(|share| **share < 0.18).count();
        assert!((3_400..3_800).contains(&below), "{below}");
        assert!(draws.iter().all(|share| (0.0..1.0).contains(share)));
        assert_eq!(Dice::new(&[42, 7]).number(), Dice::new(&[42, 7]).number());
        assert_ne!(Dice::new(&[42, 7]).number(), Dice::new(&[43, 7]).number());
    }
}
