//! What may be written at the cursor.

use riftline_ingest::convention::Conventions;

use super::ast::{Field, Query, Value};
use super::field::{INTRINSICS, KINDS, OPERATORS, SCOPES, STATUSES, Type, type_of};
use super::parser::{Expectation, Parser};

/// One way to go on: the text from `from` to the cursor is replaced by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Byte offset into the query.
    pub from: usize,
    pub text: String,
    pub kind: CompletionKind,
}

/// What a completion is, for its colour and sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    Intrinsic,
    Attribute,
    Operator,
    Value,
    /// Braces, `&&` and `||`.
    Connective,
}

/// Returns what may stand at byte `cursor` of `text`, in a fixed order. `values_of` knows recorded values of a field.
///
/// Looks at what stands before the cursor alone; inside a part that is wrong already there is nothing to offer.
#[must_use]
pub fn complete(
    text: &str,
    cursor: usize,
    conventions: &Conventions,
    values_of: &dyn Fn(&Field) -> Vec<String>,
) -> Vec<Completion> {
    let Some(before) = text.get(..cursor) else {
        return Vec::new();
    };
    let mut parser = Parser::new(before);
    let is_wrong =
        |result: &Result<Query, super::TraceqlError>, from: usize| result.as_ref().is_err_and(|error| error.at < from);
    let result = parser.parse();
    let (expectation, from) = parser.expected;
    if is_wrong(&result, from) {
        return Vec::new();
    }
    let written = before.get(from..).unwrap_or_default();
    offers(&expectation, conventions, values_of)
        .into_iter()
        .filter(|(candidate, _)| begins_with(candidate, written))
        .map(|(text, kind)| Completion { from, text, kind })
        .collect()
}

fn begins_with(candidate: &str, written: &str) -> bool {
    candidate.get(..written.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(written)) && candidate != written
}

fn offers(
    expectation: &Expectation,
    conventions: &Conventions,
    values_of: &dyn Fn(&Field) -> Vec<String>,
) -> Vec<(String, CompletionKind)> {
    match expectation {
        Expectation::Spanset => listed(&["{ "], CompletionKind::Connective),
        Expectation::SpansetConnective => listed(&["&& ", "|| "], CompletionKind::Connective),
        Expectation::Connective => listed(&["&& ", "|| ", "}"], CompletionKind::Connective),
        Expectation::Operator(field) => operators(type_of(field)),
        Expectation::Value(field) => values(field, values_of),
        Expectation::Operand => fields(conventions),
    }
}

fn listed(texts: &[&str], kind: CompletionKind) -> Vec<(String, CompletionKind)> {
    texts.iter().map(|text| ((*text).to_owned(), kind)).collect()
}

fn operators(type_: Type) -> Vec<(String, CompletionKind)> {
    let symbols: Vec<&str> = match type_ {
        Type::Status | Type::Kind => vec!["=", "!="],
        Type::Int | Type::Duration => vec![">", ">=", "<", "<=", "=", "!="],
        Type::Text => vec!["=", "!=", "=~", "!~"],
        Type::Any => OPERATORS.iter().map(|(_, symbol)| *symbol).collect(),
    };
    symbols.into_iter().map(|symbol| (format!("{symbol} "), CompletionKind::Operator)).collect()
}

fn values(field: &Field, values_of: &dyn Fn(&Field) -> Vec<String>) -> Vec<(String, CompletionKind)> {
    match type_of(field) {
        Type::Status => listed(&STATUSES.map(|(_, name)| name), CompletionKind::Value),
        Type::Kind => listed(&KINDS.map(|(_, name)| name), CompletionKind::Value),
        Type::Duration => listed(&["1ms", "10ms", "100ms", "1s", "10s"], CompletionKind::Value),
        Type::Text | Type::Int | Type::Any => {
            values_of(field).into_iter().map(|value| (written(value), CompletionKind::Value)).collect()
        }
    }
}

/// Numbers and truth values stand as they are, everything else in quotes.
fn written(value: String) -> String {
    let is_plain = value.parse::<i64>().is_ok() || value.parse::<bool>().is_ok();
    if is_plain { value } else { Value::Text(value).to_string() }
}

fn fields(conventions: &Conventions) -> Vec<(String, CompletionKind)> {
    let short = INTRINSICS.iter().filter_map(|row| row.short);
    let intrinsics = INTRINSICS.iter().map(|row| row.name);
    let scopes = SCOPES.iter().filter(|(_, name)| !name.is_empty()).map(|(_, name)| format!("{name}."));
    let attributes = conventions.all().iter().map(|convention| {
        let scope = if convention.on_spans { "span" } else { "resource" };
        format!("{scope}.{}", convention.key)
    });
    let intrinsics = short.chain(intrinsics).map(|name| (name.to_owned(), CompletionKind::Intrinsic));
    intrinsics.chain(scopes.chain(attributes).map(|name| (name, CompletionKind::Attribute))).collect()
}
