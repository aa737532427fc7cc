//! How messages lie in the stream.
//!
//! | bytes | request | answer |
//! | --- | --- | --- |
//! | 1 | | kind of frame |
//! | 4 | length, little-endian | length, little-endian; 0 for a table |
//! | length | JSON | JSON |
//! | to the end | | the Arrow IPC stream of a table |

use std::io::{Error, ErrorKind, Read, Result, Write};

/// Longer messages are refused: a request holds a question, not data.
const MAX_LEN: u32 = 16 << 20;

/// What a frame of an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Greeting = b'G',
    Table = b'T',
    Error = b'E',
    Progress = b'P',
    Summary = b'S',
    LoadFailed = b'F',
}

const KINDS: [Kind; 6] = [Kind::Greeting, Kind::Table, Kind::Error, Kind::Progress, Kind::Summary, Kind::LoadFailed];

/// Writes one length and the message.
pub(super) fn write_message(to: &mut dyn Write, message: &[u8]) -> Result<()> {
    let len = u32::try_from(message.len()).ok().filter(|&len| len <= MAX_LEN);
    let len = len.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "the message is too long"))?;
    to.write_all(&len.to_le_bytes())?;
    to.write_all(message)
}

/// Reads one message.
pub(super) fn read_message(from: &mut dyn Read) -> Result<Vec<u8>> {
    let mut len = [0; 4];
    from.read_exact(&mut len)?;
    let len = u32::from_le_bytes(len);
    if len > MAX_LEN {
        return Err(Error::new(ErrorKind::InvalidData, "the message is too long"));
    }
    let mut message = Vec::new();
    from.take(u64::from(len)).read_to_end(&mut message)?;
    if message.len() < len as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(message)
}

/// Writes one frame of an answer.
pub(super) fn write_frame(to: &mut dyn Write, kind: Kind, message: &[u8]) -> Result<()> {
    to.write_all(&[kind as u8])?;
    write_message(to, message)
}

/// Reads one frame of an answer.
pub(super) fn read_frame(from: &mut dyn Read) -> Result<(Kind, Vec<u8>)> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    let kind = KINDS.into_iter().find(|known| [*known as u8] == kind);
    let kind = kind.ok_or_else(|| Error::new(ErrorKind::InvalidData, "not a frame of this version"))?;
    Ok((kind, read_message(from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_cut_ones_do_not() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, Kind::Progress, b"{}").unwrap();
        assert_eq!(read_frame(&mut bytes.as_slice()).unwrap(), (Kind::Progress, b"{}".to_vec()));
        for len in 0..bytes.len() {
            assert_eq!(read_frame(&mut &bytes[..len]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        }
        let long = [b'P', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read_frame(&mut long.as_slice()).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(read_frame(&mut b"X\0\0\0\0".as_slice()).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
