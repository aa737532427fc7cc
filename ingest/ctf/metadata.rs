//! The file `metadata`: TSDL or JSON fragments, as plain text or in packets.
//!
//! A packet of metadata begins with 37 bytes: magic `75d11d57`, UUID (16 bytes), checksum, content size and packet size in bits
//! (4 bytes each, the header included), compression, encryption, checksum scheme, major and minor version (1 byte each).

use super::json;
use super::model::Metadata;
use super::tsdl;

const MAGIC: u32 = 0x75d1_1d57;
const HEADER_BYTES: usize = 37;

/// Record separator: every fragment of CTF 2 begins with it.
const SEPARATOR: u8 = 0x1e;

/// Tells whether a file named `metadata` begins like one of CTF.
pub(crate) fn recognises(head: &[u8]) -> bool {
    if packet_order(head).is_some() {
        return true;
    }
    let start = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(head.len());
    let text = head.get(start..).unwrap_or_default();
    if text.first() == Some(&SEPARATOR) {
        return memchr::memmem::find(text, b"\"preamble\"").is_some();
    }
    text.starts_with(b"/* CTF 1.") || declares_types(text)
}

/// Tells whether a text without signature is TSDL nevertheless.
fn declares_types(text: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    has(b"trace") && has(b"byte_order") && has(b"{") && has(b";") && has(b"major")
}

/// Returns what a metadata stream declares.
pub(crate) fn parse(bytes: &[u8]) -> Result<Metadata, String> {
    let (text, uuid) = unpacked(bytes)?;
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(text.len());
    let mut metadata = if text.get(start) == Some(&SEPARATOR) {
        json::parse(&text)?
    } else {
        tsdl::parse(&String::from_utf8_lossy(&text))?
    };
    metadata.uuid = metadata.uuid.or(uuid.filter(|_| metadata.version == 1));
    metadata.identity = match metadata.uuid {
        Some(uuid) => uuid.to_vec(),
        None => text.get(..text.len().min(1024)).unwrap_or_default().to_vec(),
    };
    Ok(metadata)
}

/// Tells whether the bytes begin with a packet of metadata: nothing if not, else whether it is big endian.
fn packet_order(bytes: &[u8]) -> Option<bool> {
    let magic = bytes.first_chunk::<4>()?;
    match (u32::from_le_bytes(*magic), u32::from_be_bytes(*magic)) {
        (MAGIC, _) => Some(false),
        (_, MAGIC) => Some(true),
        _ => None,
    }
}

/// Takes the text out of its packets, if it is in packets.
fn unpacked(bytes: &[u8]) -> Result<(Vec<u8>, Option<[u8; 16]>), String> {
    let Some(is_big) = packet_order(bytes) else { return Ok((bytes.to_vec(), None)) };
    let (mut text, mut rest, mut uuid) = (Vec::with_capacity(bytes.len()), bytes, None);
    while !rest.is_empty() {
        let header: &[u8; HEADER_BYTES] = rest.first_chunk().ok_or("metadata ends within the header of a packet")?;
        if packet_order(header) != Some(is_big) {
            return Err("packet of metadata has another magic number".to_owned());
        }
        let (content, packet) = (size(header, 24, is_big), size(header, 28, is_big));
        if header.get(32..35) != Some(&[0, 0, 0]) {
            return Err("metadata is compressed, encrypted or has a checksum".to_owned());
        }
        if content < HEADER_BYTES || content > packet || content > rest.len() {
            return Err(format!("packet of metadata says that {content} of its {packet} bytes are used"));
        }
        text.extend_from_slice(rest.get(HEADER_BYTES..content).unwrap_or_default());
        uuid = uuid.or(header.get(4..20).and_then(|uuid| uuid.try_into().ok()));
        rest = rest.get(packet..).unwrap_or_default();
    }
    Ok((text, uuid))
}

/// Returns the size in bytes that stands at `at` in bits.
fn size(header: &[u8], at: usize, is_big: bool) -> usize {
    let chunk = header.get(at..).and_then(<[u8]>::first_chunk::<4>).copied().unwrap_or_default();
    let bits = if is_big { u32::from_be_bytes(chunk) } else { u32::from_le_bytes(chunk) };
    bits.div_ceil(8) as usize
}
