//! Writes a query so that reading it again gives the same.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{Condition, Field, Operator, Query, Scope, Value};
use super::field::{KINDS, OPERATORS, SCOPES, STATUSES, intrinsic_name, name_of};
use super::literal::UNITS;
use super::scan::is_attribute_char;

impl Display for Query {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filter(Condition::Always(true)) => to.write_str("{ }"),
            Self::Filter(condition) => write!(to, "{{ {condition} }}"),
            Self::All(queries) => joined(to, queries, " && ", |query| !matches!(query, Self::Filter(_))),
            Self::Any(queries) => joined(to, queries, " || ", |query| !matches!(query, Self::Filter(_))),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        let is_group = |condition: &Self| matches!(condition, Self::All(_) | Self::Any(_));
        match self {
            Self::Always(truth) => write!(to, "{truth}"),
            Self::Comparison { field, operator, value } => write!(to, "{field} {operator} {value}"),
            Self::All(conditions) => joined(to, conditions, " && ", is_group),
            Self::Any(conditions) => joined(to, conditions, " || ", is_group),
            Self::Not(condition) => write!(to, "!({condition})"),
        }
    }
}

fn joined<T: Display>(
    to: &mut Formatter<'_>,
    parts: &[T],
    between: &str,
    is_group: impl Fn(&T) -> bool,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            to.write_str(between)?;
        }
        if is_group(part) { write!(to, "({part})")? } else { write!(to, "{part}")? }
    }
    Ok(())
}

impl Display for Field {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Intrinsic(intrinsic) => to.write_str(intrinsic_name(*intrinsic)),
            Self::Attribute { scope, key } => {
                write!(to, "{scope}.")?;
                if !key.is_empty() && key.chars().all(|next| is_attribute_char(next) && next != '"') {
                    return to.write_str(key);
                }
                write!(to, "\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
            }
        }
    }
}

impl Display for Scope {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(name_of(&SCOPES, self))
    }
}

impl Display for Operator {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        to.write_str(name_of(&OPERATORS, self))
    }
}

impl Display for Value {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(to, text),
            Self::Int(int) => write!(to, "{int}"),
            Self::Double(double) => write!(to, "{double:?}"),
            Self::Bool(truth) => write!(to, "{truth}"),
            Self::Duration(nanoseconds) => duration(to, *nanoseconds),
            Self::Status(status) => to.write_str(name_of(&STATUSES, status)),
            Self::Kind(kind) => to.write_str(name_of(&KINDS, kind)),
            Self::Nil => to.write_str("nil"),
        }
    }
}

fn quoted(to: &mut Formatter<'_>, text: &str) -> fmt::Result {
    to.write_char('"')?;
    for next in text.chars() {
        match next {
            '"' | '\\' => write!(to, "\\{next}")?,
            '\n' => to.write_str("\\n")?,
            '\t' => to.write_str("\\t")?,
            next if next.is_control() => write!(to, "\\u{:04x}", u32::from(next))?,
            next => to.write_char(next)?,
        }
    }
    to.write_char('"')
}

/// Writes the largest unit up to hours that leaves no rest.
fn duration(to: &mut Formatter<'_>, nanoseconds: i64) -> fmt::Result {
    let units = UNITS.iter().filter(|(name, _)| ["ns", "us", "ms", "s", "m", "h"].contains(name));
    match units.rev().find(|(_, unit)| nanoseconds != 0 && nanoseconds % unit == 0) {
        Some((name, unit)) => write!(to, "{}{name}", nanoseconds / unit),
        None => to.write_str("0s"),
    }
}
