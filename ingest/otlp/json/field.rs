//! Finds out which field of an object comes next.
//!
//! Writers put the fields of an object in the same order each time, with the same white space. So after each field the
//! bytes up to the next value are remembered and compared first: a right guess costs two comparisons of 16 bytes.

use crate::otlp::json::cursor::{Cursor, Fault, Why};

/// Names of the fields of one kind of object, in both spellings of protobuf's JSON; 0 is a field that is not known.
pub(crate) type Names = fn(&[u8]) -> u8;

const NUM_FIELDS: usize = 20;
const MAX_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, Default)]
struct Guess {
    bytes: [u128; 2],
    mask: [u128; 2],
    len: usize,
    field: u8,
}

/// The field that came after each field last time.
#[derive(Debug)]
pub(crate) struct Fields {
    names: Names,
    guesses: [Guess; NUM_FIELDS],
}

impl Fields {
    pub(crate) fn new(names: Names) -> Self {
        // A mask of zeros would fit anything: a guess that was never made must fit nothing.
        let never = Guess { bytes: [1, 1], ..Guess::default() };
        Self { names, guesses: [never; NUM_FIELDS] }
    }

    /// Goes to the value of the field after `previous` (0 at the beginning); nothing at the end of the object.
    #[inline]
    pub(crate) fn next(&mut self, cursor: &mut Cursor<'_>, previous: u8) -> Result<Option<u8>, Fault> {
        let guess = self.guesses.get(usize::from(previous));
        let chunk = cursor.bytes.get(cursor.at..).and_then(<[u8]>::first_chunk::<MAX_BYTES>);
        if let (Some(guess), Some(chunk)) = (guess, chunk) {
            let [low, high] = halves(chunk);
            let differs = ((low & guess.mask[0]) ^ guess.bytes[0]) | ((high & guess.mask[1]) ^ guess.bytes[1]);
            if differs == 0 {
                cursor.at = cursor.at.wrapping_add(guess.len);
                return Ok(Some(guess.field));
            }
        }
        self.read(cursor, previous)
    }

    fn read(&mut self, cursor: &mut Cursor<'_>, previous: u8) -> Result<Option<u8>, Fault> {
        let from = cursor.at;
        let Some(name) = next_key(cursor)? else {
            return Ok(None);
        };
        let field = (self.names)(name);
        if field == 0 {
            if is_request_key(name) {
                return Err(Fault { at: from, why: Why::RequestInside });
            }
            return Ok(Some(0));
        }
        let raw = cursor.bytes.get(from..cursor.at).unwrap_or_default();
        if let (true, Some(guess)) = (raw.len() <= MAX_BYTES, self.guesses.get_mut(usize::from(previous))) {
            *guess = Guess::new(raw, field);
        }
        Ok(Some(field))
    }
}

impl Guess {
    fn new(raw: &[u8], field: u8) -> Self {
        let (mut bytes, mut mask) = ([0_u8; MAX_BYTES], [0_u8; MAX_BYTES]);
        for (index, &byte) in raw.iter().enumerate().take(MAX_BYTES) {
            (bytes[index], mask[index]) = (byte, 0xff);
        }
        Self { bytes: halves(&bytes), mask: halves(&mask), len: raw.len(), field }
    }
}

#[inline]
fn halves(bytes: &[u8; MAX_BYTES]) -> [u128; 2] {
    let (low, high) = bytes.split_at(16);
    let word = |half: &[u8]| half.first_chunk().map_or(0, |half| u128::from_le_bytes(*half));
    [word(low), word(high)]
}

/// Goes past the next key of an object and its colon; nothing at the object's end.
#[inline]
pub(crate) fn next_key<'a>(cursor: &mut Cursor<'a>) -> Result<Option<&'a [u8]>, Fault> {
    if cursor.take(b'}') {
        return Ok(None);
    }
    if cursor.peek() != Some(b'"') {
        return cursor.fault(Why::NoKey);
    }
    let key = cursor.text()?;
    cursor.expect(b':', Why::NoColon)?;
    cursor.skip_space();
    Ok(Some(key.bytes))
}

/// Tells whether a key belongs to a request: inside a record it means that a line was cut off.
pub(crate) fn is_request_key(name: &[u8]) -> bool {
    super::REQUEST_KEYS.iter().any(|(key, _)| key.as_bytes() == name)
}
