//! Maps of bpftrace as text.
//!
//! ```text
//! @switches: 4147
//! @by_comm[all.sh, 14]: count 2, average 7, total 15
//! @offcpu_us[bash,
//!     __schedule+1560
//! ]: 16
//! @runq_us[1]:
//! [4, 8)   1526 |@@@@|
//! ```

use crate::clock::WRITTEN;
use crate::kernel::out::{Out, Stamp};
use crate::kernel::point::{self, Point, key_attributes};
use crate::kernel::value::{Value, number};

/// Longest key.
const MAX_KEY: usize = 64 << 10;

/// A map entry whose beginning was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Entry {
    /// The key goes on in the lines to come.
    Key(String),
    /// A histogram follows.
    Histogram { name: String, key: String },
    /// It is complete.
    #[default]
    Done,
}

/// Tells whether a line begins a map.
pub(super) fn is_begin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('@') else { return false };
    let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
    matches!(rest.as_bytes().get(end), Some(b':' | b'['))
}

/// Reads a map entry, perhaps of several lines; nothing where it is none.
pub(super) fn entry(out: &mut Out, text: &str, stamp: Option<Stamp>) -> Option<Entry> {
    let end = text.find(['[', ':'])?;
    let name = text.get(..end)?;
    if text.as_bytes().get(end) == Some(&b':') {
        return Some(value(out, name, "", text.get(end + 1..)?.trim(), stamp));
    }
    match text.rfind("]: ").or_else(|| text.trim_end().strip_suffix("]:").map(str::len)) {
        Some(close) => {
            let key = text.get(end + 1..close)?;
            Some(value(out, name, key, text.get(close + 2..)?.trim(), stamp))
        }
        None if text.len() <= MAX_KEY => Some(Entry::Key(text.to_owned())),
        None => None,
    }
}

fn value(out: &mut Out, name: &str, key: &str, text: &str, stamp: Option<Stamp>) -> Entry {
    if text.is_empty() {
        return Entry::Histogram { name: name.to_owned(), key: key.to_owned() };
    }
    let stamp = stamp.unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
    let attributes = if key.is_empty() { String::new() } else { key_attributes(key) };
    let point = Point { name, unit: "", attributes: &attributes, stamp };
    if let Some((count, total)) = stats(text) {
        point::summary(out, point, count, total);
    } else if number(text).is_some() {
        point::gauge(out, point, Value::of(text));
    } else if let Some(mut row) = out.event("map", stamp) {
        row.field("map", Value::Text(name));
        if !key.is_empty() {
            row.field("key", Value::Text(key));
        }
        row.field("text", Value::Text(text));
    }
    Entry::Done
}

/// Reads `count 2, average 7, total 15`.
fn stats(text: &str) -> Option<(i64, Option<f64>)> {
    let rest = text.strip_prefix("count ")?;
    let (count, rest) = rest.split_once(", average ")?;
    let total = rest.split_once(", total ").and_then(|(_, total)| number(total));
    Some((count.parse().ok()?, total))
}
