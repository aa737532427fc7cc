//! The drivers of this folder in the list of drivers: their options, as texts, become a target.

use std::collections::BTreeMap;
use std::time::Duration;

use riftline_queries::replay::fault::Fault;
use serde_json::{Map, Value};

use super::super::driver::DriverError;
use super::super::drivers::{Entry, Made, Order, Setting, Settings};
use super::super::manifest::{self, Pods, Protocol, Target};

pub const CHAOS_MESH: Entry = Entry {
    name: "chaos-mesh",
    about: "NetworkChaos or HTTPChaos of Chaos Mesh, through kubectl",
    settings: SETTINGS,
    make: |settings, order| make("chaos-mesh", settings, order),
};

pub const ISTIO: Entry = Entry {
    name: "istio",
    about: "a matched route of an Istio VirtualService, through kubectl",
    settings: SETTINGS,
    make: |settings, order| make("istio", settings, order),
};

pub const LITMUS: Entry = Entry {
    name: "litmus",
    about: "a ChaosEngine of LitmusChaos, for export only",
    settings: SETTINGS,
    make: |settings, order| make("litmus", settings, order),
};

const SETTINGS: &[Setting] = &[
    required("context", "context of the kubeconfig; it must be the current one"),
    required("namespace", "namespace of the pods; it must be annotated as welcoming faults"),
    required("labels", "labels of the server's pods: `app=payments,tier=api`"),
    required("host", "what callers call the server: `payments`"),
    required("port", "TCP port of the server: of its container for Chaos Mesh and Litmus, of its service for Istio"),
    usual("protocol", "what is spoken there: http, grpc, tcp", "http"),
    usual("client", "labels of the calling pods; all callers where empty", ""),
    usual("pods", "how many pods are hit: one, a number, or a share such as 25%; at most half", "one"),
    usual("only_pod", "whether the only pod of a service may be hit: true, false", "false"),
    usual("duration_s", "how long the object may stay at most, in seconds, up to 600", "120"),
    usual("about_timeouts", "whether timeouts or retries of callers are the subject: true, false", "false"),
    usual("virtual_service", "Istio: the VirtualService that routes the host already", ""),
    usual("service_account", "Litmus: service account of the experiment's pods", ""),
];

/// Longest time that an object may stay, in seconds.
const LONGEST: u64 = 600;

const fn required(name: &'static str, about: &'static str) -> Setting {
    Setting { name, about, is_required: true, default: None }
}

const fn usual(name: &'static str, about: &'static str, default: &'static str) -> Setting {
    Setting { name, about, is_required: false, default: Some(default) }
}

/// Returns the manifest of `fault` as YAML for the driver of this name with the options of an experiment file; asks nobody.
pub fn export(name: &str, options: &Map<String, Value>, run: &str, fault: &Fault) -> Result<String, DriverError> {
    let unknown = || DriverError::Unable(format!("no manifests for `{name}`: chaos-mesh, istio, litmus"));
    let entry = [&CHAOS_MESH, &ISTIO, &LITMUS].into_iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
    let target = target(&Settings::read(entry, options)?, run)?;
    let manifest = manifest::manifest(name, fault, &target).map_err(|error| DriverError::Unable(error.to_string()))?;
    Ok(manifest.yaml(&target))
}

fn make(name: &str, settings: &Settings, order: &Order) -> Made {
    super::driver(name, target(settings, &order.run)?)
}

/// Returns the target that the options describe.
pub fn target(settings: &Settings, run: &str) -> Result<Target, DriverError> {
    let optional = |name: &str| Some(settings.text(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let target = Target {
        context: settings.text("context").to_owned(),
        namespace: settings.text("namespace").to_owned(),
        labels: labels(settings, "labels")?,
        host: settings.text("host").to_owned(),
        port: settings.text("port").parse().map_err(|_| wrong(settings, "port", "a number up to 65535"))?,
        protocol: protocol(settings)?,
        client: labels(settings, "client")?,
        pods: pods(settings)?,
        only_pod: truth(settings, "only_pod")?,
        run: run.to_owned(),
        duration: duration(settings)?,
        marker: None,
        about_timeouts: truth(settings, "about_timeouts")?,
        virtual_service: optional("virtual_service"),
        service_account: optional("service_account"),
    };
    target.check().map_err(|error| DriverError::Unable(error.to_string()))?;
    Ok(target)
}

fn wrong(settings: &Settings, name: &str, wanted: &str) -> DriverError {
    DriverError::Unable(format!("option `{name}` is `{}`, but must be {wanted}", settings.text(name)))
}

fn labels(settings: &Settings, name: &str) -> Result<BTreeMap<String, String>, DriverError> {
    let pair = |text: &str| text.trim().split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let pairs: Option<_> = settings.text(name).split(',').filter(|text| !text.is_empty()).map(pair).collect();
    pairs.ok_or_else(|| wrong(settings, name, "labels, as in app=payments,tier=api"))
}

fn protocol(settings: &Settings) -> Result<Protocol, DriverError> {
    match settings.text("protocol") {
        "http" => Ok(Protocol::Http),
        "grpc" => Ok(Protocol::Grpc),
        "tcp" => Ok(Protocol::Tcp),
        _ => Err(wrong(settings, "protocol", "http, grpc or tcp")),
    }
}

fn pods(settings: &Settings) -> Result<Pods, DriverError> {
    let text = settings.text("pods");
    let pods = match (text, text.strip_suffix('%')) {
        ("one", _) => Some(Pods::One),
        (_, Some(share)) => share.trim().parse().ok().map(Pods::Percent),
        (count, None) => count.parse().ok().map(Pods::Fixed),
    };
    pods.ok_or_else(|| wrong(settings, "pods", "one, a number, or a share such as 25%"))
}

fn truth(settings: &Settings, name: &str) -> Result<bool, DriverError> {
    settings.text(name).parse().map_err(|_| wrong(settings, name, "true or false"))
}

fn duration(settings: &Settings) -> Result<Duration, DriverError> {
    let seconds = settings.text("duration_s").parse().ok().filter(|seconds| (1..=LONGEST).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| wrong(settings, "duration_s", "seconds, from 1 to 600"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::manifest::tests::fault;
    use super::*;

    fn options(change: &[(&str, &str)]) -> Map<String, Value> {
        let mut options: Map<String, Value> = [
            ("context", "staging"),
            ("namespace", "shop"),
            ("labels", "app=payments, tier=api"),
            ("host", "payments"),
            ("port", "8080"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
        options.extend(change.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        options
    }

    fn read(change: &[(&str, &str)]) -> Result<Target, DriverError> {
        target(&Settings::read(&CHAOS_MESH, &options(change))?, "exp42")
    }

    #[test]
    fn a_manifest_is_exported_without_a_cluster() {
        let text = export("istio", &options(&[]), "Exp_42", &fault("latency", json!({}))).unwrap();
        assert!(text.contains("kind: VirtualService") && text.contains("name: riftline-exp-42"), "{text}");
        assert!(export("helm", &options(&[]), "exp42", &fault("latency", json!({}))).is_err());
        assert!(export("istio", &Map::new(), "exp42", &fault("latency", json!({}))).is_err());
    }

    #[test]
    fn options_become_a_target() {
        let target = read(&[("client", "app=orders"), ("pods", "25%"), ("duration_s", "30")]).unwrap();
        assert_eq!(target.labels.len(), 2);
        assert_eq!(target.client["app"], "orders");
        assert_eq!((target.pods, target.duration), (Pods::Percent(25), Duration::from_secs(30)));
        assert_eq!((target.protocol, target.virtual_service), (Protocol::Http, None));
    }

    #[test]
    fn options_that_make_no_sense_are_named() {
        for (name, value) in [
            ("port", "http"),
            ("pods", "all"),
            ("labels", "payments"),
            ("protocol", "smtp"),
            ("only_pod", "yes"),
            ("duration_s", "3600"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(&format!("option `{name}` is `{value}`")), "{error}");
        }
        assert!(read(&[("label", "x")]).unwrap_err().to_string().contains("nearest: `labels`"));
        assert!(read(&[("pods", "60%")]).unwrap_err().to_string().contains("more than 50 %"));
    }
}
