//! One request in a segment.
//!
//! ```text
//! record = { length of the bytes u32, checksum u64, kind u8, time it came i64, bytes }       little-endian
//! ```
//!
//! The checksum is XXH3-64 of all behind it.

use std::io::{self, Read};

use xxhash_rust::xxh3::Xxh3;

use crate::receive::kind::Kind;

/// How much stands before the bytes.
pub(super) const HEADER_BYTES: usize = 21;

/// Longest request that is kept: more than any receiver takes.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// A request that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub kind: Kind,
    /// When it came, nanoseconds since 1970, UTC.
    pub time_ns: i64,
    pub bytes: Vec<u8>,
}

/// What stands at a place in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A record, and how many bytes it takes.
    Record(Record, u64),
    /// The segment ends between two records.
    End,
    /// It ends inside a record, or the record is not what was written.
    Damaged,
}

/// Appends a record.
pub(super) fn encode(to: &mut Vec<u8>, kind: Kind, time_ns: i64, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let tail = [&[kind.code()][..], &time_ns.to_le_bytes()].concat();
    to.extend_from_slice(&len.to_le_bytes());
    to.extend_from_slice(&checksum(&tail, bytes).to_le_bytes());
    to.extend_from_slice(&tail);
    to.extend_from_slice(bytes);
}

/// Reads a record.
pub(super) fn decode(from: &mut impl Read) -> io::Result<Found> {
    let mut header = [0; HEADER_BYTES];
    match read_up_to(from, &mut header)? {
        0 => return Ok(Found::End),
        HEADER_BYTES => {}
        _ => return Ok(Found::Damaged),
    }
    let (len, rest) = header.split_at(4);
    let (sum, tail) = rest.split_at(8);
    let (code, time) = tail.split_at(1);
    let len = u32::from_le_bytes(len.try_into().unwrap_or_default()) as usize;
    if len > MAX_BYTES {
        return Ok(Found::Damaged);
    }
    let mut bytes = Vec::new();
    from.take(len as u64).read_to_end(&mut bytes)?;
    let is_whole = bytes.len() == len && sum == checksum(tail, &bytes).to_le_bytes();
    let Some(kind) = code.first().and_then(|&code| Kind::of_code(code)).filter(|_| is_whole) else {
        return Ok(Found::Damaged);
    };
    let time_ns = i64::from_le_bytes(time.try_into().unwrap_or_default());
    Ok(Found::Record(Record { kind, time_ns, bytes }, (HEADER_BYTES + len) as u64))
}

fn checksum(tail: &[u8], bytes: &[u8]) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(tail);
    hasher.update(bytes);
    hasher.digest()
}

fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while let Some(rest) = buffer.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}
