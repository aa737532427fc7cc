//! One rule: the text, the numbers and the fixes of a detector, as data.
//!
//! ```toml
//! id = "b3-not-extracted"
//! group = "A"
//! version = 1
//! severity = "high"          # crit, high, med, low, info
//! confidence = 0.95          # of the best evidence; what weaker evidence takes off is the detector's to say
//! definition = "One sentence."
//! symptom_of = ["other-id"]  # findings that explain this one where they share spans
//! enabled = true
//! sql = "SELECT …"           # only for rules that SQL can say, see queries/rules/README.md
//!
//! [thresholds]
//! min_calls = 20
//!
//! [fix]
//! text = "What to change."
//! go = "How, in Go."
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::finding::Severity;

/// A rule as it holds now.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Stable and public: stands in findings and in the policies of users.
    pub id: String,
    /// A letter, as in the catalogue.
    pub group: String,
    /// Rises with every change of meaning.
    pub version: u32,
    pub severity: Severity,
    pub confidence: f64,
    pub definition: String,
    #[serde(default)]
    pub symptom_of: Vec<String>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    pub sql: Option<String>,
    #[serde(default)]
    pub thresholds: BTreeMap<String, f64>,
    #[serde(default)]
    pub fix: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

/// A rule could not be read; `line` is 1-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read rule: line {line}: {message}")]
pub struct RuleError {
    pub line: usize,
    pub message: String,
}

impl Rule {
    /// Reads a whole rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let rule: Self = toml::from_str(text).map_err(|error| RuleError {
            line: error.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
            message: error.message().to_owned(),
        })?;
        if (0.0..=1.0).contains(&rule.confidence) {
            Ok(rule)
        } else {
            Err(RuleError { line: 1, message: format!("confidence {} is not between 0 and 1", rule.confidence) })
        }
    }

    /// Returns a threshold; 0 where the rule has none of this name. A test checks that bundled rules have what is asked for.
    #[must_use]
    pub fn threshold(&self, name: &str) -> f64 {
        self.thresholds.get(name).copied().unwrap_or(0.0)
    }

    /// Returns a threshold that counts something.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.threshold(name).max(0.0) as u64
    }

    /// Returns the SQL with thresholds in place of their names.
    #[must_use]
    pub fn bound_sql(&self) -> Option<String> {
        let sql = self.sql.clone()?;
        Some(
            self.thresholds
                .iter()
                .fold(sql, |sql, (name, value)| sql.replace(&format!("{{{{{name}}}}}"), &value.to_string())),
        )
    }

    /// Returns what to change: the general text, then how in each of `languages` that the rule knows.
    #[must_use]
    pub fn fix_for<'l>(&self, languages: impl IntoIterator<Item = &'l str>) -> String {
        let mut text = self.fix.get("text").cloned().unwrap_or_default();
        for language in languages {
            if let Some(how) = self.fix.get(language) {
                text.push_str(&format!("\n{language}: {how}"));
            }
        }
        text
    }
}
