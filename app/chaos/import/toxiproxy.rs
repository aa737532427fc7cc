//! Toxiproxy: `config.json` (an array of proxies), or what its `GET /proxies` answers (proxies by name, with their toxics).
//!
//! Fields: `README.md` of Toxiproxy 2.12, "Populating Toxiproxy" and "Toxics".

use riftline_queries::replay::fault::{Fault, Magnitude, Place, Unit, When};
use serde_json::{Map, Value, json};

use super::fields::{name_unknown, number, text};
use super::{At, Imported, Link, Placed};

const PROXY: [&str; 5] = ["name", "listen", "upstream", "enabled", "toxics"];
const TOXIC: [&str; 5] = ["name", "type", "stream", "toxicity", "attributes"];
/// Attributes of each type of toxic.
const ATTRIBUTES: [(&str, &[&str]); 7] = [
    ("latency", &["latency", "jitter"]),
    ("bandwidth", &["rate"]),
    ("slow_close", &["delay"]),
    ("timeout", &["timeout"]),
    ("reset_peer", &["timeout"]),
    ("slicer", &["average_size", "size_variation", "delay"]),
    ("limit_data", &["bytes"]),
];

/// Attributes that a fault here does not have, by the fault, and what is so instead.
const LOST: [(&str, &str, &str); 2] =
    [("abort", "timeout", "connections are reset at once"), ("drip", "size_variation", "all slices are as large")];

pub fn is_of(document: &Value) -> bool {
    let is_proxy = |proxy: &Value| proxy["listen"].is_string() || proxy["upstream"].is_string();
    proxies(document).next().is_some() && proxies(document).all(is_proxy)
}

/// Returns the proxies of an array or of a map by name.
fn proxies(document: &Value) -> impl Iterator<Item = &Value> {
    let in_array = document.as_array().into_iter().flatten();
    in_array.chain(document.as_object().into_iter().flat_map(Map::values))
}

pub fn read(document: &Value, imported: &mut Imported) {
    for proxy in proxies(document) {
        let name = text(proxy, "name");
        name_unknown(proxy, &PROXY, &format!("proxy {name}"), &mut imported.notes);
        let enabled = proxy["enabled"].as_bool().unwrap_or(true);
        let link =
            Link { name: name.clone(), listen: text(proxy, "listen"), upstream: text(proxy, "upstream"), enabled };
        if !enabled {
            imported.notes.push(format!("proxy {name}: it is disabled; here connections are cut instead of refused"));
            let down = fault("abort", json!({"where": "before", "how": "reset"}), When::default());
            imported.faults.push(Placed { name: format!("{name}_down"), fault: down, at: At::Link(name.clone()) });
        }
        imported.links.push(link);
        for toxic in proxy["toxics"].as_array().into_iter().flatten() {
            read_toxic(toxic, &name, imported);
        }
    }
}

fn read_toxic(toxic: &Value, link: &str, imported: &mut Imported) {
    let (kind, name) = (text(toxic, "type"), text(toxic, "name"));
    let place = format!("toxic {name} of proxy {link}");
    name_unknown(toxic, &TOXIC, &place, &mut imported.notes);
    if let Some((_, known)) = ATTRIBUTES.iter().find(|(known, _)| *known == kind) {
        name_unknown(&toxic["attributes"], known, &place, &mut imported.notes);
    }
    let share = number(&toxic["toxicity"]).unwrap_or(1.0).clamp(0.0, 1.0);
    let when = When { share, unit: Unit::Connection, ..When::default() };
    match translate(&kind, &toxic["attributes"], when, &mut imported.notes, &place) {
        Some(fault) => {
            // Faults of connections here are in the way of both directions.
            if toxic["stream"] == "upstream" {
                imported.notes.push(format!("{place}: `stream: upstream` is lost"));
            }
            imported.faults.push(Placed { name, fault, at: At::Link(link.to_owned()) });
        }
        None => imported.notes.push(format!("{place}: type `{kind}` was left out, there is no such fault here")),
    }
}

/// Returns the fault that a toxic is here.
fn translate(kind: &str, attributes: &Value, when: When, notes: &mut Vec<String>, place: &str) -> Option<Fault> {
    let value = |name: &str| number(&attributes[name]).unwrap_or(0.0).max(0.0);
    let whole = |name: &str| value(name).round() as u64;
    let (kind, with) = match kind {
        "latency" => ("latency", json!({})),
        "bandwidth" => ("bandwidth", json!({"kb_per_s": value("rate")})),
        "timeout" if whole("timeout") == 0 => ("hang", json!({})),
        "timeout" => ("hang", json!({"release_ms": whole("timeout")})),
        "reset_peer" => ("abort", json!({"where": "before", "how": "reset"})),
        // Toxiproxy counts microseconds here.
        "slicer" => ("drip", json!({"bytes": whole("average_size").max(1), "every_ms": value("delay") / 1_000.0})),
        "limit_data" => ("truncate", json!({"bytes": whole("bytes")})),
        _ => return None,
    };
    for (of, lost, instead) in LOST {
        if of == kind && whole(lost) > 0 {
            notes.push(format!("{place}: `{lost}` is lost, {instead}"));
        }
    }
    let magnitude = (kind == "latency").then(|| magnitude(value("latency"), value("jitter")));
    Some(Fault { magnitude, ..fault(kind, with, when) })
}

/// Returns the time of a toxic: its jitter is even on both sides.
pub fn magnitude(ms: f64, jitter_ms: f64) -> Magnitude {
    if jitter_ms > 0.0 {
        Magnitude::Uniform { low_ms: (ms - jitter_ms).max(0.0), high_ms: ms + jitter_ms }
    } else {
        Magnitude::Fixed { ms }
    }
}

/// Returns a fault of connections.
fn fault(kind: &str, with: Value, when: When) -> Fault {
    let with = if let Value::Object(with) = with { with } else { Map::new() };
    Fault { kind: kind.to_owned(), place: Place::Connection, when, magnitude: None, with }
}
