//! Where in a cluster a fault is put.

use std::collections::BTreeMap;
use std::time::Duration;

use riftline_queries::replay::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ManifestError, RUN_LABEL};

/// Longest name that also fits a label (RFC 1123).
const LONGEST_NAME: usize = 63;

/// Where in a cluster a fault is put, and for which run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The kubeconfig's context; it must be the current one.
    pub context: String,
    pub namespace: String,
    /// Labels of the server's pods.
    pub labels: BTreeMap<String, String>,
    /// Name that callers use for the server, as in its URL: `payments`.
    pub host: String,
    /// The server's TCP port: of its container for Chaos Mesh and Litmus, of its service for Istio.
    pub port: u16,
    #[serde(default)]
    pub protocol: Protocol,
    /// Labels of the calling pods; all callers where empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub client: BTreeMap<String, String>,
    /// How many of the pods are hit.
    #[serde(default)]
    pub pods: Pods,
    /// Whether the only pod of a service may be hit, which leaves none to compare with.
    #[serde(default)]
    pub only_pod: bool,
    /// The run's id: objects are called `riftline-<run>`.
    pub run: String,
    /// How long the fault may stay at most.
    #[serde(with = "seconds", rename = "duration_s")]
    pub duration: Duration,
    /// Mark of the run's requests, in `tracestate` as `riftline=<mark>`; [`riftline_queries::replay::fault::When::mark`] goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// Whether the experiment is about timeouts or retries of the callers.
    #[serde(default)]
    pub about_timeouts: bool,
    /// Istio: name of the `VirtualService` that routes `host` already; without it the run makes its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_service: Option<String>,
    /// Litmus: the service account of the experiment's pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
}

/// What is spoken at the target's port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    #[default]
    Http,
    Grpc,
    Tcp,
}

/// How many of the matching pods are hit. There is no "all": a run leaves pods to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pods {
    #[default]
    One,
    Fixed(u32),
    Percent(u8),
}

impl Target {
    /// Returns the name of the run's object: names of Kubernetes have no capitals and no `_`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("riftline-{}", self.run.to_lowercase().replace('_', "-"))
    }

    /// Returns the mark that requests must carry to be hit, where there is one.
    #[must_use]
    pub fn mark<'a>(&'a self, fault: &'a Fault) -> Option<&'a str> {
        fault.when.mark.as_deref().or(self.marker.as_deref())
    }

    /// Returns the metadata of the run's object.
    pub(super) fn metadata(&self) -> Value {
        json!({
            "name": self.name(),
            "namespace": self.namespace,
            "labels": {RUN_LABEL: self.run, "app.kubernetes.io/managed-by": "riftline"},
            "annotations": {RUN_LABEL: self.run},
        })
    }

    /// Refuses what no injector could use.
    pub fn check(&self) -> Result<(), ManifestError> {
        let is_host = |host: &str| host.split('.').all(is_name);
        let is_run = self.run.starts_with(char::is_alphanumeric) && !self.run.ends_with('_') && is_name(&self.name());
        let longest = LONGEST_NAME - "riftline-".len();
        let run = &self.run;
        let rules = [
            (
                is_run,
                format!("run `{run}` cannot be part of a name: use letters, digits and -, at most {longest} letters"),
            ),
            (is_name(&self.namespace), format!("`{}` is no name of a namespace", self.namespace)),
            (!self.labels.is_empty(), "no labels: every pod of the namespace would be hit".to_owned()),
            (is_host(&self.host), format!("`{}` is no host: say what callers call the server", self.host)),
            (self.port != 0, "port 0 is none: name the server's port".to_owned()),
            (
                self.duration >= Duration::from_secs(1),
                "no duration: a fault needs an end, at least 1 s away".to_owned(),
            ),
            (self.virtual_service.as_deref().is_none_or(is_host), "`virtual_service` is no name".to_owned()),
            (!matches!(self.pods, Pods::Fixed(0) | Pods::Percent(0)), "no pods: at least one must be hit".to_owned()),
            (
                !matches!(self.pods, Pods::Percent(51..)),
                "more than 50 % of the pods leaves too few to compare with".to_owned(),
            ),
        ];
        let broken = rules.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, problem)| Err(ManifestError::Target(problem)))
    }
}

/// Returns whether `name` is a DNS label (RFC 1123, section 2.1).
pub fn is_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.bytes().all(is_inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

/// A duration as a number of seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(seconds).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::target;
    use super::*;

    #[test]
    fn a_target_reads_back_as_it_was_written() {
        let text = serde_json::to_string(&target()).unwrap();
        assert_eq!(serde_json::from_str::<Target>(&text).unwrap(), target());
        assert!(text.contains(r#""duration_s":120.0"#), "{text}");
    }

    #[test]
    fn what_no_injector_could_use_is_refused() {
        let refused = |change: fn(&mut Target)| {
            let mut target = target();
            change(&mut target);
            target.check().unwrap_err().to_string()
        };
        assert!(refused(|target| target.run = "exp 42".to_owned()).contains("run `exp 42`"));
        assert!(refused(|target| target.run = "x".repeat(60)).contains("at most 54"));
        assert!(refused(|target| target.labels.clear()).contains("every pod"));
        assert!(refused(|target| target.host.clear()).contains("no host"));
        assert!(refused(|target| target.port = 0).contains("port 0"));
        assert!(refused(|target| target.duration = Duration::ZERO).contains("duration"));
        assert!(refused(|target| target.pods = Pods::Percent(60)).contains("more than 50 %"));
        assert!(refused(|target| target.pods = Pods::Fixed(0)).contains("at least one"));
        assert!(refused(|target| target.namespace = "a/b".to_owned()).contains("namespace"));
    }

    #[test]
    fn seconds_that_are_no_time_are_an_error() {
        let text = serde_json::to_string(&target()).unwrap().replace("120.0", "-1");
        assert!(serde_json::from_str::<Target>(&text).is_err());
    }
}
