//! Rules that SQL can say: a SELECT over the views, one row a finding.
//!
//! Columns: `subject` (a service, or `client -> server`), `occurrences`; and where there is something to say `out_of`,
//! `confidence`, `side` (the service that has to change), `why` (one sentence), `first_seen`, `last_seen`, `trace_ids` (a list).
//! All other columns are evidence. `{{name}}` stands for a threshold of the rule.

use serde_json::{Map, Value, json};

use crate::cancel::Cancel;
use crate::detect::finding::{evidence_of, id_of};
use crate::detect::{Finding, Rule, Rules};
use crate::error::AskError;
use crate::run;
use crate::store::Store;
use crate::table::{Cell, Table};

/// Findings of one rule, at most.
const MAX_ROWS: u64 = 1_000;

/// Columns that are not evidence.
const NAMED: [&str; 8] =
    ["subject", "occurrences", "out_of", "confidence", "side", "first_seen", "last_seen", "trace_ids"];

/// A rule whose SQL cannot be run.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokenRule {
    pub id: String,
    pub error: AskError,
}

/// Runs the SQL of all enabled rules. One that fails is left out and told.
pub(super) fn find(store: &Store, rules: &Rules, cancel: &Cancel) -> (Vec<Finding>, Vec<BrokenRule>) {
    let (mut findings, mut broken) = (Vec::new(), Vec::new());
    for rule in rules.enabled() {
        match rule.bound_sql().map(|sql| run::checked_select(store, &sql, MAX_ROWS, cancel)) {
            Some(Ok(table)) => findings.extend((0..table.num_rows()).map(|row| finding(rule, &table, row))),
            Some(Err(error)) => broken.push(BrokenRule { id: rule.id.clone(), error }),
            None => {}
        }
    }
    (findings, broken)
}

/// Prepares the SQL of all rules and returns what does not fit the store.
#[must_use]
pub fn check(store: &Store, rules: &Rules) -> Vec<BrokenRule> {
    let all = rules.all().iter().filter_map(|rule| Some((rule, rule.bound_sql()?)));
    let error = |sql: &str| run::checked_select(store, sql, 1, &Cancel::default()).err();
    all.filter_map(|(rule, sql)| Some(BrokenRule { id: rule.id.clone(), error: error(&sql)? })).collect()
}

fn finding(rule: &Rule, table: &Table, row: usize) -> Finding {
    let subject = text(table.get(row, "subject"));
    let number = |name: &str| if let Cell::Int(number) = table.get(row, name) { number } else { 0 };
    let time = |name: &str| if let Cell::Time(time) = table.get(row, name) { time } else { 0 };
    let confidence = if let Cell::Double(share) = table.get(row, "confidence") { share } else { rule.confidence };
    Finding {
        id: id_of(rule, &subject),
        rule: rule.id.clone(),
        group: rule.group.clone(),
        severity: rule.severity,
        confidence: confidence.clamp(0.0, 1.0),
        services: subject.split(" -> ").map(str::to_owned).collect(),
        first_seen_ns: time("first_seen"),
        last_seen_ns: time("last_seen"),
        occurrences: u64::try_from(number("occurrences")).unwrap_or(0),
        out_of: u64::try_from(number("out_of")).unwrap_or(0),
        examples: Vec::new(),
        evidence: evidence(rule, table, row),
        fix: rule.fix_for([]),
        traces: traces(table.get(row, "trace_ids")),
        subject,
    }
}

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) | Cell::Json(text) => text.to_owned(),
        _ => String::new(),
    }
}

fn evidence(rule: &Rule, table: &Table, row: usize) -> Map<String, Value> {
    let mut evidence = evidence_of(rule, &text(table.get(row, "side")));
    for column in table.columns.iter().filter(|column| !NAMED.contains(&column.name.as_str())) {
        evidence.insert(column.name.clone(), value(column.values.get(row)));
    }
    evidence
}

fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(value) => json!(value),
        Cell::Int(value) | Cell::Time(value) => json!(value),
        Cell::UInt(value) => json!(value),
        Cell::Double(value) => json!(value),
        Cell::Text(text) => json!(text),
        Cell::Json(text) => serde_json::from_str(text).unwrap_or_default(),
    }
}

fn traces(cell: Cell<'_>) -> Vec<u128> {
    let list: Vec<String> = serde_json::from_str(&text(cell)).unwrap_or_default();
    list.iter().filter_map(|id| u128::from_str_radix(id, 16).ok()).collect()
}
