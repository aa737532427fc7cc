//! Wrappings, recognised by their first bytes and never by a file's name.
//!
//! | wrapping | begins with | |
//! | --- | --- | --- |
//! | gzip | `1f 8b` | RFC 1952, any number of members |
//! | zstd | `28 b5 2f fd`, or a skippable frame `5x 2a 4d 18` | RFC 8878, any number of frames |
//! | xz | `fd 37 7a 58 5a 00` | any number of streams |
//! | tar | a header of 512 bytes whose checksum is right | POSIX.1-1988 and later, GNU |

use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;

use crate::read::Limits;
use crate::source::peek::Peeked;

/// Deepest nesting of wrappings.
pub(crate) const MAX_LAYERS: usize = 8;

/// Memory that a decoder may take for its window: what `zstd --long=27` and `xz -9` need.
const ZSTD_WINDOW_LOG: u32 = 27;
const XZ_MEMORY: u64 = 160 << 20;
const BUFFER_BYTES: usize = 128 << 10;

pub(crate) const TAR_BLOCK: usize = 512;

/// A wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Gzip,
    Zstd,
    Xz,
    Tar,
}

impl Container {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Tar => "tar",
        }
    }

    /// Returns the wrapping of a stream that begins with `head`.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ if is_tar_header(head) => Some(Self::Tar),
            _ => None,
        }
    }
}

/// Tells whether `head` begins with a tar header: its checksum, taken with blanks in its own place, is the one it names.
fn is_tar_header(head: &[u8]) -> bool {
    let (Some(header), Some(field)) = (head.get(..TAR_BLOCK), head.get(148..156)) else { return false };
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    let own: u64 = field.iter().map(|&byte| u64::from(byte)).sum();
    let digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| matches!(byte, b'0'..=b'7'));
    let named = digits.fold(0, |number: u64, digit| number * 8 + u64::from(digit - b'0'));
    named != 0 && sum - own + 8 * u64::from(b' ') == named
}

/// How much one file was expanded, over all its layers and members.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limits: Limits,
    /// Bytes read from disk, of all files; and how many that were when this file was opened.
    bytes_read: Arc<AtomicU64>,
    bytes_before: u64,
    expanded: Arc<AtomicU64>,
}

impl Budget {
    pub(crate) fn new(limits: Limits, bytes_read: &Arc<AtomicU64>) -> Self {
        let bytes_before = bytes_read.load(Ordering::Relaxed);
        Self { limits, bytes_read: bytes_read.clone(), bytes_before, expanded: Arc::default() }
    }

    fn spend(&self, num_bytes: usize) -> io::Result<()> {
        let expanded = self.expanded.fetch_add(num_bytes as u64, Ordering::Relaxed).saturating_add(num_bytes as u64);
        let read = self.bytes_read.load(Ordering::Relaxed).saturating_sub(self.bytes_before);
        let allowed = self.limits.expanded_bytes.max(read.saturating_mul(self.limits.expansion));
        if expanded <= allowed {
            return Ok(());
        }
        let times = self.limits.expansion;
        Err(io::Error::other(format!(
            "refused: it expands to more than {times} times its size (after {expanded} bytes)"
        )))
    }
}

/// Stops a stream that expands beyond its budget.
struct Guarded<R> {
    inner: R,
    budget: Budget,
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.budget.spend(len)?;
        Ok(len)
    }
}

/// Returns `stream` under guard.
pub(crate) fn guarded<'a>(stream: impl Read + 'a, budget: &Budget) -> Peeked<'a> {
    Peeked::new(Box::new(Guarded { inner: stream, budget: budget.clone() }))
}

/// Takes a compression off.
pub(crate) fn decompressed<'a>(stream: Peeked<'a>, container: Container, budget: &Budget) -> io::Result<Peeked<'a>> {
    let buffered = BufReader::with_capacity(BUFFER_BYTES, stream);
    Ok(match container {
        Container::Gzip => guarded(MultiGzDecoder::new(buffered), budget),
        Container::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(buffered)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            guarded(decoder, budget)
        }
        Container::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            let decoder = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags).map_err(io::Error::other)?;
            guarded(XzDecoder::new_stream(buffered, decoder), budget)
        }
        Container::Tar => Peeked::new(Box::new(buffered)),
    })
}
