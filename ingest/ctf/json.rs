//! CTF 2 metadata: JSON fragments, each after a record separator.
//!
//! Specification: <https://diamon.org/ctf/files/CTF2-SPEC-2.0.html>.

mod class;

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::model::{Class, ClockClass, EventRecordClass, Metadata, StreamClass};

/// Names of field classes.
type Aliases = HashMap<String, Rc<Class>>;

/// Returns what the fragments declare.
pub(crate) fn parse(text: &[u8]) -> Result<Metadata, String> {
    let mut metadata = Metadata { version: 2, ..Metadata::default() };
    let mut aliases = Aliases::new();
    let fragments = text.split(|&byte| byte == 0x1e).filter(|fragment| !fragment.trim_ascii().is_empty());
    for (number, fragment) in fragments.enumerate() {
        let in_fragment = |reason: String| format!("fragment {}: {reason}", number + 1);
        let value: Value = serde_json::from_slice(fragment).map_err(|error| in_fragment(error.to_string()))?;
        read(&value, number, &mut metadata, &mut aliases).map_err(in_fragment)?;
    }
    Ok(metadata)
}

fn read(value: &Value, number: usize, metadata: &mut Metadata, aliases: &mut Aliases) -> Result<(), String> {
    let kind = text(value, "type").ok_or("it has no type")?;
    if (number == 0) != (kind == "preamble") {
        return Err("the preamble has to be the first fragment, and only that".to_owned());
    }
    let class = |key: &str| value.get(key).map(|class| class::read(class, aliases)).transpose();
    match kind {
        "preamble" => read_preamble(value, metadata)?,
        "field-class-alias" => {
            let name = text(value, "name").ok_or("alias has no name")?.to_owned();
            let class = class("field-class")?.ok_or("alias has no field class")?;
            aliases.insert(name, class);
        }
        "trace-class" => {
            metadata.packet_header = class("packet-header-field-class")?;
            read_environment(value, metadata);
        }
        "clock-class" => metadata.clocks.push(clock(value)?),
        "data-stream-class" => {
            let id = unsigned(value, "id").unwrap_or(0);
            if metadata.streams.iter().any(|known| known.id == id) {
                return Err(format!("data stream class {id} is declared twice"));
            }
            metadata.streams.push(StreamClass {
                id,
                clock: text(value, "default-clock-class-id").map(str::to_owned),
                packet_context: class("packet-context-field-class")?,
                event_header: class("event-record-header-field-class")?,
                event_context: class("event-record-common-context-field-class")?,
            });
        }
        "event-record-class" => metadata.events.push(EventRecordClass {
            id: unsigned(value, "id").unwrap_or(0),
            stream: Some(unsigned(value, "data-stream-class-id").unwrap_or(0)),
            name: text(value, "name").unwrap_or_default().to_owned(),
            context: class("specific-context-field-class")?,
            payload: class("payload-field-class")?,
        }),
        _ => return Err(format!("type {} is not known", crate::text::inert(kind))),
    }
    Ok(())
}

fn read_preamble(value: &Value, metadata: &mut Metadata) -> Result<(), String> {
    if value.get("version").and_then(Value::as_u64) != Some(2) {
        return Err("version is not 2".to_owned());
    }
    let bytes = value.get("uuid").and_then(Value::as_array);
    let bytes = bytes.map(|bytes| bytes.iter().filter_map(|byte| byte.as_u64()?.try_into().ok()).collect::<Vec<u8>>());
    metadata.uuid = bytes.and_then(|bytes| bytes.try_into().ok());
    Ok(())
}

fn read_environment(value: &Value, metadata: &mut Metadata) {
    for (name, value) in value.get("environment").and_then(Value::as_object).into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        metadata.env.push((name.clone(), text));
    }
}

fn clock(value: &Value) -> Result<ClockClass, String> {
    let frequency = unsigned(value, "frequency").filter(|&frequency| frequency > 0).ok_or("clock has no frequency")?;
    let name = text(value, "name").unwrap_or_default().to_owned();
    let id = text(value, "id").map_or_else(|| name.clone(), str::to_owned);
    let offset = value.get("offset-from-origin");
    let origin = value.get("origin");
    Ok(ClockClass {
        name: if name.is_empty() { id.clone() } else { name },
        id,
        frequency,
        offset_seconds: offset.and_then(|offset| offset.get("seconds")?.as_i64()).unwrap_or(0),
        offset_cycles: offset.and_then(|offset| offset.get("cycles")?.as_u64()).unwrap_or(0),
        is_unix_epoch: origin.and_then(Value::as_str) == Some("unix-epoch"),
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn unsigned(value: &Value, key: &str) -> Option<u64> {
    value.get(key)?.as_u64()
}
