//! `HTTPChaos`: a transparent proxy in front of the port of a pod.
//!
//! How it chooses and changes requests is said by `handler.rs` of `chaos-tproxy`: paths by wildcards, without their query; headers by
//! one line of the same name and exactly this value; headers that are replaced are added where there are none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use riftline_queries::replay::fault::{Fault, Place};
use serde_json::{Map, Value, json};

use super::super::{ManifestError, Protocol, Target, fidelity, headers, unable};
use super::{go_duration, pods, select, with};

/// Methods that the webhook lets pass.
const METHODS: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"];

/// Delays requests or answers.
pub fn latency(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    let ms = fidelity::fixed(fidelity::magnitude(fault)?, losses);
    let spec = requests(fault, target, losses)?;
    Ok(with(spec, json!({"target": side(fault.place), "delay": go_duration(ms)})))
}

/// Replaces the answer of the server by another one.
pub fn error(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    if fault.with.contains_key("grpc_status") {
        return unable("HTTPChaos does not speak gRPC: a `grpc_status` needs Istio or the built-in proxy");
    }
    let status = fault.with.get("status").and_then(Value::as_u64).unwrap_or(503);
    if !(100..=599).contains(&status) {
        return Err(ManifestError::Fault { kind: fault.kind.clone(), problem: format!("{status} is no HTTP status") });
    }
    losses.push("the server does the work before its answer is replaced".to_owned());
    let mut spec = with(requests(fault, target, losses)?, json!({"target": "Response", "replace": {"code": status}}));
    if let Some(body) = fault.with.get("body").and_then(Value::as_str) {
        spec["replace"]["body"] = json!(STANDARD.encode(body));
    }
    if let Some(seconds) = fault.with.get("retry_after_s").and_then(Value::as_u64) {
        spec["patch"] = json!({"headers": [["retry-after", seconds.to_string()]]});
    }
    Ok(spec)
}

/// Cuts the connection.
pub fn abort(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    let place = match fault.with.get("where").and_then(Value::as_str) {
        None | Some("before") => Place::Request,
        Some("headers") => Place::Response,
        Some(_) => {
            losses.push("the connection is cut before the answer's head, not in its body".to_owned());
            Place::Response
        }
    };
    losses.push("whether callers see a reset or an end of the stream is not theirs to say".to_owned());
    Ok(with(requests(fault, target, losses)?, json!({"target": side(place), "abort": true})))
}

/// Empties trace headers; taking them out is not possible.
pub fn context_drop(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    losses.push("headers become empty instead of going away, and are there where there were none".to_owned());
    let empty = headers::of(fault)?.into_iter().map(|name| (name, String::new())).collect();
    replaced(fault, target, empty, losses)
}

/// Writes a broken context over the one of the request.
pub fn context_corrupt(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    losses.push("every request gets the same broken context, also those that had none".to_owned());
    replaced(fault, target, headers::corrupted(fault)?, losses)
}

fn replaced(
    fault: &Fault,
    target: &Target,
    headers: Vec<(String, String)>,
    losses: &mut Vec<String>,
) -> Result<Value, ManifestError> {
    let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name, json!(value))).collect();
    let spec = requests(fault, target, losses)?;
    Ok(with(spec, json!({"target": side(fault.place), "replace": {"headers": headers}})))
}

/// Selects the requests that are meant.
fn requests(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    if target.protocol != Protocol::Http {
        return unable("HTTPChaos speaks HTTP/1 only: this fault needs Istio or the built-in proxy");
    }
    losses.push("connections that were open before are not seen: callers must open new ones".to_owned());
    losses.push(format!("calls that these pods make themselves to port {} are hit too", target.port));
    fidelity::lose_share(fault, &format!("all of them at {}", pods(target)), losses);
    if !target.client.is_empty() {
        losses.push("callers cannot be told apart by their labels: all callers of the port are hit".to_owned());
    }
    let spec = with(select(target, &target.labels), json!({"port": target.port}));
    Ok(with(spec, conditions(fault, target, losses)?))
}

/// Returns which requests of the port are meant.
fn conditions(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    let mut conditions = json!({});
    if let Some(method) = &fault.when.method {
        conditions["method"] = json!(known(method, fault)?);
    }
    if let Some(path) = &fault.when.path {
        conditions["path"] = json!(wildcards(path, losses));
        if fault.place == Place::Response {
            losses.push("answers to other paths were seen to be hit too (chaos-mesh issue 4453)".to_owned());
        }
    }
    if let Some(mark) = target.mark(fault) {
        conditions["request_headers"] = json!({"tracestate": format!("riftline={mark}")});
        losses.push("the mark is found only where it stands alone in `tracestate`".to_owned());
    }
    Ok(conditions)
}

/// Returns the method as the webhook wants it.
fn known(method: &str, fault: &Fault) -> Result<String, ManifestError> {
    let method = method.to_uppercase();
    if METHODS.contains(&method.as_str()) {
        return Ok(method);
    }
    let problem = format!("`{method}` is none of {}", METHODS.join(", "));
    Err(ManifestError::Fault { kind: fault.kind.clone(), problem })
}

/// Returns a path template with `*` in place of each `{…}`.
fn wildcards(path: &str, losses: &mut Vec<String>) -> String {
    let segments: Vec<&str> =
        path.split('/').map(|segment| if segment.starts_with('{') { "*" } else { segment }).collect();
    let pattern = segments.join("/");
    if pattern != path {
        losses.push(format!("`{pattern}` also fits paths with more segments than `{path}`"));
    }
    pattern
}

fn side(place: Place) -> &'static str {
    match place {
        Place::Response => "Response",
        Place::Request | Place::Connection => "Request",
    }
}
