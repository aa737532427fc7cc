//! What the published definitions say of the objects, written down by hand from `chaos-mesh.org_{networkchaos,httpchaos}.yaml` and
//! `litmuschaos.io_chaosengines.yaml`, and from the `VirtualService` of `istio.io/api` v1.31.1: fields, types, what is required, and
//! the choices. Unknown fields are mistakes, as with `fieldValidation=Strict`.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use super::super::{Manifest, Shape};

/// Returns the kind of the object that a manifest makes or changes.
pub fn kind(manifest: &Manifest) -> &str {
    match &manifest.shape {
        Shape::Object => manifest.body["kind"].as_str().unwrap(),
        Shape::Patch { kind, .. } => kind,
    }
}

/// Returns the object of a manifest; of a patch, an object with its values.
pub fn whole(manifest: &Manifest) -> Value {
    match &manifest.shape {
        Shape::Object => manifest.body.clone(),
        Shape::Patch { .. } => {
            json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {},
                "spec": {"hosts": ["payments"], "http": [manifest.body[0]["value"]]}})
        }
    }
}

/// Returns what is wrong with the object of a manifest, by its hand-written schema.
pub fn mistakes(manifest: &Manifest) -> Vec<String> {
    of_object(&whole(manifest))
}

/// Returns what is wrong with an object, by its hand-written schema.
pub fn of_object(object: &Value) -> Vec<String> {
    let (api_version, spec) = match object["kind"].as_str().unwrap_or_default() {
        "NetworkChaos" => ("chaos-mesh.org/v1alpha1", network_chaos()),
        "HTTPChaos" => ("chaos-mesh.org/v1alpha1", http_chaos()),
        "VirtualService" => ("networking.istio.io/v1", virtual_service()),
        "ChaosEngine" => ("litmuschaos.io/v1alpha1", chaos_engine()),
        other => return vec![format!("kind {other}")],
    };
    let mut wrong = against(object, &object_of(api_version, &spec));
    wrong.extend(rules(object));
    wrong
}

/// What webhooks of Chaos Mesh and the designs ask for beyond the types.
fn rules(object: &Value) -> Vec<String> {
    let spec = &object["spec"];
    let mut wrong = Vec::new();
    if object["apiVersion"] == "chaos-mesh.org/v1alpha1" {
        // Chaos Mesh goes on until it is told otherwise where no duration is given.
        wrong.extend(["duration"].iter().filter(|name| spec[**name].is_null()).map(|name| format!("no {name}")));
        let is_percent = spec["mode"] == "fixed-percent" || spec["mode"] == "fixed";
        let value = spec["value"].as_str().and_then(|value| value.parse::<u32>().ok());
        if is_percent && !value.is_some_and(|value| (1..=100).contains(&value)) {
            wrong.push("mode without a value".to_owned());
        }
        if spec["direction"] != "to" && object["kind"] == "NetworkChaos" {
            wrong.push("direction other than `to` needs a target".to_owned());
        }
        let durations = [&spec["duration"], &spec["delay"], &spec["delay"]["latency"], &spec["delay"]["jitter"]];
        for text in durations.iter().filter_map(|value| value.as_str()) {
            let digits = text.trim_end_matches("ms").trim_end_matches('s');
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                wrong.push(format!("`{text}` is no duration"));
            }
        }
    }
    wrong
}

/// Returns the schemas of the definitions (version first served) in the YAML files of a folder, by kind.
pub fn definitions(folder: &Path) -> HashMap<String, Value> {
    let mut found = HashMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for document in text.split("\n---") {
            let Ok(document) = serde_norway::from_str::<Value>(document) else { continue };
            if let Some(kind) = document["spec"]["names"]["kind"].as_str() {
                found.insert(kind.to_owned(), document["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone());
            }
        }
    }
    found
}

/// Returns where `value` does not keep to `schema`, a part of `OpenAPI` 3 as custom resource definitions use it.
pub fn against(value: &Value, schema: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    look("", value, schema, &mut wrong);
    wrong
}

fn look(path: &str, value: &Value, schema: &Value, wrong: &mut Vec<String>) {
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        wrong.push(format!("{path}: {value} is none of {choices:?}"));
    }
    if let Some(least) = schema["minimum"].as_f64()
        && value.as_f64().is_some_and(|value| value < least)
    {
        wrong.push(format!("{path}: {value} is below {least}"));
    }
    let is_type = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !is_type {
        wrong.push(format!("{path}: {value} is no {}", schema["type"]));
    }
    look_inside(path, value, schema, wrong);
}

fn look_inside(path: &str, value: &Value, schema: &Value, wrong: &mut Vec<String>) {
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(required).is_none() {
            wrong.push(format!("{path}: {required} is missing"));
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        look(&format!("{path}[{index}]"), item, &schema["items"], wrong);
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        match (schema["properties"].get(name), schema.get("additionalProperties")) {
            (Some(known), _) | (None, Some(known)) => look(&path, field, known, wrong),
            (None, None) if path == ".metadata" || schema["properties"].is_null() => {}
            (None, None) => wrong.push(format!("{path}: unknown")),
        }
    }
}

fn object_of(api_version: &str, spec: &Value) -> Value {
    json!({"type": "object", "required": ["apiVersion", "kind", "metadata", "spec"], "properties": {
        "apiVersion": {"type": "string", "enum": [api_version]},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": spec,
    }})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    json!({"type": "object", "additionalProperties": {"type": "string"}})
}

fn list(of: &Value) -> Value {
    json!({"type": "array", "items": of})
}

/// `PodSelectorSpec`
fn selector() -> Value {
    json!({"type": "object", "properties": {
        "namespaces": list(&text()), "nodes": list(&text()), "podPhaseSelectors": list(&text()),
        "labelSelectors": texts(), "annotationSelectors": texts(), "fieldSelectors": texts(), "nodeSelectors": texts(),
        "pods": {"type": "object", "additionalProperties": list(&text())},
    }})
}

fn mode() -> Value {
    json!({"type": "string", "enum": ["one", "all", "fixed", "fixed-percent", "random-max-percent"]})
}

fn network_chaos() -> Value {
    json!({"type": "object", "required": ["action", "mode", "selector"], "properties": {
        "action": {"type": "string", "enum": ["netem", "delay", "loss", "duplicate", "corrupt", "partition", "bandwidth"]},
        "mode": mode(), "value": text(), "selector": selector(), "duration": text(),
        "direction": {"type": "string", "enum": ["to", "from", "both", ""]},
        "target": {"type": "object", "required": ["mode", "selector"], "properties": {
            "mode": mode(), "value": text(), "selector": selector()}},
        "externalTargets": list(&text()), "device": text(), "targetDevice": text(),
        "delay": {"type": "object", "required": ["latency"], "properties": {
            "latency": text(), "jitter": text(), "correlation": text(), "reorder": {"type": "object"}}},
        "loss": {"type": "object", "required": ["loss"], "properties": {"loss": text(), "correlation": text()}},
        "bandwidth": {"type": "object", "required": ["buffer", "limit", "rate"], "properties": {
            "rate": text(),
            "limit": {"type": "integer", "minimum": 1}, "buffer": {"type": "integer", "minimum": 1},
            "peakrate": {"type": "integer", "minimum": 0}, "minburst": {"type": "integer", "minimum": 0}}},
    }})
}

fn http_chaos() -> Value {
    json!({"type": "object", "required": ["mode", "selector", "target"], "properties": {
        "mode": mode(), "value": text(), "selector": selector(), "duration": text(),
        "target": {"type": "string", "enum": ["Request", "Response"]},
        "port": {"type": "integer", "minimum": 1}, "path": text(), "method": text(), "code": {"type": "integer"},
        "request_headers": texts(), "response_headers": texts(),
        "abort": {"type": "boolean"}, "delay": text(),
        "replace": {"type": "object", "properties": {
            "path": text(), "method": text(), "code": {"type": "integer"}, "body": text(), "queries": texts(), "headers": texts()}},
        "patch": {"type": "object", "properties": {
            "headers": list(&list(&text())), "queries": list(&list(&text())),
            "body": {"type": "object", "required": ["type", "value"], "properties": {"type": text(), "value": text()}}}},
        "tls": {"type": "object"},
    }})
}

fn virtual_service() -> Value {
    let pattern = json!({"type": "object", "properties": {"exact": text(), "prefix": text(), "regex": text()}});
    let percentage = json!({"type": "object", "properties": {"value": {"type": "number"}}});
    let operations = json!({"type": "object", "properties": {"add": texts(), "set": texts(), "remove": list(&text())}});
    let headers = json!({"type": "object", "properties": {"request": operations, "response": operations}});
    let destination = json!({"type": "object", "required": ["host"], "properties": {
        "host": text(), "subset": text(), "port": {"type": "object", "properties": {"number": {"type": "integer"}}}}});
    json!({"type": "object", "properties": {
        "hosts": list(&text()), "gateways": list(&text()), "exportTo": list(&text()),
        "http": list(&json!({"type": "object", "properties": {
            "name": text(),
            "match": list(&json!({"type": "object", "properties": {
                "name": text(), "uri": pattern, "method": pattern, "port": {"type": "integer"},
                "headers": {"type": "object", "additionalProperties": pattern}, "sourceLabels": texts()}})),
            "route": list(&json!({"type": "object", "required": ["destination"], "properties": {
                "destination": destination, "weight": {"type": "integer"}, "headers": headers}})),
            "headers": headers, "timeout": text(), "retries": {"type": "object"},
            "fault": {"type": "object", "properties": {
                "delay": {"type": "object", "properties": {"percentage": percentage, "fixedDelay": text()}},
                "abort": {"type": "object", "properties": {
                    "percentage": percentage, "httpStatus": {"type": "integer"}, "grpcStatus": text()}}}},
        }})),
    }})
}

fn chaos_engine() -> Value {
    let env = list(&json!({"type": "object", "required": ["name"], "properties": {"name": text(), "value": text()}}));
    let spec = json!({"type": "object", "required": ["rank"], "properties": {
        "rank": {"type": "integer"}, "components": {"type": "object", "properties": {"env": env}}, "probe": {"type": "array"}}});
    json!({"type": "object", "required": ["chaosServiceAccount", "components", "engineState", "experiments"], "properties": {
        "engineState": {"type": "string", "enum": ["active", "stop"]},
        "appinfo": {"type": "object", "properties": {
            "appns": text(), "applabel": text(),
            "appkind": {"type": "string", "enum": ["", "deployment", "statefulset", "daemonset", "deploymentconfig", "rollout"]}}},
        "chaosServiceAccount": text(),
        "jobCleanUpPolicy": {"type": "string", "enum": ["delete", "retain"]},
        "components": {"type": "object", "properties": {"runner": {"type": "object"}}},
        "experiments": list(&json!({"type": "object", "required": ["name", "spec"], "properties": {
            "name": {"type": "string", "enum": [
                "pod-http-latency", "pod-http-status-code", "pod-http-reset-peer", "pod-http-modify-header",
                "pod-network-latency", "pod-network-loss"]},
            "spec": spec}})),
    }})
}
