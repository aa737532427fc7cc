//! Protobuf's wire format: fields one after the other, each a tag and a value.
//!
//! | wire type | value |
//! | --- | --- |
//! | 0 | varint: 7 bits a byte, least significant first, at most 10 bytes |
//! | 1 | 8 bytes, little-endian |
//! | 2 | varint length, bytes |
//! | 5 | 4 bytes, little-endian |
//!
//! Lengths are checked against what is there before anything else happens. Groups (3, 4) are not read.

/// What is wrong, and the address of the byte where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub address: usize,
    pub why: Why,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Cut,
    LongVarint,
    LongLength,
    Group,
    WireType,
    FieldZero,
    /// A field that is known by its number has another wire type than it should.
    OtherType,
    NoRequest,
}

impl Why {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Cut => "cut off",
            Self::LongVarint => "varint longer than 10 bytes",
            Self::LongLength => "length beyond the end of its message",
            Self::Group => "group, which OTLP does not have",
            Self::WireType => "unknown wire type",
            Self::FieldZero => "field number 0",
            Self::OtherType => "field of another wire type than it should be",
            Self::NoRequest => "no request",
        }
    }
}

/// A value as it is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Value<'a> {
    #[inline]
    pub(crate) fn bytes(self, field: &Field<'_>) -> Result<&'a [u8], Fault> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { field.fault(Why::OtherType) }
    }

    #[inline]
    pub(crate) fn varint(self, field: &Field<'_>) -> Result<u64, Fault> {
        if let Self::Varint(number) = self { Ok(number) } else { field.fault(Why::OtherType) }
    }

    #[inline]
    pub(crate) fn fixed64(self, field: &Field<'_>) -> Result<u64, Fault> {
        if let Self::Fixed64(number) = self { Ok(number) } else { field.fault(Why::OtherType) }
    }

    pub(crate) fn double(self, field: &Field<'_>) -> Result<f64, Fault> {
        self.fixed64(field).map(f64::from_bits)
    }

    #[inline]
    pub(crate) fn fixed32(self, field: &Field<'_>) -> Result<u32, Fault> {
        if let Self::Fixed32(number) = self { Ok(number) } else { field.fault(Why::OtherType) }
    }

    /// An unsigned number of 32 bits, written as a varint.
    pub(crate) fn varint32(self, field: &Field<'_>) -> Result<u32, Fault> {
        self.varint(field).map(|number| number as u32)
    }

    /// A signed number in zigzag form.
    pub(crate) fn zigzag(self, field: &Field<'_>) -> Result<i64, Fault> {
        self.varint(field).map(|number| (number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub number: u64,
    pub value: Value<'a>,
    address: usize,
}

impl Field<'_> {
    pub(crate) fn fault<T>(&self, why: Why) -> Result<T, Fault> {
        Err(Fault { address: self.address, why })
    }
}

/// The fields of a message, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Wire<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn fault<T>(&self, why: Why) -> Result<T, Fault> {
        Err(Fault { address: self.bytes.as_ptr().addr().wrapping_add(self.at), why })
    }

    /// Reads the next field; nothing at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Field<'a>>, Fault> {
        if self.at >= self.bytes.len() {
            return Ok(None);
        }
        let address = self.bytes.as_ptr().addr().wrapping_add(self.at);
        let tag = self.varint()?;
        let value = match tag & 7 {
            2 => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.chunk()?)),
            5 => Value::Fixed32(u32::from_le_bytes(self.chunk()?)),
            3 | 4 => return self.fault(Why::Group),
            _ => return self.fault(Why::WireType),
        };
        if tag < 8 {
            return self.fault(Why::FieldZero);
        }
        Ok(Some(Field { number: tag >> 3, value, address }))
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Result<u64, Fault> {
        match self.bytes.get(self.at) {
            Some(&byte @ 0..=0x7f) => {
                self.at = self.at.wrapping_add(1);
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Fault> {
        match self.header_varint() {
            Ok(Some(number)) => Ok(number),
            Ok(None) => self.fault(Why::Cut),
            Err(why) => self.fault(why),
        }
    }

    /// Reads a varint; nothing where the bytes end inside it.
    pub(crate) fn header_varint(&mut self) -> Result<Option<u64>, Why> {
        let mut number = 0_u64;
        for (index, &byte) in self.bytes.get(self.at..).unwrap_or_default().iter().take(10).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.at += index + 1;
                return Ok(Some(number));
            }
        }
        if self.bytes.len() - self.at.min(self.bytes.len()) < 10 { Ok(None) } else { Err(Why::LongVarint) }
    }

    #[inline]
    fn take(&mut self, len: u64) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match usize::try_from(len).ok().and_then(|len| rest.get(..len)) {
            Some(bytes) => {
                self.at = self.at.wrapping_add(bytes.len());
                Ok(bytes)
            }
            None => self.fault(Why::LongLength),
        }
    }

    #[inline]
    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(chunk) => {
                self.at = self.at.wrapping_add(N);
                Ok(*chunk)
            }
            None => self.fault(Why::Cut),
        }
    }
}

/// Calls `push` for each number of a repeated field, which may be packed or not.
pub(crate) fn each_varint(field: &Field<'_>, mut push: impl FnMut(u64)) -> Result<(), Fault> {
    match field.value {
        Value::Varint(number) => push(number),
        Value::Bytes(packed) => {
            let mut wire = Wire::new(packed);
            while wire.at < packed.len() {
                push(wire.varint()?);
            }
        }
        _ => return field.fault(Why::OtherType),
    }
    Ok(())
}

/// As [`each_varint`], for numbers of 8 bytes.
pub(crate) fn each_fixed64(field: &Field<'_>, mut push: impl FnMut(u64)) -> Result<(), Fault> {
    match field.value {
        Value::Fixed64(number) => push(number),
        Value::Bytes(packed) if packed.len().is_multiple_of(8) => {
            let (numbers, _) = packed.as_chunks();
            for number in numbers {
                push(u64::from_le_bytes(*number));
            }
        }
        _ => return field.fault(Why::OtherType),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_message() {
        let cases: [(&[u8], Why); 8] = [
            (&[0x08], Why::Cut),
            (&[0x08, 0x80, 0x80], Why::Cut),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Why::LongVarint),
            (&[0x0a, 0x05, 0x01], Why::LongLength),
            (&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], Why::LongLength),
            (&[0x0b, 0x0c], Why::Group),
            (&[0x0e], Why::WireType),
            (&[0x00, 0x01], Why::FieldZero),
        ];
        for (bytes, why) in cases {
            assert_eq!(Wire::new(bytes).next().unwrap_err().why, why, "{bytes:x?}");
        }
    }

    #[test]
    fn reads_packed_numbers_and_single_ones() {
        let read = |bytes: &[u8]| {
            let mut numbers = Vec::new();
            each_varint(&Wire::new(bytes).next().unwrap().unwrap(), |number| numbers.push(number)).unwrap();
            numbers
        };
        assert_eq!(read(&[0x12, 0x03, 0x01, 0xac, 0x02]), [1, 300]);
        assert_eq!(read(&[0x10, 0x07]), [7]);
    }
}
