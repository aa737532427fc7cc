//! Histograms as text.
//!
//! ```text
//! [4, 8)              1526 |@@@@@@@@|         bpftrace; also [1], (..., 0), [1K, 2K), [1000, ...)
//!      usecs          : count   distribution  bcc
//!          4 -> 7     : 91      |****    |
//! ```

use crate::kernel::point::Bucket;

/// Reads a row of either kind.
pub(super) fn row(line: &str) -> Option<Bucket> {
    let text = line.trim();
    if text.starts_with(['[', '(']) { bpftrace_row(text) } else { bcc_row(text) }
}

fn bpftrace_row(text: &str) -> Option<Bucket> {
    let end = text.find([')', ']'])?;
    let (range, rest) = (text.get(1..end)?, text.get(end + 1..)?);
    let (count, _) = rest.trim_start().split_once('|')?;
    let count = count.trim().parse().ok()?;
    let Some((low, high)) = range.split_once(',') else {
        let only = scaled(range.trim())?;
        return Some(Bucket { min: Some(only), max: Some(only), count });
    };
    let bound = |text: &str| if text == "..." { Some(None) } else { scaled(text).map(Some) };
    let (min, max) = (bound(low.trim())?, bound(high.trim())?);
    let is_closed = text.get(end..=end) == Some("]");
    let max = max.map(|max| if is_closed { max } else { max.saturating_sub(1) });
    Some(Bucket { min, max, count })
}

/// Reads `64`, `-2`, `4K`, `1M`: powers of 1024.
fn scaled(text: &str) -> Option<i64> {
    let suffixes = [("K", 10), ("M", 20), ("G", 30), ("T", 40), ("P", 50), ("E", 60)];
    let (digits, shift) = suffixes
        .iter()
        .find_map(|(suffix, shift)| text.strip_suffix(suffix).map(|digits| (digits, *shift)))
        .unwrap_or((text, 0));
    digits.parse::<i64>().ok()?.checked_mul(1_i64.checked_shl(shift)?)
}

fn bcc_row(text: &str) -> Option<Bucket> {
    let (range, rest) = text.split_once(" : ").or_else(|| text.split_once(": "))?;
    let (count, bar) = rest.split_once('|')?;
    let is_bar = bar.trim_end_matches(['|', '+']).bytes().all(|byte| matches!(byte, b'*' | b' ' | b'+'));
    let count = count.trim().parse().ok().filter(|_| is_bar)?;
    let (low, high) = range.trim().split_once("->").unwrap_or((range, range));
    let (min, max) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    Some(Bucket { min: Some(min), max: Some(max), count })
}

/// Returns the unit or the name of the value in a header such as `usecs : count distribution`.
pub(super) fn header(line: &str) -> Option<&str> {
    let (value, rest) = line.split_once(':')?;
    let mut words = rest.split_whitespace();
    (words.next() == Some("count") && words.next() == Some("distribution")).then_some(value.trim())
}

/// Returns the unit that a header names, as OTLP writes it.
pub(super) fn unit(value: &str) -> &str {
    match value {
        "usecs" => "us",
        "msecs" => "ms",
        "nsecs" => "ns",
        "secs" => "s",
        "bytes" => "By",
        "kbytes" => "KiBy",
        _ => "",
    }
}
