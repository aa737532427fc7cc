//! `riftline chaos export` and `import`: experiments as others run them, and faults that others wrote down.

use serde_json::{Map, Value};

use super::checked;
use crate::chaos::experiment::Experiment;
use crate::chaos::kubernetes::entry;
use crate::chaos::{export, import, plan};
use crate::cli::chaos::{ChaosFormat, ExportChaosArgs, ImportArgs};
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

/// Prints the faults of a file as experiments have them; what could not be taken over goes to stderr.
pub fn import(args: &ImportArgs) -> Result<(), Failure> {
    let failed = |reason: &dyn std::fmt::Display| Failure::Input(format!("{}: {reason}", args.file.display()));
    let text = std::fs::read_to_string(&args.file).map_err(|error| failed(&error))?;
    let imported = import::read(&text).map_err(|error| failed(&error))?;
    imported.notes.iter().for_each(|note| say::always(note));
    let yaml = serde_norway::to_string(&imported.faults).map_err(|error| failed(&error))?;
    answer::write_out(|out| Ok(out.write_all(yaml.as_bytes())?))
}

fn toolkit(experiment: &Experiment, file: &str) -> String {
    format!("{:#}\n", export::chaostoolkit(&plan::stock(experiment, file)))
}

/// Returns the object of a cluster. The driver's options say where it goes; what they lack is taken from the experiment.
fn object(experiment: &Experiment, injector: &str) -> Result<String, Failure> {
    let plan = &experiment.plan;
    let server = &plan.target.edge.server;
    let in_staging = plan.target.services.get(server).unwrap_or(server);
    let known = [
        ("context", "staging".to_owned()),
        ("namespace", plan.target.environment.clone()),
        ("labels", format!("app={in_staging}")),
        ("host", in_staging.clone()),
        ("port", "80".to_owned()),
        ("duration_s", plan.limits.duration_s.to_string()),
    ];
    let mut options: Map<String, Value> =
        known.into_iter().map(|(key, text)| (key.to_owned(), Value::from(text))).collect();
    if plan.driver.name == injector {
        options.extend(plan.driver.options.clone());
    }
    entry::export(injector, &options, &experiment.hash(), &plan.fault)
        .map_err(|error| Failure::usage(error.to_string()))
}
