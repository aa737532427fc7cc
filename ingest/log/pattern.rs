//! Patterns for logs that only their owner knows: TOML files of the user.
//!
//! ```toml
//! [[pattern]]
//! name = "billing"                         # any name; of several patterns the first that fits reads a file
//! regex = '^(?<time>\S+ \S+) (?<level>\w+) <(?<trace_id>\w*)> (?<body>.*)$'
//! time = "%d.%m.%Y %H:%M:%S%.f"            # as strftime; left out: any layout that riftline knows
//! service = "billing"                      # left out: the group `service`, else `unknown_service`
//! ```
//!
//! The groups `time`, `level`, `body`, `service`, `host`, `trace_id` and `span_id` have their usual meaning; every other group
//! becomes an attribute. A line that the regex does not fit belongs to the record before it.

use std::ops::Range;

use chrono::format::{Item, StrftimeItems};
use regex::bytes::Regex;
use serde::Deserialize;
use toml::Spanned;

/// Longest compiled form of one regex in bytes.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// A pattern that a user wrote.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Its name, for messages.
    pub name: String,
    /// With named groups; one of them is `time`.
    pub regex: Regex,
    /// Layout of the time as `strftime` has it; nothing where any known layout will do.
    pub time: Option<String>,
    /// Service of all records, where the pattern names one.
    pub service: Option<String>,
}

/// What is wrong with a file of patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternMistake {
    /// Counted from 1.
    pub line: usize,
    /// A lower-case fragment.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    pattern: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    regex: Spanned<String>,
    time: Option<Spanned<String>>,
    service: Option<String>,
}

impl Pattern {
    /// Reads a file of patterns: those that are right, and what is wrong with the others.
    #[must_use]
    pub fn read(text: &str) -> (Vec<Self>, Vec<PatternMistake>) {
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => {
                return (Vec::new(), vec![mistake(text, &error.span().unwrap_or(0..0), error.message())]);
            }
        };
        let (mut patterns, mut mistakes) = (Vec::new(), Vec::new());
        for written in file.pattern {
            match Self::compile(text, written) {
                Ok(pattern) => patterns.push(pattern),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        (patterns, mistakes)
    }

    fn compile(text: &str, written: Written) -> Result<Self, PatternMistake> {
        let at = written.regex.span();
        let regex = regex::bytes::RegexBuilder::new(written.regex.get_ref())
            .size_limit(MAX_REGEX_BYTES)
            .build()
            .map_err(|error| mistake(text, &at, &first_reason(&error)))?;
        if !regex.capture_names().flatten().any(|name| name == "time") {
            return Err(mistake(text, &at, "the regex has no group `time`, such as `(?<time>\\S+)`"));
        }
        if let Some(time) = &written.time
            && StrftimeItems::new(time.get_ref()).any(|item| matches!(item, Item::Error))
        {
            return Err(mistake(text, &time.span(), "not a layout that strftime knows"));
        }
        let time = written.time.map(Spanned::into_inner);
        Ok(Self { name: written.name, regex, time, service: written.service })
    }
}

/// The last line of a regex error says what is wrong; those before show where.
fn first_reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let reason = text.lines().last().unwrap_or_default().trim();
    format!("invalid regex: {}", reason.strip_prefix("error: ").unwrap_or(reason))
}

fn mistake(text: &str, at: &Range<usize>, message: &str) -> PatternMistake {
    let line = text.bytes().take(at.start).filter(|&byte| byte == b'\n').count() + 1;
    PatternMistake { line, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_patterns_and_says_where_mistakes_are() {
        let text = r#"
[[pattern]]
name = "good"
regex = '^(?<time>\S+) (?<body>.*)$'
time = "%H:%M:%S"

[[pattern]]
name = "no time"
regex = '^(?<body>.*)$'

[[pattern]]
name = "open"
regex = '^(?<time>\S+'

[[pattern]]
name = "layout"
regex = '(?<time>\S+)'
time = "%Q"
"#;
        let (patterns, mistakes) = Pattern::read(text);
        assert_eq!(patterns.iter().map(|pattern| pattern.name.as_str()).collect::<Vec<_>>(), ["good"]);
        let lines: Vec<usize> = mistakes.iter().map(|mistake| mistake.line).collect();
        assert_eq!(lines, [9, 13, 18], "{mistakes:?}");
        assert_eq!(mistakes[1].message, "invalid regex: unclosed group");
    }

    #[test]
    fn a_file_that_is_no_toml_is_one_mistake() {
        let (patterns, mistakes) = Pattern::read("[[pattern]]\nname = \"x\"\nregx = 'a'\n");
        assert!(patterns.is_empty());
        assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [3], "{mistakes:?}");
    }
}
