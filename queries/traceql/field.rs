//! Names and types of fields, enums and operators: the one list that parser, printer, compiler and completion read.

use super::ast::{Field, Intrinsic, Kind, Operator, Scope, Status, Value};

/// What a field can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Int,
    Duration,
    Status,
    Kind,
    /// Attributes: whatever was recorded.
    Any,
}

/// One intrinsic: `name` is how it is printed, `short` the older unscoped name where there is one.
pub(super) struct IntrinsicName {
    pub(super) intrinsic: Intrinsic,
    pub(super) name: &'static str,
    pub(super) short: Option<&'static str>,
    pub(super) type_: Type,
}

const fn row(intrinsic: Intrinsic, name: &'static str, short: Option<&'static str>, type_: Type) -> IntrinsicName {
    IntrinsicName { intrinsic, name, short, type_ }
}

pub(super) const INTRINSICS: [IntrinsicName; 18] = [
    row(Intrinsic::Name, "span:name", Some("name"), Type::Text),
    row(Intrinsic::Status, "span:status", Some("status"), Type::Status),
    row(Intrinsic::StatusMessage, "span:statusMessage", Some("statusMessage"), Type::Text),
    row(Intrinsic::Kind, "span:kind", Some("kind"), Type::Kind),
    row(Intrinsic::Duration, "span:duration", Some("duration"), Type::Duration),
    row(Intrinsic::SpanId, "span:id", None, Type::Text),
    row(Intrinsic::ParentId, "span:parentID", None, Type::Text),
    row(Intrinsic::ChildCount, "span:childCount", Some("childCount"), Type::Int),
    row(Intrinsic::TraceId, "trace:id", None, Type::Text),
    row(Intrinsic::TraceDuration, "trace:duration", Some("traceDuration"), Type::Duration),
    row(Intrinsic::RootName, "trace:rootName", Some("rootName"), Type::Text),
    row(Intrinsic::RootService, "trace:rootService", Some("rootServiceName"), Type::Text),
    row(Intrinsic::EventName, "event:name", None, Type::Text),
    row(Intrinsic::EventTimeSinceStart, "event:timeSinceStart", None, Type::Duration),
    row(Intrinsic::LinkSpanId, "link:spanID", None, Type::Text),
    row(Intrinsic::LinkTraceId, "link:traceID", None, Type::Text),
    row(Intrinsic::InstrumentationName, "instrumentation:name", None, Type::Text),
    row(Intrinsic::InstrumentationVersion, "instrumentation:version", None, Type::Text),
];

pub(super) const SCOPES: [(Scope, &str); 6] = [
    (Scope::Span, "span"),
    (Scope::Resource, "resource"),
    (Scope::Event, "event"),
    (Scope::Link, "link"),
    (Scope::Instrumentation, "instrumentation"),
    (Scope::Any, ""),
];

/// Longer operators stand before those they begin with.
pub(super) const OPERATORS: [(Operator, &str); 8] = [
    (Operator::NotEqual, "!="),
    (Operator::LessOrEqual, "<="),
    (Operator::GreaterOrEqual, ">="),
    (Operator::Matches, "=~"),
    (Operator::MatchesNot, "!~"),
    (Operator::Equal, "="),
    (Operator::Less, "<"),
    (Operator::Greater, ">"),
];

pub(super) const STATUSES: [(Status, &str); 3] =
    [(Status::Unset, "unset"), (Status::Ok, "ok"), (Status::Error, "error")];

pub(super) const KINDS: [(Kind, &str); 6] = [
    (Kind::Unspecified, "unspecified"),
    (Kind::Internal, "internal"),
    (Kind::Server, "server"),
    (Kind::Client, "client"),
    (Kind::Producer, "producer"),
    (Kind::Consumer, "consumer"),
];

/// Returns the name that `table` gives `item`.
pub(super) fn name_of<T: PartialEq>(table: &[(T, &'static str)], item: &T) -> &'static str {
    table.iter().find(|(known, _)| known == item).map_or("", |&(_, name)| name)
}

/// Returns the item that `table` calls `name`.
pub(super) fn find<T: Copy>(table: &[(T, &'static str)], name: &str) -> Option<T> {
    table.iter().find(|(_, known)| *known == name).map(|&(item, _)| item)
}

/// Returns the intrinsic called `name`.
pub(super) fn intrinsic(name: &str) -> Option<Intrinsic> {
    INTRINSICS.iter().find(|row| row.name == name || row.short == Some(name)).map(|row| row.intrinsic)
}

/// Returns the name of `intrinsic`, scoped.
pub(super) fn intrinsic_name(intrinsic: Intrinsic) -> &'static str {
    INTRINSICS.iter().find(|row| row.intrinsic == intrinsic).map_or("", |row| row.name)
}

/// Returns what `field` can be compared with.
pub(super) fn type_of(field: &Field) -> Type {
    match field {
        Field::Attribute { .. } => Type::Any,
        Field::Intrinsic(intrinsic) => {
            INTRINSICS.iter().find(|row| row.intrinsic == *intrinsic).map_or(Type::Any, |row| row.type_)
        }
    }
}

/// Returns `value` as the field's type has it (`status = "error"` is `status = error`), or what is expected instead.
pub(super) fn fit(field: &Field, operator: Operator, value: Value) -> Result<Value, String> {
    if matches!(operator, Operator::Matches | Operator::MatchesNot) {
        return fit_regex(field, value);
    }
    let is_order = !matches!(operator, Operator::Equal | Operator::NotEqual);
    let fits_order = matches!(value, Value::Text(_) | Value::Int(_) | Value::Double(_) | Value::Duration(_));
    if is_order && !fits_order {
        return Err("only numbers, durations and strings have an order: use = or !=".to_owned());
    }
    fit_type(type_of(field), value, is_order)
}

fn fit_type(type_: Type, value: Value, is_order: bool) -> Result<Value, String> {
    match (type_, value) {
        (_, Value::Nil) => Ok(Value::Nil),
        (Type::Any, value)
        | (Type::Text, value @ Value::Text(_))
        | (Type::Int, value @ (Value::Int(_) | Value::Double(_)))
        | (Type::Duration, value @ Value::Duration(_))
        | (Type::Status, value @ Value::Status(_))
        | (Type::Kind, value @ Value::Kind(_)) => Ok(value),
        (Type::Status, Value::Text(name)) if !is_order => {
            find(&STATUSES, &name).map(Value::Status).ok_or_else(|| expected(Type::Status))
        }
        (Type::Kind, Value::Text(name)) if !is_order => {
            find(&KINDS, &name).map(Value::Kind).ok_or_else(|| expected(Type::Kind))
        }
        (type_, _) => Err(expected(type_)),
    }
}

fn fit_regex(field: &Field, value: Value) -> Result<Value, String> {
    let Value::Text(pattern) = value else {
        return Err("expected a regular expression in quotes, such as \"GET|POST\"".to_owned());
    };
    if !matches!(type_of(field), Type::Text | Type::Any) {
        return Err("regular expressions match text only: use = or !=".to_owned());
    }
    match regex::RegexBuilder::new(&pattern).size_limit(1 << 20).build() {
        Ok(_) => Ok(Value::Text(pattern)),
        Err(regex::Error::CompiledTooBig(_)) => Err("this regular expression is too large".to_owned()),
        Err(error) => Err(format!("bad regular expression: {}", last_line(&error.to_string()))),
    }
}

fn last_line(message: &str) -> &str {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ")
}

fn expected(type_: Type) -> String {
    match type_ {
        Type::Text => "expected a string in quotes".to_owned(),
        Type::Int => "expected a number".to_owned(),
        Type::Duration => "expected a duration with a unit, such as 100ms, 1.5s or 1h30m".to_owned(),
        Type::Status => "expected error, ok or unset".to_owned(),
        Type::Kind => "expected server, client, producer, consumer, internal or unspecified".to_owned(),
        Type::Any => "expected a value".to_owned(),
    }
}
