//! Our route among those of a `VirtualService` of others: put in front, taken out again by its name.
//!
//! The object is written back whole with the `resourceVersion` that was read, so that a change by others in between is never lost:
//! the server answers 409 then, and it is read again. Taking out only our route leaves what others changed meanwhile as it is; where
//! nobody did, the object is as before.

use serde_json::{Value, json};

use super::super::driver::DriverError;
use super::super::manifest::{RUN_LABEL, Target};
use super::cluster::{Cluster, Problem, VIRTUAL_SERVICE};

/// How often the object is read again after others wrote in between.
const TRIES: u32 = 5;

/// Says what there is to know of the routes before one is put in front.
pub fn look(object: &Value, target: &Target) -> Result<String, DriverError> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if !serves(object, target) {
        return Err(DriverError::Unable(format!("VirtualService {name} does not route {}", target.host)));
    }
    if let Some(run) = object["metadata"]["annotations"][RUN_LABEL].as_str() {
        let answer = format!("that run {run} has a route in it: `riftline chaos recover` first");
        return Err(DriverError::Refused { call: format!("a look at VirtualService {name}"), answer });
    }
    let routes = routes(object);
    let has = |field: &str| routes.iter().any(|route| !route[field].is_null());
    if target.about_timeouts && (has("timeout") || has("retries")) {
        let reason = "it has timeouts or retries, which Istio suspends while a fault is set";
        return Err(DriverError::Unable(format!("VirtualService {name}: {reason}")));
    }
    Ok(format!("VirtualService {name} has {} routes of HTTP", routes.len()))
}

/// Whether the object is about the target's host, by its short or its full name.
pub fn serves(object: &Value, target: &Target) -> bool {
    let full = format!("{}.{}.svc.cluster.local", target.host, target.namespace);
    let hosts = object["spec"]["hosts"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let host = target.host.as_str();
    hosts
        .into_iter()
        .any(|one| one == host || one == full || (host.starts_with(one) && host[one.len()..].starts_with('.')))
}

/// Puts `route` in front of the others.
pub fn put_in(cluster: &Cluster<'_>, name: &str, route: &Value, target: &Target) -> Result<(), DriverError> {
    change(cluster, name, |object| {
        if routes(object).iter().any(|one| one["name"] == route["name"]) {
            return Ok(false);
        }
        look(object, target)?;
        let Some(Value::Array(routes)) = object.pointer_mut("/spec/http") else {
            // Without routes of HTTP ours would be the only one, and all other requests would find none.
            return Err(DriverError::Unable(format!(
                "VirtualService {name} has no routes of HTTP to stand in front of"
            )));
        };
        routes.insert(0, route.clone());
        annotate(object, &target.run);
        Ok(true)
    })
}

/// Takes out the route called `route`; one that is not there, or whose object is gone, is as good.
pub fn take_out(cluster: &Cluster<'_>, name: &str, route: &str) -> Result<(), DriverError> {
    change(cluster, name, |object| {
        let is_in = is_in(object, route);
        if let Some(Value::Array(routes)) = object.pointer_mut("/spec/http") {
            routes.retain(|one| one["name"] != route);
        }
        if let Some(Value::Object(metadata)) = object.get_mut("metadata")
            && let Some(Value::Object(annotations)) = metadata.get_mut("annotations")
        {
            annotations.remove(RUN_LABEL);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
        Ok(is_in)
    })
}

/// Names the run in the annotations of an object of others.
fn annotate(object: &mut Value, run: &str) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return };
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Value::Object(annotations) = annotations {
        annotations.insert(RUN_LABEL.to_owned(), json!(run));
    }
}

/// Whether a route of this name is in the object.
pub fn is_in(object: &Value, route: &str) -> bool {
    routes(object).iter().any(|one| one["name"] == route)
}

fn routes(object: &Value) -> &[Value] {
    object["spec"]["http"].as_array().map_or(&[], Vec::as_slice)
}

/// Reads, changes and writes back until nobody came in between. `edit` says whether there is something to write.
fn change(
    cluster: &Cluster<'_>,
    name: &str,
    edit: impl Fn(&mut Value) -> Result<bool, DriverError>,
) -> Result<(), DriverError> {
    let path = cluster.path(&VIRTUAL_SERVICE, cluster.version(&VIRTUAL_SERVICE)?, name);
    let mut last = Problem::NotFound;
    for _ in 0..TRIES {
        let Some(mut object) = cluster.look_for(&path)? else { return Ok(()) };
        if !edit(&mut object)? {
            return Ok(());
        }
        last = match cluster.replace(&path, &object) {
            Ok(_) => return Ok(()),
            Err(conflict @ Problem::Conflict(_)) => conflict,
            Err(other) => return Err(other.into()),
        };
    }
    Err(last.into())
}
