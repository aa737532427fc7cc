//! Faults in a Kubernetes cluster: armed by an object, disarmed by its deletion, through the program `kubectl`.
//!
//! `kubectl` speaks every way to log in to a cluster that its users have set up. It is only asked to carry single REST calls
//! (`get --raw`, `create --raw`, …), so that what is sent is what the plan shows, whatever its version is.
//!
//! Manifests are checked against the published definitions, the lifecycle against a simulated API server.

mod chaos_mesh;
mod cluster;
pub mod entry;
mod istio;
mod kubectl;
mod life;
mod litmus;
mod preflight;
mod route;
mod status;
mod undo;

use std::time::Duration;

use super::driver::{Driver, DriverError};
use super::manifest::Target;
pub use chaos_mesh::ChaosMesh;
pub use istio::Istio;
pub use kubectl::{Kubectl, Output, Program};
pub use litmus::Litmus;
pub use undo::{undo, undo_through, verify_clean, verify_clean_through};

/// How long the steps of a fault may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the object's creation until every chosen pod is hit.
    pub inject: Duration,
    /// From the object's deletion until it is gone.
    pub recover: Duration,
    /// Between two looks at an object.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let (inject, recover) = (Duration::from_secs(30), Duration::from_mins(1));
        Self { inject, recover, pause: Duration::from_millis(500) }
    }
}

/// Returns the driver of this name (`chaos-mesh`, `istio`, `litmus`) for a target. Nothing is asked of the cluster yet.
pub fn driver(name: &str, target: Target) -> Result<Box<dyn Driver>, DriverError> {
    match name {
        "chaos-mesh" => Ok(Box::new(ChaosMesh::new(target, Box::new(Program::find()?), Limits::default()))),
        "istio" => Ok(Box::new(Istio::new(target, Box::new(Program::find()?), Limits::default()))),
        "litmus" => Ok(Box::new(Litmus::new(target))),
        other => Err(DriverError::Unable(format!("no driver `{other}` for Kubernetes: chaos-mesh, istio, litmus"))),
    }
}

/// Returns the names of a target that must not look like production: context, namespace, host, values of labels.
#[must_use]
pub fn names(target: &Target) -> Vec<String> {
    let mut names = vec![target.context.clone(), target.namespace.clone(), target.host.clone()];
    names.extend(target.labels.values().chain(target.client.values()).cloned());
    names
}

#[cfg(test)]
mod tests;
