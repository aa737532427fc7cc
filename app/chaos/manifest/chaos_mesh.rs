//! Chaos Mesh: `NetworkChaos` for packets, `HTTPChaos` for requests of HTTP/1.
//!
//! Fields and rules are those of `api/v1alpha1` of Chaos Mesh 2.x: `networkchaos_types.go`, `httpchaos_types.go`,
//! `podhttpchaos_types.go`, their webhooks, and `config/crd/bases/chaos-mesh.org_{networkchaos,httpchaos}.yaml`. How a delay varies
//! is said in `docs/simulate-network-chaos-on-kubernetes.md` of its web site: evenly, within the jitter.

mod http;
mod network;

use std::collections::BTreeMap;

use riftline_queries::replay::fault::{Fault, Place};
use serde_json::{Value, json};

use super::super::driver::Fidelity;
use super::{Manifest, ManifestError, Pods, Protocol, Shape, Target, fidelity, unable};

/// Group and version of its objects.
pub const API_VERSION: &str = "chaos-mesh.org/v1alpha1";

/// Returns the object of `fault`: an `HTTPChaos` where single requests are meant, else a `NetworkChaos`.
pub fn manifest(fault: &Fault, target: &Target) -> Result<Manifest, ManifestError> {
    fidelity::refuse_counting(fault, "Chaos Mesh")?;
    let mut losses = Vec::new();
    let (kind, spec) = match fault.kind.as_str() {
        "latency" if by_request(fault, target) => ("HTTPChaos", http::latency(fault, target, &mut losses)?),
        "latency" => ("NetworkChaos", network::latency(fault, target, &mut losses)?),
        "error" => ("HTTPChaos", http::error(fault, target, &mut losses)?),
        "abort" => ("HTTPChaos", http::abort(fault, target, &mut losses)?),
        "context-drop" => ("HTTPChaos", http::context_drop(fault, target, &mut losses)?),
        "context-corrupt" => ("HTTPChaos", http::context_corrupt(fault, target, &mut losses)?),
        "hang" => ("NetworkChaos", network::hang(fault, target, &mut losses)),
        "bandwidth" => ("NetworkChaos", network::bandwidth(fault, target, &mut losses)?),
        other => return unable(format!("Chaos Mesh cannot do `{other}`: {}", why_not(other))),
    };
    Ok(object(kind, &spec, target, losses))
}

/// Delays of requests can be put on single requests only where the protocol is HTTP/1.
fn by_request(fault: &Fault, target: &Target) -> bool {
    fault.place != Place::Connection && target.protocol == Protocol::Http
}

fn why_not(kind: &str) -> &'static str {
    match kind {
        "deadline-drop" => "it does not speak gRPC",
        kind if kind.starts_with("context-") => {
            "HTTPChaos writes the same value into every request, it cannot use what is there"
        }
        "truncate" | "drip" => "it delays or replaces bodies, but does not cut or slice them",
        "idle-reset" | "connection-limit" => "it does not look at single connections",
        _ => "it has nothing like that; the built-in proxy may",
    }
}

fn object(kind: &str, spec: &Value, target: &Target, losses: Vec<String>) -> Manifest {
    let body = json!({"apiVersion": API_VERSION, "kind": kind, "metadata": target.metadata(), "spec": spec});
    Manifest { body, shape: Shape::Object, fidelity: Fidelity { losses, refusal: None } }
}

/// Returns which pods of those with these labels: `selector`, `mode`, `value`.
fn select(target: &Target, labels: &BTreeMap<String, String>) -> Value {
    let (mode, value) = match target.pods {
        Pods::One => ("one", None),
        Pods::Fixed(count) => ("fixed", Some(count.to_string())),
        Pods::Percent(share) => ("fixed-percent", Some(share.to_string())),
    };
    let mut spec = json!({
        "selector": {"namespaces": [target.namespace], "labelSelectors": labels},
        "mode": mode,
        "duration": go_duration(target.duration.as_secs_f64() * 1_000.0),
    });
    if let Some(value) = value {
        spec["value"] = Value::String(value);
    }
    spec
}

/// Adds the fields of `more` to the object `spec`.
fn with(mut spec: Value, more: Value) -> Value {
    if let (Value::Object(spec), Value::Object(more)) = (&mut spec, more) {
        spec.extend(more);
    }
    spec
}

/// Returns milliseconds as Go's `time.ParseDuration` reads them: `300ms`.
fn go_duration(ms: f64) -> String {
    if ms >= 1_000.0 && (ms / 1_000.0).fract() == 0.0 {
        return format!("{:.0}s", ms / 1_000.0);
    }
    format!("{ms:.0}ms")
}

/// Says in words which of the pods are hit.
fn pods(target: &Target) -> String {
    match target.pods {
        Pods::One => "one pod".to_owned(),
        Pods::Fixed(1) => "1 pod".to_owned(),
        Pods::Fixed(count) => format!("{count} pods"),
        Pods::Percent(share) => format!("{share} % of the pods"),
    }
}
