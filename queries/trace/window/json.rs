//! Reads the typed JSON objects that attributes are stored as: member by member, values as text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Calls `found` with the key and the value of each member as text. Items of an array are joined by commas, as HTTP joins the
/// values of a header; an object is empty text. What is no object has no members.
pub(super) fn members(json: &str, found: &mut dyn FnMut(&str, &str)) {
    let mut reader = serde_json::Deserializer::from_str(json);
    // What is stored was written by riftline: a part that cannot be read has nothing to say.
    let _ = reader.deserialize_map(Members { found });
}

/// Calls `found` with each member of each object of an array.
pub(super) fn objects(json: &str, found: &mut dyn FnMut(usize, &str, &str)) {
    let mut reader = serde_json::Deserializer::from_str(json);
    let _ = reader.deserialize_seq(Objects { found });
}

struct Members<'f> {
    found: &'f mut dyn FnMut(&str, &str),
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut key, mut value) = (String::new(), String::new());
        while map.next_key_seed(Scalar(&mut key))?.is_some() {
            map.next_value_seed(Scalar(&mut value))?;
            (self.found)(&key, &value);
            key.clear();
            value.clear();
        }
        Ok(())
    }
}

struct Objects<'f> {
    found: &'f mut dyn FnMut(usize, &str, &str),
}

struct Object<'f> {
    at: usize,
    found: &'f mut dyn FnMut(usize, &str, &str),
}

impl<'de> Visitor<'de> for Objects<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut at = 0;
        while items.next_element_seed(Object { at, found: &mut *self.found })?.is_some() {
            at += 1;
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let at = self.at;
        from.deserialize_map(Members { found: &mut |key, value| (self.found)(at, key, value) })
    }
}

/// Appends a value to a text.
struct Scalar<'t>(&'t mut String);

impl<'de> DeserializeSeed<'de> for Scalar<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar<'_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.push_str(&number.to_string());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.push_str(&number.to_string());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.push_str(&format!("{number:?}"));
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let begin = self.0.len();
        let mut item = String::new();
        while items.next_element_seed(Scalar(&mut item))?.is_some() {
            if self.0.len() > begin {
                self.0.push(',');
            }
            self.0.push_str(&item);
            item.clear();
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}
