//! Finds values that look like ids in texts.

/// A value longer than this is no id.
const MAX_LENGTH: usize = 128;
/// Values a text: a body with more is a dump.
const MAX_VALUES: usize = 32;

/// Finds the ids of a URL, a path or a query: whole segments of the path and values of the query.
pub(super) fn url(url: &str, found: &mut dyn FnMut(&str)) {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    path.split('/').chain(values).filter(|part| is_id(part)).take(MAX_VALUES).for_each(found);
}

/// Finds ids among the words of free text.
pub(super) fn text(text: &str, found: &mut dyn FnMut(&str)) {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let parts = words.map(|word| word.trim_matches(['-', '_']));
    parts.filter(|word| is_id(word)).take(MAX_VALUES).for_each(found);
}

/// Finds ids in the value of an attribute that is named as one: the whole value, or its parts where it is a list or a path.
pub(super) fn id(value: &str, found: &mut dyn FnMut(&str)) {
    let parts = value.split([',', ' ', '/', ';']).map(str::trim);
    parts.filter(|part| is_named_id(part)).take(MAX_VALUES).for_each(found);
}

/// Tells whether an attribute names a request, an order, a message…, not a place or a thing that many requests share.
pub(super) fn is_id_key(key: &str) -> bool {
    const PLACES: [&str; 20] = [
        "thread",
        "process",
        "host",
        "container",
        "k8s",
        "instance",
        "service",
        "client",
        "cloud",
        "faas",
        "partition",
        "tenant",
        "device",
        "span",
        "trace",
        "parent",
        "net",
        "network",
        "telemetry",
        "node",
    ];
    const ENDS: [&str; 12] =
        ["id", "ids", "uuid", "guid", "key", "number", "no", "num", "ref", "reference", "order", "transaction"];
    let key = key.to_ascii_lowercase();
    let mut words = key.split(['.', '_', '-', ':']);
    let is_place = words.clone().any(|word| PLACES.contains(&word) || ["tid", "sid", "pid"].contains(&word));
    let last = words.next_back().unwrap_or_default();
    !is_place && (ENDS.contains(&last) || key.ends_with("id"))
}

/// Tells whether a word is likely to be an id by its looks: a number of two digits and more, or a long mix with digits.
fn is_id(word: &str) -> bool {
    let num_digits = word.bytes().filter(u8::is_ascii_digit).count();
    if num_digits == word.len() {
        return (2..=MAX_LENGTH).contains(&word.len());
    }
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_plain && !is_date(word) && (6..=MAX_LENGTH).contains(&word.len()) && num_digits >= 2
}

/// An attribute that is named as an id needs no looks, apart from a length that tells something.
fn is_named_id(word: &str) -> bool {
    (2..=MAX_LENGTH).contains(&word.len()) && !["null", "none", "true", "false", "unknown"].contains(&word)
}

/// Tells whether a word is a day, as in `2015-04-12`.
fn is_date(word: &str) -> bool {
    let bytes = word.as_bytes();
    bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-')
}
