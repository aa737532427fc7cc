//! Typed JSON of the store with its keys in the order in which they were recorded.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// One typed value; integers and doubles stay apart.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    Null,
    Bool(bool),
    Int(i128),
    Double(f64),
    Text(String),
    List(Vec<Typed>),
    Object(Vec<(String, Typed)>),
}

impl Typed {
    /// Returns the value of `key` of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Returns the text of a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number of an integer.
    #[must_use]
    pub fn integer(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the members of an object, none of any other.
    #[must_use]
    pub fn members(&self) -> &[(String, Self)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TypedVisitor)
    }
}

struct TypedVisitor;

impl<'de> Visitor<'de> for TypedVisitor {
    type Value = Typed;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Typed, E> {
        Ok(Typed::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Typed, E> {
        Ok(Typed::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Typed, E> {
        Ok(Typed::Int(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Typed, E> {
        Ok(Typed::Int(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Typed, E> {
        Ok(Typed::Double(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Typed, E> {
        Ok(Typed::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Typed, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = from.next_element()? {
            values.push(value);
        }
        Ok(Typed::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Typed, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = from.next_entry()? {
            members.push(member);
        }
        Ok(Typed::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_types_are_kept() {
        let typed: Typed = serde_json::from_str(r#"{"b":1,"a":1.0,"c":[null,true,"x"]}"#).unwrap();
        let list = Typed::List(vec![Typed::Null, Typed::Bool(true), Typed::Text("x".to_owned())]);
        let members = [("b", Typed::Int(1)), ("a", Typed::Double(1.0)), ("c", list)];
        assert_eq!(typed, Typed::Object(members.map(|(key, value)| (key.to_owned(), value)).into()));
    }
}
