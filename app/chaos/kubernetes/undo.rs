//! Undoing from the journal alone: by anyone, as often as wanted.

use serde_json::Value;

use super::super::driver::{DriverError, Undo};
use super::super::manifest::is_name;
use super::cluster::{Cluster, RESOURCES, Resource, VIRTUAL_SERVICE};
use super::kubectl::{Kubectl, Program};
use super::{Limits, life, route};

/// What an [`Undo::Kubernetes`] says.
struct Order<'a> {
    cluster: Cluster<'a>,
    resources: Vec<&'static Resource>,
    name: &'a str,
    route: Option<&'a str>,
}

/// Deletes what a run made, waits until it is gone, and takes its route out where it put one in.
pub fn undo(undo: &Undo) -> Result<(), DriverError> {
    undo_through(&Program::find()?, undo, Limits::default())
}

/// As [`undo`], through another `kubectl`.
pub fn undo_through(kubectl: &dyn Kubectl, undo: &Undo, limits: Limits) -> Result<(), DriverError> {
    let order = read(kubectl, undo)?;
    if let Some(route) = order.route {
        return route::take_out(&order.cluster, order.name, route);
    }
    order.resources.iter().try_for_each(|resource| life::delete(&order.cluster, resource, order.name, limits))
}

/// Looks whether everything is gone. Returns what is left, in words that say how to take it away by hand; nothing if it is clean.
pub fn verify_clean(undo: &Undo) -> Result<Vec<String>, DriverError> {
    verify_clean_through(&Program::find()?, undo)
}

/// As [`verify_clean`], through another `kubectl`.
pub fn verify_clean_through(kubectl: &dyn Kubectl, undo: &Undo) -> Result<Vec<String>, DriverError> {
    let order = read(kubectl, undo)?;
    let mut left = Vec::new();
    for resource in &order.resources {
        left.extend(remains(&order, resource)?);
    }
    Ok(left)
}

fn remains(order: &Order<'_>, resource: &Resource) -> Result<Vec<String>, DriverError> {
    let cluster = &order.cluster;
    let Some(version) = cluster.installed(resource)? else { return Ok(Vec::new()) };
    let name = order.name;
    let kubectl = format!("kubectl --context {} --namespace {}", cluster.context, cluster.namespace);
    let mut left = Vec::new();
    match (cluster.look_for(&cluster.path(resource, version, name))?, order.route) {
        (None, _) => {}
        (Some(object), Some(route)) if !route::is_in(&object, route) => {}
        (Some(_), Some(route)) => {
            left.push(format!(
                "route {route} is still in VirtualService {name}; by hand: `{kubectl} edit virtualservice {name}`"
            ));
        }
        (Some(_), None) => {
            let plural = resource.plural;
            left.push(format!("{plural}/{name} is still there; by hand: `{kubectl} delete {plural} {name}`"));
        }
    }
    left.extend(derived(order, resource, version));
    Ok(left)
}

/// Looks at what Chaos Mesh made of the object for single pods: rules there name their source. Who may not read them cannot tell.
fn derived(order: &Order<'_>, resource: &Resource, version: &str) -> Option<String> {
    let cluster = &order.cluster;
    let derived = resource.derived?;
    let path = format!("/apis/{}/{version}/namespaces/{}/{derived}", resource.group, cluster.namespace);
    let list = cluster.get(&path).ok()?;
    let source = format!("{}/{}", cluster.namespace, order.name);
    let pods: Vec<&str> = list["items"]
        .as_array()?
        .iter()
        .filter(|object| names(&object["spec"], &source))
        .filter_map(|object| object["metadata"]["name"].as_str())
        .collect();
    let kubectl = format!("kubectl --context {} --namespace {}", cluster.context, cluster.namespace);
    (!pods.is_empty()).then(|| {
        format!(
            "{derived} of {} still have rules of {source}; look: `{kubectl} get {derived} -o yaml`",
            pods.join(", ")
        )
    })
}

/// Whether `text` is a value anywhere in `value`.
fn names(value: &Value, text: &str) -> bool {
    match value {
        Value::String(one) => one == text,
        Value::Array(items) => items.iter().any(|item| names(item, text)),
        Value::Object(fields) => fields.values().any(|field| names(field, text)),
        _ => false,
    }
}

/// Reads the order out of what a journal holds, which may have been changed since.
fn read<'a>(kubectl: &'a dyn Kubectl, undo: &'a Undo) -> Result<Order<'a>, DriverError> {
    let Undo::Kubernetes { context, namespace, kind, name, route } = undo else {
        return Err(DriverError::Unable("this undo is not one of Kubernetes".to_owned()));
    };
    if !is_name(namespace) || !name.split('.').all(is_name) {
        return Err(DriverError::Unable(format!("`{namespace}/{name}` cannot be an object's name")));
    }
    let resource = |kind: &str| RESOURCES.into_iter().find(|resource| resource.kind == kind);
    let resources: Option<Vec<&'static Resource>> = kind.split(',').map(resource).collect();
    let resources =
        resources.ok_or_else(|| DriverError::Unable(format!("no way to undo an object of kind `{kind}`")))?;
    if route.is_some() && resources != [&VIRTUAL_SERVICE] {
        return Err(DriverError::Unable(format!("an object of kind `{kind}` has no routes")));
    }
    Ok(Order { cluster: Cluster { kubectl, context, namespace }, resources, name, route: route.as_deref() })
}
