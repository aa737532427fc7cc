//! Reads numbers of any width from a stretch of a packet, in both orders of bytes and bits.
//!
//! Little endian: the first bit is the least significant one of the first byte. Big endian: the most significant one.

/// Why a value could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It reaches past the end of what is there.
    Short,
    /// It is not what the metadata allows.
    Bad(String),
}

/// A place in a stretch of bytes.
#[derive(Debug, Clone)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    /// In bits from the beginning of `bytes`.
    pub at: u64,
    end: u64,
}

impl<'a> Bits<'a> {
    /// Reads `bytes` up to bit `end` from bit `at` on.
    pub(crate) fn new(bytes: &'a [u8], at: u64, end: u64) -> Self {
        Self { bytes, at, end: end.min(bytes.len() as u64 * 8) }
    }

    /// Returns how many bits are left.
    pub(crate) fn left(&self) -> u64 {
        self.end.saturating_sub(self.at)
    }

    /// Goes on to the next multiple of `align`, a power of two.
    #[inline]
    pub(crate) fn align(&mut self, align: u64) {
        let mask = align.wrapping_sub(1);
        self.at = self.at.saturating_add(mask) & !mask;
    }

    /// Returns where `bits` bits begin, and goes on behind them.
    #[inline]
    fn pass(&mut self, bits: u64) -> Result<u64, Fault> {
        let at = self.at;
        let next = at.saturating_add(bits);
        if next > self.end {
            return Err(Fault::Short);
        }
        self.at = next;
        Ok(at)
    }

    /// Reads a number of 1 to 64 bits.
    #[inline]
    pub(crate) fn number(&mut self, bits: u32, is_big: bool) -> Result<u64, Fault> {
        let at = self.pass(u64::from(bits))?;
        if at & 7 != 0 {
            return self.packed(at, bits, is_big);
        }
        let rest = self.bytes.get((at >> 3) as usize..).unwrap_or_default();
        let value = match bits {
            8 => rest.first().copied().map(u64::from),
            16 => rest
                .first_chunk()
                .map(|chunk| u64::from(if is_big { u16::from_be_bytes(*chunk) } else { u16::from_le_bytes(*chunk) })),
            32 => rest
                .first_chunk()
                .map(|chunk| u64::from(if is_big { u32::from_be_bytes(*chunk) } else { u32::from_le_bytes(*chunk) })),
            64 => rest
                .first_chunk()
                .map(|chunk| if is_big { u64::from_be_bytes(*chunk) } else { u64::from_le_bytes(*chunk) }),
            _ => return self.packed(at, bits, is_big),
        };
        value.ok_or(Fault::Short)
    }

    /// Reads a number that begins or ends within a byte.
    fn packed(&self, at: u64, bits: u32, is_big: bool) -> Result<u64, Fault> {
        let (first, shift) = ((at >> 3) as usize, (at & 7) as u32);
        let num_bytes = (shift + bits).div_ceil(8);
        let bytes = self.bytes.get(first..first + num_bytes as usize).ok_or(Fault::Short)?;
        let gather = |all: u128, byte: &u8| all << 8 | u128::from(*byte);
        let all = if is_big {
            bytes.iter().fold(0, gather) >> (num_bytes * 8 - shift - bits)
        } else {
            bytes.iter().rev().fold(0, gather) >> shift
        };
        Ok(all as u64 & mask(bits))
    }

    /// Reads `len` whole bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, len: u64) -> Result<&'a [u8], Fault> {
        self.align(8);
        let at = self.pass(len.saturating_mul(8))?;
        let from = (at >> 3) as usize;
        self.bytes.get(from..from + len as usize).ok_or(Fault::Short)
    }

    /// Reads up to a zero of `width` bytes and returns what stands before it.
    #[inline]
    pub(crate) fn text(&mut self, width: usize) -> Result<&'a [u8], Fault> {
        self.align(8);
        let (from, to) = ((self.at >> 3) as usize, (self.end >> 3) as usize);
        let rest = self.bytes.get(from..to).ok_or(Fault::Short)?;
        let len = match width {
            1 => memchr::memchr(0, rest),
            _ => rest.chunks_exact(width).position(|unit| unit.iter().all(|&byte| byte == 0)).map(|at| at * width),
        };
        let len = len.ok_or(Fault::Short)?;
        self.at += (len + width) as u64 * 8;
        rest.get(..len).ok_or(Fault::Short)
    }

    /// Reads a number of variable length: seven bits a byte, least significant first. Returns how many bits it has, too.
    pub(crate) fn variable(&mut self) -> Result<(u64, u32), Fault> {
        self.align(8);
        let (mut value, mut bits) = (0_u64, 0);
        loop {
            let byte = self.number(8, false)?;
            let part = byte & 0x7f;
            if bits < 64 {
                value |= part << bits;
            }
            let is_fill = part == 0 || (part == 0x7f && value >> 63 == 1);
            if bits >= 64 && !is_fill {
                return Err(Fault::Bad("integer of variable length has more than 64 bits".to_owned()));
            }
            bits += 7;
            if byte & 0x80 == 0 {
                return Ok((value, bits.min(64)));
            }
            if bits > 7 * 64 {
                return Err(Fault::Bad("integer of variable length does not end".to_owned()));
            }
        }
    }
}

/// Returns the lowest `bits` bits set.
#[inline]
pub(crate) fn mask(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

/// Returns the number with a sign that has this pattern of `bits` bits.
#[inline]
pub(crate) fn signed(value: u64, bits: u32) -> i64 {
    let shift = 64_u32.saturating_sub(bits) & 63;
    ((value << shift) as i64) >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_bit_fields_in_both_orders() {
        // 3 bits, 7 bits, 22 bits.
        let bytes = [0b1010_1101, 0b1100_0011, 0x12, 0x34];
        let mut little = Bits::new(&bytes, 0, 32);
        let read = |bits: &mut Bits<'_>, big| [3, 7, 22].map(|width| bits.number(width, big).unwrap());
        assert_eq!(read(&mut little, false), [0b101, 0b111_0101, 0x0034_12c3 >> 2]);
        let mut big = Bits::new(&bytes, 0, 32);
        assert_eq!(read(&mut big, true), [0b101, 0b011_0111, 0x03_1234]);
        assert_eq!(big.number(1, true), Err(Fault::Short));
    }

    #[test]
    fn agrees_with_a_slow_reading_of_every_width_and_place() {
        let bytes: Vec<u8> = (0..20_u32).map(|n| (n * 73 + 41) as u8).collect();
        for at in 0..24_u64 {
            for bits in 1..=64_u32 {
                let bit = |n: u64, big: bool| {
                    let shift = if big { 7 - n % 8 } else { n % 8 };
                    u64::from(bytes[(n / 8) as usize] >> shift & 1)
                };
                let little = (0..u64::from(bits)).fold(0, |all, n| all | bit(at + n, false) << n);
                let big = (0..u64::from(bits)).fold(0, |all, n| all << 1 | bit(at + n, true));
                assert_eq!(Bits::new(&bytes, at, 160).number(bits, false), Ok(little), "{at} {bits}");
                assert_eq!(Bits::new(&bytes, at, 160).number(bits, true), Ok(big), "{at} {bits}");
            }
        }
    }

    #[test]
    fn reads_variable_lengths() {
        assert_eq!(Bits::new(&[0xe5, 0x8e, 0x26], 0, 24).variable(), Ok((624_485, 21)));
        let (value, bits) = Bits::new(&[0x9b, 0xf1, 0x59], 0, 24).variable().unwrap();
        assert_eq!(signed(value, bits), -624_485);
        assert_eq!(Bits::new(&[0x80], 0, 8).variable(), Err(Fault::Short));
        assert!(matches!(Bits::new(&[0xff; 12], 0, 96).variable(), Err(Fault::Short | Fault::Bad(_))));
        let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Bits::new(&largest, 0, 80).variable(), Ok((u64::MAX, 64)));
    }
}
