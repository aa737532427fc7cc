//! JSON objects that a script prints with `printf`.

use serde_json::Value as Json;

use crate::bpf::printf::{UNNAMED, is_name, key_stamp, pair};
use crate::clock::WRITTEN;
use crate::kernel::flow::Flow;
use crate::kernel::out::{Out, Stamp};
use crate::kernel::value::Value;

/// Appends an object that a script prints.
pub(super) fn line(
    out: &mut Out,
    members: &serde_json::Map<String, Json>,
    leading: Option<Stamp>,
    block: Option<Stamp>,
) -> Option<Stamp> {
    const NAMES: [&str; 6] = ["event", "ev", "type", "name", "probe", "kind"];
    let texts: Vec<(&str, String)> = members.iter().map(|(key, value)| (key.as_str(), printed(value))).collect();
    let own = leading.or_else(|| texts.iter().find_map(|(key, text)| key_stamp(key, text))).or(block);
    let stamp = own.unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
    let named = NAMES.iter().find_map(|name| members.get(*name)?.as_str()).filter(|name| is_name(name));
    let name = named.unwrap_or(UNNAMED);
    let mut flow = Flow::default();
    let mut row = out.event(name, stamp)?;
    for ((key, text), value) in texts.iter().zip(members.values()) {
        match value {
            Json::Number(_) | Json::String(_) => pair(&mut row, &mut flow, key, text),
            Json::Bool(value) => row.field(key, Value::Bool(*value)),
            Json::Null => {}
            _ => row.field(key, Value::Json(text)),
        }
    }
    let time_ns = out.time(stamp);
    flow.commit(out, name, time_ns);
    own
}

fn printed(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
