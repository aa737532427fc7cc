//! Faults as objects of a cluster: what Chaos Mesh, Istio and Litmus are told, and what of a fault is lost on the way there.
//!
//! Nothing here talks to a cluster. One file an injector; a further one is such a file and a line in [`MANIFESTS`].

mod chaos_mesh;
mod fidelity;
mod headers;
mod istio;
mod litmus;
mod target;

use riftline_queries::replay::fault::Fault;
use serde_json::Value;

use super::driver::Fidelity;
pub(super) use target::is_name;
pub use target::{Pods, Protocol, Target};

/// Label of every object that a run makes, with the run's id; annotation of objects of others that it changes.
pub const RUN_LABEL: &str = "riftline-run";

/// What is sent to a cluster for one fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// An object, or for [`Shape::Patch`] the operations of a JSON patch (RFC 6902).
    pub body: Value,
    pub shape: Shape,
    /// What is lost; without a refusal.
    pub fidelity: Fidelity,
}

/// How a [`Manifest`] is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Is created: `kubectl create -f`.
    Object,
    /// Changes an object that is there: `kubectl patch <kind> <name> --type=json --patch-file`.
    Patch { kind: String, name: String },
}

/// Who makes manifests.
pub struct Injector {
    /// Name, as in `--format` and in experiment files.
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    build: fn(&Fault, &Target) -> Result<Manifest, ManifestError>,
}

/// Everything that faults can be exported to as Kubernetes objects.
pub const MANIFESTS: [Injector; 3] = [
    Injector {
        name: "chaos-mesh",
        description: "NetworkChaos or HTTPChaos of Chaos Mesh",
        build: chaos_mesh::manifest,
    },
    Injector { name: "istio", description: "a matched route of an Istio VirtualService", build: istio::manifest },
    Injector { name: "litmus", description: "a ChaosEngine of LitmusChaos", build: litmus::manifest },
];

/// Why there is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The injector cannot do this.
    #[error("{0}")]
    Unable(String),
    /// The target says too little, or what cannot be.
    #[error("target: {0}")]
    Target(String),
    /// The fault has a parameter that makes no sense.
    #[error("fault {kind}: {problem}")]
    Fault { kind: String, problem: String },
    /// Nobody of this name.
    #[error("no injector `{0}`: there are chaos-mesh, istio, litmus")]
    Unknown(String),
}

/// Returns the manifest of `fault` at `target` for the injector of this name.
pub fn manifest(injector: &str, fault: &Fault, target: &Target) -> Result<Manifest, ManifestError> {
    let known = MANIFESTS.iter().find(|known| known.name == injector);
    let injector = known.ok_or_else(|| ManifestError::Unknown(injector.to_owned()))?;
    target.check()?;
    (injector.build)(fault, target)
}

/// Says what of `fault` is lost at the injector of this name, or why it cannot be done at all.
#[must_use]
pub fn fidelity(injector: &str, fault: &Fault, target: &Target) -> Fidelity {
    match manifest(injector, fault, target) {
        Ok(manifest) => manifest.fidelity,
        Err(error) => Fidelity { losses: Vec::new(), refusal: Some(error.to_string()) },
    }
}

impl Manifest {
    /// Returns the manifest as YAML, headed by how it is used and what is lost.
    #[must_use]
    pub fn yaml(&self, target: &Target) -> String {
        let mut text = format!("# {}\n", self.usage(target));
        for loss in &self.fidelity.losses {
            text.push_str(&format!("# lost: {}\n", loss.replace(char::is_control, " ")));
        }
        // Values that came from JSON always can be written.
        text.push_str(&serde_norway::to_string(&self.body).unwrap_or_default());
        text
    }

    /// Returns the command that a person types to send it.
    fn usage(&self, target: &Target) -> String {
        let place = format!("kubectl --context {} --namespace {}", target.context, target.namespace);
        match &self.shape {
            Shape::Object => format!("{place} create -f this-file.yaml"),
            Shape::Patch { kind, name } => {
                format!("{place} patch {} {name} --type=json --patch-file this-file.yaml", kind.to_lowercase())
            }
        }
    }
}

/// Returns a refusal.
fn unable<T>(reason: impl Into<String>) -> Result<T, ManifestError> {
    Err(ManifestError::Unable(reason.into()))
}

#[cfg(test)]
pub(super) mod tests;
