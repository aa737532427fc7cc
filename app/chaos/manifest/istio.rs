//! Istio: one matched route in front of the others of a `VirtualService`.
//!
//! Fields and rules are those of `networking/v1alpha3/virtual_service.proto` and of the custom resource definition of `istio.io/api`
//! v1.31.1, version `networking.istio.io/v1`. Trace headers are taken out by `headers.request.remove`, which is no fault in Istio's
//! sense, so that timeouts and retries of the route stay as they are.

use riftline_queries::replay::fault::{Fault, Unit};
use serde_json::{Value, json};

use super::super::driver::Fidelity;
use super::{Manifest, ManifestError, Protocol, Shape, Target, fidelity, headers, unable};

/// Group and version of its objects.
pub const API_VERSION: &str = "networking.istio.io/v1";

/// Names of gRPC's statuses, by number: Istio wants the name.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Returns a patch that puts a route in front where a `VirtualService` is named, else a `VirtualService` of the run.
pub fn manifest(fault: &Fault, target: &Target) -> Result<Manifest, ManifestError> {
    let mut losses = Vec::new();
    let route = route(fault, target, &mut losses)?;
    losses.push(
        "Istio knows no end: the route stays until it is taken out, if need be by `riftline chaos recover`".to_owned(),
    );
    let fidelity = Fidelity { losses, refusal: None };
    Ok(match &target.virtual_service {
        Some(name) => patch(name, &route, fidelity),
        None => object(target, &route, fidelity),
    })
}

fn patch(name: &str, route: &Value, fidelity: Fidelity) -> Manifest {
    let body = json!([{"op": "add", "path": "/spec/http/0", "value": route}]);
    Manifest { body, shape: Shape::Patch { kind: "VirtualService".to_owned(), name: name.to_owned() }, fidelity }
}

fn object(target: &Target, route: &Value, mut fidelity: Fidelity) -> Manifest {
    fidelity
        .losses
        .push(format!("a VirtualService that routes `{}` already would be shadowed: name it then", target.host));
    let others = json!({"route": [{"destination": destination(target)}]});
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": "VirtualService",
        "metadata": target.metadata(),
        "spec": {"hosts": [target.host], "http": [route, others]},
    });
    Manifest { body, shape: Shape::Object, fidelity }
}

/// Returns the route that is hit, named `riftline-<run>`.
pub fn route(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    fidelity::refuse_counting(fault, "Istio")?;
    if target.protocol == Protocol::Tcp {
        return unable("Istio's faults are those of HTTP and gRPC: a TCP port needs the built-in proxy");
    }
    let mut route = json!({"name": target.name(), "match": [matching(fault, target)]});
    match fault.kind.as_str() {
        "latency" => route["fault"] = json!({"delay": delay(fault, target, losses)?}),
        "error" => route["fault"] = json!({"abort": error(fault, target, losses)?}),
        "context-drop" => return weighted(route, fault, target, &json!({"remove": headers::of(fault)?}), losses),
        "deadline-drop" => return weighted(route, fault, target, &json!({"remove": ["grpc-timeout"]}), losses),
        "context-corrupt" => {
            let values: serde_json::Map<String, Value> =
                headers::corrupted(fault)?.into_iter().map(|(name, value)| (name, json!(value))).collect();
            losses.push("every request gets the same broken context, also those that had none".to_owned());
            return weighted(route, fault, target, &json!({"set": values}), losses);
        }
        other => return unable(format!("Istio cannot do `{other}`: {}", why_not(other))),
    }
    route["route"] = json!([{"destination": destination(target)}]);
    Ok(route)
}

fn why_not(kind: &str) -> &'static str {
    match kind {
        "hang" => "it suspends timeouts while a fault is set, and delays have an end",
        "abort" => "it answers with a status and does not cut connections; the nearest is `error` with 503",
        kind if kind.starts_with("context-") => "it writes constants, it cannot use what is there",
        _ => "it has nothing like that; the built-in proxy may",
    }
}

fn delay(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    suspends(target, losses)?;
    lose_unit(fault, losses);
    let ms = fidelity::fixed(fidelity::magnitude(fault)?, losses);
    Ok(json!({"percentage": {"value": fidelity::percent(fault)}, "fixedDelay": format!("{:.3}s", ms / 1_000.0)}))
}

fn error(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    suspends(target, losses)?;
    lose_unit(fault, losses);
    for lost in ["body", "message", "retry_after_s"].iter().filter(|lost| fault.with.contains_key(**lost)) {
        losses.push(format!("`{lost}` is lost: the answer has only a status"));
    }
    let (name, status) = match fault.with.get("grpc_status") {
        Some(status) => ("grpcStatus", grpc_status(status, fault)?),
        None => ("httpStatus", http_status(fault)?),
    };
    Ok(json!({"percentage": {"value": fidelity::percent(fault)}, name: status}))
}

fn grpc_status(status: &Value, fault: &Fault) -> Result<Value, ManifestError> {
    let name = status.as_u64().and_then(|number| GRPC.get(usize::try_from(number).ok()?));
    name.map(|name| json!(name)).ok_or_else(|| senseless(fault, format!("{status} is no gRPC status: 0 to 16")))
}

fn http_status(fault: &Fault) -> Result<Value, ManifestError> {
    let status = fault.with.get("status").and_then(Value::as_u64).unwrap_or(503);
    let is_answer = (200..=599).contains(&status);
    if is_answer { Ok(json!(status)) } else { Err(senseless(fault, format!("{status} is no status to answer with"))) }
}

fn senseless(fault: &Fault, problem: String) -> ManifestError {
    ManifestError::Fault { kind: fault.kind.clone(), problem }
}

/// While a fault is set on a route, its timeouts and retries do nothing (comment on `HTTPRoute.fault`).
fn suspends(target: &Target, losses: &mut Vec<String>) -> Result<(), ManifestError> {
    if target.about_timeouts {
        return unable(
            "Istio suspends timeouts and retries of a route while a fault is set on it: use the built-in proxy for this experiment",
        );
    }
    losses.push("timeouts and retries that Istio makes for this route are suspended meanwhile".to_owned());
    Ok(())
}

fn lose_unit(fault: &Fault, losses: &mut Vec<String>) {
    if fault.when.unit == Unit::Connection && fault.when.share < 1.0 {
        losses.push(format!("{} become as many of requests", fidelity::share(fault)));
    }
}

/// Returns `route` with header operations on its share of requests; the others go the same way unchanged.
fn weighted(
    mut route: Value,
    fault: &Fault,
    target: &Target,
    operations: &Value,
    losses: &mut Vec<String>,
) -> Result<Value, ManifestError> {
    lose_unit(fault, losses);
    losses.push("a sidecar that traces may write a context of its own after this".to_owned());
    let weight = weight(fault, losses)?;
    let hit = json!({"destination": destination(target), "weight": weight, "headers": {"request": operations}});
    let others = json!({"destination": destination(target), "weight": 100 - weight});
    route["route"] = if weight < 100 { json!([hit, others]) } else { json!([hit]) };
    Ok(route)
}

/// Returns the share as a weight of 100.
fn weight(fault: &Fault, losses: &mut Vec<String>) -> Result<u64, ManifestError> {
    let (percent, weight) = (fidelity::percent(fault), fidelity::percent(fault).round());
    if weight <= 0.0 {
        return unable("Istio weighs routes by whole percents: below 0.5 % nothing would be hit");
    }
    if (weight - percent).abs() > 0.001 {
        losses.push(format!("{} become {weight:.0} %", fidelity::share(fault)));
    }
    Ok(weight as u64)
}

fn destination(target: &Target) -> Value {
    json!({"host": target.host, "port": {"number": target.port}})
}

/// Returns the condition on requests: all parts of it must hold.
fn matching(fault: &Fault, target: &Target) -> Value {
    let mut matching = json!({"name": target.name()});
    if let Some(mark) = target.mark(fault) {
        let pattern = format!("(.*,)?\\s*riftline={}\\s*(,.*)?", regex::escape(mark));
        matching["headers"] = json!({"tracestate": {"regex": pattern}});
    }
    if let Some(method) = &fault.when.method {
        matching["method"] = json!({"exact": method.to_uppercase()});
    }
    if let Some(path) = &fault.when.path {
        matching["uri"] = json!({"regex": path_pattern(path)});
    }
    if !target.client.is_empty() {
        matching["sourceLabels"] = json!(target.client);
    }
    matching
}

/// Returns the RE2 pattern of a path template, which has to fit the whole path with its query.
fn path_pattern(path: &str) -> String {
    let part = |segment: &str| match segment {
        "*" => ".*".to_owned(),
        segment if segment.starts_with('{') => "[^/?]+".to_owned(),
        segment => regex::escape(segment),
    };
    let parts: Vec<String> = path.split('/').map(part).collect();
    format!("{}(\\?.*)?", parts.join("/"))
}
