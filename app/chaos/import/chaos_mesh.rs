//! Chaos Mesh: bare `NetworkChaos` and `HTTPChaos` objects of `chaos-mesh.org/v1alpha1`.
//!
//! Fields: those of the custom resource definitions of Chaos Mesh 2.x. What else it has (`Schedule`, `Workflow`, `StressChaos`, …) is
//! named and left out.

mod http;
mod network;

use std::collections::BTreeMap;

use riftline_queries::replay::fault::{Fault, Magnitude, Place, When};
use serde_json::{Map, Value};

use super::fields::{go_milliseconds, labels, name_unknown, shown, text};
use super::{At, Imported, Placed, Pods};

const OBJECT: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

pub fn is_of(document: &Value) -> bool {
    let is_one =
        |object: &Value| object["apiVersion"].as_str().is_some_and(|version| version.starts_with("chaos-mesh.org/"));
    is_one(document) || document["items"].as_array().is_some_and(|items| items.iter().any(is_one))
}

pub fn read(document: &Value, imported: &mut Imported) {
    match document["items"].as_array() {
        Some(items) => items.iter().for_each(|item| read_object(item, imported)),
        None => read_object(document, imported),
    }
}

fn read_object(object: &Value, imported: &mut Imported) {
    let (kind, name) = (text(object, "kind"), text(&object["metadata"], "name"));
    let place = format!("{kind} {name}");
    let (faults, known): (Vec<Fault>, &[&str]) = match kind.as_str() {
        "NetworkChaos" => (network::read(&object["spec"], &place, &mut imported.notes), &network::FIELDS),
        "HTTPChaos" => (http::read(&object["spec"], &place, &mut imported.notes), &http::FIELDS),
        "Schedule" | "Workflow" => {
            let note =
                format!("{place} was left out: take the NetworkChaos or HTTPChaos out of it, as an object of its own");
            return imported.notes.push(note);
        }
        _ => {
            return imported
                .notes
                .push(format!("{place} was left out: only NetworkChaos and HTTPChaos are taken over"));
        }
    };
    name_unknown(object, &OBJECT, &place, &mut imported.notes);
    name_unknown(&object["spec"], known, &place, &mut imported.notes);
    let pods = pods(object, &place, &mut imported.notes);
    let placed = |fault| Placed { name: name.clone(), fault, at: At::Pods(pods.clone()) };
    imported.faults.extend(faults.into_iter().map(placed));
}

/// Returns the pods that an object chooses.
fn pods(object: &Value, place: &str, notes: &mut Vec<String>) -> Pods {
    let spec = &object["spec"];
    let duration_s = spec["duration"].as_str().and_then(go_milliseconds).map(|ms| ms / 1_000.0);
    if duration_s.is_none() {
        notes.push(format!("{place}: it has no end; here faults end after 120 s if nothing else is said"));
    }
    if spec["mode"] == "all" {
        notes.push(format!("{place}: mode all becomes one: some pods stay as they are, to compare with"));
    }
    Pods {
        namespace: namespace(object, place, notes),
        labels: chosen(&spec["selector"], place, notes),
        peer: labels(&spec["target"]["selector"]["labelSelectors"]),
        port: spec["port"].as_u64().and_then(|port| u16::try_from(port).ok()),
        duration_s,
    }
}

fn namespace(object: &Value, place: &str, notes: &mut Vec<String>) -> String {
    let names = object["spec"]["selector"]["namespaces"].as_array().map_or(&[][..], Vec::as_slice);
    if names.len() > 1 {
        notes.push(format!("{place}: only the first of several namespaces was taken over"));
    }
    let named = names.first().and_then(Value::as_str);
    named.map_or_else(|| text(&object["metadata"], "namespace"), shown)
}

/// Returns the labels of a selector, which may choose in other ways too.
fn chosen(selector: &Value, place: &str, notes: &mut Vec<String>) -> BTreeMap<String, String> {
    let ways = selector.as_object().into_iter().flat_map(Map::keys);
    for lost in ways.filter(|way| *way != "namespaces" && *way != "labelSelectors") {
        notes.push(format!("{place}: selector `{}` was left out: pods are chosen by labels here", shown(lost)));
    }
    labels(&selector["labelSelectors"])
}

/// Returns a fault without parameters.
fn fault(kind: &str, place: Place) -> Fault {
    Fault { kind: kind.to_owned(), place, when: When::default(), magnitude: None, with: Map::new() }
}

/// Returns the time of a delay, where it can be read.
fn magnitude(latency: &Value, jitter: &Value) -> Option<Magnitude> {
    let ms = latency.as_str().and_then(go_milliseconds)?;
    Some(super::toxiproxy::magnitude(ms, jitter.as_str().and_then(go_milliseconds).unwrap_or(0.0)))
}
