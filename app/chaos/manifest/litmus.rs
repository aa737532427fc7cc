//! `LitmusChaos`: a `ChaosEngine` that runs one of the experiments of its hub.
//!
//! Fields are those of `litmuschaos.io/v1alpha1` of chaos-operator 3.x (`chaosengine_types.go` and both of its custom resource
//! definitions); environment variables those of `faults/kubernetes/pod-{http,network}-*/fault.yaml` of chaos-charts 3.x.

use riftline_queries::replay::fault::{Fault, Place};
use serde_json::{Map, Value, json};

use super::super::driver::Fidelity;
use super::{Manifest, ManifestError, Pods, Protocol, Shape, Target, fidelity, headers, unable};

/// Group and version of its objects.
const API_VERSION: &str = "litmuschaos.io/v1alpha1";

/// Statuses that `pod-http-status-code` takes.
const STATUSES: [u64; 18] = [200, 201, 202, 204, 300, 301, 302, 304, 307, 400, 401, 403, 404, 500, 501, 502, 503, 504];

/// Environment of an experiment.
type Env = Vec<(&'static str, String)>;

/// Returns the engine of `fault`.
pub fn manifest(fault: &Fault, target: &Target) -> Result<Manifest, ManifestError> {
    fidelity::refuse_counting(fault, "Litmus")?;
    let mut losses = Vec::new();
    fidelity::lose_requests(fault, target, &mut losses);
    let is_http = target.protocol == Protocol::Http;
    let (experiment, env) = match fault.kind.as_str() {
        "latency" if is_http && fault.place != Place::Connection => http_latency(fault, target, &mut losses)?,
        "latency" => network_latency(fault, &mut losses)?,
        "hang" => network_loss(fault, &mut losses),
        "error" if is_http => status_code(fault, target, &mut losses)?,
        "abort" if is_http => reset_peer(fault, target, &mut losses),
        "context-drop" if is_http => {
            losses.push(
                "headers may stay with no value: its docs say removed, the change that made it says emptied".to_owned(),
            );
            let empty = headers::of(fault)?.into_iter().map(|name| (name, String::new())).collect();
            modify_header(fault, target, empty, &mut losses)
        }
        "context-corrupt" if is_http => modify_header(fault, target, headers::corrupted(fault)?, &mut losses),
        "error" | "abort" | "context-drop" | "context-corrupt" => {
            return unable("Litmus speaks HTTP/1 only: this fault needs Istio or the built-in proxy");
        }
        other => {
            return unable(format!("Litmus cannot do `{other}`: it has nothing like that; the built-in proxy may"));
        }
    };
    losses.push(format!("the ChaosExperiment `{experiment}` must be installed in the namespace"));
    Ok(engine(experiment, env, target, losses))
}

fn http_latency(
    fault: &Fault,
    target: &Target,
    losses: &mut Vec<String>,
) -> Result<(&'static str, Env), ManifestError> {
    let ms = fidelity::fixed(fidelity::magnitude(fault)?, losses);
    let mut env = vec![("LATENCY", format!("{ms:.0}"))];
    env.extend(proxied(fault, target, losses));
    Ok(("pod-http-latency", env))
}

fn network_latency(fault: &Fault, losses: &mut Vec<String>) -> Result<(&'static str, Env), ManifestError> {
    let delay = fidelity::even(fidelity::magnitude(fault)?, losses);
    losses.push("the delay is one of packets, of all that the server's pods send, to whoever".to_owned());
    fidelity::lose_share(fault, "every packet of these pods", losses);
    let env = vec![("NETWORK_LATENCY", delay.ms.to_string()), ("JITTER", delay.jitter_ms.to_string())];
    Ok(("pod-network-latency", env))
}

fn network_loss(fault: &Fault, losses: &mut Vec<String>) -> (&'static str, Env) {
    losses.push("all packets that the server's pods send are lost, to whoever".to_owned());
    fidelity::lose_share(fault, "every connection of these pods", losses);
    ("pod-network-loss", vec![("NETWORK_PACKET_LOSS_PERCENTAGE", "100".to_owned())])
}

fn status_code(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<(&'static str, Env), ManifestError> {
    let status = fault.with.get("status").and_then(Value::as_u64).unwrap_or(503);
    if fault.with.contains_key("grpc_status") || !STATUSES.contains(&status) {
        return unable(format!("Litmus answers only with {STATUSES:?}"));
    }
    if fault.with.contains_key("retry_after_s") {
        losses.push("`retry_after_s` is lost".to_owned());
    }
    losses.push("the server does the work before its answer is replaced".to_owned());
    let body = fault.with.get("body").and_then(Value::as_str).unwrap_or_default();
    let mut env = vec![
        ("STATUS_CODE", status.to_string()),
        ("MODIFY_RESPONSE_BODY", (!body.is_empty()).to_string()),
        ("RESPONSE_BODY", body.to_owned()),
    ];
    env.extend(proxied(fault, target, losses));
    Ok(("pod-http-status-code", env))
}

fn reset_peer(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> (&'static str, Env) {
    if fault.with.get("where").and_then(Value::as_str).is_some_and(|place| place != "before") {
        losses.push("connections are reset at once, not in the answer".to_owned());
    }
    let mut env = vec![("RESET_TIMEOUT", "0".to_owned())];
    env.extend(proxied(fault, target, losses));
    ("pod-http-reset-peer", env)
}

/// An empty value takes the header out, by the comments in `pod-http-modify-header/fault.yaml`; litmus-go#541 says that it only
/// empties it.
fn modify_header(
    fault: &Fault,
    target: &Target,
    headers: Vec<(String, String)>,
    losses: &mut Vec<String>,
) -> (&'static str, Env) {
    let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name, json!(value))).collect();
    let mode = if fault.place == Place::Response { "response" } else { "request" };
    let mut env = vec![("HEADERS_MAP", Value::Object(headers).to_string()), ("HEADER_MODE", mode.to_owned())];
    env.extend(proxied(fault, target, losses));
    ("pod-http-modify-header", env)
}

/// The experiments of HTTP put a Toxiproxy in front of the port, which decides for each connection.
fn proxied(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Env {
    let percent = fidelity::percent(fault).round();
    fidelity::lose_share(fault, &format!("{percent:.0} % of connections"), losses);
    vec![("TARGET_SERVICE_PORT", target.port.to_string()), ("TOXICITY", format!("{percent:.0}"))]
}

fn engine(experiment: &str, mut env: Env, target: &Target, mut losses: Vec<String>) -> Manifest {
    env.push(("TOTAL_CHAOS_DURATION", target.duration.as_secs().to_string()));
    env.push(("PODS_AFFECTED_PERC", pods(target, &mut losses)));
    let env: Vec<Value> = env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let account = target.service_account.clone().unwrap_or_else(|| format!("{experiment}-sa"));
    let labels: Vec<String> = target.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let body = json!({
        "apiVersion": API_VERSION,
        "kind": "ChaosEngine",
        "metadata": target.metadata(),
        "spec": {
            "engineState": "active",
            "appinfo": {"appns": target.namespace, "applabel": labels.join(","), "appkind": "deployment"},
            "chaosServiceAccount": account,
            "components": {"runner": {}},
            "jobCleanUpPolicy": "delete",
            "experiments": [{"name": experiment, "spec": {"rank": 0, "components": {"env": env}}}],
        },
    });
    Manifest { body, shape: Shape::Object, fidelity: Fidelity { losses, refusal: None } }
}

/// Returns `PODS_AFFECTED_PERC`: 0 means one pod.
fn pods(target: &Target, losses: &mut Vec<String>) -> String {
    match target.pods {
        Pods::One | Pods::Fixed(1) => "0".to_owned(),
        Pods::Fixed(count) => {
            losses.push(format!("{count} pods become one: Litmus counts them in percent"));
            "0".to_owned()
        }
        Pods::Percent(share) => share.to_string(),
    }
}
