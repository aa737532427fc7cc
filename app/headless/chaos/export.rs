//! `riftline chaos export`: an experiment as others run it.

use serde_json::json;

use super::checked;
use crate::chaos::experiment::Experiment;
use crate::chaos::manifest::{Target, manifest};
use crate::chaos::{export, plan};
use crate::cli::chaos::{ChaosFormat, ExportChaosArgs};
use crate::error::Failure;
use crate::headless::{answer, say};

/// Writes an experiment for somebody else.
pub fn run(args: &ExportChaosArgs) -> Result<(), Failure> {
    let experiment = checked(&args.experiment.experiment)?;
    let text = match args.format {
        ChaosFormat::Chaostoolkit => toolkit(&experiment, &args.experiment.experiment.to_string_lossy()),
        ChaosFormat::ChaosMesh => object(&experiment, "chaos-mesh")?,
        ChaosFormat::Istio => object(&experiment, "istio")?,
        ChaosFormat::Litmus => object(&experiment, "litmus")?,
    };
    match &args.out {
        None => answer::write_out(|out| Ok(out.write_all(text.as_bytes())?)),
        Some(path) => {
            std::fs::write(path, text).map_err(|error| Failure::Input(format!("write {}: {error}", path.display())))
        }
    }
}

fn toolkit(experiment: &Experiment, file: &str) -> String {
    format!("{:#}\n", export::chaostoolkit(&plan::stock(experiment, file)))
}

/// Returns the object of a cluster. The driver's options say where it goes; what they lack is taken from the experiment.
fn object(experiment: &Experiment, injector: &str) -> Result<String, Failure> {
    let target = target(experiment)?;
    let manifest =
        manifest(injector, &experiment.plan.fault, &target).map_err(|error| Failure::usage(error.to_string()))?;
    manifest.fidelity.losses.iter().for_each(|loss| say::always(&format!("lost: {loss}")));
    Ok(manifest.yaml(&target))
}

fn target(experiment: &Experiment) -> Result<Target, Failure> {
    let server = &experiment.plan.target.edge.server;
    let in_staging = experiment.plan.target.services.get(server).unwrap_or(server);
    let mut options = json!({
        "context": "staging", "namespace": experiment.plan.target.environment, "labels": {"app": in_staging}, "host": in_staging,
        "port": 80, "run": experiment.hash(), "duration_s": experiment.plan.limits.duration_s,
    });
    let known = [
        "context",
        "namespace",
        "labels",
        "host",
        "port",
        "protocol",
        "client",
        "pods",
        "only_pod",
        "virtual_service",
        "service_account",
        "about_timeouts",
    ];
    for (key, value) in experiment.plan.driver.options.iter().filter(|(key, _)| known.contains(&key.as_str())) {
        options[key] = value.clone();
    }
    serde_json::from_value::<Target>(options)
        .map_err(|error: serde_json::Error| Failure::usage(format!("driver: {error}")))
}
