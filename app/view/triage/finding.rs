//! Findings as the view `findings` holds them.

use riftline_queries::desk::Question;
use riftline_queries::table::{Cell, Table};
use serde_json::{Map, Value};

/// More findings than these are not read by anybody.
const MAX_FINDINGS: u64 = 2_000;

/// One thing that is wrong.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finding {
    pub id: String,
    pub rule: String,
    pub group: String,
    /// 0 crit to 4 info.
    pub severity: usize,
    pub confidence: f64,
    /// `caller -> callee`, or a service.
    pub subject: String,
    pub occurrences: i64,
    pub out_of: i64,
    pub first_seen_ns: i64,
    pub last_seen_ns: i64,
    pub examples: Vec<Example>,
    /// `definition`, `why`, `side`, `symptoms`, `rule_version`, and what proves it.
    pub evidence: Map<String, Value>,
    /// The general text, then a line for each language of the side.
    pub fix: String,
}

/// Spans that show it, before and after the break; the same span twice where there is only one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Example {
    pub before: Place,
    pub after: Place,
}

/// A span of a trace, as hex.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    pub trace_id: String,
    pub span_id: String,
}

/// Names of severities, the worst first.
pub const SEVERITIES: [&str; 5] = ["crit", "high", "med", "low", "info"];

/// Returns the question for all findings, the first to fix first.
#[must_use]
pub fn question() -> Question {
    let sql =
        "SELECT * FROM findings ORDER BY severity_number, confidence * occurrences DESC, rule, subject".to_owned();
    Question::Sql { sql, max_rows: Some(MAX_FINDINGS) }
}

/// Returns the findings that the store answered with.
#[must_use]
pub fn findings(table: &Table) -> Vec<Finding> {
    (0..table.num_rows()).map(|row| Finding::read(table, row)).collect()
}

impl Finding {
    fn read(table: &Table, row: usize) -> Self {
        let text = |name: &str| match table.get(row, name) {
            Cell::Text(text) | Cell::Json(text) => text.to_owned(),
            _ => String::new(),
        };
        let number = |name: &str| match table.get(row, name) {
            Cell::Int(number) | Cell::Time(number) => number,
            _ => 0,
        };
        let confidence = match table.get(row, "confidence") {
            Cell::Double(confidence) => confidence,
            _ => 0.0,
        };
        Self {
            id: text("id"),
            rule: text("rule"),
            group: text("group"),
            severity: usize::try_from(number("severity_number")).unwrap_or_default().min(SEVERITIES.len() - 1),
            confidence,
            subject: text("subject"),
            occurrences: number("occurrences"),
            out_of: number("out_of"),
            first_seen_ns: number("first_seen"),
            last_seen_ns: number("last_seen"),
            examples: examples(&text("examples")),
            evidence: serde_json::from_str(&text("evidence")).unwrap_or_default(),
            fix: text("fix"),
        }
    }

    /// Returns what is said in the evidence under `name`.
    #[must_use]
    pub fn said(&self, name: &str) -> &str {
        self.evidence.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the severity in a word.
    #[must_use]
    pub fn severity_name(&self) -> &'static str {
        SEVERITIES.get(self.severity).copied().unwrap_or("info")
    }

    /// Returns what it is about, with an arrow as people write it and without the namespace that all share.
    #[must_use]
    pub fn subject_without(&self, namespace: &str) -> String {
        let sides = self.subject.split(" -> ").map(|side| side.strip_prefix(namespace).unwrap_or(side));
        sides.collect::<Vec<_>>().join(" → ")
    }

    /// Returns how often: `312/312`, or `312` where all that could have had it is not known.
    #[must_use]
    pub fn how_often(&self) -> String {
        let count = |number: i64| crate::humane::count(number.unsigned_abs());
        if self.out_of > 0 {
            format!("{}/{}", count(self.occurrences), count(self.out_of))
        } else {
            count(self.occurrences)
        }
    }

    /// Tells whether any of its texts holds `text`, which is in lower case.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let texts = [&self.id, &self.rule, &self.subject, &self.fix, self.severity_name(), self.said("why")];
        texts.iter().any(|held| held.to_lowercase().contains(text))
    }

    /// Returns the finding as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let finding = serde_json::json!({
            "id": self.id, "rule": self.rule, "group": self.group, "severity": self.severity_name(),
            "confidence": self.confidence, "subject": self.subject, "occurrences": self.occurrences,
            "out_of": self.out_of, "evidence": self.evidence, "fix": self.fix,
        });
        serde_json::to_string_pretty(&finding).unwrap_or_default()
    }

    /// Returns SQL that answers with the finding.
    #[must_use]
    pub fn sql(&self) -> String {
        format!("select * from findings where id = '{}'", self.id.replace('\'', "''"))
    }
}

/// Returns the namespace, with its slash, that the services of all findings share; empty where there is none.
#[must_use]
pub fn namespace(findings: &[Finding]) -> String {
    let mut sides = findings.iter().flat_map(|finding| finding.subject.split(" -> "));
    let Some((namespace, _)) = sides.next().and_then(|side| side.rsplit_once('/')) else { return String::new() };
    let prefix = format!("{namespace}/");
    if sides.all(|side| side.starts_with(&prefix)) { prefix } else { String::new() }
}

/// Reads `[{"before":{"trace_id":…,"span_id":…},"after":{…}}]`.
fn examples(json: &str) -> Vec<Example> {
    let list: Vec<Value> = serde_json::from_str(json).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = |value: &Value| Place { trace_id: text(&value["trace_id"]), span_id: text(&value["span_id"]) };
    list.iter().map(|example| Example { before: place(&example["before"]), after: place(&example["after"]) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(subject: &str) -> Finding {
        Finding { subject: subject.to_owned(), ..Finding::default() }
    }

    #[test]
    fn a_namespace_that_all_share_is_left_out() {
        let findings = [about("shop/gateway -> shop/stock"), about("shop/orders")];
        assert_eq!(namespace(&findings), "shop/");
        assert_eq!(findings[0].subject_without("shop/"), "gateway → stock");
        assert_eq!(namespace(&[about("shop/gateway -> stock")]), "");
        assert_eq!(namespace(&[]), "");
    }

    #[test]
    fn examples_are_read_and_broken_ones_are_none() {
        let json = r#"[{"before":{"trace_id":"aa","span_id":"01"},"after":{"trace_id":"bb","span_id":"02"}}]"#;
        assert_eq!(examples(json)[0].after, Place { trace_id: "bb".to_owned(), span_id: "02".to_owned() });
        assert_eq!(examples("{"), []);
    }
}
