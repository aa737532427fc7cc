//! Driver `chaos-mesh`: one object of Chaos Mesh for as long as the fault lasts.

use std::time::Duration;

use riftline_queries::replay::fault::Fault;
use serde_json::Value;

use super::super::driver::{Driver, DriverError, Fidelity, Injected, Undo};
use super::super::manifest::{self, Manifest, Target};
use super::cluster::{Cluster, HTTP_CHAOS, NETWORK_CHAOS, RESOURCES, Resource};
use super::kubectl::Kubectl;
use super::{Limits, life, preflight, status};

/// Arms a fault by an object of Chaos Mesh.
pub struct ChaosMesh {
    target: Target,
    kubectl: Box<dyn Kubectl>,
    limits: Limits,
    /// What is armed now.
    armed: Option<&'static Resource>,
}

impl ChaosMesh {
    #[must_use]
    pub fn new(target: Target, kubectl: Box<dyn Kubectl>, limits: Limits) -> Self {
        Self { target, kubectl, limits, armed: None }
    }

    /// Asks the server whether it would take the object of `fault`, without making it.
    pub fn rehearse(&self, fault: &Fault) -> Result<(), DriverError> {
        let manifest = self.manifest(fault)?;
        life::rehearse(&self.cluster(), resource(&manifest)?, &manifest.body)
    }

    fn cluster(&self) -> Cluster<'_> {
        Cluster::of(self.kubectl.as_ref(), &self.target)
    }

    fn manifest(&self, fault: &Fault) -> Result<Manifest, DriverError> {
        manifest::manifest(self.name(), fault, &self.target).map_err(|error| DriverError::Unable(error.to_string()))
    }

    /// Objects of this name must not be there before a run.
    fn nothing_left(&self) -> Result<String, DriverError> {
        let cluster = self.cluster();
        let name = self.target.name();
        for resource in [&NETWORK_CHAOS, &HTTP_CHAOS] {
            let version = cluster.version(resource)?;
            if cluster.look_for(&cluster.path(resource, version, &name))?.is_some() {
                let answer = format!("{}/{name}, from before: `riftline chaos recover` first", resource.plural);
                return Err(DriverError::Refused { call: "a look for remains".to_owned(), answer });
            }
        }
        Ok(format!("Chaos Mesh is installed, no object {name} is there"))
    }
}

fn resource(manifest: &Manifest) -> Result<&'static Resource, DriverError> {
    let kind = manifest.body["kind"].as_str().unwrap_or_default();
    let unknown = || DriverError::Unable(format!("no way to make an object of kind `{kind}`"));
    RESOURCES.into_iter().find(|resource| resource.kind == kind).ok_or_else(unknown)
}

impl Driver for ChaosMesh {
    fn name(&self) -> &'static str {
        "chaos-mesh"
    }

    fn fidelity(&self, fault: &Fault) -> Fidelity {
        manifest::fidelity(self.name(), fault, &self.target)
    }

    fn targets(&self) -> Vec<String> {
        vec![preflight::server(&self.cluster())]
    }

    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        let mut found = preflight::place(&self.cluster(), &self.target)?;
        found.push(preflight::pods(&self.cluster(), &self.target)?);
        found.push(self.nothing_left()?);
        Ok(found)
    }

    fn preview(&self, fault: &Fault) -> Vec<String> {
        match self.manifest(fault) {
            Ok(manifest) => vec![manifest.yaml(&self.target)],
            Err(error) => vec![error.to_string()],
        }
    }

    fn undo(&self) -> Undo {
        Undo::Kubernetes {
            context: self.target.context.clone(),
            namespace: self.target.namespace.clone(),
            // Which of them it will be depends on the fault; the other one is not there, which is as good as deleted.
            kind: format!("{},{}", NETWORK_CHAOS.kind, HTTP_CHAOS.kind),
            name: self.target.name(),
            route: None,
        }
    }

    fn arm(&mut self, fault: &Fault) -> Result<(), DriverError> {
        let manifest = self.manifest(fault)?;
        let resource = resource(&manifest)?;
        let (cluster, name) = (Cluster::of(self.kubectl.as_ref(), &self.target), self.target.name());
        life::rehearse(&cluster, resource, &manifest.body)?;
        self.armed = Some(resource);
        let armed = life::create(&cluster, resource, &manifest.body)
            .and_then(|()| life::await_injected(&cluster, resource, &name, self.limits));
        armed.inspect_err(|_| {
            // Whoever armed undoes too; this only makes it sooner, and its own failure is said there.
            let _ = life::delete(&cluster, resource, &name, Limits { recover: Duration::ZERO, ..self.limits });
        })
    }

    /// Chaos Mesh counts pods, not requests: it can only tell for certain that nothing was hit.
    fn injected(&mut self) -> Result<Injected, DriverError> {
        let Some(resource) = self.armed else { return Ok(Injected { faults: Some(0), unmarked: None }) };
        let cluster = self.cluster();
        let object: Value = cluster.get(&cluster.path(resource, cluster.version(resource)?, &self.target.name()))?;
        if status::has_ended(&object) {
            let seconds = self.target.duration.as_secs();
            return Err(DriverError::Missing(format!("the fault has ended by itself: its {seconds} s are over")));
        }
        let faults = (status::injected_count(&object) == 0).then_some(0);
        Ok(Injected { faults, unmarked: None })
    }
}
