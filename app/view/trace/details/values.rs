//! Attribute values as people read them, with their types still visible.

use serde_json::Value;

use crate::theme::Role;

/// What follows is only in exports: nobody reads further on a screen.
const MAX_CHARS: usize = 16_384;

/// Conventions in the order in which they help during an incident; others follow by name.
const GROUPS: [&str; 18] = [
    "error",
    "exception",
    "http",
    "url",
    "rpc",
    "db",
    "messaging",
    "graphql",
    "faas",
    "client",
    "server",
    "network",
    "net",
    "peer",
    "user_agent",
    "feature_flag",
    "service",
    "deployment",
];

/// Returns where attributes with this key stand among others.
#[must_use]
pub fn group(key: &str) -> usize {
    let prefix = key.split('.').next().unwrap_or_default();
    GROUPS.iter().position(|group| *group == prefix).unwrap_or(GROUPS.len())
}

/// Returns a value of typed JSON and how it is drawn. A text that would read as another type stands in quotes.
#[must_use]
pub fn shown(value: &Value) -> (String, Role) {
    match value {
        Value::Null => ("null".to_owned(), Role::Null),
        Value::Bool(truth) => (truth.to_string(), Role::Literal),
        Value::Number(number) => (number.to_string(), Role::Number),
        Value::String(text) if reads_as_other(text) => (format!("\"{text}\""), Role::Text),
        Value::String(text) => (cut(text), Role::Text),
        Value::Object(entries) if entries.len() == 1 && entries.contains_key("double") => {
            (entries["double"].as_str().unwrap_or_default().to_owned(), Role::Number)
        }
        Value::Object(entries) if entries.len() == 1 && entries.contains_key("bytes") => {
            (cut(&format!("bytes {}", entries["bytes"].as_str().unwrap_or_default())), Role::Literal)
        }
        Value::Array(_) | Value::Object(_) => (cut(&value.to_string()), Role::Literal),
    }
}

fn reads_as_other(text: &str) -> bool {
    text.is_empty() || text.len() < 40 && serde_json::from_str::<Value>(text).is_ok() || text.trim() != text
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}… ({} characters in all)", &text[..end], text.chars().count()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stay_visible() {
        let cases = [
            (r#""grpc""#, "grpc"),
            (r#""500""#, "\"500\""),
            ("500", "500"),
            ("1.0", "1.0"),
            ("null", "null"),
            (r#""""#, "\"\""),
            (r#"{"bytes":"AAE="}"#, "bytes AAE="),
            (r#"{"double":"NaN"}"#, "NaN"),
            (r#"["a",1]"#, r#"["a",1]"#),
        ];
        for (json, text) in cases {
            assert_eq!(shown(&serde_json::from_str(json).unwrap()).0, text);
        }
    }

    #[test]
    fn conventions_stand_before_other_keys() {
        let mut keys = ["zone", "db.system", "http.route", "app.tenant", "exception.type"];
        keys.sort_by_key(|key| (group(key), *key));
        assert_eq!(keys, ["exception.type", "http.route", "db.system", "app.tenant", "zone"]);
    }
}
