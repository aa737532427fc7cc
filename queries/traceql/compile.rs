//! Turns a query into SQL over the views `spans` and `traces`.
//!
//! Attributes with a convention are read from their typed column, whatever key they were recorded under; a value recorded with
//! another type than the convention's, and every other attribute, is read from the JSON of the span or its resource. A column
//! of `spans` holds what the span recorded, else what its resource recorded. Missing values answer no comparison but `= nil`.

use riftline_ingest::convention::{Convention, Conventions, ValueType};

use super::ast::{Condition, Field, Intrinsic, Operator, Query, Scope, Value};
use super::field::{KINDS, STATUSES, name_of};
use super::values::{Comparison, Json, number, text_comparison};

/// Returns a SELECT with the one column `trace_id`: the traces that answer `query`, each once.
#[must_use]
pub fn compile(query: &Query, conventions: &Conventions) -> String {
    match query {
        Query::Filter(Condition::Always(true)) => "SELECT DISTINCT trace_id FROM spans".to_owned(),
        Query::Filter(condition) => {
            format!("SELECT DISTINCT s.trace_id FROM spans s WHERE {}", condition_sql(condition, conventions))
        }
        Query::All(queries) => set_operation(queries, "INTERSECT", conventions),
        Query::Any(queries) => set_operation(queries, "UNION", conventions),
    }
}

/// Returns a SELECT with the columns `trace_id`, `span_id` and `row`: the spans that some filter of `query` selects, in the
/// traces that answer it.
#[must_use]
pub fn compile_spans(query: &Query, conventions: &Conventions) -> String {
    let matching = compile_spans_condition(query, conventions);
    let traces = match query {
        Query::Filter(_) => String::new(),
        _ => format!(" AND s.trace_id IN ({})", compile(query, conventions)),
    };
    format!("SELECT s.trace_id, s.span_id, s.\"row\" FROM spans s WHERE {matching}{traces}")
}

/// Returns the condition on a row `s` of `spans` that some filter of `query` selects it.
#[must_use]
pub fn compile_spans_condition(query: &Query, conventions: &Conventions) -> String {
    match query {
        Query::Filter(condition) => condition_sql(condition, conventions),
        Query::All(queries) | Query::Any(queries) => {
            let parts: Vec<String> = queries.iter().map(|query| compile_spans_condition(query, conventions)).collect();
            format!("({})", parts.join(" OR "))
        }
    }
}

fn set_operation(queries: &[Query], operation: &str, conventions: &Conventions) -> String {
    let parts: Vec<String> = queries.iter().map(|query| format!("({})", compile(query, conventions))).collect();
    format!("SELECT trace_id FROM ({})", parts.join(&format!(" {operation} ")))
}

fn condition_sql(condition: &Condition, conventions: &Conventions) -> String {
    match condition {
        Condition::Always(truth) => truth.to_string(),
        Condition::Comparison { field, operator, value } => {
            format!("({})", comparison_sql(field, Comparison { operator: *operator, value }, conventions))
        }
        Condition::All(conditions) => joined(conditions, " AND ", conventions),
        Condition::Any(conditions) => joined(conditions, " OR ", conventions),
        // What is missing answers no comparison, and so does answer the negated one.
        Condition::Not(condition) => format!("(NOT coalesce({}, false))", condition_sql(condition, conventions)),
    }
}

fn joined(conditions: &[Condition], between: &str, conventions: &Conventions) -> String {
    let parts: Vec<String> = conditions.iter().map(|condition| condition_sql(condition, conventions)).collect();
    format!("({})", parts.join(between))
}

fn comparison_sql(field: &Field, comparison: Comparison<'_>, conventions: &Conventions) -> String {
    match field {
        Field::Intrinsic(intrinsic) => intrinsic_sql(*intrinsic, comparison),
        Field::Attribute { scope, key } => attribute_sql(*scope, key, comparison, conventions),
    }
}

fn intrinsic_sql(intrinsic: Intrinsic, comparison: Comparison<'_>) -> String {
    match intrinsic {
        Intrinsic::Name => scalar("s.name", comparison),
        Intrinsic::Status => scalar("s.status", comparison),
        Intrinsic::StatusMessage => scalar("s.status_message", comparison),
        Intrinsic::Kind => scalar("s.kind", comparison),
        Intrinsic::Duration => scalar("s.duration_ns", comparison),
        Intrinsic::SpanId => id("s.span_id", 16, comparison),
        Intrinsic::ParentId => id("s.parent_span_id", 16, comparison),
        Intrinsic::TraceId => id("s.trace_id", 32, comparison),
        Intrinsic::ChildCount => child_count(comparison),
        Intrinsic::TraceDuration => of_trace("duration_ns", comparison),
        Intrinsic::RootName => of_trace("root_name", comparison),
        Intrinsic::RootService => of_trace("root_service", comparison),
        Intrinsic::EventName => Json::members("s.events", "/name").compare(comparison),
        Intrinsic::EventTimeSinceStart => Json::event_times().compare(comparison),
        Intrinsic::LinkSpanId => link_id("/span_id", 16, comparison),
        Intrinsic::LinkTraceId => link_id("/trace_id", 32, comparison),
        Intrinsic::InstrumentationName => scalar("s.scope_name", comparison),
        Intrinsic::InstrumentationVersion => scalar("s.scope_version", comparison),
    }
}

/// Compares a column that has the type of the value.
fn scalar(column: &str, comparison: Comparison<'_>) -> String {
    let Comparison { operator, value } = comparison;
    match value {
        Value::Nil => null_test(column, operator),
        Value::Text(value) => text_comparison(column, operator, value),
        Value::Status(status) => text_comparison(column, operator, name_of(&STATUSES, status)),
        Value::Kind(kind) => text_comparison(column, operator, name_of(&KINDS, kind)),
        value => format!("{column} {} {}", comparison.symbol(), number(value)),
    }
}

fn null_test(column: &str, operator: Operator) -> String {
    let is_null = operator == Operator::Equal;
    format!("{column} IS {}NULL", if is_null { "" } else { "NOT " })
}

/// Ids are compared in the form of the views: lower case, all digits.
fn id(column: &str, num_digits: usize, comparison: Comparison<'_>) -> String {
    scalar(column, Comparison { value: &id_value(num_digits, comparison), ..comparison })
}

fn link_id(member: &str, num_digits: usize, comparison: Comparison<'_>) -> String {
    let value = id_value(num_digits, comparison);
    Json::members("s.links", member).compare(Comparison { value: &value, ..comparison })
}

fn id_value(num_digits: usize, comparison: Comparison<'_>) -> Value {
    match comparison.value {
        Value::Text(id) if !comparison.is_regex() => Value::Text(format!("{:0>num_digits$}", id.to_ascii_lowercase())),
        value => value.clone(),
    }
}

fn child_count(comparison: Comparison<'_>) -> String {
    let children = "SELECT c.trace_id, c.parent_span_id, count(*) AS n FROM spans c \
                    WHERE c.parent_span_id IS NOT NULL GROUP BY ALL";
    let of_span = format!(
        "coalesce((SELECT n FROM ({children}) k WHERE k.trace_id = s.trace_id AND k.parent_span_id = s.span_id), 0)"
    );
    scalar(&of_span, comparison)
}

fn of_trace(column: &str, comparison: Comparison<'_>) -> String {
    let condition = scalar(&format!("t.{column}"), comparison);
    format!("s.trace_id IN (SELECT t.trace_id FROM traces t WHERE {condition})")
}

fn attribute_sql(scope: Scope, key: &str, comparison: Comparison<'_>, conventions: &Conventions) -> String {
    match scope {
        Scope::Event => Json::members("s.events", &pointer("/attributes", key)).compare(comparison),
        Scope::Link => Json::members("s.links", &pointer("/attributes", key)).compare(comparison),
        Scope::Instrumentation => Json::value("s.scope", &pointer("", key)).compare(comparison),
        Scope::Any | Scope::Span | Scope::Resource => match convention(scope, key, conventions) {
            Some(convention) => convention_sql(scope, convention, comparison),
            None => json_sql(scope, &[key], comparison),
        },
    }
}

/// Returns the convention whose column answers for `key` in `scope`.
fn convention<'a>(scope: Scope, key: &str, conventions: &'a Conventions) -> Option<&'a Convention> {
    let is_key =
        |convention: &&Convention| convention.key == key || convention.aliases.iter().any(|alias| alias == key);
    let convention = conventions.all().iter().find(is_key)?;
    let has_column = match scope {
        Scope::Span => convention.on_spans,
        Scope::Resource => !convention.on_spans,
        _ => true,
    };
    has_column.then_some(convention)
}

fn convention_sql(scope: Scope, convention: &Convention, comparison: Comparison<'_>) -> String {
    let keys: Vec<&str> = std::iter::once(&convention.key).chain(&convention.aliases).map(String::as_str).collect();
    let column = format!("s.{}", convention.column);
    let in_column = matches!(
        (convention.value, comparison.value),
        (ValueType::Text, Value::Text(_))
            | (ValueType::Int | ValueType::Double, Value::Int(_) | Value::Double(_) | Value::Duration(_))
            | (ValueType::Bool, Value::Bool(_))
    );
    match comparison {
        comparison if in_column => scalar(&column, comparison),
        Comparison { value: Value::Nil, operator } => {
            let between = if operator == Operator::Equal { "AND" } else { "OR" };
            format!("{} {between} {}", null_test(&column, operator), json_sql(scope, &keys, comparison))
        }
        comparison => json_sql(scope, &keys, comparison),
    }
}

/// Compares what was recorded under any of `keys`; with nil, all of them.
fn json_sql(scope: Scope, keys: &[&str], comparison: Comparison<'_>) -> String {
    let columns: &[&str] = match scope {
        Scope::Span => &["s.attributes"],
        Scope::Resource => &["s.resource"],
        _ => &["s.attributes", "s.resource"],
    };
    let is_absence = matches!(comparison, Comparison { operator: Operator::Equal, value: Value::Nil });
    let parts: Vec<String> = columns
        .iter()
        .flat_map(|column| keys.iter().map(move |key| Json::value(column, &pointer("", key)).compare(comparison)))
        .collect();
    format!("({})", parts.join(if is_absence { " AND " } else { " OR " }))
}

/// Returns the JSON pointer (RFC 6901) of the member `key`.
fn pointer(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
