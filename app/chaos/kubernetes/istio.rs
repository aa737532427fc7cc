//! Driver `istio`: one matched route, in a `VirtualService` of the run's own or in front of the routes of one that is there.

use riftline_queries::replay::fault::Fault;
use serde_json::Value;

use super::super::driver::{Driver, DriverError, Fidelity, Injected, Undo};
use super::super::manifest::{self, Manifest, Shape, Target};
use super::cluster::{Cluster, VIRTUAL_SERVICE};
use super::kubectl::Kubectl;
use super::{Limits, life, preflight, route};

/// Arms a fault by a route of Istio.
pub struct Istio {
    target: Target,
    kubectl: Box<dyn Kubectl>,
    limits: Limits,
}

impl Istio {
    #[must_use]
    pub fn new(target: Target, kubectl: Box<dyn Kubectl>, limits: Limits) -> Self {
        Self { target, kubectl, limits }
    }

    fn cluster(&self) -> Cluster<'_> {
        Cluster::of(self.kubectl.as_ref(), &self.target)
    }

    fn manifest(&self, fault: &Fault) -> Result<Manifest, DriverError> {
        manifest::manifest(self.name(), fault, &self.target).map_err(|error| DriverError::Unable(error.to_string()))
    }

    /// A `VirtualService` of the host must be named, since one of the run's own would fight with it.
    fn routes(&self) -> Result<String, DriverError> {
        let cluster = self.cluster();
        let version = cluster.version(&VIRTUAL_SERVICE)?;
        if let Some(name) = &self.target.virtual_service {
            let path = cluster.path(&VIRTUAL_SERVICE, version, name);
            let missing = || DriverError::Missing(format!("no VirtualService {name} in {}", cluster.namespace));
            let object = cluster.look_for(&path)?.ok_or_else(missing)?;
            return route::look(&object, &self.target);
        }
        let mut list = cluster.get(&cluster.path(&VIRTUAL_SERVICE, version, ""))?;
        let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else {
            return Ok("no VirtualService is there".to_owned());
        };
        match items.iter().find(|object| route::serves(object, &self.target)) {
            Some(object) => Err(DriverError::Unable(format!(
                "VirtualService {} routes {} already: name it in `virtual_service`",
                object["metadata"]["name"].as_str().unwrap_or_default(),
                self.target.host
            ))),
            None => Ok(format!("no VirtualService routes {}", self.target.host)),
        }
    }
}

impl Driver for Istio {
    fn name(&self) -> &'static str {
        "istio"
    }

    fn fidelity(&self, fault: &Fault) -> Fidelity {
        manifest::fidelity(self.name(), fault, &self.target)
    }

    fn targets(&self) -> Vec<String> {
        vec![preflight::server(&self.cluster())]
    }

    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        let mut found = preflight::place(&self.cluster(), &self.target)?;
        found.push(preflight::some_pods(&self.cluster(), &self.target)?);
        found.push(self.routes()?);
        Ok(found)
    }

    fn preview(&self, fault: &Fault) -> Vec<String> {
        match self.manifest(fault) {
            Ok(manifest) => vec![manifest.yaml(&self.target)],
            Err(error) => vec![error.to_string()],
        }
    }

    fn undo(&self) -> Undo {
        let (name, route) = match &self.target.virtual_service {
            Some(shared) => (shared.clone(), Some(self.target.name())),
            None => (self.target.name(), None),
        };
        let (context, namespace) = (self.target.context.clone(), self.target.namespace.clone());
        Undo::Kubernetes { context, namespace, kind: VIRTUAL_SERVICE.kind.to_owned(), name, route }
    }

    fn arm(&mut self, fault: &Fault) -> Result<(), DriverError> {
        let mut manifest = self.manifest(fault)?;
        let cluster = self.cluster();
        if let Shape::Patch { name, .. } = &manifest.shape {
            return route::put_in(&cluster, name, &manifest.body[0]["value"], &self.target);
        }
        let version = cluster.version(&VIRTUAL_SERVICE)?;
        manifest.body["apiVersion"] = Value::String(format!("{}/{version}", VIRTUAL_SERVICE.group));
        life::rehearse(&cluster, &VIRTUAL_SERVICE, &manifest.body)?;
        life::create(&cluster, &VIRTUAL_SERVICE, &manifest.body)?;
        // What can be read back can be undone; when it reaches the sidecars, nobody tells.
        let path = cluster.path(&VIRTUAL_SERVICE, version, &self.target.name());
        let is_there = life::poll(self.limits.inject, self.limits.pause, || cluster.get(&path).is_ok());
        let late = || DriverError::Late { what: "the route's creation".to_owned(), within: self.limits.inject };
        if is_there { Ok(()) } else { Err(late()) }
    }

    /// Istio counts in the sidecars, which are not asked.
    fn injected(&mut self) -> Result<Injected, DriverError> {
        Ok(Injected::default())
    }
}
