//! Reading values that may be anything, and naming those that nobody knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::mistake::suggestion;

/// Notes the fields of `object` that are not among `known`.
pub fn name_unknown(object: &Value, known: &[&str], place: &str, notes: &mut Vec<String>) {
    for name in object.as_object().into_iter().flat_map(Map::keys).filter(|name| !known.contains(&name.as_str())) {
        let shown = shown(name);
        notes.push(format!("{place}: unknown field `{shown}`{} was left out", suggestion(name, known.iter().copied())));
    }
}

/// Returns a text that can be shown: short, without control characters.
pub fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(80).collect()
}

/// Returns the text of a field; empty where it is none.
pub fn text(object: &Value, field: &str) -> String {
    object[field].as_str().map(shown).unwrap_or_default()
}

/// Returns a number, also one that stands in a text.
pub fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    number.is_finite().then_some(number)
}

/// Returns labels.
pub fn labels(value: &Value) -> BTreeMap<String, String> {
    let fields = value.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// Returns the milliseconds of a duration of Go (`time.ParseDuration`): `1m30s`, `300ms`, `0`.
pub fn go_milliseconds(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 8] =
        [("ns", 1e-6), ("us", 1e-3), ("µs", 1e-3), ("μs", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 60e3), ("h", 3600e3)];
    let (mut rest, mut sum) = (text.trim(), 0.0);
    if rest == "0" {
        return Some(0.0);
    }
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (amount, after) = rest.split_at(digits);
        let end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum += amount.parse::<f64>().ok()? * factor;
        rest = next;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(go_milliseconds("1m30s"), Some(90_000.0));
        assert_eq!(go_milliseconds("1.5h"), Some(5_400_000.0));
        assert_eq!(go_milliseconds("10µs"), Some(0.01));
        assert_eq!(go_milliseconds("0"), Some(0.0));
        for wrong in ["", "10", "ms", "1x", "-1s", "1..2s", "s1", "١s"] {
            assert_eq!(go_milliseconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn unknown_fields_are_named_with_the_nearest() {
        let mut notes = Vec::new();
        name_unknown(&json!({"listn": 1, "name": 2, "\u{1b}[2J": 3}), &["name", "listen"], "proxy a", &mut notes);
        notes.sort();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(
            notes.iter().any(|note| note == "proxy a: unknown field `listn` (did you mean `listen`?) was left out")
        );
        assert!(notes.iter().all(|note| !note.contains('\u{1b}')), "control characters are inert");
    }

    #[test]
    fn numbers_may_stand_in_texts() {
        assert_eq!(number(&json!("50")), Some(50.0));
        assert_eq!(number(&json!(0.5)), Some(0.5));
        assert_eq!(number(&json!("inf")), None);
        assert_eq!(number(&json!([1])), None);
    }
}
