//! `HTTPChaos`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use riftline_queries::replay::fault::{Fault, Place, When};
use serde_json::{Value, json};

use super::super::fields::{labels, name_unknown, text};
use super::{fault, magnitude};

pub const FIELDS: [&str; 17] = [
    "mode",
    "value",
    "selector",
    "duration",
    "target",
    "port",
    "path",
    "method",
    "code",
    "request_headers",
    "response_headers",
    "abort",
    "delay",
    "replace",
    "patch",
    "tls",
    "remoteCluster",
];

/// Returns the faults of a spec, in the order in which Chaos Mesh applies them.
pub fn read(spec: &Value, place: &str, notes: &mut Vec<String>) -> Vec<Fault> {
    let when = when(spec, place, notes);
    let side = if spec["target"] == "Response" { Place::Response } else { Place::Request };
    let mut faults = Vec::new();
    if spec["abort"] == true {
        let cut = if side == Place::Response { "headers" } else { "before" };
        faults.push(with(fault("abort", side), json!({"where": cut, "how": "close"})));
    }
    if let Some(magnitude) = magnitude(&spec["delay"], &Value::Null) {
        faults.push(Fault { magnitude: Some(magnitude), ..fault("latency", side) });
    }
    faults.extend(replaced(&spec["replace"], side, place, notes));
    if !spec["patch"].is_null() {
        notes.push(format!("{place}: `patch` was left out: nothing is added to requests or answers here"));
    }
    if faults.is_empty() {
        notes.push(format!("{place}: nothing of it can be taken over"));
    }
    faults.into_iter().map(|fault| Fault { when: when.clone(), ..fault }).collect()
}

fn when(spec: &Value, place: &str, notes: &mut Vec<String>) -> When {
    for lost in ["code", "response_headers", "tls", "remoteCluster"] {
        if !spec[lost].is_null() {
            notes.push(format!("{place}: `{lost}` was left out"));
        }
    }
    let mut mark = None;
    for (name, value) in labels(&spec["request_headers"]) {
        match value.strip_prefix("riftline=").filter(|_| name.eq_ignore_ascii_case("tracestate")) {
            Some(found) => mark = Some(found.to_owned()),
            None => notes.push(format!(
                "{place}: the condition on header `{}` was left out",
                super::super::fields::shown(&name)
            )),
        }
    }
    let optional = |field: &str| Some(text(spec, field)).filter(|text| !text.is_empty());
    let path = optional("path").filter(|path| path != "*").and_then(|path| template(&path, place, notes));
    When { method: optional("method"), path, mark, ..When::default() }
}

/// Returns a path with `*` as a template; one that stands for a part of a segment cannot be one.
fn template(path: &str, place: &str, notes: &mut Vec<String>) -> Option<String> {
    let segments: Vec<&str> = path.split('/').collect();
    let last = segments.len().saturating_sub(1);
    let is_whole = |segment: &&str| !segment.contains(['*', '?']) || *segment == "*";
    if !segments.iter().all(is_whole) {
        notes.push(format!("{place}: path `{path}` was left out: `*` can only stand for whole segments here"));
        return None;
    }
    let named = |(at, segment): (usize, &&str)| {
        if *segment == "*" && at < last { "{any}".to_owned() } else { (*segment).to_owned() }
    };
    Some(segments.iter().enumerate().map(named).collect::<Vec<_>>().join("/"))
}

fn replaced(replace: &Value, side: Place, place: &str, notes: &mut Vec<String>) -> Vec<Fault> {
    name_unknown(replace, &["path", "method", "code", "body", "queries", "headers"], place, notes);
    for lost in ["path", "method", "queries"] {
        if !replace[lost].is_null() {
            notes.push(format!("{place}: `replace.{lost}` was left out: requests keep what they ask for here"));
        }
    }
    let mut faults = Vec::new();
    if let Some(status) = replace["code"].as_u64() {
        let mut parameters = json!({"status": status});
        if let Some(body) = body(&replace["body"]) {
            parameters["body"] = json!(body);
        }
        faults.push(with(fault("error", Place::Response), parameters));
    } else if !replace["body"].is_null() {
        notes.push(format!("{place}: `replace.body` without `replace.code` was left out"));
    }
    faults.extend(headers(&replace["headers"], side));
    faults
}

fn body(value: &Value) -> Option<String> {
    String::from_utf8(STANDARD.decode(value.as_str()?).ok()?).ok()
}

/// Emptied headers are dropped ones; headers with another value are corrupt ones.
fn headers(headers: &Value, side: Place) -> Vec<Fault> {
    let (empty, other): (Vec<_>, Vec<_>) = labels(headers).into_iter().partition(|(_, value)| value.is_empty());
    let names =
        |pairs: Vec<(String, String)>| pairs.into_iter().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>();
    let (empty, other) = (names(empty), names(other));
    let mut faults = Vec::new();
    if !empty.is_empty() {
        faults.push(with(fault("context-drop", side), json!({"headers": empty})));
    }
    if !other.is_empty() {
        faults.push(with(fault("context-corrupt", side), json!({"how": "garbage", "headers": other})));
    }
    faults
}

fn with(mut fault: Fault, parameters: Value) -> Fault {
    if let Value::Object(parameters) = parameters {
        fault.with = parameters;
    }
    fault
}
