//! The life of an object of ours: created, watched until it works, deleted, and watched until it is gone.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::driver::DriverError;
use super::super::manifest::RUN_LABEL;
use super::cluster::{Cluster, Problem, Resource};
use super::{Limits, status};

/// How often a write is tried again that came between two others.
const TRIES: u32 = 5;

/// Asks the server whether it would take an object, without making it.
pub fn rehearse(cluster: &Cluster<'_>, resource: &Resource, object: &Value) -> Result<(), DriverError> {
    let path = cluster.path(resource, version(object), "");
    cluster.create(&format!("{path}?dryRun=All&fieldValidation=Strict&fieldManager=riftline"), object)?;
    Ok(())
}

/// Creates an object. One of ours that is there already, from a call whose answer was lost, is as good.
pub fn create(cluster: &Cluster<'_>, resource: &Resource, object: &Value) -> Result<(), DriverError> {
    let path = cluster.path(resource, version(object), "");
    let mut last = Problem::NotFound;
    for _ in 0..TRIES {
        last = match cluster.create(&format!("{path}?fieldValidation=Strict&fieldManager=riftline"), object) {
            Ok(_) => return Ok(()),
            Err(other @ Problem::Other(DriverError::Refused { .. })) => return Err(other.into()),
            Err(problem) => problem,
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if let Ok(Some(there)) = cluster.look_for(&cluster.path(resource, version(object), name)) {
            return same_run(&there, object);
        }
    }
    Err(last.into())
}

fn same_run(there: &Value, object: &Value) -> Result<(), DriverError> {
    let label = |object: &Value| object["metadata"]["labels"][RUN_LABEL].clone();
    let is_leaving = there["metadata"]["deletionTimestamp"].is_string();
    if label(there) == label(object) && !is_leaving {
        return Ok(());
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let why = if is_leaving { "is being deleted: wait until it is gone" } else { "is of somebody else" };
    Err(DriverError::Refused { call: format!("create {name}"), answer: format!("an object of this name {why}") })
}

/// Waits until every chosen pod is hit.
pub fn await_injected(
    cluster: &Cluster<'_>,
    resource: &Resource,
    name: &str,
    limits: Limits,
) -> Result<(), DriverError> {
    let path = cluster.path(resource, resource.versions.first().copied().unwrap_or_default(), name);
    let mut seen = "its status was never read".to_owned();
    let is_done = poll(limits.inject, limits.pause, || match cluster.get(&path) {
        Ok(object) => {
            seen = status::progress(&object);
            status::holds(&object, "AllInjected")
        }
        Err(problem) => {
            seen = DriverError::from(problem).to_string();
            false
        }
    });
    if is_done {
        return Ok(());
    }
    Err(DriverError::Late { what: format!("injection by {}/{name} ({seen})", resource.plural), within: limits.inject })
}

/// Deletes an object of ours and waits until it is gone. One that is gone already is as good.
pub fn delete(cluster: &Cluster<'_>, resource: &Resource, name: &str, limits: Limits) -> Result<(), DriverError> {
    let mut version = Ok(None);
    poll(limits.recover, limits.pause, || {
        version = cluster.installed(resource);
        version.is_ok()
    });
    // Where the kind is not known any more, its objects are gone too.
    let Some(version) = version? else { return Ok(()) };
    let path = cluster.path(resource, version, name);
    let mut last = Ok(Presence::Gone);
    poll(limits.recover, limits.pause, || {
        last = push_out(cluster, &path);
        matches!(last, Ok(Presence::Gone | Presence::NotOurs))
    });
    match last? {
        Presence::Gone => Ok(()),
        Presence::NotOurs => Err(not_ours(resource, name)),
        Presence::Leaving(object) => Err(stuck(cluster, resource, name, &object, limits.recover)),
    }
}

/// How far an object is on its way out.
enum Presence {
    Gone,
    /// It has no label of a run.
    NotOurs,
    Leaving(Value),
}

/// Looks at an object, and has it deleted if nobody has yet.
fn push_out(cluster: &Cluster<'_>, path: &str) -> Result<Presence, DriverError> {
    let Some(object) = cluster.look_for(path)? else { return Ok(Presence::Gone) };
    if object["metadata"]["labels"][RUN_LABEL].is_null() {
        return Ok(Presence::NotOurs);
    }
    if object["metadata"]["deletionTimestamp"].is_null()
        && let Err(Problem::Other(error)) = cluster.delete(path)
    {
        return Err(error);
    }
    Ok(Presence::Leaving(object))
}

fn not_ours(resource: &Resource, name: &str) -> DriverError {
    let answer = format!("that it has no label {RUN_LABEL}: it is not ours and stays");
    DriverError::Refused { call: format!("a look at {}/{name}", resource.plural), answer }
}

/// Says which finalizers keep an object, and what a person can do. It is never forced from here: pods could stay broken unseen.
fn stuck(cluster: &Cluster<'_>, resource: &Resource, name: &str, object: &Value, within: Duration) -> DriverError {
    let list = object["metadata"]["finalizers"].as_array();
    let finalizers: Vec<&str> = list.into_iter().flatten().filter_map(Value::as_str).collect();
    let kubectl = format!("kubectl --context {} --namespace {}", cluster.context, cluster.namespace);
    let object_name = format!("{}/{name}", resource.plural);
    let answer = format!(
        "an object that stays after {} s: finalizers [{}] wait for {}. Look: `{kubectl} describe {object_name}`. Only once the pods \
         are known to be well, by hand: `{kubectl} annotate {object_name} chaos-mesh.chaos-mesh.org/cleanFinalizer=forced`",
        within.as_secs(),
        finalizers.join(", "),
        status::progress(object)
    );
    DriverError::Refused { call: format!("delete {object_name}"), answer }
}

/// Asks again and again until the answer is yes; returns whether it became so in time. It is not watched instead: a watch ends
/// whenever the server likes, and with the connection.
pub fn poll(within: Duration, pause: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if begin.elapsed() >= within {
            return false;
        }
        thread::sleep(pause);
    }
}

/// Returns the version of an object's API.
fn version(object: &Value) -> &str {
    let api = object["apiVersion"].as_str().unwrap_or_default();
    api.rsplit('/').next().unwrap_or_default()
}
