//! What is looked at before anything is armed in a cluster. Nothing is changed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::driver::DriverError;
use super::super::manifest::{Pods, Target};
use super::cluster::Cluster;

/// Annotations of namespaces in which faults are welcome.
const WELCOME: [&str; 2] = ["chaos-mesh.org/inject", "riftline.dev/inject"];
/// Namespaces that keep the cluster, its mesh, its watch or its chaos going, also as the beginning of a longer name.
const SYSTEM: [&str; 16] = [
    "kube-",
    "chaos-mesh",
    "chaos-testing",
    "litmus",
    "istio-",
    "linkerd",
    "consul",
    "monitoring",
    "prometheus",
    "observability",
    "opentelemetry",
    "grafana",
    "logging",
    "cert-manager",
    "ingress-",
    "gatekeeper-system",
];

/// Looks at the place; returns what was found, in words.
pub fn place(cluster: &Cluster<'_>, target: &Target) -> Result<Vec<String>, DriverError> {
    target.check().map_err(|error| DriverError::Unable(error.to_string()))?;
    Ok(vec![context(cluster)?, namespace(cluster)?])
}

/// Returns host and port of the cluster's API server, as the kubeconfig has it. Where it has none, the context's name stands for it,
/// which is on no list of what may be reached.
pub fn server(cluster: &Cluster<'_>) -> String {
    configured(cluster).unwrap_or_else(|| format!("{}:443", cluster.context))
}

fn configured(cluster: &Cluster<'_>) -> Option<String> {
    let path = "jsonpath={.clusters[0].cluster.server}";
    let url = cluster.ask(&["config", "view", "--minify", "--context", cluster.context, "-o", path]).ok()?;
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
    let has_port = authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let port = if scheme == "http" { 80 } else { 443 };
    Some(if has_port { authority.to_owned() } else { format!("{authority}:{port}") })
}

/// The context must be the current one: who switched away has something else in mind.
fn context(cluster: &Cluster<'_>) -> Result<String, DriverError> {
    let current = cluster.ask(&["config", "current-context"])?;
    if current == cluster.context {
        return Ok(format!("context {current} is the current one"));
    }
    unable(format!(
        "the experiment is for context {}, the current one is {current}: `kubectl config use-context {}` if that is meant",
        cluster.context, cluster.context
    ))
}

fn namespace(cluster: &Cluster<'_>) -> Result<String, DriverError> {
    let name = cluster.namespace;
    if SYSTEM.iter().any(|system| name.starts_with(system)) {
        return unable(format!(
            "namespace {name} keeps the cluster, its mesh, its watch or its chaos going: no faults there"
        ));
    }
    let missing = || DriverError::Missing(format!("no namespace {name} in {}", cluster.context));
    let namespace = cluster.look_for(&format!("/api/v1/namespaces/{name}"))?.ok_or_else(missing)?;
    let annotations = &namespace["metadata"]["annotations"];
    match WELCOME.iter().find(|key| annotations[**key] == "enabled") {
        Some(key) => Ok(format!("namespace {name} has {key}=enabled")),
        None => unable(format!(
            "namespace {name} does not welcome faults: `kubectl --context {} annotate namespace {name} {}=enabled`",
            cluster.context, WELCOME[1]
        )),
    }
}

/// The selection must be some, but at most half, of the pods, and none that shares the network of its node.
pub fn pods(cluster: &Cluster<'_>, target: &Target) -> Result<String, DriverError> {
    let server = running(cluster, &target.labels)?;
    let clients = if target.client.is_empty() { Vec::new() } else { running(cluster, &target.client)? };
    for pod in server.iter().chain(&clients) {
        if pod["spec"]["hostNetwork"] == true {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            return unable(format!("pod {name} has the network of its node: a fault there would hit the whole node"));
        }
    }
    // The injector hits pods of either side, by the kind of fault: each must leave some to compare with.
    let mut counts = vec![count(&server, "server's", target)?];
    if !target.client.is_empty() {
        counts.push(count(&clients, "callers'", target)?);
    }
    Ok(counts.join(", "))
}

/// As [`pods`], for injectors that do not touch pods: there must be some.
pub fn some_pods(cluster: &Cluster<'_>, target: &Target) -> Result<String, DriverError> {
    match running(cluster, &target.labels)?.len() {
        0 => unable("no running pod has the server's labels: nothing would be hit".to_owned()),
        count => Ok(format!("{count} pods of the server run")),
    }
}

fn count(pods: &[Value], whose: &str, target: &Target) -> Result<String, DriverError> {
    let all = pods.len() as u64;
    let hit = match target.pods {
        Pods::One => 1,
        Pods::Fixed(count) => u64::from(count),
        // As Chaos Mesh counts: rounded down, but at least one.
        Pods::Percent(share) => (all * u64::from(share) / 100).max(1),
    };
    if all == 0 {
        return unable(format!("no running pod has the {whose} labels: nothing would be hit"));
    }
    if all == 1 && !target.only_pod {
        return unable(format!(
            "the only one of the {whose} pods would be hit: start a second one, or say `only_pod: true`"
        ));
    }
    if hit > all || (hit * 2 > all && all > 1) {
        return unable(format!("{hit} of {all} of the {whose} pods would be hit: at most half may be"));
    }
    Ok(format!("{hit} of {all} of the {whose} pods can be hit"))
}

/// Returns the pods with these labels that run.
fn running(cluster: &Cluster<'_>, labels: &BTreeMap<String, String>) -> Result<Vec<Value>, DriverError> {
    let selector: Vec<String> =
        labels.iter().map(|(name, value)| format!("{}%3D{}", escape(name), escape(value))).collect();
    let path = format!("/api/v1/namespaces/{}/pods?labelSelector={}", cluster.namespace, selector.join("%2C"));
    let mut list = cluster.get(&path)?;
    let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter(|pod| pod["status"]["phase"] == "Running").collect())
}

/// Escapes what may not stand in a query (RFC 3986, section 2.3).
fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn unable<T>(reason: String) -> Result<T, DriverError> {
    Err(DriverError::Unable(reason))
}
