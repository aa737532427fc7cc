//! Streams of lines: where they may be cut.

/// Returns the place behind the line end nearest to `target`, before or after it.
#[must_use]
pub fn cut(bytes: &[u8], target: usize) -> Option<usize> {
    let (before, after) = bytes.split_at(target.min(bytes.len()));
    let last = memchr::memrchr(b'\n', before);
    last.or_else(|| memchr::memchr(b'\n', after).map(|at| at + before.len())).map(|at| at + 1)
}

/// Returns how much of `bytes` is whole lines.
#[must_use]
pub fn whole(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1)
}
