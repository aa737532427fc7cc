//! REST calls to a cluster, each by one run of `kubectl`.
//!
//! Paths and answers: <https://kubernetes.io/docs/reference/using-api/api-concepts/>.

use std::time::Duration;

use serde_json::Value;

use super::super::driver::DriverError;
use super::super::manifest::Target;
use super::kubectl::{Kubectl, Output};

/// How long the cluster may take for one call, and how long `kubectl` may take around it (it may have to log in).
const REQUEST_TIMEOUT: &str = "--request-timeout=10s";
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// A kind of object that riftline knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    pub kind: &'static str,
    pub group: &'static str,
    /// Versions that can be spoken, the best first.
    pub versions: &'static [&'static str],
    /// As in paths.
    pub plural: &'static str,
    /// Objects that the injector derives from it, one a pod; nothing where there are none.
    pub derived: Option<&'static str>,
}

pub const NETWORK_CHAOS: Resource = Resource {
    kind: "NetworkChaos",
    group: "chaos-mesh.org",
    versions: &["v1alpha1"],
    plural: "networkchaos",
    derived: Some("podnetworkchaos"),
};

pub const HTTP_CHAOS: Resource = Resource {
    kind: "HTTPChaos",
    group: "chaos-mesh.org",
    versions: &["v1alpha1"],
    plural: "httpchaos",
    derived: Some("podhttpchaos"),
};

pub const VIRTUAL_SERVICE: Resource = Resource {
    kind: "VirtualService",
    group: "networking.istio.io",
    versions: &["v1", "v1beta1", "v1alpha3"],
    plural: "virtualservices",
    derived: None,
};

/// Every kind that can be undone.
pub const RESOURCES: [&Resource; 3] = [&NETWORK_CHAOS, &HTTP_CHAOS, &VIRTUAL_SERVICE];

/// A namespace of a cluster, through `kubectl`.
pub struct Cluster<'a> {
    pub kubectl: &'a dyn Kubectl,
    pub context: &'a str,
    pub namespace: &'a str,
}

/// Why a call did not do what it should, as far as it matters what the reason is.
#[derive(Debug)]
pub enum Problem {
    NotFound,
    /// Somebody else wrote in between.
    Conflict(DriverError),
    /// There is one of this name.
    Exists(DriverError),
    Other(DriverError),
}

impl From<Problem> for DriverError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotFound => Self::Missing("the object is not there".to_owned()),
            Problem::Conflict(error) | Problem::Exists(error) | Problem::Other(error) => error,
        }
    }
}

impl<'a> Cluster<'a> {
    /// Returns the namespace of a target.
    pub fn of(kubectl: &'a dyn Kubectl, target: &'a Target) -> Self {
        Self { kubectl, context: &target.context, namespace: &target.namespace }
    }

    /// Returns the path of an object, or of all of them where `name` is empty.
    pub fn path(&self, resource: &Resource, version: &str, name: &str) -> String {
        let collection =
            format!("/apis/{}/{version}/namespaces/{}/{}", resource.group, self.namespace, resource.plural);
        if name.is_empty() { collection } else { format!("{collection}/{name}") }
    }

    /// Returns what is at a path.
    pub fn get(&self, path: &str) -> Result<Value, Problem> {
        self.call("get", path, None)
    }

    /// Returns what is at a path, or nothing.
    pub fn look_for(&self, path: &str) -> Result<Option<Value>, DriverError> {
        match self.get(path) {
            Ok(found) => Ok(Some(found)),
            Err(Problem::NotFound) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    /// Puts an object among those at a path.
    pub fn create(&self, path: &str, object: &Value) -> Result<Value, Problem> {
        self.call("create", path, Some(object))
    }

    /// Writes over the object at a path, if its `resourceVersion` still is the one of `object`.
    pub fn replace(&self, path: &str, object: &Value) -> Result<Value, Problem> {
        self.call("replace", path, Some(object))
    }

    /// Asks for the object at a path to be deleted; it may stay until its finalizers are gone.
    pub fn delete(&self, path: &str) -> Result<Value, Problem> {
        self.call("delete", path, None)
    }

    /// Returns the best version of a group that both sides speak; fails where the group is not installed.
    pub fn version(&self, resource: &Resource) -> Result<&'static str, DriverError> {
        let missing = || DriverError::Missing(format!("{} is not installed in {}", resource.group, self.context));
        self.installed(resource)?.ok_or_else(missing)
    }

    /// Returns the best version of a group that both sides speak, or nothing where the group is not installed.
    pub fn installed(&self, resource: &Resource) -> Result<Option<&'static str>, DriverError> {
        let Some(group) = self.look_for(&format!("/apis/{}", resource.group))? else { return Ok(None) };
        let served: Vec<&str> = group["versions"]
            .as_array()
            .map(|versions| versions.iter().filter_map(|version| version["version"].as_str()).collect())
            .unwrap_or_default();
        let spoken = resource.versions.join(", ");
        let missing = || {
            DriverError::Missing(format!("{} in {} has none of the versions {spoken}", resource.group, self.context))
        };
        resource.versions.iter().find(|version| served.contains(version)).copied().map(Some).ok_or_else(missing)
    }

    /// Runs `kubectl` with arguments that are no REST call.
    pub fn ask(&self, arguments: &[&str]) -> Result<String, DriverError> {
        let output = self.kubectl.run(arguments, None, CALL_TIMEOUT)?;
        if output.is_ok {
            return Ok(output.stdout.trim().to_owned());
        }
        Err(refused(&format!("kubectl {}", arguments.join(" ")), &output))
    }

    fn call(&self, verb: &str, path: &str, body: Option<&Value>) -> Result<Value, Problem> {
        let raw = format!("--raw={path}");
        let mut arguments = vec!["--context", self.context, REQUEST_TIMEOUT, verb, raw.as_str()];
        if body.is_some() {
            // The server validates; old versions would ask it for all schemas first.
            arguments.extend(["--validate=false", "-f", "-"]);
        }
        let input = body.map(ToString::to_string);
        let output = self.kubectl.run(&arguments, input.as_deref(), CALL_TIMEOUT).map_err(Problem::Other)?;
        if !output.is_ok {
            return Err(problem(verb, path, &output));
        }
        let no_json = |error| Problem::Other(refusal(&format!("{verb} {path}"), format!("no JSON: {error}")));
        serde_json::from_str(&output.stdout).map_err(no_json)
    }
}

/// Reads the reason out of `Error from server (Conflict): …`, which every `kubectl` writes.
fn problem(verb: &str, path: &str, output: &Output) -> Problem {
    let error = refused(&format!("{verb} {path}"), output);
    let reason = output.stderr.split_once("Error from server (").and_then(|(_, rest)| rest.split_once(')'));
    match reason.map(|(reason, _)| reason) {
        Some("NotFound") => Problem::NotFound,
        Some("Conflict") => Problem::Conflict(error),
        Some("AlreadyExists") => Problem::Exists(error),
        _ => Problem::Other(error),
    }
}

fn refused(call: &str, output: &Output) -> DriverError {
    let said: String =
        output.stderr.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(600).collect();
    let is_unreachable =
        ["onnect to the server", "connection to the server", "EOF", "i/o timeout", "context deadline exceeded"]
            .iter()
            .any(|sign| said.contains(sign));
    if is_unreachable && !said.contains("Error from server") {
        return DriverError::Unreachable { target: "the cluster".to_owned(), reason: said };
    }
    refusal(call, said)
}

fn refusal(call: &str, answer: String) -> DriverError {
    DriverError::Refused { call: call.to_owned(), answer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Problem {
        problem("get", "/x", &Output { stderr: stderr.to_owned(), ..Output::default() })
    }

    #[test]
    fn reasons_are_read_from_what_kubectl_says() {
        assert!(matches!(failed("Error from server (NotFound): networkchaos \"x\" not found"), Problem::NotFound));
        assert!(matches!(failed("Error from server (Conflict): Operation cannot be fulfilled"), Problem::Conflict(_)));
        assert!(matches!(failed("Error from server (AlreadyExists): x"), Problem::Exists(_)));
        let away = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?";
        assert!(matches!(failed(away), Problem::Other(DriverError::Unreachable { .. })));
        assert!(matches!(
            failed("Unable to connect to the server: EOF"),
            Problem::Other(DriverError::Unreachable { .. })
        ));
        let forbidden = failed("Error from server (Forbidden): no\u{1b}[31m");
        let Problem::Other(DriverError::Refused { answer, .. }) = forbidden else { panic!("{forbidden:?}") };
        assert!(!answer.contains('\u{1b}'), "control characters are inert");
    }
}
