//! Field classes of CTF 2.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Aliases, text, unsigned};
use crate::ctf::model::{
    Choice, Class, Encoding, Int, Labels, Length, Location, MAX_ALIGN, Meaning, Order, Role, Scope,
};

type Ranges = Vec<(i128, i128)>;

/// Reads a field class or the name of one.
pub(super) fn read(value: &Value, aliases: &Aliases) -> Result<Rc<Class>, String> {
    if let Some(name) = value.as_str() {
        return aliases
            .get(name)
            .cloned()
            .ok_or_else(|| format!("field class {} is not declared", crate::text::inert(name)));
    }
    let kind = text(value, "type").ok_or("field class has no type")?;
    match kind {
        "fixed-length-bit-array" | "fixed-length-unsigned-integer" => fixed(value, false, Meaning::Number),
        "fixed-length-signed-integer" => fixed(value, true, Meaning::Number),
        "fixed-length-boolean" => fixed(value, false, Meaning::Bool),
        "fixed-length-bit-map" => fixed(value, false, Meaning::Flags),
        "fixed-length-floating-point-number" => float(value),
        "variable-length-unsigned-integer" => variable(value, false),
        "variable-length-signed-integer" => variable(value, true),
        "null-terminated-string" => Ok(Rc::new(Class::Text(encoding(value)?))),
        "static-length-string" => chars(value, Length::Fixed(required(value, "length")?)),
        "dynamic-length-string" => chars(value, length_field(value)?),
        "static-length-blob" => Ok(Rc::new(Class::Blob { len: Length::Fixed(required(value, "length")?) })),
        "dynamic-length-blob" => Ok(Rc::new(Class::Blob { len: length_field(value)? })),
        "structure" => structure(value, aliases),
        "static-length-array" => array(value, Length::Fixed(required(value, "length")?), aliases),
        "dynamic-length-array" => array(value, length_field(value)?, aliases),
        "variant" => variant(value, aliases),
        "optional" => optional(value, aliases),
        _ => Err(format!("field class {} is not known", crate::text::inert(kind))),
    }
}

fn required(value: &Value, key: &str) -> Result<u64, String> {
    unsigned(value, key).ok_or_else(|| format!("field class has no {key}"))
}

fn alignment(value: &Value, key: &str) -> Result<u64, String> {
    let align = unsigned(value, key).unwrap_or(1);
    if align.is_power_of_two() && align <= MAX_ALIGN {
        Ok(align)
    } else {
        Err(format!("{key} is no power of two, or too large"))
    }
}

fn order(value: &Value) -> Result<Order, String> {
    match text(value, "byte-order") {
        Some("little-endian") => Ok(Order::Little),
        Some("big-endian") => Ok(Order::Big),
        _ => Err("field class has no byte-order".to_owned()),
    }
}

fn fixed(value: &Value, is_signed: bool, meaning: Meaning) -> Result<Rc<Class>, String> {
    let bits = required(value, "length")?;
    if !(1..=64).contains(&bits) {
        return Err(format!("length {bits} of a bit array is not 1 to 64"));
    }
    let order = order(value)?;
    let usual = if order == Order::Big { "last-to-first" } else { "first-to-last" };
    Ok(Rc::new(Class::Int(Int {
        bits: bits as u32,
        align: alignment(value, "alignment")?,
        order,
        is_signed,
        is_reversed: text(value, "bit-order").is_some_and(|order| order != usual),
        labels: labels(value, if meaning == Meaning::Flags { "flags" } else { "mappings" })?,
        meaning,
        role: role(value),
        ..Int::default()
    })))
}

fn variable(value: &Value, is_signed: bool) -> Result<Rc<Class>, String> {
    Ok(Rc::new(Class::Int(Int {
        bits: 64,
        align: 8,
        is_signed,
        is_variable: true,
        labels: labels(value, "mappings")?,
        role: role(value),
        ..Int::default()
    })))
}

fn role(value: &Value) -> Role {
    let roles = value.get("roles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let known = roles.map(|role| match role {
        "packet-magic-number" => Role::Magic,
        "data-stream-class-id" => Role::StreamClass,
        "data-stream-id" => Role::StreamInstance,
        "packet-total-length" => Role::PacketBits,
        "packet-content-length" => Role::ContentBits,
        "default-clock-timestamp" => Role::Begin,
        "packet-end-default-clock-timestamp" => Role::End,
        "discarded-event-record-counter-snapshot" => Role::Discarded,
        "packet-sequence-number" => Role::Sequence,
        "event-record-class-id" => Role::Event,
        _ => Role::None,
    });
    known.reduce(|first, other| if first == Role::None { other } else { first }).unwrap_or_default()
}

fn float(value: &Value) -> Result<Rc<Class>, String> {
    let bits = required(value, "length")?;
    if !matches!(bits, 16 | 32 | 64) {
        return Err(format!("floating point number of {bits} bits"));
    }
    Ok(Rc::new(Class::Float { bits: bits as u32, align: alignment(value, "alignment")?, order: order(value)? }))
}

fn encoding(value: &Value) -> Result<Encoding, String> {
    Ok(match text(value, "encoding").unwrap_or("utf-8") {
        "utf-8" => Encoding::Utf8,
        "utf-16le" => Encoding::Utf16(false),
        "utf-16be" => Encoding::Utf16(true),
        "utf-32le" => Encoding::Utf32(false),
        "utf-32be" => Encoding::Utf32(true),
        other => return Err(format!("encoding {} is not known", crate::text::inert(other))),
    })
}

fn chars(value: &Value, len: Length) -> Result<Rc<Class>, String> {
    Ok(Rc::new(Class::Chars { len, encoding: encoding(value)? }))
}

fn structure(value: &Value, aliases: &Aliases) -> Result<Rc<Class>, String> {
    let mut members = Vec::new();
    for member in value.get("member-classes").and_then(Value::as_array).into_iter().flatten() {
        let name = text(member, "name").ok_or("member has no name")?.to_owned();
        let class = member.get("field-class").ok_or("member has no field class")?;
        members.push((name, read(class, aliases)?));
    }
    Class::structure(alignment(value, "minimum-alignment")?, members)
}

fn array(value: &Value, len: Length, aliases: &Aliases) -> Result<Rc<Class>, String> {
    let element = value.get("element-field-class").ok_or("array has no element class")?;
    Class::array(alignment(value, "minimum-alignment")?, len, read(element, aliases)?)
}

fn length_field(value: &Value) -> Result<Length, String> {
    location(value, "length-field-location").map(Length::Field)
}

fn variant(value: &Value, aliases: &Aliases) -> Result<Rc<Class>, String> {
    let mut options = Vec::new();
    for option in value.get("options").and_then(Value::as_array).into_iter().flatten() {
        let class = option.get("field-class").ok_or("option has no field class")?;
        options.push(Choice {
            name: text(option, "name").unwrap_or_default().to_owned(),
            ranges: Some(ranges(option.get("selector-field-ranges"))?),
            class: read(class, aliases)?,
        });
    }
    Class::variant(Some(location(value, "selector-field-location")?), options)
}

fn optional(value: &Value, aliases: &Aliases) -> Result<Rc<Class>, String> {
    let class = value.get("field-class").ok_or("optional has no field class")?;
    let ranges = match value.get("selector-field-ranges") {
        // A truth value: anything but zero.
        None => vec![(i128::MIN, -1), (1, i128::MAX)],
        some => ranges(some)?,
    };
    Class::optional(location(value, "selector-field-location")?, ranges, read(class, aliases)?)
}

fn location(value: &Value, key: &str) -> Result<Location, String> {
    let location = value.get(key).ok_or_else(|| format!("field class has no {key}"))?;
    let origin = match text(location, "origin") {
        None => None,
        Some("packet-header") => Some(Scope::PacketHeader),
        Some("packet-context") => Some(Scope::PacketContext),
        Some("event-record-header") => Some(Scope::EventHeader),
        Some("event-record-common-context") => Some(Scope::StreamEventContext),
        Some("event-record-specific-context") => Some(Scope::EventContext),
        Some("event-record-payload") => Some(Scope::Payload),
        Some(other) => return Err(format!("origin {} is not known", crate::text::inert(other))),
    };
    let path = location.get("path").and_then(Value::as_array).ok_or("location has no path")?;
    let up = path.iter().filter(|step| step.is_null()).count();
    let names = path.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Ok(Location { origin, up: Some(up), names })
}

fn labels(value: &Value, key: &str) -> Result<Option<Rc<Labels>>, String> {
    let Some(names) = value.get(key).and_then(Value::as_object) else { return Ok(None) };
    let labels = |names: &Map<String, Value>| {
        names.iter().map(|(name, value)| Ok((name.clone(), ranges(Some(value))?))).collect::<Result<Labels, String>>()
    };
    labels(names).map(|labels| Some(Rc::new(labels)))
}

/// Reads `[[from, to], …]`.
fn ranges(value: Option<&Value>) -> Result<Ranges, String> {
    let number = |value: &Value| value.as_u64().map(i128::from).or_else(|| value.as_i64().map(i128::from));
    let range = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([from, to]) => Some((number(from)?, number(to)?)),
        _ => None,
    };
    let ranges = value.and_then(Value::as_array).ok_or("ranges are missing")?;
    ranges.iter().map(range).collect::<Option<Ranges>>().ok_or_else(|| "range is not two integers".to_owned())
}
