//! Packs what riftline itself writes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Packs bytes as one gzip member, the same bytes every time.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    // Writing into memory does not fail.
    let _ = packed.write_all(bytes);
    packed.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::gzip;

    #[test]
    fn what_is_packed_comes_back() {
        let mut text = String::new();
        flate2::read::GzDecoder::new(gzip(b"spans").as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "spans");
        assert_eq!(gzip(b"spans"), gzip(b"spans"));
    }
}
