//! Comparisons of recorded values in SQL.

use super::ast::{Operator, Value};

/// The operator and the right side.
#[derive(Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub(super) operator: Operator,
    pub(super) value: &'a Value,
}

impl Comparison<'_> {
    pub(super) fn symbol(self) -> &'static str {
        match self.operator {
            Operator::Equal | Operator::Matches => "=",
            Operator::NotEqual | Operator::MatchesNot => "<>",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }

    pub(super) fn is_regex(self) -> bool {
        matches!(self.operator, Operator::Matches | Operator::MatchesNot)
    }

    /// Returns the comparison that this one denies, if it denies one.
    fn denied(self) -> Option<Self> {
        match self.operator {
            Operator::NotEqual => Some(Self { operator: Operator::Equal, ..self }),
            Operator::MatchesNot => Some(Self { operator: Operator::Matches, ..self }),
            _ => None,
        }
    }
}

/// A list of JSON values in SQL: one attribute, the elements of an array, or a member of each event or link.
pub(super) struct Json {
    list: String,
}

impl Json {
    /// The value at `pointer` of the JSON in `column`; its elements where it is an array.
    pub(super) fn value(column: &str, pointer: &str) -> Self {
        let value = format!("json_extract({column}, {})", text(pointer));
        let kind = format!("json_type({column}, {})", text(pointer));
        Self { list: format!("CASE WHEN {kind} = 'ARRAY' THEN CAST({value} AS JSON[]) ELSE [{value}] END") }
    }

    /// The value at `pointer` of each element of the JSON array in `column`.
    pub(super) fn members(column: &str, pointer: &str) -> Self {
        let value = format!("json_extract(m, {})", text(pointer));
        Self { list: format!("list_transform(CAST({column} AS JSON[]), lambda m: {value})") }
    }

    /// Nanoseconds from the start of the span to each of its events.
    pub(super) fn event_times() -> Self {
        let since = "to_json(CAST(json_extract(m, '/time_ns') AS BIGINT) - s.start_ns)";
        Self { list: format!("list_transform(CAST(s.events AS JSON[]), lambda m: {since})") }
    }

    /// Tells whether some value answers the comparison; for `!=` and `!~`, whether there are values that could and none does.
    pub(super) fn compare(&self, comparison: Comparison<'_>) -> String {
        if *comparison.value == Value::Nil {
            let sign = if comparison.operator == Operator::Equal { "=" } else { ">" };
            return format!("coalesce({}, 0) {sign} 0", self.count("coalesce(json_type(v), 'NULL') <> 'NULL'"));
        }
        match comparison.denied() {
            Some(denied) => {
                let comparable = self.count(&is_comparable(comparison.value));
                format!("({comparable} > 0 AND {} = 0)", self.count(&element(denied)))
            }
            None => format!("{} > 0", self.count(&element(comparison))),
        }
    }

    fn count(&self, condition: &str) -> String {
        format!("len(list_filter({}, lambda v: {condition}))", self.list)
    }
}

fn is_comparable(value: &Value) -> String {
    let types = match value {
        Value::Text(_) | Value::Status(_) | Value::Kind(_) | Value::Nil => "'VARCHAR'",
        Value::Int(_) | Value::Double(_) | Value::Duration(_) => "'BIGINT', 'UBIGINT', 'DOUBLE'",
        Value::Bool(_) => "'BOOLEAN'",
    };
    format!("json_type(v) IN ({types})")
}

/// The comparison for one JSON value `v`.
fn element(comparison: Comparison<'_>) -> String {
    let of_type = is_comparable(comparison.value);
    let compared = match comparison.value {
        Value::Text(value) => text_comparison("json_extract_string(v, '$')", comparison.operator, value),
        Value::Bool(value) => format!("json_extract_string(v, '$') {} '{value}'", comparison.symbol()),
        // Integers are compared as integers: doubles would take neighbours above 2^53 for equal.
        value => format!(
            "CASE json_type(v) WHEN 'DOUBLE' THEN TRY_CAST(v AS DOUBLE) {symbol} {number} \
             ELSE TRY_CAST(v AS HUGEINT) {symbol} {number} END",
            symbol = comparison.symbol(),
            number = number(value)
        ),
    };
    format!("{of_type} AND {compared}")
}

pub(super) fn text_comparison(column: &str, operator: Operator, value: &str) -> String {
    let value = text(value);
    match operator {
        Operator::Matches => format!("regexp_full_match({column}, {value})"),
        Operator::MatchesNot => format!("NOT regexp_full_match({column}, {value})"),
        operator => format!("{column} {} {value}", Comparison { operator, value: &Value::Nil }.symbol()),
    }
}

/// Returns an SQL string literal: DuckDB knows no escape in it but the doubled quote.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Returns an SQL number; nil and texts have none.
pub(super) fn number(value: &Value) -> String {
    match value {
        Value::Int(int) | Value::Duration(int) => int.to_string(),
        Value::Double(double) => format!("CAST('{double:?}' AS DOUBLE)"),
        Value::Bool(truth) => truth.to_string(),
        Value::Text(_) | Value::Status(_) | Value::Kind(_) | Value::Nil => "NULL".to_owned(),
    }
}
